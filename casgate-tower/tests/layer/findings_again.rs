//! Sentences of the documentation that a second review found cases for.

use super::*;
use casgate::{Allowance, LimitN};
use casgate_tower::fields::{Announced, Fields, Standing};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn left(answer: &Answer) -> u32 {
    let field = answer.headers()["ratelimit"].to_str().unwrap();
    field.split(";r=").nth(1).unwrap().split(';').next().unwrap().parse().unwrap()
}

/// `Standing::remaining`: "Returns the permits left". Also of a tier whose quota is not told.
#[test]
fn a_tier_that_is_not_told_has_no_permit_more() {
    let (quota, paid) = (Quota::per_hour(5), Quota::per_hour(500));
    let limiter = KeyedLimiter::token_bucket(quota, 100)
        .with_tiers([Allowance::from(paid)])
        .with_clock(clock());
    let policy = Policy::over_keyed(limiter, quota, by_header()).tiers([], |_| 1).cost(|_| 250);
    let service = around(&RateLimitLayer::new(policy));
    assert_eq!(left(&send(&service, request("a"))), 250);
    assert_eq!(left(&send(&service, request("a"))), 0);
}

/// `Policy::over`: "Any `LimitN` will do", and `Standing::remaining`, as above: of two quotas the tighter one.
#[test]
fn two_quotas_have_no_permit_more() {
    let (pace, daily) = (Quota::per_hour(100), Quota::per_day(10));
    let clock = clock();
    clock.advance(secs(12 * 3_600));
    let limiter =
        Limiter::both(TokenBucket::new(pace), casgate::FixedWindow::new(daily)).with_clock(clock);
    let service = around(&RateLimitLayer::new(Policy::over(limiter, daily).cost(|_| 5)));
    assert_eq!(left(&send(&service, request("a"))), 5);
    assert_eq!(left(&send(&service, request("a"))), 0);
}

/// `ResponseFuture::poll` panics "if it is polled after it was ready". Also if the service has failed.
#[test]
fn a_failed_response_is_not_polled_again() {
    for fields in [Fields::DRAFT_11, Fields::NONE] {
        let layer = RateLimitLayer::new(bucket(Quota::per_hour(1), &clock())).fields(fields);
        let mut service = layer.layer(tower::service_fn(|_: Request<()>| {
            std::future::poll_fn(|_| Poll::Ready(Err::<Response<Full<Bytes>>, _>("fails")))
        }));
        let mut response = Box::pin(service.call(request("a")));
        assert!(matches!(poll(&mut response), Poll::Ready(Err("fails"))));
        assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut response).is_ready())).is_err());
    }
}

/// Panics when it is told that a wait has ended.
struct Startled;

impl Observer for Startled {
    fn observe(&self, _: &Event<'_>) {}

    fn waited(&self, _: &Name, _: Duration) {
        panic!("told");
    }
}

/// `RateLimitLayer`: "A denied request is answered by the layer, and the service is not called." Also not by one who polls again
/// after an observer has panicked.
#[test]
fn a_request_that_was_denied_in_line_does_not_pass_after_a_panic() {
    let (clock, inner) = (clock(), Served::default());
    let quota = Quota::per_second(1).with_burst(1);
    let queue = Arc::new(line(quota, &clock));
    let policy = Policy::over_queue(Arc::clone(&queue), quota, secs(9));
    let mut service = RateLimitLayer::new(policy).observer(Startled).layer(inner.clone());
    assert!(now(service.call(request("a"))).is_ok());
    let mut waiting = Box::pin(service.call(request("a")));
    assert!(poll(&mut waiting).is_pending());
    queue.close();
    for _ in 0..2 {
        let _ = catch_unwind(AssertUnwindSafe(|| poll(&mut waiting).is_ready()));
    }
    assert_eq!(inner.calls(), 1);
}

/// As above, of a request that has its permits: served, it keeps its charge.
#[test]
fn a_request_that_passes_after_a_panic_keeps_its_charge() {
    let (clock, inner) = (clock(), Served::default());
    let quota = Quota::per_second(1).with_burst(1);
    let others = bucket_limiter(Quota::per_hour(5), &clock);
    let layer = RateLimitLayer::all([
        Policy::over(Arc::clone(&others), Quota::per_hour(5)).named("others"),
        Policy::over_queue(line(quota, &clock), quota, secs(9)),
    ]);
    let mut service = layer.observer(Startled).layer(inner.clone());
    assert!(now(service.call(request("a"))).is_ok());
    let mut waiting = Box::pin(service.call(request("a")));
    assert!(poll(&mut waiting).is_pending());
    clock.advance(secs(1));
    for _ in 0..2 {
        let _ = catch_unwind(AssertUnwindSafe(|| poll(&mut waiting).is_ready()));
    }
    drop(waiting);
    assert_eq!(inner.calls() as u32 + others.peek().remaining(), 5);
}

/// A number below `below`, of a sequence that is always the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, below: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 20) % below
    }
}

