//! An admitted request allocates nothing but the fields.

use super::*;
use allocation_counter::measure;
use casgate_tower::fields::{Announced, Fields, Standing};
use http::HeaderMap;

/// Allocations of a request that is admitted, by a service that is ready and allocates nothing.
fn allocations(layer: RateLimitLayer) -> u64 {
    let mut service = layer.layer(tower::service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(Response::new(Bytes::new())))
    }));
    let mut most = 0;
    for _ in 0..3 {
        let request = request("a");
        let info = measure(|| {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(service.poll_ready(&mut cx).is_ready());
            assert!(now(service.call(request)).unwrap().status().is_success());
        });
        most = most.max(info.count_total);
    }
    most
}

fn stack(policies: usize) -> RateLimitLayer {
    let clock = clock();
    let policies = [
        bucket(Quota::per_hour(100), &clock).named("all"),
        keyed(Quota::per_hour(100), &clock).named("each"),
        keyed(Quota::per_hour(100), &clock).named("third"),
    ]
    .into_iter()
    .take(policies);
    RateLimitLayer::all(policies)
}

/// What writing the fields into an empty map allocates.
fn cost_of_fields(policies: usize) -> u64 {
    let quota = Quota::per_hour(100);
    let announced: Vec<_> = ["all", "each"]
        .map(|name| Announced::new(Name::new(name).unwrap(), quota))
        .into_iter()
        .take(policies)
        .collect();
    let limiter = bucket_limiter(quota, &clock());
    let admitted = limiter.check().unwrap();
    let mut standings: Vec<_> =
        announced.iter().map(|announced| Standing::admitted(announced, &admitted)).collect();
    let info = measure(|| {
        let mut headers = HeaderMap::new();
        Fields::DRAFT_11.write(&mut standings, &mut headers);
    });
    info.count_total
}

#[test]
fn a_request_that_is_admitted_allocates_nothing() {
    for policies in 1..=2 {
        assert_eq!(allocations(stack(policies).fields(Fields::NONE)), 0, "{policies} policies");
    }
    // A third one needs the heap.
    assert_eq!(allocations(stack(3).fields(Fields::NONE)), 1);
}

#[test]
fn a_request_that_is_admitted_allocates_its_fields() {
    for policies in 1..=2 {
        let fields = cost_of_fields(policies);
        // The policies' field is composed already if there is one.
        let composed = policies as u64 - 1;
        assert_eq!(fields, 3 + composed, "two of the map, and the values");
        assert_eq!(allocations(stack(policies)), fields, "{policies} policies");
    }
}

/// README: "one allocation, and two more where their map has no room for them".
#[test]
fn a_map_without_room_takes_two_allocations_more() {
    let names = ["x-a", "x-b", "x-c", "x-d", "x-e", "x-f", "x-g"];
    for own in 0..=names.len() {
        let serve = move |_: Request<()>| {
            let mut response = Response::new(Bytes::new());
            for name in &names[..own] {
                let value = http::HeaderValue::from_static("x");
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
            let room = response.headers().capacity() - own;
            ready(Ok::<_, Infallible>((response, room)))
        };
        let (_, room) = now(serve(request("a"))).unwrap();
        let mut alone = tower::service_fn(move |request| {
            ready(Ok::<_, Infallible>(now(serve(request)).unwrap().0))
        });
        let mut limited = stack(1).layer(alone);
        let requests = [request("a"), request("a")];
        let [first, second] = requests;
        let without = measure(|| drop(now(alone.call(first)))).count_total;
        let with = measure(|| drop(now(limited.call(second)))).count_total;
        assert_eq!(with - without, if room < 2 { 3 } else { 1 }, "{own} fields of its own");
    }
}

/// An observer, refunds and true costs allocate nothing, nor does a configuration's layer.
#[test]
fn what_is_settled_allocates_nothing() {
    let policy = keyed(Quota::per_hour(100), &clock());
    let policy = policy.cost(|_| 2).refund_on([StatusCode::NOT_FOUND]).true_cost(|_| Some(3));
    assert_eq!(allocations(RateLimitLayer::new(policy).fields(Fields::NONE)), 0);
    let settled = |policy: Policy| policy.refund_on([StatusCode::NOT_FOUND]).true_cost(|_| Some(3));
    let two = [bucket, keyed].map(|policy| settled(policy(Quota::per_hour(100), &clock())));
    let two = two.into_iter().zip(["all", "each"]).map(|(policy, name)| policy.named(name));
    assert_eq!(allocations(RateLimitLayer::all(two).fields(Fields::NONE)), 0);
    let text = "[[policies]]\nname = \"a\"\nquota = \"100/h\"\nkey = \"header:x-key\"\n";
    let config = toml::from_str(text).unwrap();
    let policies = casgate_tower::config::Policies::new(config, Default::default()).unwrap();
    let _warm = policies.get("a"); // a thread's first read of a configuration may allocate
    let _ = allocations(policies.layer());
    assert_eq!(allocations(policies.layer().fields(Fields::NONE)), 0);
}

/// A request that need not wait in a queue allocates nothing.
#[test]
fn a_request_that_need_not_wait_allocates_nothing() {
    let quota = Quota::per_hour(100);
    let policy = Policy::over_queue(line(quota, &clock()), quota, secs(9));
    assert_eq!(allocations(RateLimitLayer::new(policy).fields(Fields::NONE)), 0);
}
