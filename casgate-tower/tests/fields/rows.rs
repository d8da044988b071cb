//! The cases that the fields were designed by, and their neighbours: each row is a decision of a real limiter.

use crate::scene::{at_once, decide, lines, per, standing, steadily, written};
use casgate::{Limiter, Quota, Timestamp};
use casgate_tower::fields::{Announced, Fields, Standing, Unit};
use std::time::Duration;

/// What a bucket's fields are after requests, each for so many permits at so many milliseconds.
struct Row {
    source: &'static str,
    quota: Quota,
    requests: &'static [(u32, u64)],
    policy: &'static str,
    limit: &'static str,
    retry_after: &'static [&'static str],
}

#[test]
fn of_a_token_bucket() {
    let ten_seconds = per(100, 10_000);
    let rows = [
        Row {
            source: "bucket 10/s b10, empty, 100 ms to wait; tower-governor #65",
            quota: Quota::per_second(10),
            requests: &[(10, 0), (1, 0)],
            policy: r#""p";q=10;w=1"#,
            limit: r#""p";r=0;t=1"#,
            retry_after: &["1"],
        },
        Row {
            source: "tower-governor #65: 200 ms to wait",
            quota: Quota::per_second(5),
            requests: &[(5, 0), (1, 0)],
            policy: r#""p";q=5;w=1"#,
            limit: r#""p";r=0;t=1"#,
            retry_after: &["1"],
        },
        Row {
            source: "bucket 60/min b60, empty",
            quota: Quota::per_minute(60),
            requests: &[(60, 0), (1, 0)],
            policy: r#""p";q=60;w=60"#,
            limit: r#""p";r=0;t=1"#,
            retry_after: &["1"],
        },
        Row {
            source: "bucket 60/min b60, its last permit taken",
            quota: Quota::per_minute(60),
            requests: &[(60, 0)],
            policy: r#""p";q=60;w=60"#,
            limit: r#""p";r=0;t=1"#,
            retry_after: &[],
        },
        Row {
            source: "bucket 100 per 10 s, after one",
            quota: ten_seconds,
            requests: &[(1, 0)],
            policy: r#""p";q=100;w=10"#,
            limit: r#""p";r=99;t=10"#,
            retry_after: &[],
        },
        Row {
            source: "n = 5, 3 left, 6/min",
            quota: Quota::per_minute(6),
            requests: &[(3, 0), (5, 0)],
            policy: r#""p";q=6;w=60"#,
            limit: r#""p";r=3;t=20"#,
            retry_after: &["20"],
        },
        Row {
            source: "a policy of 10000 per 1000 s must not say r=10000;t=10",
            quota: per(10_000, 1_000_000),
            requests: &[(0, 0)],
            policy: r#""p";q=10000;w=1000"#,
            limit: r#""p";r=10000;t=1000"#,
            retry_after: &[],
        },
        Row {
            source: "the same, where no wait helps",
            quota: per(10_000, 1_000_000),
            requests: &[(10_001, 0)],
            policy: r#""p";q=10000;w=1000"#,
            limit: r#""p";r=10000;t=1000"#,
            retry_after: &[],
        },
        Row {
            source: "the next permit is later than what is left would last: 1 of 2 left at 4/min, 1 s of 15 gone",
            quota: Quota::per_minute(4).with_burst(2),
            requests: &[(2, 0), (0, 1_000)],
            policy: r#""p";q=4;w=60;casgate-burst=2"#,
            limit: r#""p";r=0;t=14"#,
            retry_after: &[],
        },
        Row {
            source: "of two missing permits the next one counts: 10 s each, 13 s until full",
            quota: Quota::per_minute(6).with_burst(2),
            requests: &[(2, 0), (0, 7_000)],
            policy: r#""p";q=6;w=60;casgate-burst=2"#,
            limit: r#""p";r=0;t=3"#,
            retry_after: &[],
        },
        Row {
            source: "a permit at 6⅔ s and one at 10 s: at 8 s the next is in 2 s sharp, although 5⅓ s until full are \
                     rounded up",
            quota: per(3, 10_000).with_burst(5),
            requests: &[(4, 0), (2, 8_000), (1, 8_000)],
            policy: r#""p";q=3;w=10;casgate-burst=5"#,
            limit: r#""p";r=0;t=2"#,
            retry_after: &[],
        },
    ];
    for row in rows {
        let announced = steadily("p", row.quota);
        let decision = decide(&Limiter::token_bucket(row.quota), row.requests);
        let headers = written(&mut [standing(&announced, &decision)]);
        let seen =
            ["ratelimit-policy", "ratelimit", "retry-after"].map(|name| lines(&headers, name));
        assert_eq!(
            seen,
            [vec![row.policy], vec![row.limit], row.retry_after.to_vec()],
            "{}",
            row.source
        );
    }
}

