//! The state is in the layer.

use super::*;
use casgate_tower::{Peer, ResponseBody, ResponseFuture};
use tower::{ServiceExt, service_fn};

async fn ok(_: Request<()>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from("served")))
}

/// Fixed windows of a long day: so nothing comes back while a test runs.
fn daily(permits: u32) -> Policy {
    Policy::global_window(Quota::per_day(permits))
}

#[tokio::test]
async fn admits_and_denies_with_fields() {
    let layer = RateLimitLayer::new(keyed(Quota::per_hour(2), &clock()));
    let service = layer.layer(service_fn(ok));
    let ask = |key| service.clone().oneshot(request(key));

    let first = ask("a").await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(first.headers()["ratelimit-policy"], r#""default";q=2;w=3600"#);
    assert_eq!(first.headers()["ratelimit"], r#""default";r=1;t=1800"#);
    assert!(ask("a").await.unwrap().status().is_success());
    let denied = ask("a").await.unwrap();
    assert_eq!(denied.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(denied.headers()["retry-after"], "1800");
    assert_eq!(denied.headers()["content-type"], "application/problem+json");
    assert_eq!(denied.headers()["cache-control"], "no-store");
    assert!(ask("b").await.unwrap().status().is_success());
}

/// axum #2582, #3682: 1,500 requests at once through clones and routes pass a limit of 5 only five times.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clones_and_routes_share_the_limit() {
    let layer = RateLimitLayer::new(daily(5));
    let route = axum::routing::get(|| async { "served" });
    let mut inner = axum::Router::new().route("/x", route.clone());
    inner = inner.route("/y", route.clone().layer(layer.clone()));
    let app = axum::Router::new()
        .nest(
            "/nested",
            inner.route_layer(axum::middleware::from_fn(
                |request, next: axum::middleware::Next| next.run(request),
            )),
        )
        .route("/", route)
        .route_layer(layer.clone());
    let passed = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..1_500)
        .map(|i| {
            let (app, passed) = (app.clone(), Arc::clone(&passed));
            tokio::spawn(async move {
                let uri = ["/", "/nested/x"][i % 2];
                let request = Request::get(uri).body(axum::body::Body::empty()).unwrap();
                if app.oneshot(request).await.unwrap().status().is_success() {
                    passed.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(passed.load(Ordering::Relaxed), 5);
}

/// axum needs a layer and a service that are `Clone + Send + Sync`; a future that is `Send` even if the body is not
/// `Sync`, as that of axum.
#[test]
fn everything_can_be_sent() {
    fn can_be_shared<T: Clone + Send + Sync + 'static>() {}
    fn can_be_sent<T: Send + 'static>() {}
    type Unshared = std::cell::Cell<u8>;
    can_be_shared::<RateLimitLayer>();
    can_be_shared::<RateLimitLayer<Told>>();
    can_be_shared::<RateLimit<Served, Told>>();
    can_be_shared::<Policy>();
    can_be_shared::<KeyBy>();
    can_be_sent::<ResponseFuture<Served, Unshared, Told>>();
    can_be_sent::<ResponseBody<Unshared>>();
}

/// Two services of one layer, one of them behind another observer, share the limit.
#[test]
fn services_of_one_layer_share_the_limit() {
    let layer = RateLimitLayer::new(bucket(Quota::per_hour(3), &clock()));
    let (one, other) = (around(&layer), around(&layer.clone()));
    let observed = around(&layer.observer(Told::default()));
    assert_eq!(status(&one, request("a")), 200);
    assert_eq!(status(&other.clone(), request("a")), 200);
    assert_eq!(status(&observed, request("a")), 200);
    for is_denied in [status(&one, request("a")), status(&other, request("a"))] {
        assert_eq!(is_denied, 429);
    }
}

/// A limiter of the program's and the policy over it are one.
#[test]
fn the_programs_limiter_is_the_policys() {
    let (clock, quota) = (clock(), Quota::per_hour(2));
    let (all, each) = (bucket_limiter(quota, &clock), keys(quota, &clock));
    let service = around(&RateLimitLayer::all([
        Policy::over(Arc::clone(&all), quota).named("all"),
        Policy::over_keyed(Arc::clone(&each), quota, by_header()).named("each"),
    ]));
    assert_eq!(status(&service, request("a")), 200);
    assert_eq!(all.peek().remaining(), 1);
    assert_eq!(each.peek(b"a".as_slice()).remaining(), 1);
    assert!(each.is_allowed(b"a".as_slice()));
    assert_eq!(status(&service, request("a")), 429);
    assert_eq!(status(&service, request("b")), 200);
}

#[test]
fn a_layer_knows_its_policies() {
    let policy = Policy::per_client(Quota::per_hour(2), 100).named("client");
    let layer = RateLimitLayer::all([policy, Policy::global(Quota::per_hour(9))]);
    let mut from = keyless();
    from.extensions_mut().insert(Peer([192, 0, 2, 7].into()));
    assert_eq!(status(&around(&layer), from), 200);
    assert_eq!(layer.policy("client").unwrap().stats().unwrap().inserted, 1);
    assert!(layer.policy("default").unwrap().stats().is_none());
    assert!(layer.policy("other").is_none());
}

#[test]
#[should_panic(expected = "a layer is configured before it is cloned or applied")]
fn a_layer_that_was_applied_cannot_be_configured() {
    let layer = RateLimitLayer::new(daily(1));
    let _service = around(&layer);
    let _ = layer.fields_when_admitted(casgate_tower::fields::Fields::NONE);
}
