//! The service that was readied is the one that is called.

use super::*;

/// Panics if it is called without having been readied, as tower allows. Its clone is not ready.
#[derive(Default)]
struct Strict {
    is_ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Service<Request<()>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called without having been readied");
        ready(Ok(Response::default()))
    }
}

fn readied(service: &mut RateLimit<Strict>) -> &mut RateLimit<Strict> {
    assert!(now(std::future::poll_fn(|cx| service.poll_ready(cx))).is_ok());
    service
}

/// tower-resilience #286.
#[test]
fn a_service_is_called_that_was_readied_when_the_request_is_admitted() {
    let layer = RateLimitLayer::new(bucket(Quota::per_hour(2), &clock()));
    let mut service = layer.layer(Strict::default());
    for _ in 0..2 {
        assert!(now(readied(&mut service).call(request("a"))).unwrap().status().is_success());
    }
}

/// tower-resilience #286: the service goes with the request that waits, and its clone is readied for the next.
#[test]
fn a_service_is_called_that_was_readied_when_the_request_waits() {
    let (clock, quota) = (clock(), Quota::per_second(1).with_burst(1));
    let policy = Policy::over_queue(line(quota, &clock), quota, secs(9));
    let mut service = RateLimitLayer::new(policy).layer(Strict::default());
    assert!(now(readied(&mut service).call(request("a"))).is_ok());
    let mut first = Box::pin(readied(&mut service).call(request("a")));
    let mut second = Box::pin(readied(&mut service).call(request("a")));
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    clock.advance(secs(1));
    assert!(poll(&mut first).is_ready() && poll(&mut second).is_pending());
    clock.advance(secs(1));
    assert!(poll(&mut second).is_ready());
}

/// tower-resilience #286: a denial does not use the readiness up, and readying again does no harm.
#[test]
fn a_service_is_called_that_was_readied_after_a_denial() {
    let (clock, quota) = (clock(), Quota::per_second(1).with_burst(1));
    let mut service = RateLimitLayer::new(bucket(quota, &clock)).layer(Strict::default());
    for is_readied_again in [true, false] {
        assert!(now(readied(&mut service).call(request("a"))).unwrap().status().is_success());
        let denied = now(readied(&mut service).call(request("a"))).unwrap();
        assert_eq!(denied.status(), StatusCode::TOO_MANY_REQUESTS);
        clock.advance(secs(1));
        if is_readied_again {
            readied(&mut service);
        }
        assert!(now(service.call(request("a"))).unwrap().status().is_success());
        clock.advance(secs(1));
    }
}

/// `poll_ready` is that of the service: it waits and fails as it does.
#[test]
fn readiness_is_that_of_the_service() {
    #[derive(Clone)]
    struct Unready(Poll<Result<(), &'static str>>);

    impl Service<Request<()>> for Unready {
        type Response = Response<Full<Bytes>>;
        type Error = &'static str;
        type Future = Ready<Result<Response<Full<Bytes>>, &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            self.0
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            ready(Err("failed"))
        }
    }

    let limiter = bucket_limiter(Quota::per_hour(2), &clock());
    let layer = RateLimitLayer::new(Policy::over(Arc::clone(&limiter), Quota::per_hour(2)));
    for readiness in [Poll::Pending, Poll::Ready(Err("broken")), Poll::Ready(Ok(()))] {
        let mut service = layer.layer(Unready(readiness));
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(service.poll_ready(&mut cx), readiness);
    }
    assert_eq!(limiter.peek().remaining(), 2, "readiness asks nothing");
}

#[test]
#[should_panic(expected = "polled after it was ready")]
fn a_response_that_was_taken_is_not_polled_again() {
    let mut service = around(&RateLimitLayer::new(bucket(Quota::per_hour(1), &clock())));
    assert!(now(service.call(request("a"))).is_ok());
    let mut denied = Box::pin(service.call(request("a")));
    assert!(poll(&mut denied).is_ready());
    let _ = poll(&mut denied);
}
