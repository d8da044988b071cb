//! A fleet's limiter as a policy of the HTTP middleware, like any other.

use bytes::Bytes;
use casgate::Quota;
use casgate_redis::{Call, Cause, Fleet, FleetLimiter, Store, StoreError};
use casgate_tower::{Policy, RateLimitLayer};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

/// A store that grants ten permits once, and is then empty; or is down.
struct Ten {
    left: i64,
    is_down: Arc<AtomicBool>,
}

impl Store for Ten {
    fn call(
        &mut self,
        calls: &[Call<'_>],
        _: std::time::Duration,
    ) -> Result<Vec<Result<Vec<i64>, StoreError>>, StoreError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(StoreError::new(Cause::Unreachable, ""));
        }
        let mut grant = |call: &Call<'_>| {
            let granted = self.left.min(call.arguments[9]); // of what is wanted
            self.left -= granted;
            Ok(vec![granted, 3_600_000_000, 0, 0, 1, 0])
        };
        Ok(calls.iter().map(&mut grant).collect())
    }
}

async fn serve(limiter: FleetLimiter, requests: usize) -> Vec<Response<Full<Bytes>>> {
    let quota = Quota::per_hour(10);
    let ask = |limiter: FleetLimiter, n| async move { limiter.ask(n).await };
    let policy = Policy::over_awaited(limiter, quota, ask).named("fleet");
    let served = service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("hello")))
    });
    let mut service = ServiceBuilder::new().layer(RateLimitLayer::new(policy)).service(served);
    let mut responses = Vec::new();
    for _ in 0..requests {
        let service = service.ready().await.unwrap();
        responses.push(service.call(Request::new(())).await.unwrap());
    }
    responses
}

fn limiter() -> (FleetLimiter, Arc<AtomicBool>) {
    let is_down = Arc::new(AtomicBool::new(false));
    let fleet = Fleet::over(Ten { left: 10, is_down: Arc::clone(&is_down) });
    (fleet.limiter("api", Quota::per_hour(10)).unwrap(), is_down)
}

#[tokio::test]
async fn the_layer_admits_what_the_fleet_has() {
    let (limiter, _) = limiter();
    let responses = serve(limiter, 30).await;
    let ok = |response: &&Response<_>| response.status() == StatusCode::OK;
    assert!((1..=10).contains(&responses.iter().filter(ok).count()));
    let last = responses.last().unwrap();
    assert_eq!(last.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(last.headers().contains_key("retry-after"));
    assert!(last.headers()["ratelimit"].to_str().unwrap().starts_with(r#""fleet";r="#));
}

#[tokio::test]
async fn the_layer_says_that_a_store_is_away() {
    let (limiter, is_down) = limiter();
    is_down.store(true, Ordering::Relaxed);
    let responses = serve(limiter, 1).await;
    assert_eq!(responses[0].status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(responses[0].headers().contains_key("retry-after"));
}
