//! The token bucket over a century, at the edges of its range, and beside what other libraries'
//! documentation shows.

use casgate::{Limiter, Quota, Timestamp, TokenBucket};
use std::time::Duration;

const YEAR: u64 = 365 * 86_400 * 1_000_000_000;

/// The bucket, emptied at `start`.
fn emptied(quota: Quota, start: u64) -> Limiter<TokenBucket> {
    let limiter = Limiter::token_bucket(quota);
    assert!(limiter.check_n_at(quota.burst(), at(start)).is_ok());
    limiter
}

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

/// How long after `start` the next permit of a saturated bucket comes, again and again.
fn arrivals(limiter: &Limiter<TokenBucket>, start: u64) -> impl Iterator<Item = u64> {
    let mut now = start;
    std::iter::from_fn(move || {
        now += u64::try_from(limiter.check_at(at(now)).unwrap_err().retry_after()?.as_nanos())
            .unwrap();
        limiter.check_at(at(now)).expect("admitted when due");
        Some(now - start)
    })
}

#[test]
fn three_per_second_is_three_per_second_after_a_century() {
    let quota = Quota::per_second(3);
    for start in [0, 1, YEAR, 40 * YEAR + 7, 100 * YEAR, 100 * YEAR + 333_333_333, 145 * YEAR] {
        let limiter = emptied(quota, start);
        for (k, offset) in (1..=30_000u64).zip(arrivals(&limiter, start)) {
            assert_eq!(offset, (k * 1_000_000_000).div_ceil(3), "permit {k} from {start}");
        }
    }
}

/// One limiter that lives through it all, and is asked in dense stretches far apart.
#[test]
fn nothing_accumulates() {
    for permits in [3, 7, 600, 1_000_003] {
        let quota = Quota::per_second(permits);
        let limiter = Limiter::token_bucket(quota);
        for start in (0..146).step_by(5).map(|years| years * YEAR + years) {
            limiter.check_n_at(permits, at(start)).expect("a second later it is full");
            for (k, offset) in (1..=500u128).zip(arrivals(&limiter, start)) {
                let twice = (2 * k * 1_000_000_000) as f64 / f64::from(permits);
                let early = twice / 2.0 - offset as f64;
                assert!((-1.0..=0.5).contains(&early), "{permits}: permit {k} off by {early}");
            }
        }
    }
}

#[test]
fn every_exact_second_brings_exactly_its_permits() {
    for permits in [7u32, 11, 997, 1_000_003] {
        for start in [0, YEAR, 100 * YEAR + 13] {
            let limiter = emptied(Quota::per_second(permits), start);
            for second in 1..=20 {
                let now = at(start + second * 1_000_000_000);
                assert!(limiter.check_n_at(permits, now).is_ok(), "{permits} in second {second}");
                assert!(limiter.check_at(now).is_err());
            }
        }
    }
}

#[test]
fn six_hundred_million_per_second_is_not_a_billion() {
    for start in [0, 100 * YEAR] {
        let limiter = emptied(Quota::per_second(600_000_000).with_burst(2), start);
        let mut admitted = 0;
        for nanos in 1..=100_000 {
            admitted += u64::from(limiter.is_allowed_at(at(start + nanos)));
            assert_eq!(admitted, nanos * 3 / 5);
        }
    }
}

#[test]
fn the_slowest_and_the_fastest() {
    let yearly = Quota::new(1, Duration::from_nanos(YEAR)).unwrap();
    let limiter = emptied(yearly, 5);
    assert!(limiter.check_at(at(YEAR + 4)).is_err());
    assert!(limiter.check_at(at(YEAR + 5)).is_ok());

    let slowest = Quota::new(1, Duration::from_nanos(1 << 61)).unwrap();
    let limiter = emptied(slowest, 0);
    assert_eq!(
        limiter.check_at(at(0)).unwrap_err().retry_after(),
        Some(Duration::from_nanos(1 << 61))
    );
    assert!(limiter.check_at(at((1 << 61) - 1)).is_err());
    assert!(limiter.check_at(at(1 << 61)).is_ok());

    let fastest = Quota::per_second(1_000_000_000).with_burst(1);
    let limiter = emptied(fastest, 7);
    assert!(limiter.check_at(at(7)).is_err());
    assert!((8..1_000).all(|nanos| limiter.is_allowed_at(at(nanos))));
}

