//! What was once wrong with keyed limiters, each by its smallest case.
//!
//! Two more were races: a stopped insertion that put a key in two slots, or charged it for a debt that had been
//! forgiven. They need a caller that stops in the middle of an insertion, so the model and the model checker
//! have them.

use crate::{WAYS, unhashed};
use casgate::{KeyedLimiter, Quota, Timestamp, WhenFull};
use std::collections::HashSet;
use std::time::Duration;

const DAY: u64 = 86_400;

/// A million keys, and one of them far ahead.
#[test]
fn a_timestamp_from_the_far_future_spends_the_future_of_its_key_alone() {
    let keyed = KeyedLimiter::token_bucket(Quota::per_second(1), 1_000_000);
    let now = Timestamp::from_secs(1);
    assert!(keyed.is_allowed_at("mallory", Timestamp::from_nanos(1 << 63)));
    assert!((0..10_000).all(|key| keyed.is_allowed_at(&key, now)), "another key was denied");
    assert!(!keyed.is_allowed_at("mallory", now));
    assert_eq!(keyed.peek_at("mallory", now).remaining(), 0);
    keyed.reset("mallory");
    assert_eq!(keyed.peek_at("mallory", now).remaining(), 1);
    assert!(keyed.is_allowed_at("mallory", now));
}

/// And if that key is evicted, a cleared table is as new.
#[test]
fn a_timestamp_from_the_far_future_is_undone_by_clear() {
    let keyed = unhashed(KeyedLimiter::token_bucket(Quota::per_second(1), 1));
    assert!((0..=WAYS).filter(|key| keyed.is_allowed_at(key, Timestamp::MAX)).count() > 0);
    let now = Timestamp::from_secs(1);
    assert!((0..WAYS).all(|key| !keyed.is_allowed_at(&key, now)));
    keyed.clear();
    assert!((0..WAYS).all(|key| keyed.is_allowed_at(&key, now)));
}

#[test]
fn a_strict_window_is_strict_in_every_half_open_interval() {
    let quota = Quota::at_most(10).in_any(Duration::from_secs(1));
    for nanos in [5_000_097_600, 5_000_000_000, 5_000_000_001, 1, 499] {
        let keyed = KeyedLimiter::strict(quota, 1);
        let first = Timestamp::from_nanos(nanos);
        assert!(keyed.is_allowed_at("a", first));
        let mut admitted = 1;
        // At every instant that the first second has, told by the denials.
        let mut now = first;
        while let Err(denied) = keyed.check_at("a", now) {
            now += denied.retry_after().unwrap();
            if now.as_nanos() >= nanos + 1_000_000_000 {
                break;
            }
            admitted += u32::from(keyed.is_allowed_at("a", now));
        }
        assert!(admitted <= 10, "{admitted} in the second from {nanos}");
    }
}

#[test]
fn once_a_day_is_not_twice_in_a_day() {
    for (period, unit) in [(DAY, 1), (30 * DAY, 1), (3_600, 1), (DAY, 7)] {
        let period = Duration::from_secs(period);
        let quota = Quota::new(unit, period * unit).unwrap().with_burst(1);
        let keyed = KeyedLimiter::token_bucket(quota, 1);
        let first = Timestamp::from_secs(84);
        assert!(keyed.is_allowed_at("a", first));
        let again = first + period;
        let before = Timestamp::from_nanos(again.as_nanos() - 1);
        let left = keyed.check_at("a", before).map_err(|denied| denied.retry_after());
        assert_eq!(left, Err(Some(Duration::from_nanos(1))), "{quota:?}");
        assert!(keyed.is_allowed_at("a", again), "{quota:?}");
    }
}

#[test]
fn a_thousand_small_numbers_are_a_thousand_keys_to_the_identity() {
    let keyed = unhashed(KeyedLimiter::token_bucket(Quota::per_hour(1), 1_000));
    assert_eq!((0..1_000).filter(|key| keyed.is_allowed_at(key, Timestamp::ZERO)).count(), 1_000);
}

#[test]
fn a_set_whose_keys_were_all_reset_has_room() {
    let keyed = unhashed(KeyedLimiter::fixed_window(Quota::per_hour(5), 1))
        .when_full(WhenFull::DenyNewKeys);
    let now = Timestamp::from_secs(1);
    assert!((0..WAYS).all(|key| keyed.is_allowed_at(&key, now)));
    (0..WAYS).for_each(|key| keyed.reset(&key));
    assert_eq!(keyed.len_at(now), 0);
    assert!((1_000..1_000 + WAYS).all(|key| keyed.check_n_at(&key, 5, now).is_ok()));
}

#[test]
fn a_new_key_is_admitted_at_the_instant_when_nobody_owes_anything() {
    let keyed = unhashed(KeyedLimiter::token_bucket(Quota::per_day(1), 1));
    assert!((0..WAYS).all(|key| keyed.is_allowed_at(&key, Timestamp::ZERO)));
    let later = Timestamp::from_secs(DAY);
    assert!(keyed.is_allowed_at(&1_000, later));
    assert_eq!(keyed.stats().evicted, 0);
}

/// The same for as many new keys as there are slots, of which each is alone in what it owes.
#[test]
fn as_many_new_keys_as_slots_are_admitted_when_nobody_owes_anything() {
    let keyed = unhashed(KeyedLimiter::token_bucket(Quota::per_day(1), 1));
    assert!((0..WAYS).all(|key| keyed.is_allowed_at(&key, Timestamp::ZERO)));
    let later = Timestamp::from_secs(DAY);
    let passed = (1_000..1_000 + WAYS).filter(|key| keyed.is_allowed_at(key, later)).count();
    assert_eq!(passed as u64, WAYS);
}

