//! What a request costs, by which tier it is decided, whom a policy spares, and what is given back.

use super::*;
use casgate_tower::MissingKey;
use casgate_tower::fields::Fields;
use http::request::Parts;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn cost(parts: &Parts) -> u32 {
    parts.headers["x-cost"].to_str().unwrap().parse().unwrap()
}

fn costing(cost: u32) -> Request<()> {
    Request::builder().header("x-key", "a").header("x-cost", cost).body(()).unwrap()
}

/// A policy over that bucket of nine, which stays visible.
fn nine() -> (Arc<Bucket>, Policy) {
    let limiter = bucket_limiter(Quota::per_hour(9), &clock());
    let policy = Policy::over(Arc::clone(&limiter), Quota::per_hour(9));
    (limiter, policy)
}

#[test]
fn a_request_costs_what_the_policy_says() {
    let (limiter, policy) = nine();
    let service = around(&RateLimitLayer::new(policy.cost(cost)));
    for (cost, expected, left) in
        [(4, 200, 5), (6, 429, 5), (0, 200, 5), (5, 200, 0), (0, 200, 0), (1, 429, 0), (10, 429, 0)]
    {
        assert_eq!((status(&service, costing(cost)), limiter.peek().remaining()), (expected, left));
    }
}

/// Nothing is asked of a request that costs nothing, and a key is not inserted for it.
#[test]
fn a_request_that_costs_nothing_passes_though_all_is_spent() {
    let limiter = keys(Quota::per_hour(1), &clock());
    let policy = Policy::over_keyed(Arc::clone(&limiter), Quota::per_hour(1), by_header());
    let service = around(&RateLimitLayer::new(policy.cost(cost)));
    assert_eq!(status(&service, costing(0)), 200);
    assert_eq!(limiter.stats().inserted, 0);
    assert_eq!(status(&service, costing(1)), 200);
    assert_eq!(status(&service, costing(1)), 429);
    assert_eq!(status(&service, costing(0)), 200);
}

