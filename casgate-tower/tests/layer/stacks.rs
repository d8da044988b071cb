//! Several policies: all or none.

use super::*;
use casgate::Timestamp;
use casgate::clock::Clock;
use casgate_tower::fields::ProblemType;
use http_body_util::BodyExt;

fn text(answer: Answer) -> String {
    let bytes = now(answer.into_body().collect()).unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A denied request spends nothing at any policy, wherever the one that denies stands.
#[test]
fn a_denied_request_spends_nothing() {
    for denies in 0..3 {
        let clock = clock();
        let quota = |i| if i == denies { Quota::per_hour(1) } else { Quota::per_hour(9) };
        let limiters: Vec<_> = (0..3).map(|i| bucket_limiter(quota(i), &clock)).collect();
        let policies = limiters.iter().zip(["a", "b", "c"]).enumerate();
        let policies = policies
            .map(|(i, (limiter, name))| Policy::over(Arc::clone(limiter), quota(i)).named(name));
        let service = around(&RateLimitLayer::all(policies));
        assert_eq!(status(&service, request("a")), 200);
        for _ in 0..20 {
            assert_eq!(status(&service, request("a")), 429);
        }
        for (i, limiter) in limiters.iter().enumerate() {
            assert_eq!(limiter.peek().remaining(), if i == denies { 0 } else { 8 });
        }
        assert_eq!(limiters.iter().map(|limiter| limiter.peek().limit()).sum::<u32>(), 19);
    }
}

/// A request that one policy denies takes no slot in the table of another.
#[test]
fn a_denied_request_inserts_no_key() {
    let clock = clock();
    let limiter = keys(Quota::per_hour(9), &clock);
    let layer = RateLimitLayer::all([
        Policy::over_keyed(Arc::clone(&limiter), Quota::per_hour(9), by_header()).named("each"),
        bucket(Quota::per_hour(1), &clock).named("all"),
    ]);
    let service = around(&layer);
    assert_eq!(status(&service, request("a")), 200);
    for i in 0..50 {
        assert_eq!(status(&service, request(&format!("{i}"))), 429);
    }
    assert_eq!(limiter.stats().inserted, 1);
}

/// The answer names all that deny, and `Retry-After` is the longest wait.
#[test]
fn the_answer_names_all_that_deny() {
    let clock = clock();
    let layer = RateLimitLayer::all([
        bucket(Quota::per_minute(1), &clock).named("minute"),
        bucket(Quota::per_minute(9), &clock).named("wide"),
        window(Quota::per_hour(1), &clock).named("hour"),
        keyed(Quota::per_second(1), &clock).named("second"),
    ]);
    let service = around(&layer.problem_type(ProblemType::QuotaExceeded));
    assert_eq!(status(&service, request("a")), 200);
    let answer = send(&service, request("a"));
    assert_eq!(answer.headers()["retry-after"], "3600");
    assert_eq!(
        answer.headers()["ratelimit"],
        r#""hour";r=0;t=3600, "minute";r=0;t=60, "second";r=0;t=1"#
    );
    assert!(text(answer).ends_with(r#""violated-policies":["minute","hour","second"]}"#));
    // Another key: the last one admits it.
    let answer = send(&service, request("b"));
    assert!(text(answer).ends_with(r#""violated-policies":["minute","hour"]}"#));
}

/// If one of those that deny can never admit the request, no wait helps.
#[test]
fn a_request_that_one_policy_never_admits_is_told_no_wait() {
    let clock = clock();
    let large = |cost| Request::builder().header("x-cost", cost).body(()).unwrap();
    let cost =
        |parts: &http::request::Parts| parts.headers["x-cost"].to_str().unwrap().parse().unwrap();
    let layer = RateLimitLayer::all([
        bucket(Quota::per_hour(4), &clock).named("small").cost(cost),
        bucket(Quota::per_hour(9), &clock).named("large").cost(cost),
    ]);
    let service = around(&layer);
    assert_eq!(status(&service, large(4)), 200);
    assert_eq!(send(&service, large(4)).headers()["retry-after"], "3600");
    for never in [5, 9, 10, u32::MAX] {
        let answer = send(&service, large(never));
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(!answer.headers().contains_key("retry-after"), "{never}");
    }
}

/// graphql-rate-limit #129: 31 requests in two minutes, under 10 a minute and 30 in half an hour. Only the 20 that the
/// short limit admits are charged to the long one.
#[test]
fn a_short_limit_that_denies_charges_the_long_one_nothing() {
    let clock = clock();
    let half_an_hour = Quota::new(30, secs(1_800)).unwrap();
    let long = Limiter::fixed_window(half_an_hour).with_clock(Arc::clone(&clock));
    let long = Arc::new(long);
    let layer = RateLimitLayer::all([
        Policy::over(Arc::clone(&long), half_an_hour).named("long"),
        window(Quota::per_minute(10), &clock).named("short"),
    ]);
    let service = around(&layer);
    let mut admitted = 0;
    for minute in [16, 15] {
        admitted += (0..minute).filter(|_| status(&service, request("a")) == 200).count();
        clock.advance(secs(60));
    }
    assert_eq!((admitted, long.peek().remaining()), (20, 10));
}

/// Two policies over one limiter need two permits, or take none.
#[test]
fn a_limiter_that_stands_twice_is_charged_twice_or_not_at_all() {
    let quota = Quota::per_hour(3);
    let limiter = bucket_limiter(quota, &clock());
    let layer = RateLimitLayer::all([
        Policy::over(Arc::clone(&limiter), quota).named("one"),
        Policy::over(Arc::clone(&limiter), quota).named("other"),
    ]);
    let service = around(&layer);
    assert_eq!(status(&service, request("a")), 200);
    assert_eq!(status(&service, request("a")), 429);
    assert_eq!(limiter.peek().remaining(), 1);
}

/// Spends all of another limiter when it is first asked for the time.
struct Meanwhile(Arc<Bucket>);

impl Clock for Meanwhile {
    fn now(&self) -> Timestamp {
        self.0.take_up_to(u32::MAX);
        Timestamp::ZERO
    }
}

/// A policy that would have admitted when it was peeked at and denies when it is charged: those before it are refunded,
/// those after it are not charged, and the answer names it.
#[test]
fn those_that_were_charged_are_refunded_if_a_later_one_denies_meanwhile() {
    let (clock, told) = (clock(), Told::default());
    let quota = Quota::per_hour(5);
    let (first, second) = (bucket_limiter(quota, &clock), bucket_limiter(quota, &clock));
    let third = Limiter::token_bucket(quota).with_clock(Meanwhile(Arc::clone(&second)));
    let third = Arc::new(third);
    let layer = RateLimitLayer::all([
        Policy::over(Arc::clone(&first), quota).named("first"),
        Policy::over(Arc::clone(&second), quota).named("second"),
        Policy::over(Arc::clone(&third), quota).named("third"),
    ]);
    let layer = layer.problem_type(ProblemType::QuotaExceeded).observer(told.clone());
    let service = around(&layer);
    let answer = send(&service, request("a"));
    assert!(text(answer).ends_with(r#"["second"]}"#));
    assert_eq!(told.take(), [is("second", Outcome::Denied)]);
    assert_eq!((first.peek().remaining(), third.peek().remaining()), (5, 5));
}

/// Is an hour later each time when it is asked after the first.
struct HourByHour(AtomicUsize);

impl Clock for HourByHour {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(3_600 * self.0.fetch_add(1, Ordering::Relaxed).min(1) as u64)
    }
}

/// A policy that would have denied when it was peeked at and admits when it is asked: the request passes, and is charged
/// once.
#[test]
fn a_policy_that_has_refilled_meanwhile_charges_once() {
    let quota = Quota::per_hour(1);
    let refills = Limiter::token_bucket(quota).with_clock(HourByHour(AtomicUsize::new(0)));
    let (refills, other) = (Arc::new(refills), bucket_limiter(quota, &clock()));
    assert!(refills.check_at(Timestamp::ZERO).is_ok());
    let service = around(&RateLimitLayer::all([
        Policy::over(Arc::clone(&refills), quota).named("refills"),
        Policy::over(Arc::clone(&other), quota).named("other"),
    ]));
    assert_eq!(status(&service, request("a")), 200);
    assert_eq!(refills.peek_at(Timestamp::from_secs(3_600)).remaining(), 0);
    assert_eq!((refills.peek().reset_after(), other.peek().remaining()), (secs(3_600), 0));
}

/// Threads that charge and refund each other's policies: no more pass than either admits, and what was not used is all
/// there in the end.
#[test]
fn threads_pass_no_more_than_each_policy_admits_and_lose_no_permit() {
    for _ in 0..20 {
        let clock = clock();
        let quotas = [Quota::per_day(60), Quota::per_day(40), Quota::per_day(50)];
        let limiters = quotas.map(|quota| bucket_limiter(quota, &clock));
        let policy = |i: usize| Policy::over(Arc::clone(&limiters[i]), quotas[i]);
        let forth = RateLimitLayer::all([policy(0).named("a"), policy(1).named("b")]);
        let back =
            RateLimitLayer::all([policy(2).named("c"), policy(1).named("b"), policy(0).named("a")]);
        let passed = [AtomicUsize::new(0), AtomicUsize::new(0)];
        std::thread::scope(|scope| {
            for i in 0..4 {
                let service = around([&forth, &back][i % 2]);
                let passed = &passed[i % 2];
                scope.spawn(move || {
                    for _ in 0..60 {
                        if status(&service, request("a")) == 200 {
                            passed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let [forth, back] = passed.map(|passed| passed.into_inner() as u32);
        let left = limiters.map(|limiter| limiter.peek().remaining());
        assert_eq!(left, [60 - forth - back, 40 - forth - back, 50 - back]);
    }
}

/// Only policies that apply are asked; if none does, the request passes without fields.
#[test]
fn a_request_passes_if_no_policy_applies() {
    let clock = clock();
    let never = |name| bucket(Quota::per_hour(1), &clock).named(name).only_if(|_| false);
    let service = around(&RateLimitLayer::all([never("a"), never("b")]));
    for _ in 0..3 {
        let answer = send(&service, request("a"));
        assert!(answer.status().is_success() && answer.headers().is_empty());
    }
}

#[test]
fn a_layer_has_up_to_255_policies() {
    let clock = clock();
    let policies = |n: u32| {
        let clock = Arc::clone(&clock);
        (0..n).map(move |i| {
            let name = casgate_tower::fields::Name::new(&format!("policy {i}")).unwrap();
            bucket(Quota::per_hour(if i == n - 1 { 1 } else { 2 }), &clock).with_name(name)
        })
    };
    let service = around(&RateLimitLayer::all(policies(255)));
    assert_eq!(status(&service, request("a")), 200);
    let answer = send(&service, request("a"));
    assert_eq!(answer.headers()["ratelimit"], r#""policy 254";r=0;t=3600"#);
    for (n, message) in [(0, "a layer needs a policy"), (256, "at most 255")] {
        let panic = std::panic::catch_unwind(|| RateLimitLayer::all(policies(n))).unwrap_err();
        assert!(panic.downcast_ref::<&str>().unwrap().contains(message));
    }
}

#[test]
#[should_panic(expected = "two policies have the name default")]
fn two_policies_have_two_names() {
    let _ = RateLimitLayer::all([
        Policy::global(Quota::per_hour(1)),
        Policy::global(Quota::per_hour(2)),
    ]);
}