/// In a set with keys of 1,000 a second and of 10 a day a new key waits for the debt that is repaid first.
#[test]
fn debts_of_two_tiers_are_compared_by_when_they_are_repaid() {
    let keyed = unhashed(KeyedLimiter::fixed_window(Quota::per_second(1_000), 1))
        .with_tiers([Quota::per_day(10)]);
    let now = Timestamp::from_millis(500);
    // One owes all of a second's permits, the others one of a day's.
    assert!(keyed.check_n_at(&0, 1_000, now).is_ok());
    assert!((1..WAYS).all(|key| keyed.key(&key).tier(1).is_allowed_at(now)));
    let new = keyed.key(&1_000);
    let wait =
        new.check_at(now).map_or_else(|denied| denied.retry_after().unwrap(), |_| Duration::ZERO);
    assert!(
        wait <= Duration::from_millis(501),
        "{wait:?}, though the first owes for half a second"
    );
    assert!(new.is_allowed_at(now + wait));
}

/// Likewise of buckets: a key that owes a second is evicted before those that owe hours.
#[test]
fn the_key_that_is_full_first_is_evicted() {
    let keyed = unhashed(KeyedLimiter::token_bucket(Quota::per_second(1_000), 1))
        .with_tiers([Quota::per_day(10)]);
    let now = Timestamp::from_secs(1);
    assert!(keyed.check_n_at(&0, 1_000, now).is_ok());
    assert!((1..WAYS).all(|key| keyed.key(&key).tier(1).check_n_at(1, now).is_ok()));
    assert!(keyed.key(&1_000).tier(1).is_allowed_at(now), "it starts with the debt of a second");
    assert!((1..WAYS).all(|key| keyed.key(&key).tier(1).peek_at(now).remaining() == 9));
}

/// Likewise where the units of one tier are twice as long: two keys owe 1.2 s, fewer units than the others, who owe 1 s.
#[test]
fn the_key_that_is_full_first_is_evicted_whatever_the_units() {
    let permit =
        |nanos, burst| Quota::new(1, Duration::from_nanos(nanos)).unwrap().with_burst(burst);
    let keyed = unhashed(KeyedLimiter::token_bucket(permit(999, 3_000_000), 1))
        .with_tiers([permit(500, 6_000_000)]);
    let now = Timestamp::ZERO;
    assert!((0..2).all(|key| keyed.check_n_at(&key, 1_200_000, now).is_ok()));
    assert!((2..WAYS).all(|key| keyed.key(&key).tier(1).check_n_at(2_000_000, now).is_ok()));
    let admitted = keyed.check_at(&1_000, now).unwrap();
    assert!(admitted.remaining() > 1_990_000, "it starts with a debt of 1.2 s: {admitted:?}");
}

#[test]
fn at_the_last_timestamp_a_key_is_admitted_exactly_once() {
    let keyed = unhashed(KeyedLimiter::fixed_window(Quota::per_second(1), 1));
    let mut admitted = u32::from(keyed.is_allowed_at(&1, Timestamp::MAX));
    for key in 2..2 + 3 * WAYS {
        let _ = keyed.is_allowed_at(&key, Timestamp::MAX);
    }
    for _ in 0..3 {
        admitted += u32::from(keyed.is_allowed_at(&1, Timestamp::MAX));
    }
    assert_eq!(admitted, 1);
}

#[test]
fn what_a_new_key_sees_in_a_full_set_is_what_it_gets() {
    for full in [WhenFull::EvictLeastDebt, WhenFull::DenyNewKeys] {
        let keyed = unhashed(KeyedLimiter::token_bucket(Quota::per_hour(5), 1)).when_full(full);
        let now = Timestamp::from_secs(1);
        assert!((0..WAYS).all(|key| keyed.check_n_at(&key, 5, now).is_ok()));
        let seen = (
            keyed.peek_at(&1_000, now).remaining(),
            keyed.check_n_at(&1_000, 0, now).unwrap().remaining(),
            keyed.check_at(&1_000, now).is_ok(),
        );
        assert_eq!(seen, (0, 0, false), "{full:?}");
    }
}

/// Of one key, and no two admissions of any key have one ticket at one timestamp.
#[test]
fn tickets_of_a_key_are_unique() {
    let keyed = KeyedLimiter::token_bucket(Quota::per_second(1_000), 100);
    let now = Timestamp::from_secs(1);
    let mut tickets = HashSet::new();
    assert!((0..1_000).all(|_| tickets.insert(keyed.check_at("a", now).unwrap().ticket())));
}

/// A denial that evicts nobody leaves nothing behind but the count of those for a full set.
#[test]
fn a_denial_leaves_nothing_behind_but_its_count() {
    for full in [WhenFull::EvictLeastDebt, WhenFull::DenyNewKeys] {
        let keyed = unhashed(KeyedLimiter::token_bucket(Quota::per_hour(5), 1)).when_full(full);
        let now = Timestamp::from_secs(1);
        assert!((0..WAYS).all(|key| keyed.check_n_at(&key, 5, now).is_ok()));
        let look = || (0..2 * WAYS).map(|key| keyed.peek_at(&key, now)).collect::<Vec<_>>();
        let (before, stats) = (look(), keyed.stats());
        assert!((0..2 * WAYS).all(|key| keyed.check_n_at(&key, 1, now).is_err()));
        assert_eq!(look(), before);
        let denied = if full == WhenFull::DenyNewKeys { WAYS } else { 0 };
        assert_eq!(keyed.stats().denied_full, stats.denied_full + denied);
        assert_eq!(keyed.stats().inserted, stats.inserted);
    }
}