/// A tier is looked up by the request; one that does not exist is the first.
#[test]
fn a_tier_has_a_quota_of_its_own() {
    let (free, paid) = (Quota::per_hour(1), Quota::per_hour(3));
    let limiter = KeyedLimiter::token_bucket(free, 100).with_tiers([paid]).with_clock(clock());
    let policy = Policy::over_keyed(limiter, free, by_header())
        .tiers([paid], |parts| parts.headers["x-tier"].to_str().unwrap().parse().unwrap())
        .named("plan");
    let service = around(&RateLimitLayer::new(policy));
    let tier = |key: &str, tier: u16| {
        Request::builder().header("x-key", key).header("x-tier", tier).body(()).unwrap()
    };
    for (key, number, permits) in [("a", 0, 1), ("b", 1, 3), ("c", 2, 1), ("d", u16::MAX, 1)] {
        let answer = send(&service, tier(key, number));
        let said = answer.headers()["ratelimit-policy"].to_str().unwrap().to_owned();
        assert_eq!(said, format!(r#""plan";q={permits};w=3600"#));
        for _ in 1..permits {
            assert_eq!(status(&service, tier(key, number)), 200);
        }
        assert_eq!(status(&service, tier(key, number)), 429, "{key}");
    }
}

/// A tier without permits denies all that costs something, and no wait helps.
#[test]
fn a_blocked_tier_denies() {
    let quota = Quota::per_hour(5);
    let limiter = KeyedLimiter::token_bucket(quota, 100)
        .with_tiers([casgate::Allowance::Blocked])
        .with_clock(clock());
    let policy = Policy::over_keyed(limiter, quota, by_header())
        .tiers([], |parts| u16::from(parts.headers["x-key"] == "mallory"));
    let service = around(&RateLimitLayer::new(policy));
    let answer = send(&service, request("mallory"));
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(!answer.headers().contains_key("retry-after"));
    assert_eq!(status(&service, request("ada")), 200);
}

/// A request is exempt before its key is asked for, and `only_if` comes before both.
#[test]
fn what_a_policy_spares() {
    let told = Told::default();
    let on_path = |path: &'static str| move |parts: &Parts| parts.uri.path() == path;
    let policy = keyed(Quota::per_hour(1), &clock()).exempt(on_path("/healthz"));
    let policy = policy.only_if(|parts| parts.uri.path() != "/static");
    let service = around(&RateLimitLayer::new(policy).observer(told.clone()));
    let to = |path| Request::builder().uri(path).body(()).unwrap();
    for (path, expected, fact) in [
        ("/static", 200, None),
        ("/healthz", 200, Some(Outcome::Exempt)),
        ("/other", 500, Some(Outcome::MissingKey)),
    ] {
        let answer = send(&service, to(path));
        assert_eq!(answer.status().as_u16(), expected);
        assert!(!answer.headers().contains_key("ratelimit"), "no field: it was not asked");
        let facts: Vec<_> = fact.map(|outcome| is("default", outcome)).into_iter().collect();
        assert_eq!(told.take(), facts, "{path}");
    }
}

/// A request without a key: answered with a status, one key for all, or passed.
#[test]
fn a_request_without_a_key() {
    let unauthorized = MissingKey::Deny(StatusCode::UNAUTHORIZED);
    for (missing_key, expected) in [
        (None, [500, 500]),
        (Some(unauthorized), [401, 401]),
        (Some(MissingKey::Shared), [200, 429]),
        (Some(MissingKey::Exempt), [200, 200]),
    ] {
        let clock = clock();
        let other = bucket_limiter(Quota::per_hour(9), &clock);
        let mut policy = keyed(Quota::per_hour(1), &clock);
        if let Some(missing_key) = missing_key {
            policy = policy.missing_key(missing_key);
        }
        let other_policy = Policy::over(Arc::clone(&other), Quota::per_hour(9)).named("other");
        let told = Told::default();
        let layer = RateLimitLayer::all([other_policy, policy]).observer(told.clone());
        let service = around(&layer);
        let statuses = [(); 2].map(|()| status(&service, keyless()));
        assert_eq!(statuses, expected, "{missing_key:?}");
        let told = told.take().into_iter();
        let told: Vec<_> = told.filter(|fact| *fact != is("other", Outcome::Admitted)).collect();
        let outcomes = match missing_key {
            Some(MissingKey::Shared) => [Outcome::Admitted, Outcome::Denied],
            Some(MissingKey::Exempt) => [Outcome::Exempt; 2],
            _ => [Outcome::MissingKey; 2],
        };
        assert_eq!(told, outcomes.map(|outcome| is("default", outcome)), "{missing_key:?}");
        // Requests that were not served are charged to nobody.
        let served = expected.iter().filter(|&&status| status == 200).count() as u32;
        assert_eq!(other.peek().remaining(), 9 - served);
        assert_eq!(status(&service, request("a")), 200, "it has a key of its own");
    }
}

#[test]
fn only_the_statuses_that_are_named_are_refunded() {
    let (limiter, policy) = nine();
    let layer = RateLimitLayer::new(policy.refund_on([StatusCode::OK, StatusCode::NOT_MODIFIED]));
    let service = around(&layer);
    let inner = Served::default();
    let service_of = |status| {
        *inner.status.lock().unwrap() = StatusCode::from_u16(status).unwrap();
        layer.layer(inner.clone())
    };
    for (code, left) in [(200, 9), (304, 9), (500, 8), (404, 7), (200, 7), (429, 6)] {
        assert_eq!(status(&service_of(code), request("a")), code);
        assert_eq!(limiter.peek().remaining(), left, "{code}");
    }
    drop(service);
}

/// A layer that writes no fields does not compute what they say, and a refund needs none of it.
#[test]
fn a_layer_without_fields_refunds_all_the_same() {
    let clock = clock();
    clock.advance(secs(90 * 60)); // not in the first window
    for cost in [1, 2] {
        let quota = Quota::per_hour(cost);
        let window = KeyedLimiter::fixed_window(quota, 100).with_clock(Arc::clone(&clock));
        let policies = [
            keyed(quota, &clock),
            Policy::over_keyed(window, quota, by_header()),
            Policy::global(quota),
            Policy::global_window(quota),
        ];
        for (i, policy) in policies.into_iter().enumerate() {
            // Without a cost of its own each request asks for the same.
            let policy = if cost == 1 { policy } else { policy.cost(|_| 2) };
            let layer = RateLimitLayer::new(policy.refund_on([StatusCode::OK]));
            let service = around(&layer.fields(Fields::NONE));
            let statuses = [(); 3].map(|()| status(&service, request("a")));
            assert_eq!(statuses, [200; 3], "policy {i}, cost {cost}");
        }
    }
}

/// The true cost is charged above the burst too; the debt is repaid before the next request.
#[test]
fn a_true_cost_corrects_the_charge() {
    let clock = clock();
    let quota = Quota::per_minute(60);
    for (estimated, true_cost, left, debt) in [
        (10, Some(10), 50, 0),
        (10, None, 50, 0),
        (10, Some(4), 56, 0),
        (10, Some(0), 60, 0),
        (0, Some(3), 57, 0),
        (10, Some(60), 0, 0),
        (10, Some(90), 0, 30),
        (60, Some(0), 60, 0),
    ] {
        let limiter = bucket_limiter(quota, &clock);
        let policy = Policy::over(Arc::clone(&limiter), quota);
        let policy = policy.cost(move |_| estimated).true_cost(move |_| true_cost);
        assert_eq!(status(&around(&RateLimitLayer::new(policy)), request("a")), 200);
        let then = limiter.peek();
        assert_eq!(then.remaining(), left, "{estimated} {true_cost:?}");
        assert_eq!(then.reset_after(), secs(u64::from(60 - left + debt)));
    }
}

/// A true cost beyond all bounds does not panic, in any limiter.
#[test]
fn a_true_cost_beyond_all_bounds_is_a_debt() {
    let clock = clock();
    for policy in [bucket, window, keyed] {
        let policy = policy(Quota::per_second(2), &clock).true_cost(|_| Some(u32::MAX));
        let service = around(&RateLimitLayer::new(policy));
        assert_eq!(status(&service, request("a")), 200);
        assert_eq!(status(&service, request("a")), 429);
        clock.advance(secs(3_600));
        assert_eq!(status(&service, request("a")), 429);
    }
}

/// A status that is refunded gives all back, whatever the true cost would be.
#[test]
fn a_refund_comes_before_the_true_cost() {
    let (limiter, policy) = nine();
    let policy = policy.cost(|_| 3).refund_on([StatusCode::OK]).true_cost(|_| Some(9));
    assert_eq!(status(&around(&RateLimitLayer::new(policy)), request("a")), 200);
    assert_eq!(limiter.peek().remaining(), 9);
}

/// Each policy of a stack settles for itself.
#[test]
fn a_stack_is_settled_policy_by_policy() {
    let ((one, first), (other, second)) = (nine(), nine());
    let layer = RateLimitLayer::all([
        first.named("refunded").cost(|_| 4).refund_on([StatusCode::OK]),
        second.named("corrected").cost(|_| 4).true_cost(|_| Some(7)),
    ]);
    assert_eq!(status(&around(&layer), request("a")), 200);
    assert_eq!((one.peek().remaining(), other.peek().remaining()), (9, 2));
}

/// A refund to a key that has lost its slot meanwhile goes nowhere, and a key that has its slot gains nothing.
#[test]
fn a_refund_to_an_evicted_key_is_lost() {
    let clock = clock();
    let limiter = KeyedLimiter::token_bucket(Quota::per_hour(5), 1).with_clock(Arc::clone(&clock));
    let limiter = Arc::new(limiter);
    let policy = Policy::over_keyed(Arc::clone(&limiter), Quota::per_hour(5), by_header())
        .refund_on([StatusCode::OK]);
    let mut service = around(&RateLimitLayer::new(policy));
    let answer = service.call(request("a"));
    for other in 0_u32..2_000 {
        let _ = limiter.check_n(&other, 2); // those that come later start with the debt of others
    }
    let before: Vec<_> = (0_u32..2_000).map(|other| limiter.peek(&other).remaining()).collect();
    assert!(now(answer).is_ok());
    let after: Vec<_> = (0_u32..2_000).map(|other| limiter.peek(&other).remaining()).collect();
    assert_eq!(before, after);
}

/// A service that fails with an error, or panics, keeps the charge: its work may have been done.
#[test]
fn a_request_whose_service_fails_keeps_its_charge() {
    let (limiter, policy) = nine();
    let layer = RateLimitLayer::new(policy.refund_on([StatusCode::OK]).true_cost(|_| Some(0)));
    let mut fails = layer
        .layer(tower::service_fn(|_: Request<()>| ready(Err::<Response<Full<Bytes>>, _>("no"))));
    assert_eq!(now(fails.call(request("a"))).unwrap_err(), "no");
    assert_eq!(limiter.peek().remaining(), 8);
    let mut panics = layer.layer(tower::service_fn(
        |_: Request<()>| -> Pending<Result<Response<Full<Bytes>>, Infallible>> {
            panic!("in the call")
        },
    ));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(panics.call(request("a"))))).is_err());
    assert_eq!(limiter.peek().remaining(), 7);
    let mut panics = layer.layer(tower::service_fn(|_: Request<()>| async {
        if true {
            panic!("in the poll");
        }
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    assert!(catch_unwind(AssertUnwindSafe(|| now(panics.call(request("a"))).is_ok())).is_err());
    assert_eq!(limiter.peek().remaining(), 6);
}

/// A client that gives up while its request is served pays for it.
#[test]
fn a_request_that_is_dropped_after_it_was_admitted_keeps_its_charge() {
    let (limiter, policy) = nine();
    let layer = RateLimitLayer::new(policy.refund_on([StatusCode::OK]));
    let mut slow = layer.layer(tower::service_fn(|_: Request<()>| {
        pending::<Result<Response<Full<Bytes>>, Infallible>>()
    }));
    let mut response = Box::pin(slow.call(request("a")));
    assert!(poll(&mut response).is_pending());
    drop(response);
    assert_eq!(limiter.peek().remaining(), 8);
    drop(slow.call(request("a")));
    assert_eq!(limiter.peek().remaining(), 7);
}

/// A closure of the user's that panics charges nothing, though other policies were looked at before.
#[test]
fn a_closure_that_panics_charges_nothing() {
    let (limiter, first) = nine();
    let boom = || bucket(Quota::per_hour(9), &clock()).named("second");
    for second in [
        boom().only_if(|_| panic!("boom")),
        boom().exempt(|_| panic!("boom")),
        boom().cost(|_| panic!("boom")),
        boom().tiers([], |_| panic!("boom")),
        Policy::over_keyed(
            keys(Quota::per_hour(9), &clock()),
            Quota::per_hour(9),
            KeyBy::new(|_| -> Option<u8> { panic!("boom") }),
        )
        .named("second"),
    ] {
        let service = around(&RateLimitLayer::all([first.clone(), second]));
        assert!(catch_unwind(AssertUnwindSafe(|| status(&service, request("a")))).is_err());
    }
    assert_eq!(limiter.peek().remaining(), 9);
}

/// In shadow a policy is charged as if it held, stops nobody, and tells clients nothing.
#[test]
fn a_policy_in_shadow_denies_nobody() {
    let (told, clock) = (Told::default(), clock());
    let trial = bucket_limiter(Quota::per_hour(2), &clock);
    let layer = RateLimitLayer::all([
        Policy::over(Arc::clone(&trial), Quota::per_hour(2)).named("trial").shadow(),
        bucket(Quota::per_hour(4), &clock).named("real"),
    ]);
    let service = around(&layer.observer(told.clone()));
    for (expected, shadow) in
        [(200, Outcome::Admitted), (200, Outcome::Admitted), (200, Outcome::ShadowDenied)]
    {
        let answer = send(&service, request("a"));
        assert_eq!(answer.status(), expected);
        assert!(!answer.headers()["ratelimit"].to_str().unwrap().contains("trial"));
        assert_eq!(told.take(), [is("trial", shadow), is("real", Outcome::Admitted)]);
    }
    clock.advance(secs(1_800));
    assert_eq!(trial.peek().remaining(), 1);
    for _ in 0..3 {
        assert_eq!(status(&service, request("a")), 200);
    }
    told.take();
    clock.advance(secs(500));
    // What another policy denies would have been served by none.
    assert_eq!(status(&service, request("a")), 429);
    assert_eq!(told.take(), [is("real", Outcome::Denied)]);
}

/// A policy that never admits a request would have denied it: in shadow that is told so.
#[test]
fn a_request_that_never_fits_passes_in_shadow() {
    let told = Told::default();
    let policy = bucket(Quota::per_hour(2), &clock()).cost(|_| 3).shadow();
    let service = around(&RateLimitLayer::new(policy).observer(told.clone()));
    let answer = send(&service, request("a"));
    assert!(answer.status().is_success() && answer.headers().is_empty());
    assert_eq!(told.take(), [is("default", Outcome::ShadowDenied)]);
}

/// Of many keys about the share is held to the policy, and the same ones each time.
#[test]
fn a_share_of_the_keys_is_denied_always_the_same() {
    let clock = clock();
    let quota = Quota::per_hour(1);
    let limiter = KeyedLimiter::token_bucket(quota, 50_000).with_clock(Arc::clone(&clock));
    let policy = Policy::over_keyed(limiter, quota, by_header()).enforce(30);
    let service = around(&RateLimitLayer::new(policy));
    let denied = || -> Vec<u32> {
        (0..2_000).filter(|i| status(&service, request(&format!("key {i}"))) == 429).collect()
    };
    assert_eq!(denied(), [0; 0]);
    let first = denied();
    // A binomial of 2,000 and 0.3 is further off than this once in 10⁹.
    assert!((470..=730).contains(&first.len()), "{}", first.len());
    assert_eq!(denied(), first);
}

/// Without keys it is a share of the requests.
#[test]
fn a_share_of_the_requests_is_denied_without_keys() {
    let policy = bucket(Quota::per_day(1), &clock()).enforce(30);
    let service = around(&RateLimitLayer::new(policy));
    let denied = (0..2_001).filter(|_| status(&service, request("a")) == 429).count();
    assert!((470..=730).contains(&denied), "{denied}");
}

#[test]
fn all_and_none_are_shares() {
    for (percent, expected) in [(0, 200), (100, 429)] {
        let service =
            around(&RateLimitLayer::new(keyed(Quota::per_hour(1), &clock()).enforce(percent)));
        let all = (0..200).map(|i| {
            let key = format!("{i}");
            assert_eq!(status(&service, request(&key)), 200);
            status(&service, request(&key))
        });
        assert!(all.into_iter().all(|status| status == expected));
    }
}

#[test]
#[should_panic(expected = "101 percent of the requests")]
fn a_share_is_at_most_100() {
    let _ = Policy::global(Quota::per_hour(1)).enforce(101);
}
