//! Operations on the whole table, and two ways to ask the same.

use crate::given::{CASES, Kind, at, kinds, small_quotas, steps};
use crate::{WAYS, unhashed};
use casgate::{Admitted, Denied, KeyedLimiter, Quota, Timestamp};
use proptest::prelude::*;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::time::Duration;

fn pair(kind: Kind, quota: Quota) -> [KeyedLimiter<casgate::clock::SystemClock, Same>; 2] {
    [(); 2].map(|()| kind.keyed(quota, 100).with_hasher(Same::default()))
}

/// The same in two limiters.
type Same = BuildHasherDefault<DefaultHasher>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    /// Tickets included, also in full sets.
    #[test]
    fn many_keys_are_asked_as_one_by_one(
        kind in kinds(), quota in small_quotas(), begin in 0..1u64 << 60,
        batches in prop::collection::vec((prop::collection::vec(0..300u64, 0..70), steps(1 << 60)), 1..20),
    ) {
        let [ours, other] = pair(kind, quota);
        let mut now = begin;
        for (keys, step) in batches {
            now = step.follow(quota, now, None);
            let mut seen = Vec::<(usize, Result<Admitted, Denied>)>::new();
            ours.check_many_at(&keys, at(now), |i, answer| seen.push((i, answer)));
            let expected: Vec<_> = keys.iter().map(|key| other.check_at(key, at(now))).enumerate().collect();
            prop_assert_eq!(seen, expected);
        }
        prop_assert_eq!(ours.stats(), other.stats());
    }

    #[test]
    fn a_place_is_asked_as_its_key(
        kind in kinds(), quota in small_quotas(), begin in 0..1u64 << 60,
        trace in prop::collection::vec((0..400u64, 0..6u32, 0..9u8, steps(1 << 60)), 1..300),
    ) {
        let [ours, other] = pair(kind, quota);
        let places: Vec<_> = (0..400u64).map(|key| ours.locate(&key)).collect();
        let (mut now, mut last) = (begin, HashMap::new());
        for (key, n, op, step) in trace {
            now = step.follow(quota, now, None);
            let (ours, now) = (ours.at(places[key as usize]), at(now));
            match op {
                0 => prop_assert_eq!(ours.charge_at(n, now), other.charge_at(&key, n, now)),
                1 => prop_assert_eq!(ours.take_up_to_at(n, now), other.take_up_to_at(&key, n, now)),
                2 => {
                    ours.refund_n(n);
                    other.refund_n(&key, n);
                }
                3 if n == 0 => {
                    ours.reset();
                    other.reset(&key);
                }
                4 => {
                    let ours = ours.reserve_at(n, quota.period(), now).map(|r| (r.ready_at(), r.cancel()));
                    let other = other.reserve_at(&key, n, quota.period(), now);
                    prop_assert_eq!(ours, other.map(|r| (r.ready_at(), r.cancel())));
                }
                5 => prop_assert_eq!(ours.is_allowed_at(now), other.is_allowed_at(&key, now)),
                6 => prop_assert_eq!(ours.check_at(now), other.check_at(&key, now)),
                7 => if let Some(admitted) = last.remove(&key) {
                    ours.refund(&admitted);
                    other.refund(&key, &admitted);
                },
                _ => {
                    let answer = ours.check_n_at(n, now);
                    prop_assert_eq!(answer, other.check_n_at(&key, n, now));
                    last.extend(answer.map(|admitted| (key, admitted)));
                }
            }
            prop_assert_eq!(ours.peek_at(now), other.peek_at(&key, now));
        }
    }

    /// From any state: after a clear every key is full, at every timestamp.
    #[test]
    fn a_cleared_table_is_as_new(
        kind in kinds(), quota in small_quotas(), begin in prop_oneof![0..1u64 << 60, Just(u64::MAX)],
        keys in 1..500u64, clears in 1..600usize,
    ) {
        let keyed = unhashed(kind.keyed(quota, 1));
        for key in 0..keys {
            let _ = keyed.charge_at(&key, 1 + key as u32 % 30, at(begin));
        }
        (0..clears).for_each(|_| keyed.clear());
        prop_assert!(keyed.len_at(at(0)) == 0 && keyed.len_at(at(begin)) == 0);
        for key in 0..keys.min(WAYS) {
            let limit = keyed.peek_at(&key, at(0)).limit();
            let left = keyed.peek_at(&key, at(0)).remaining();
            prop_assert_eq!(left, limit);
            prop_assert!(keyed.check_n_at(&key, limit, at(0)).is_ok());
        }
        prop_assert_eq!(keyed.stats().evicted, keyed.stats().evicted.min(keys.saturating_sub(WAYS)));
    }
}

