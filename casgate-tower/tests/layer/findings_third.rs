//! Sentences of the documentation that a third review found cases for.

use super::*;
use casgate::clock::Clock;
use casgate::{Admitted, Denied, Limit, LimitN, Snapshot, Timestamp};
use casgate_tower::MissingKey;
use casgate_tower::fields::{self, Announced, Standing};
use http::HeaderValue;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;

fn grpc(mut request: Request<()>, media_type: &'static str) -> Request<()> {
    request.headers_mut().insert("content-type", HeaderValue::from_static(media_type));
    request
}

/// `RateLimitLayer`: "No cache may store these answers". Those to gRPC are a 200, and a client that sends its media type
/// with GET would leave one in the place of the page.
#[test]
fn no_cache_stores_an_answer_of_the_layer() {
    for missing_key in [MissingKey::default(), MissingKey::Deny(StatusCode::NOT_FOUND)] {
        let policy = keyed(Quota::per_hour(1), &clock()).missing_key(missing_key);
        let service = around(&RateLimitLayer::new(policy));
        assert!(!send(&service, request("a")).headers().contains_key("cache-control"));
        for request in [request("a"), keyless()] {
            for request in [request.clone(), grpc(request, "application/grpc")] {
                let answer = send(&service, request);
                assert_eq!(answer.headers()["cache-control"], "no-store", "{answer:?}");
            }
        }
    }
}

/// `is_grpc`: gRPC-Web "counts as well". Its clients do not read an answer of another media type, even without a key.
#[test]
fn a_missing_key_is_answered_in_the_media_type_of_the_request() {
    let service = around(&RateLimitLayer::new(keyed(Quota::per_hour(1), &clock())));
    for media_type in
        ["application/grpc", "application/grpc-web+proto", "application/grpc-web-text"]
    {
        let answer = send(&service, grpc(keyless(), media_type));
        assert_eq!(answer.headers()["content-type"], media_type);
        assert_eq!(answer.headers()["grpc-status"], "13");
        assert!(!answer.headers().contains_key("grpc-message"));
    }
}

/// Panics once, when it is asked for the time after it was set.
#[derive(Default)]
struct Trips(AtomicBool);

impl Clock for Trips {
    fn now(&self) -> Timestamp {
        assert!(!self.0.swap(false, Ordering::Relaxed), "the clock trips");
        Timestamp::from_secs(10)
    }
}

/// A response is settled once, even if the limiter panics meanwhile and the future is polled again: here around a service
/// whose future is ready each time.
#[test]
fn a_panic_while_a_response_is_settled_gives_nothing_twice() {
    type Settles = fn(Policy) -> Policy;
    let settles: [(Settles, u32); 2] = [
        (|policy| policy.refund_on([StatusCode::OK]), 4),
        (|policy| policy.cost(|_| 2).true_cost(|_| Some(1)), 3),
    ];
    for (settles, left) in settles {
        let (clock, quota) = (Arc::new(Trips::default()), Quota::per_hour(9));
        let limiter = Arc::new(Limiter::token_bucket(quota).with_clock(Arc::clone(&clock)));
        assert!(limiter.check_n(5).is_ok());
        let layer = RateLimitLayer::new(settles(Policy::over(Arc::clone(&limiter), quota)));
        let mut service = layer.layer(tower::service_fn(|_: Request<()>| {
            std::future::poll_fn(|_| {
                Poll::Ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
            })
        }));
        let mut response = Box::pin(service.call(request("a")));
        clock.0.store(true, Ordering::Relaxed);
        for _ in 0..2 {
            let _ = catch_unwind(AssertUnwindSafe(|| poll(&mut response).is_ready()));
        }
        assert_eq!(limiter.peek().remaining(), left);
    }
}

/// A limiter whose store is away, and that does not know for how long.
struct Away;

impl Limit for Away {
    fn check(&self) -> Result<Admitted, Denied> {
        self.check_n(1)
    }

    fn check_at(&self, _: Timestamp) -> Result<Admitted, Denied> {
        self.check_n(1)
    }

    fn peek(&self) -> Snapshot {
        Snapshot::new(5, 0, Duration::ZERO)
    }

    fn peek_at(&self, _: Timestamp) -> Snapshot {
        self.peek()
    }
}

impl LimitN for Away {
    fn check_n(&self, n: u32) -> Result<Admitted, Denied> {
        Err(Denied::new(n, self.peek(), None).unavailable())
    }

    fn check_n_at(&self, n: u32, _: Timestamp) -> Result<Admitted, Denied> {
        self.check_n(n)
    }

    fn refund(&self, _: &Admitted) {}

    fn charge(&self, n: u32) -> Result<Admitted, Denied> {
        self.check_n(n)
    }
}

