//! Limiters whose answer is awaited, such as those of a fleet.

use super::*;
use casgate::{Admitted, Denied, Limit, LimitN, Snapshot, Timestamp};
use std::sync::atomic::AtomicBool;

/// A limiter that waits for a lease, or whose store is away.
struct Remote {
    limiter: Arc<Bucket>,
    is_leased: AtomicBool,
    is_away: AtomicBool,
}

impl Remote {
    fn new(permits: u32) -> Arc<Self> {
        let limiter = bucket_limiter(Quota::per_hour(permits), &clock());
        Arc::new(Self { limiter, is_leased: true.into(), is_away: false.into() })
    }

    async fn ask(self: Arc<Self>, n: u32) -> Result<Admitted, Denied> {
        std::future::poll_fn(|_| match self.is_leased.load(Ordering::Relaxed) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        if self.is_away.load(Ordering::Relaxed) {
            return Err(Denied::new(n, self.limiter.peek(), Some(secs(3))).unavailable());
        }
        self.limiter.check_n(n)
    }

    fn left(&self) -> u32 {
        self.limiter.peek().remaining()
    }
}

impl Limit for Remote {
    fn check(&self) -> Result<Admitted, Denied> {
        self.limiter.check()
    }

    fn check_at(&self, now: Timestamp) -> Result<Admitted, Denied> {
        self.limiter.check_at(now)
    }

    fn peek(&self) -> Snapshot {
        self.limiter.peek()
    }

    fn peek_at(&self, now: Timestamp) -> Snapshot {
        self.limiter.peek_at(now)
    }
}

impl LimitN for Remote {
    fn check_n(&self, n: u32) -> Result<Admitted, Denied> {
        self.limiter.check_n(n)
    }

    fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
        self.limiter.check_n_at(n, now)
    }

    fn refund(&self, admitted: &Admitted) {
        self.limiter.refund(admitted);
    }

    fn charge(&self, n: u32) -> Result<Admitted, Denied> {
        LimitN::charge(&self.limiter, n)
    }
}

fn over(remote: &Arc<Remote>) -> Policy {
    Policy::over_awaited(Arc::clone(remote), Quota::per_hour(2), Remote::ask).named("fleet")
}

#[test]
fn a_request_awaits_its_answer() {
    let remote = Remote::new(2);
    let mut service = around(&RateLimitLayer::new(over(&remote)));
    assert_eq!(status(&service, request("a")), 200);

    remote.is_leased.store(false, Ordering::Relaxed);
    let mut waits = Box::pin(service.call(request("a")));
    let mut dropped = Box::pin(service.call(request("a")));
    assert!(poll(&mut waits).is_pending() && poll(&mut dropped).is_pending());
    assert_eq!(remote.left(), 1, "it has spent nothing yet");
    drop(dropped);

    remote.is_leased.store(true, Ordering::Relaxed);
    assert!(matches!(poll(&mut waits), Poll::Ready(Ok(answer)) if answer.status() == 200));
    assert_eq!(status(&service, request("a")), 429);
}

/// A service that does not know whether its limit is reached says that it is the one at fault.
#[test]
fn an_unavailable_limit_is_answered_with_503() {
    let remote = Remote::new(2);
    remote.is_away.store(true, Ordering::Relaxed);
    let told = Told::default();
    let service = around(&RateLimitLayer::new(over(&remote)).observer(told.clone()));
    let answer = send(&service, request("a"));
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "3");
    assert_eq!(told.0.lock().unwrap()[..], [is("fleet", Outcome::Unavailable)]);

    let mut grpc = request("a");
    grpc.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    let answer = send(&service, grpc);
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["grpc-status"], "14");
    assert_eq!(answer.headers()["grpc-message"], "rate limit unavailable; retry in 3 s");
}

/// All or none: what the others were charged goes back, and a limit that is reached says more than one that is away.
#[test]
fn in_a_stack_it_is_asked_after_the_others() {
    let (remote, other) = (Remote::new(2), Remote::new(1));
    let own = Policy::over(Arc::clone(&other.limiter), Quota::per_hour(1)).named("own");
    let service = around(&RateLimitLayer::all([over(&remote), own]));
    remote.is_away.store(true, Ordering::Relaxed);
    assert_eq!(status(&service, request("a")), 503);
    assert_eq!(other.left(), 1);

    remote.is_away.store(false, Ordering::Relaxed);
    assert_eq!(status(&service, request("a")), 200);
    assert_eq!((remote.left(), other.left()), (1, 0));

    remote.is_away.store(true, Ordering::Relaxed);
    assert_eq!(status(&service, request("a")), 429);
    assert_eq!((remote.left(), other.left()), (1, 0));
}
