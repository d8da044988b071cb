//! Timestamps that are years apart, and at the end of what is told apart.

use crate::given::{Kind, TOLD, at};
use crate::unhashed;
use casgate::{KeyedLimiter, Quota, Timestamp};
use std::time::Duration;

const YEAR: u64 = 365 * 86_400 * 1_000_000_000;

/// No key that owes nothing is ever taken for one that does, whatever time has passed.
#[test]
fn untouched_for_years_is_free() {
    for kind in [Kind::Bucket, Kind::Window] {
        for quota in [
            Quota::per_second(10),
            Quota::per_second(1_000_000),
            Quota::per_second(1).with_burst(1 << 20),
            Quota::new(3, Duration::from_nanos(2 * YEAR)).unwrap(),
        ] {
            let keyed = kind.keyed(quota, 20_000);
            let limit = keyed.peek_at(&0, at(0)).limit();
            let keys = 0..2_000u64;
            assert!(keys.clone().all(|key| keyed.check_n_at(&key, limit, at(0)).is_ok()));
            for year in 5..=61 {
                let left = |key| keyed.peek_at(&key, at(year * YEAR - key * 7_919_317)).remaining();
                assert!(keys.clone().all(|key| left(key) == limit), "{quota:?}, {year} years");
            }
            assert!(keys.clone().all(|key| keyed.check_n_at(&key, limit, at(TOLD)).is_ok()));
            assert!(keys.clone().all(|key| !keyed.is_allowed_at(&key, at(TOLD))));
        }
    }
}

#[test]
fn new_keys_are_full_whenever_they_come() {
    for kind in [Kind::Bucket, Kind::Window] {
        for seconds in (0..61).map(|bits| 1u64 << bits).chain([u64::MAX / 1_000_000_000]) {
            let keyed = unhashed(kind.keyed(Quota::per_second(1), 1));
            for around in [-1, 0, 1] {
                let now = Timestamp::from_secs(seconds.saturating_add_signed(around));
                let key = seconds.wrapping_add_signed(around);
                assert!(keyed.is_allowed_at(&key, now), "{kind:?} at {seconds} s");
            }
        }
    }
}

/// Whatever comes after the last timestamp that is told apart counts as that one.
#[test]
fn past_the_horizon_nothing_comes_back() {
    for kind in [Kind::Bucket, Kind::Window] {
        let keyed = kind.keyed(Quota::per_second(3), 100);
        let passed = |now| keyed.check_n_at("a", 3, at(now)).is_ok();
        assert!(passed(u64::MAX));
        for now in [u64::MAX, u64::MAX - 1, 1 << 63, 1 << 62, TOLD, 0] {
            assert!(!passed(now), "{kind:?} at {now}");
            assert_eq!(keyed.peek_at("a", at(now)).remaining(), 0);
        }
        let denied = keyed.check_at("a", Timestamp::MAX).unwrap_err();
        assert_eq!(denied.retry_after(), None, "{kind:?}");
        // Another key is not concerned, and a reset undoes it.
        assert!(keyed.check_n_at("b", 3, at(5)).is_ok());
        keyed.reset("a");
        assert!(keyed.check_n_at("a", 3, at(7)).is_ok());
    }
}

/// The rate is exact to the nanosecond, however long it is asked: a hundred years of drift would show.
#[test]
fn an_exact_rate_does_not_drift() {
    let keyed = KeyedLimiter::token_bucket(Quota::per_second(1_000).with_burst(1), 10);
    for start in [0, YEAR, 30 * YEAR, 60 * YEAR] {
        for i in 0..2_000 {
            let now = start + i * 1_000_000;
            assert!(keyed.is_allowed_at("a", at(now)), "{i} ms after {start}");
            assert!(!keyed.is_allowed_at("a", at(now + 999_999)), "{i} ms after {start}");
        }
    }
}
