//! The middleware around services. Limiters have a [`ManualClock`], so no test depends on the time.

mod allocations;
mod answers;
mod awaited;
mod configs;
mod findings;
mod findings_again;
mod findings_third;
mod formats;
mod keys;
mod model;
mod numbers;
mod observers;
mod over_http;
mod policies;
mod queues;
mod readiness;
mod reloads;
mod sharing;
mod stacks;
mod ways;

use bytes::Bytes;
use casgate::clock::ManualClock;
use casgate::wait::{Queue, Timer};
use casgate::{KeyedLimiter, Limiter, Quota, TokenBucket};
use casgate_tower::fields::{Name, Refill};
use casgate_tower::observe::{Event, Observer, Outcome};
use casgate_tower::{KeyBy, Policy, RateLimit, RateLimitLayer};
use http::{HeaderName, Request, Response, StatusCode};
use http_body_util::Full;
use std::convert::Infallible;
use std::future::{Future, Pending, Ready, pending, ready};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tower::{Layer, Service};

/// What a future returns that is ready when it is polled first.
fn now<T>(future: impl Future<Output = T>) -> T {
    match poll(&mut pin!(future)) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn request(key: &str) -> Request<()> {
    Request::builder().header("x-key", key).body(()).unwrap()
}

/// A request without the header that [`by_header`] makes a key of.
fn keyless() -> Request<()> {
    Request::new(())
}

fn by_header() -> KeyBy {
    KeyBy::header(HeaderName::from_static("x-key"))
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new())
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

type Bucket = Limiter<TokenBucket, Arc<ManualClock>>;
type Keys = KeyedLimiter<Arc<ManualClock>>;

fn bucket_limiter(quota: Quota, clock: &Arc<ManualClock>) -> Arc<Bucket> {
    Arc::new(Limiter::token_bucket(quota).with_clock(Arc::clone(clock)))
}

fn keys(quota: Quota, clock: &Arc<ManualClock>) -> Arc<Keys> {
    Arc::new(KeyedLimiter::token_bucket(quota, 1_000).with_clock(Arc::clone(clock)))
}

fn bucket(quota: Quota, clock: &Arc<ManualClock>) -> Policy {
    Policy::over(bucket_limiter(quota, clock), quota)
}

fn window(quota: Quota, clock: &Arc<ManualClock>) -> Policy {
    let limiter = Limiter::fixed_window(quota).with_clock(Arc::clone(clock));
    Policy::over(limiter, quota).refill(Refill::AtOnce)
}

fn keyed(quota: Quota, clock: &Arc<ManualClock>) -> Policy {
    Policy::over_keyed(keys(quota, clock), quota, by_header())
}

/// A timer that never fires: a test that moves the clock polls again itself.
#[derive(Clone, Copy)]
struct ByHand;

impl Timer for ByHand {
    type Sleep = Pending<()>;

    fn sleep(&self, _: Duration) -> Pending<()> {
        pending()
    }
}

type Line = Queue<TokenBucket, Arc<ManualClock>, ByHand>;

fn line(quota: Quota, clock: &Arc<ManualClock>) -> Line {
    Queue::with_timer(Limiter::token_bucket(quota).with_clock(Arc::clone(clock)), ByHand)
}

/// Answers with a status that a test can change, and counts its requests.
#[derive(Clone, Default)]
struct Served {
    calls: Arc<AtomicUsize>,
    status: Arc<Mutex<StatusCode>>,
}

impl Served {
    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

impl<B> Service<Request<B>> for Served {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut response = Response::new(Full::from("served"));
        *response.status_mut() = *self.status.lock().unwrap();
        ready(Ok(response))
    }
}

type Answer = Response<Full<Bytes>>;

/// Sends a request that is answered without a wait.
fn send<O: Observer>(service: &RateLimit<Served, O>, request: Request<()>) -> Answer {
    let mut service = service.clone();
    assert!(
        now(std::future::poll_fn(|cx| Service::<Request<()>>::poll_ready(&mut service, cx)))
            .is_ok()
    );
    now(service.call(request)).unwrap()
}

fn status<O: Observer>(service: &RateLimit<Served, O>, request: Request<()>) -> u16 {
    send(service, request).status().as_u16()
}

fn around<O: Observer>(layer: &RateLimitLayer<O>) -> RateLimit<Served, O> {
    layer.layer(Served::default())
}

/// What an observer was told, in its order.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Fact>>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fact {
    Is(String, Outcome),
    Waits(String),
    Waited(String),
}

impl Told {
    fn take(&self) -> Vec<Fact> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn is(policy: &str, outcome: Outcome) -> Fact {
    Fact::Is(policy.to_owned(), outcome)
}

fn waits(policy: &str) -> Fact {
    Fact::Waits(policy.to_owned())
}

fn waited(policy: &str) -> Fact {
    Fact::Waited(policy.to_owned())
}

impl Observer for Told {
    fn observe(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(is(event.policy().as_str(), event.outcome()));
    }

    fn waits(&self, policy: &Name) {
        self.0.lock().unwrap().push(waits(policy.as_str()));
    }

    fn waited(&self, policy: &Name, _: Duration) {
        self.0.lock().unwrap().push(waited(policy.as_str()));
    }
}
