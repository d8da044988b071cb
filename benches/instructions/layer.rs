//! How many instructions the middleware takes around a service that answers at once. In a program of its own, so that
//! the counts of the limiters do not depend on it.

#![allow(missing_docs)] // of the modules that the macros make

use bytes::Bytes;
use casgate::clock::ManualClock;
use casgate::{KeyedLimiter, Quota, Timestamp};
use casgate_tower::fields::Fields;
use casgate_tower::observe::{Event, Observer};
use casgate_tower::{KeyBy, Policy, RateLimit, RateLimitLayer};
use gungraun::{library_benchmark, library_benchmark_group, main};
use std::convert::Infallible;
use std::future::Future;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use tower::{Layer, Service};

const NOW: Timestamp = Timestamp::from_secs(9);
const QUOTA: Quota = Quota::per_second(7);

type Request = http::Request<()>;
type Served = std::future::Ready<Result<http::Response<Bytes>, Infallible>>;

/// A service that answers at once.
#[derive(Clone)]
struct Answers;

impl Service<Request> for Answers {
    type Response = http::Response<Bytes>;
    type Error = Infallible;
    type Future = Served;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Served {
        std::future::ready(Ok(http::Response::new(Bytes::new())))
    }
}

/// A limit for each key, of which the one that asks has been seen before.
fn layer(fields: Fields) -> RateLimitLayer {
    let clock = Arc::new(ManualClock::new());
    clock.set(NOW);
    let limiter = KeyedLimiter::token_bucket(QUOTA, 100)
        .with_hasher(BuildHasherDefault::<DefaultHasher>::default())
        .with_clock(clock);
    assert!(limiter.is_allowed(&1_u64));
    let key = KeyBy::new(|parts| parts.extensions.get::<u64>().copied());
    RateLimitLayer::new(Policy::over_keyed(limiter, QUOTA, key)).fields(fields)
}

/// An observer that does nothing, and of which the compiler does not know it.
struct Silent;

impl Observer for Silent {
    fn observe(&self, _: &Event<'_>) {}
}

#[derive(Default)]
struct Counts(AtomicU64);

impl Observer for Counts {
    fn observe(&self, event: &Event<'_>) {
        self.0.fetch_add(event.cost().into(), Ordering::Relaxed);
    }
}

fn limited<O: Observer>(layer: RateLimitLayer<O>) -> (RateLimit<Answers, O>, Request) {
    let mut request = Request::default();
    request.extensions_mut().insert(1_u64);
    (layer.layer(Answers), request)
}

/// Calls a service, and drops its response.
fn call<S: Service<Request>>((mut service, request): (S, Request)) -> S {
    let response = service.call(request);
    assert!(pin!(response).poll(&mut Context::from_waker(Waker::noop())).is_ready());
    service
}

#[library_benchmark]
#[bench::alone((Answers, limited(layer(Fields::NONE)).1))]
fn service(called: (Answers, Request)) -> Answers {
    call(called)
}

#[library_benchmark]
#[bench::unobserved(limited(layer(Fields::NONE)))]
fn service_and_layer(called: (RateLimit<Answers>, Request)) -> RateLimit<Answers> {
    call(called)
}

#[library_benchmark]
#[bench::silent(limited(layer(Fields::NONE).observer(Silent)))]
fn service_and_layer_silent(
    called: (RateLimit<Answers, Silent>, Request),
) -> RateLimit<Answers, Silent> {
    call(called)
}

#[library_benchmark]
#[bench::counted(limited(layer(Fields::NONE).observer(Counts::default())))]
fn service_and_layer_counted(
    called: (RateLimit<Answers, Counts>, Request),
) -> RateLimit<Answers, Counts> {
    call(called)
}

#[library_benchmark]
#[bench::draft_11(limited(layer(Fields::DRAFT_11)))]
fn service_and_layer_and_fields(called: (RateLimit<Answers>, Request)) -> RateLimit<Answers> {
    call(called)
}

library_benchmark_group!(
    name = layer,
    benchmarks = [
        service,
        service_and_layer,
        service_and_layer_silent,
        service_and_layer_counted,
        service_and_layer_and_fields
    ]
);

main!(library_benchmark_groups = layer);