/// "fixed 100/min, 3rd request 10 s into the window", denials of the same window, and one that was not touched.
#[test]
fn of_a_fixed_window() {
    type Requests<'a> = &'a [(u32, u64)];
    let rows: [(Requests<'_>, &str, &[&str]); 6] = [
        (&[(1, 60_000), (1, 65_000), (1, 70_000)], r#""default";r=97;t=50"#, &[]),
        (&[(100, 60_000), (1, 70_001)], r#""default";r=0;t=50"#, &["50"]),
        (&[(97, 60_000), (5, 119_999)], r#""default";r=3;t=1"#, &["1"]),
        (&[(1, 60_000), (101, 70_000)], r#""default";r=99;t=50"#, &[]),
        (&[(0, 60_000)], r#""default";r=100;t=60"#, &[]),
        // Late by 20 s: its own window is over, and that of the newest permit begins in 10 s.
        (&[(1, 60_000), (1, 50_000)], r#""default";r=0;t=10"#, &["10"]),
    ];
    let quota = Quota::per_minute(100);
    let announced = at_once("default", quota);
    for (requests, limit, retry_after) in rows {
        let decision = decide(&Limiter::fixed_window(quota), requests);
        let headers = written(&mut [standing(&announced, &decision)]);
        assert_eq!(lines(&headers, "ratelimit-policy"), [r#""default";q=100;w=60"#]);
        assert_eq!(lines(&headers, "ratelimit"), [limit], "{requests:?}");
        assert_eq!(lines(&headers, "retry-after"), retry_after, "{requests:?}");
    }
}

/// A denial by a sliding window waits for the oldest permit to leave, and not for all.
#[test]
fn of_a_sliding_window() {
    let quota = Quota::per_minute(2);
    let limiter = Limiter::sliding_window(quota);
    let at = |secs| limiter.check_at(Timestamp::from_secs(secs));
    let announced = at_once("p", quota);
    let limit =
        |decision| lines(&written(&mut [standing(&announced, &decision)]), "ratelimit").concat();
    assert_eq!(limit(at(100)), r#""p";r=1;t=60"#);
    assert_eq!(limit(at(120)), r#""p";r=0;t=60"#);
    assert_eq!(limit(at(130)), r#""p";r=0;t=30"#);
}

/// "5 per 100 ms · 1 per 1.5 s · 7 per 300 ms", and where a day ends.
#[test]
fn windows_of_whole_seconds() {
    let nanos = |permits, nanos| Quota::new(permits, Duration::from_nanos(nanos)).unwrap();
    let second = 1_000_000_000;
    for (quota, policy) in [
        (per(5, 100), "q=50;w=1"),
        (per(1, 1_500), "q=2;w=3"),
        (per(7, 300), "q=70;w=3"),
        (per(100, 60_000), "q=100;w=60"),
        (Quota::per_day(7), "q=7;w=86400"),
        // Whole seconds stay, however many.
        (per(7, 86_401_000), "q=7;w=86401"),
        (nanos(1 << 20, 2_000_000_000 * second), "q=1048576;w=2000000000"),
        // The multiple that is a whole number of seconds is one second less than a day, or one more.
        (per(3, 86_399), "q=3000;w=86399"),
        (per(3, 86_401), "q=3;w=87"),
        (per(3, 86_400), "q=15;w=432"),
        (nanos(1_000, second + 1), "q=1999;w=2"),
        (nanos(1, 2 * second - 1), "q=1;w=2"),
        // The largest numbers.
        (nanos(1_000_000_000, second), "q=1000000000;w=1"),
        (nanos(999_999_937, 999_999_937), "q=1000000000;w=1"),
        (nanos(u32::MAX, 1 << 61), "q=4294967296;w=2305843010"),
        (nanos(1, 1), "q=1000000000;w=1"),
        (nanos(86_399, 86_399), "q=86399000000000;w=86399"),
    ] {
        let announced = steadily("p", quota);
        let decision = Limiter::token_bucket(quota).check_at(Timestamp::ZERO);
        let headers = written(&mut [standing(&announced, &decision)]);
        assert_eq!(lines(&headers, "ratelimit-policy"), [format!("\"p\";{policy}")], "{quota}");
    }
}

/// "two policies", whichever the caller has first.
#[test]
fn of_two_policies() {
    let (second, day) = (Quota::per_second(10), Quota::per_day(5_000));
    let (burst, daily) = (steadily("burst", second), at_once("daily", day));
    let into_the_day = 86_400_000 - 52_011_000;
    let burst = (&burst, decide(&Limiter::token_bucket(second), &[(1, into_the_day)]));
    let daily = (&daily, decide(&Limiter::fixed_window(day), &[(787, into_the_day)]));
    for order in [[&burst, &daily], [&daily, &burst]] {
        let headers =
            written(&mut order.map(|(announced, decision)| standing(announced, decision)));
        let limit = r#""burst";r=9;t=1, "daily";r=4213;t=52011"#;
        assert_eq!(lines(&headers, "ratelimit"), [limit]);
        let policy = r#""burst";q=10;w=1, "daily";q=5000;w=86400"#;
        assert_eq!(lines(&headers, "ratelimit-policy"), [policy]);
    }
}

/// "a policy named `a"b\c`".
#[test]
fn of_a_name_to_escape() {
    let quota = Quota::per_second(2);
    let announced = steadily(r#"a"b\c"#, quota);
    let decision = Limiter::token_bucket(quota).check_at(Timestamp::ZERO);
    let headers = written(&mut [standing(&announced, &decision)]);
    assert_eq!(lines(&headers, "ratelimit-policy"), [r#""a\"b\\c";q=2;w=1"#]);
    assert_eq!(lines(&headers, "ratelimit"), [r#""a\"b\\c";r=1;t=1"#]);
}

/// A unit that is not requests, and a burst that is not the permits.
#[test]
fn of_a_unit_and_a_burst() {
    let quota = Quota::per_second(100).with_burst(50);
    let plain = steadily("p", quota);
    for (announced, policy) in [
        (plain.clone(), r#""p";q=100;w=1;casgate-burst=50"#),
        (plain.clone().unit(Unit::Requests), r#""p";q=100;w=1;casgate-burst=50"#),
        (
            plain.clone().unit(Unit::ContentBytes),
            r#""p";q=100;w=1;qu="content-bytes";casgate-burst=50"#,
        ),
        (
            plain.with_quota(Quota::per_minute(9)).unit(Unit::ConcurrentRequests),
            r#""p";q=9;w=60;qu="concurrent-requests""#,
        ),
        // A window has no burst.
        (at_once("p", quota), r#""p";q=100;w=1"#),
    ] {
        let decision = Limiter::token_bucket(quota).check_at(Timestamp::ZERO);
        let headers = written(&mut [standing(&announced, &decision)]);
        assert_eq!(lines(&headers, "ratelimit-policy"), [policy]);
    }
}

/// "Integers stop at 999,999,999,999,999": an announced quota that the limiter does not keep cannot pass it.
#[test]
fn no_number_is_too_long_for_the_format() {
    let kept = Quota::per_second(1_000_000_000).with_burst(u32::MAX);
    let slowest = Quota::new(1, Duration::from_nanos(1 << 61)).unwrap();
    let announced: Announced = steadily("p", slowest);
    let admitted = Limiter::token_bucket(kept).check_at(Timestamp::ZERO).unwrap();
    let standing = Standing::admitted(&announced, &admitted);
    assert_eq!(standing.within(), 999_999_999_999_999);

    // In debt for longer than a clock lives.
    let limiter = Limiter::token_bucket(slowest);
    limiter.deny_until(Timestamp::from_nanos(u64::MAX));
    let denied = limiter.check_at(Timestamp::ZERO).unwrap_err();
    let standing = Standing::denied(&announced, &denied);
    assert!((1..=u64::MAX / 1_000_000_000 + 1).contains(&standing.within()));

    let mut headers = http::HeaderMap::new();
    Fields::DRAFT_11.write(&mut [standing], &mut headers);
    assert_eq!(casgate_tower::fields::read(&headers).len(), 1);
}