#[test]
fn equal_hashes_are_one_key() {
    let keyed = KeyedLimiter::token_bucket(Quota::per_hour(1), 100);
    assert!(keyed.is_allowed_at("a", Timestamp::ZERO));
    assert!(!keyed.is_allowed_at(&String::from("a"), Timestamp::ZERO));
    assert!(keyed.is_allowed_at(&1u32, Timestamp::ZERO));
    assert!(keyed.is_allowed_at(&1u64, Timestamp::ZERO));
    assert!(!keyed.is_allowed_at(&&&1u64, Timestamp::ZERO));
}

/// A place of another limiter is some key's here, and never out of bounds.
#[test]
fn a_place_of_a_larger_table_is_some_keys() {
    let (large, small) = (
        KeyedLimiter::token_bucket(Quota::per_hour(1), 100_000),
        KeyedLimiter::token_bucket(Quota::per_hour(1), 1),
    );
    for key in 0..10_000 {
        let place = large.locate(&key);
        let _ = small.at(place).check_at(Timestamp::ZERO);
        assert!(!small.at(place).is_allowed_at(Timestamp::ZERO));
    }
}

#[test]
fn tickets_of_one_key_grow() {
    for kind in [Kind::Bucket, Kind::Window] {
        let keyed = kind.keyed(Quota::per_second(5), 100);
        let mut last = None;
        for millis in 0..5_000 {
            if let Ok(admitted) = keyed.check_at("a", Timestamp::from_millis(millis)) {
                assert!(last < Some(admitted.ticket()), "{kind:?}");
                last = Some(admitted.ticket());
            }
        }
    }
}

#[test]
fn a_request_that_overlaps_nothing_is_counted_once() {
    let keyed = unhashed(KeyedLimiter::token_bucket(Quota::per_hour(2), 1)).counted();
    let now = Timestamp::ZERO;
    let _ = (keyed.check_at(&1, now), keyed.check_n_at(&1, 9, now), keyed.charge_at(&1, 9, now));
    let _ = (keyed.is_allowed_at(&1, now), keyed.reserve_at(&2, 1, Duration::ZERO, now));
    keyed.check_many_at(&[3, 3, 3], now, |_, _| ());
    assert_eq!((keyed.stats().admitted, keyed.stats().denied), (Some(5), Some(3)));
}

#[test]
fn a_charge_is_told_as_large_as_it_was() {
    for kind in [Kind::Bucket, Kind::Window] {
        let keyed = kind.keyed(Quota::per_hour(5), 100);
        let charged = keyed.charge_at("a", 12, Timestamp::ZERO).unwrap();
        assert_eq!((charged.permits(), charged.remaining()), (12, 0));
        keyed.refund("a", &charged);
        let left = keyed.peek_at("a", Timestamp::ZERO).remaining();
        // To a window those that were spent in it: of twelve the last two, after two windows of five.
        assert_eq!(left, if kind == Kind::Bucket { 5 } else { 0 });
    }
}

#[test]
fn an_error_says_what_does_not_fit() {
    let quota = Quota::per_day(1);
    let texts = [
        KeyedLimiter::try_token_bucket(Quota::per_second(3_000_000), 1).map(drop),
        KeyedLimiter::try_token_bucket(quota.with_burst(1_000), 1).map(drop),
        KeyedLimiter::try_token_bucket(quota, usize::MAX).map(drop),
        KeyedLimiter::token_bucket(quota, 1).try_with_tiers(vec![quota; 1 << 16]).map(drop),
        KeyedLimiter::token_bucket(quota, 1).set_quota(1, quota),
    ]
    .map(|outcome| outcome.unwrap_err().to_string());
    let expected = [
        "faster than one permit per 500 ns",
        "two years",
        "memory",
        "65,536 tiers",
        "no such tier",
    ];
    for (text, expected) in texts.into_iter().zip(expected) {
        assert!(text.contains(expected), "{text}");
    }
}