#[test]
fn past_the_last_reading_it_refuses() {
    for quota in [
        Quota::per_second(100),
        Quota::per_second(3),
        Quota::per_second(7),
        Quota::new(4, Duration::from_nanos(1 << 61)).unwrap(),
        Quota::new(u32::MAX, Duration::from_nanos(u32::MAX.into())).unwrap(),
        Quota::new(1_000_003, Duration::from_nanos(1 << 61)).unwrap(),
    ] {
        let limiter = Limiter::token_bucket(quota);
        let last_told = at(1 << 60);
        assert!(limiter.check_n_at(quota.burst(), last_told).is_ok());
        assert!(limiter.check_at(last_told).is_err());
        let denied = limiter.check_at(Timestamp::MAX).unwrap_err();
        assert_eq!((denied.remaining(), denied.retry_after()), (0, None));
        assert_eq!(limiter.peek_at(Timestamp::MAX).remaining(), 0);
    }
}

#[test]
fn too_much_is_refused_for_ever() {
    let limiter = Limiter::token_bucket(Quota::per_second(2));
    for n in [3, u32::MAX] {
        assert_eq!(limiter.check_n_at(n, at(0)).unwrap_err().retry_after(), None);
    }
    assert!(limiter.check_n_at(0, at(0)).is_ok());
    assert_eq!(limiter.peek_at(at(0)).remaining(), 2);
}

/// 16 at once, then 30 per minute: a published session of the GCRA command of a key-value store.
#[test]
fn a_throttled_user() {
    let limiter = Limiter::token_bucket(Quota::per_minute(30).with_burst(16));
    let first = limiter.check_at(at(0)).unwrap();
    assert_eq!((first.limit(), first.remaining(), first.reset_after().as_secs()), (16, 15, 2));
    assert!(limiter.check_n_at(15, at(0)).is_ok());
    let denied = limiter.check_at(at(0)).unwrap_err();
    assert_eq!(denied.retry_after(), Some(Duration::from_secs(2)));
    assert_eq!(denied.reset_after(), Duration::from_secs(32));
    assert_eq!(denied.remaining(), 0);
}

/// 50 per second without a burst of its own: 50 pass at once, then one every 20 ms.
#[test]
fn fifty_per_second() {
    let limiter = Limiter::token_bucket(Quota::per_second(50));
    let passed = (0..60).filter(|_| limiter.is_allowed_at(at(0))).count();
    assert_eq!(passed, 50);
    for n in 1..=10 {
        assert!(limiter.check_at(Timestamp::from_millis(20 * n - 1)).is_err());
        assert!(limiter.check_at(Timestamp::from_millis(20 * n)).is_ok());
        assert!(limiter.check_at(Timestamp::from_millis(20 * n)).is_err());
    }
}

/// 20 per minute with a burst of 6: "six at once", then one every three seconds, back to full after
/// 18 s of rest.
#[test]
fn twenty_per_minute() {
    let limiter = Limiter::token_bucket(Quota::per_minute(20).with_burst(6));
    let remaining: Vec<_> =
        std::iter::from_fn(|| Some(limiter.check_at(at(0)).ok()?.remaining())).collect();
    assert_eq!(remaining, [5, 4, 3, 2, 1, 0]);
    let denied = limiter.check_at(at(0)).unwrap_err();
    assert_eq!(denied.retry_after(), Some(Duration::from_secs(3)));
    assert_eq!(denied.reset_after(), Duration::from_secs(18));
    assert_eq!(limiter.peek_at(Timestamp::from_secs(18)).remaining(), 6);
    assert_eq!(limiter.peek_at(Timestamp::from_secs(3_600)).remaining(), 6);
}

#[test]
fn a_refund_never_fills_beyond_full() {
    let limiter = Limiter::token_bucket(Quota::per_second(5));
    limiter.refund_n(3);
    assert_eq!(limiter.peek_at(at(0)).remaining(), 5);
    assert!(limiter.check_n_at(4, at(0)).is_ok());
    limiter.refund_n(2);
    assert_eq!(limiter.peek_at(at(0)).remaining(), 3);
    limiter.refund_n(u32::MAX);
    assert_eq!(limiter.peek_at(at(0)).remaining(), 5);
    assert!(limiter.check_n_at(5, Timestamp::from_secs(9)).is_ok());
    // Given back after the bucket has filled itself: still no more than full.
    limiter.refund_n(5);
    assert_eq!((0..9).filter(|_| limiter.is_allowed_at(Timestamp::from_secs(20))).count(), 5);
}

/// In lowest terms 1 per 10 ms, so a unit is a nanosecond and the range all 584 years but a second.
#[test]
fn the_last_reading_is_told() {
    let limiter = Limiter::token_bucket(Quota::per_second(100));
    let last = u64::MAX - 1_000_000_000;
    assert_eq!(limiter.peek_at(at(last)).remaining(), 100);
    assert!(limiter.check_at(at(last + 1)).is_err());
    assert!(limiter.check_n_at(100, at(last)).is_ok());
    assert!(limiter.check_at(at(last)).is_err());
}