/// `grpc_unavailable`: "it is unknown whether it is exceeded". So nothing says that the request can never fit, and the wait
/// that another policy knows stands.
#[test]
fn an_unavailable_limit_without_a_wait_does_not_say_that_a_request_can_never_fit() {
    let quota = Quota::per_hour(5);
    let away = || Policy::over(Away, quota).named("away");
    let awaited = Policy::over_awaited(Arc::new(Away), quota, |away, n| ready(away.check_n(n)));
    for policy in [away(), awaited] {
        let service = around(&RateLimitLayer::new(policy));
        let answer = send(&service, request("a"));
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(!answer.headers().contains_key("retry-after"));
        let answer = send(&service, grpc(request("a"), "application/grpc"));
        assert_eq!(answer.headers()["grpc-status"], "14");
        assert_eq!(answer.headers()["grpc-message"], "rate limit unavailable");
    }
    let spent = bucket_limiter(quota, &clock());
    assert!(spent.check_n(5).is_ok());
    let layer = RateLimitLayer::all([away(), Policy::over(spent, quota).named("spent")]);
    let answer = send(&around(&layer), request("a"));
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers()["retry-after"], "720");
}

/// As above, of a limiter that denies everything until the end of time: no wait helps, but the request would fit.
#[test]
fn a_limit_that_denies_permanently_does_not_say_that_a_request_can_never_fit() {
    let quota = Quota::per_hour(5);
    for (cost, message) in
        [(5, "rate limit exceeded"), (6, "rate limit exceeded; the request can never fit")]
    {
        let closed = bucket_limiter(quota, &clock());
        closed.deny_until(Timestamp::MAX);
        let spent = bucket_limiter(Quota::per_hour(9), &clock());
        assert!(spent.check_n(9).is_ok());
        let service = around(&RateLimitLayer::all([
            Policy::over(closed, quota).named("closed").cost(move |_| cost),
            Policy::over(spent, Quota::per_hour(9)).named("spent"),
        ]));
        let answer = send(&service, grpc(request("a"), "application/grpc"));
        assert_eq!(answer.headers()["grpc-message"], message);
        assert!(!answer.headers().contains_key("retry-after"));
        assert!(!answer.headers().contains_key("grpc-status-details-bin"));
    }
}

/// `Policy::cost`: "A request that costs none is always admitted … but not by a queue that is closed or pauses".
#[test]
fn a_request_that_costs_nothing_is_held_by_a_queue_that_pauses() {
    let quota = Quota::per_second(1).with_burst(1);
    let clock = clock();
    let queue = Arc::new(line(quota, &clock));
    let policy = Policy::over_queue(Arc::clone(&queue), quota, secs(5)).cost(|_| 0);
    let service = around(&RateLimitLayer::new(policy));
    assert!(queue.limiter().is_allowed());
    assert_eq!(status(&service, request("a")), 200);
    queue.pause_until(Timestamp::from_secs(9));
    assert_eq!(send(&service, request("a")).headers()["retry-after"], "4");
    clock.advance(secs(9));
    assert_eq!(status(&service, request("a")), 200);
    queue.close();
    assert_eq!(status(&service, request("a")), 429);
}

/// `Standing::retry_after`: "Less than a microsecond above whole seconds is no second more."
#[test]
fn a_wait_is_rounded_up_from_a_microsecond_on() {
    let announced = Announced::new(Name::new("a").unwrap(), Quota::per_hour(1));
    for (above, seconds) in [(0, 2), (1, 2), (999, 2), (1_000, 3), (999_999_999, 3)] {
        let wait = secs(2) + Duration::from_nanos(above);
        let denied = Denied::new(1, Snapshot::new(1, 0, wait), Some(wait));
        assert_eq!(Standing::denied(&announced, &denied).retry_after(), Some(seconds), "{above}");
    }
    let denied = Denied::new(1, Snapshot::new(1, 0, Duration::ZERO), Some(Duration::ZERO));
    assert_eq!(Standing::denied(&announced, &denied).retry_after(), Some(1), "never zero");
}

/// `Policy::named`: the policies of layers around each other need different names, or clients know neither quota.
#[test]
fn policies_of_one_name_in_two_layers_are_one_list() {
    for (inner, outer, quotas) in
        [("user", "client", [Some(5), Some(7)]), ("default", "default", [None, None])]
    {
        let layer = |n, name| RateLimitLayer::new(bucket(Quota::per_hour(n), &clock()).named(name));
        let mut service = layer(7, outer).layer(around(&layer(5, inner)));
        let limits = fields::read(now(service.call(request("a"))).unwrap().headers());
        assert_eq!(limits.into_iter().map(|limit| limit.quota).collect::<Vec<_>>(), quotas);
    }
}