/// `Standing::retry_after` and `Standing::remaining`: who waits as long, and a microsecond, is admitted; and so is who asks for what
/// is left.
#[test]
fn a_client_that_believes_the_numbers_is_admitted() {
    let mut numbers = Numbers(7);
    for case in 0..3_000 {
        let period = match case % 3 {
            0 => 1 + numbers.below(5_000_000_000),
            1 => 1_000_000_000 * (1 + numbers.below(100_000)),
            _ => 1 + numbers.below(90_000_000_000_000),
        };
        let permits = 1 + numbers.below(2_000) as u32;
        let burst = 1 + numbers.below(2_000) as u32;
        let Ok(quota) = Quota::new(permits, Duration::from_nanos(period)) else { continue };
        let quota = quota.with_burst(burst);
        let clock = clock();
        let keys = KeyedLimiter::try_token_bucket(quota, 100)
            .map(|keys| keys.with_clock(Arc::clone(&clock)));
        let alone = Limiter::token_bucket(quota).with_clock(Arc::clone(&clock));
        let announced = Announced::new(Name::new("a").unwrap(), quota);
        for kind in 0..2 {
            let key = keys.as_ref().map(|keys| keys.key("a"));
            let limit: &dyn LimitN = match (&key, kind) {
                (Ok(key), 0) => key,
                _ => &alone,
            };
            for _ in 0..20 {
                let cost = 1 + numbers.below(u64::from(burst)) as u32;
                let left = match limit.check_n(cost) {
                    Ok(admitted) => Standing::admitted(&announced, &admitted).remaining(),
                    Err(denied) => {
                        let wait = Standing::denied(&announced, &denied).retry_after().unwrap();
                        clock.advance(secs(wait));
                        clock.advance(Duration::from_micros(1));
                        let again = limit.check_n(cost);
                        assert!(again.is_ok(), "{quota:?} {kind} {cost}: {denied:?}, {again:?}");
                        continue;
                    }
                };
                if numbers.below(2) == 0 {
                    clock.advance(Duration::from_micros(1));
                    let all = limit.check_n(left);
                    assert!(all.is_ok(), "{quota:?} {kind}: {left}, {all:?}");
                }
                clock.advance(Duration::from_nanos(numbers.below(period)));
            }
        }
    }
}

/// `Policy::enforce`: "The keys are the same as long as the policy has its limiter." So a new quota leaves them.
#[test]
fn a_trial_holds_for_the_same_keys_after_a_reload() {
    use casgate_tower::config::{Keys as ConfigKeys, Policies};
    let text =
        "[[policies]]\nname = \"a\"\nquota = \"1/d\"\nkey = \"header:x-key\"\nenforce = 50\n";
    let policies = Policies::new(toml::from_str(text).unwrap(), ConfigKeys::new()).unwrap();
    let service = around(&policies.layer());
    let held = || -> Vec<bool> {
        (0..64)
            .map(|key: u8| {
                let key = key.to_string();
                send(&service, request(&key));
                status(&service, request(&key)) == 429
            })
            .collect()
    };
    let before = held();
    policies.reload(toml::from_str(&text.replace("1/d", "1/h")).unwrap()).unwrap();
    assert_eq!(held(), before);
}

/// Panics when it is told that a request waits.
struct Jumpy;

impl Observer for Jumpy {
    fn observe(&self, _: &Event<'_>) {}

    fn waits(&self, _: &Name) {
        panic!("told");
    }
}

/// `Observer::waited`: "Is told that such a wait has ended." Also if the other of a pair has panicked, or a gauge of those who wait
/// is too high permanently.
#[test]
fn a_wait_that_begins_with_a_panic_is_told_to_end() {
    let (clock, told) = (clock(), Told::default());
    let quota = Quota::per_second(1).with_burst(1);
    let policy = Policy::over_queue(line(quota, &clock), quota, secs(9));
    let mut service = around(&RateLimitLayer::new(policy).observer((told.clone(), Jumpy)));
    assert_eq!(status(&service, request("a")), 200);
    told.take();
    let call = || drop(service.call(request("a")));
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    let told = told.take();
    assert_eq!(told[..2.min(told.len())], [waits("default"), waited("default")]);
}
