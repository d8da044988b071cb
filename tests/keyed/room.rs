//! A full set, by example: which keys stay, which go, and what new keys are told.

use crate::given::Kind;
use crate::{WAYS, unhashed};
use casgate::{KeyedLimiter, Quota, Reason, Timestamp, WhenFull};
use std::time::Duration;

#[test]
fn a_flood_displaces_those_whose_debt_is_repaid_first() {
    let quota = Quota::per_hour(10);
    let keyed = unhashed(KeyedLimiter::token_bucket(quota, 1));
    let now = Timestamp::from_secs(1);
    assert_eq!((0..20).filter(|_| keyed.is_allowed_at(&0u64, now)).count(), 10);
    let admitted = (1..100_000u64).filter(|key| keyed.is_allowed_at(key, now)).count() as u64;
    assert!(!keyed.is_allowed_at(&0, now), "its debt was forgotten");
    // Slots fill up to ten permits each.
    assert!((9 * (WAYS - 1)..=10 * WAYS).contains(&admitted), "{admitted} admitted");
    let stats = keyed.stats();
    assert!(stats.evicted > 1_000 && stats.denied_full == 0, "{stats:?}");
    assert_eq!(keyed.len_at(now) as u64, WAYS);
    let later = now + Duration::from_secs(3_601);
    assert_eq!(keyed.len_at(later), 0);
    assert!(keyed.check_n_at(&0, 10, later).is_ok());
}

/// A hundred keys that come each second, beside fifty each second that come once.
#[test]
fn keys_that_come_again_stay() {
    let keyed = unhashed(KeyedLimiter::token_bucket(Quota::per_second(20), 1));
    let mut once = 1_000_u64..;
    for second in 1..100 {
        let at = |millis: u64| Timestamp::from_millis(second * 1_000 + millis);
        assert!((1..=100u64).all(|key| keyed.is_allowed_at(&key, at(0))));
        assert!(once.by_ref().take(50).all(|key| keyed.is_allowed_at(&key, at(500))));
    }
    let stats = keyed.stats();
    assert_eq!((stats.inserted, stats.evicted), (5_050u64, 0));
}

#[test]
fn a_full_set_is_no_matter_to_another() {
    let quota = Quota::per_hour(4);
    // Three sets: which one a key is in depends on its hash alone.
    let keyed = unhashed(KeyedLimiter::fixed_window(quota, 300));
    let now = Timestamp::from_secs(1);
    let set = |key: u64| {
        let product = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((u128::from(product) * 60) >> 64) as u64 / 20
    };
    for key in (0..3_000).filter(|&key| set(key) == 0) {
        let _ = keyed.check_at(&key, now);
    }
    assert!(keyed.stats().evicted > 50);
    for other in 1..3 {
        let mut there = (3_000..).filter(|&key| set(key) == other);
        assert!(there.by_ref().take(50).all(|key| keyed.check_n_at(&key, 4, now).is_ok()));
    }
}

fn is_free_at_the_instant_that_it_owes_nothing(kind: Kind) {
    let keyed = unhashed(kind.keyed(Quota::per_second(1), 1)).when_full(WhenFull::DenyNewKeys);
    for second in 1..4 {
        let now = Timestamp::from_secs(second);
        assert!((0..WAYS).all(|i| keyed.is_allowed_at(&(second << 8 | i), now)));
    }
    assert_eq!((keyed.stats().evicted, keyed.stats().inserted), (0, 3 * WAYS));
}

#[test]
fn a_slot_of_a_window_is_free_at_the_instant_that_it_owes_nothing() {
    is_free_at_the_instant_that_it_owes_nothing(Kind::Window);
}

#[test]
fn a_slot_of_a_bucket_is_free_at_the_instant_that_it_owes_nothing() {
    is_free_at_the_instant_that_it_owes_nothing(Kind::Bucket);
}

#[test]
fn new_keys_are_denied_until_a_slot_is_free() {
    let keyed = unhashed(KeyedLimiter::fixed_window(Quota::per_second(2), 1))
        .when_full(WhenFull::DenyNewKeys);
    let now = Timestamp::from_millis(1_250);
    assert!((1..=WAYS).all(|key| keyed.is_allowed_at(&key, now)));
    let denied = keyed.check_at(&0, now).unwrap_err();
    assert_eq!((denied.reason(), denied.remaining()), (Reason::TableFull, 0));
    assert_eq!(denied.retry_after(), Some(Duration::from_millis(750)));
    let too_many = keyed.check_n_at(&0, 3, now).unwrap_err();
    assert_eq!((too_many.reason(), too_many.retry_after()), (Reason::NeverFits, None));
    // A charge beyond the limit would fit, had the key a slot.
    for n in [1, 3] {
        assert_eq!(keyed.charge_at(&0, n, now).unwrap_err().reason(), Reason::TableFull);
    }
    assert_eq!(keyed.take_up_to_at(&0, 1, now), 0);
    // Those who are in are undisturbed.
    assert!((1..=WAYS).all(|key| keyed.is_allowed_at(&key, now)));
    assert!(keyed.is_allowed_at(&0, now + denied.retry_after().unwrap()));
    assert!(keyed.stats().denied_full >= 3);
}

/// At the last instants no slot becomes free any more.
#[test]
fn a_table_that_stays_full_is_said_to_be_full() {
    let keyed = unhashed(KeyedLimiter::fixed_window(Quota::per_second(2), 1))
        .when_full(WhenFull::DenyNewKeys);
    let last = Timestamp::MAX;
    assert!((1..=WAYS).all(|key| keyed.is_allowed_at(&key, last)));
    let denied = keyed.check_at(&0, last).unwrap_err();
    assert_eq!((denied.reason(), denied.retry_after()), (Reason::TableFull, None));
    assert_eq!(denied.to_string(), "no slot is free for a new key");
    // A charge beyond the limit is denied for the same reason only.
    assert_eq!(
        keyed.charge_at(&0, 3, last).unwrap_err(),
        keyed.charge_at(&0, 2, last).unwrap_err()
    );
    assert_eq!(keyed.charge_at(&0, 3, last).unwrap_err().reason(), Reason::TableFull);
    assert_eq!(keyed.check_n_at(&0, 3, last).unwrap_err().reason(), Reason::NeverFits);
}

/// A new key denied for a full set, with a bucket: when the first slot is free.
#[test]
fn a_new_key_is_told_when_the_first_bucket_is_full() {
    let keyed = unhashed(KeyedLimiter::token_bucket(Quota::per_second(4).with_burst(2), 1))
        .when_full(WhenFull::DenyNewKeys);
    let now = Timestamp::from_millis(100_100);
    assert!((1..=WAYS).all(|key| keyed.check_n_at(&key, 2, now).is_ok()));
    let wait = keyed.check_at(&0, now).unwrap_err().retry_after().unwrap();
    assert_eq!(wait, Duration::from_millis(500));
    assert!(!keyed.is_allowed_at(&0, now + (wait - Duration::from_nanos(1))));
    assert!(keyed.is_allowed_at(&0, now + wait));
}

/// Without any other request, whatever came before.
#[test]
fn a_new_key_is_admitted_when_it_is_told() {
    let quotas = [Quota::per_second(4), Quota::per_second(3), Quota::per_second(7)];
    for tiers in [1, 3] {
        let keyed = unhashed(KeyedLimiter::token_bucket(quotas[0].with_burst(1), 1))
            .with_tiers(quotas[1..].iter().map(|quota| quota.with_burst(1)))
            .when_full(WhenFull::DenyNewKeys);
        let tier = |key: u64| (key % tiers) as u16;
        let now = Timestamp::from_millis(1_000);
        assert!((0..WAYS).all(|key| keyed.key(&key).tier(tier(key)).is_allowed_at(now)));
        for key in 1_000..1_003 {
            let key = keyed.key(&key).tier(tier(key));
            let denied = key.check_at(now).unwrap_err();
            assert_eq!(denied.reason(), Reason::TableFull);
            let due = now + denied.retry_after().unwrap();
            assert!(key.is_allowed_at(due), "{tiers} tiers: denied at {due:?}, as told");
        }
    }
}

/// A key evicted with a debt, that returns when its slot is another's, and at an old timestamp.
#[test]
fn a_debt_is_kept_for_those_who_return() {
    let keyed = unhashed(KeyedLimiter::fixed_window(Quota::per_second(3), 1));
    let second = Timestamp::from_secs;
    assert!(keyed.check_n_at(&0, 2, second(5)).is_ok());
    assert!((1..WAYS).all(|key| keyed.check_n_at(&key, 3, second(5)).is_ok()));
    assert!(keyed.check_n_at(&1_000, 1, second(5)).is_ok(), "one more than the first has spent");
    assert!(keyed.check_n_at(&0, 1, second(5)).is_err(), "its two, and one of the other");
    // Reclaimed in the next second, when they owe nothing; the old second must not come back.
    assert!((2_000..2_000 + WAYS).all(|key| keyed.check_n_at(&key, 3, second(6)).is_ok()));
    assert!(!keyed.is_allowed_at(&0, second(5)), "a late timestamp found a fresh limiter");
}

/// Who is denied takes nobody's slot.
#[test]
fn a_denied_new_key_evicts_nobody() {
    let keyed = unhashed(KeyedLimiter::fixed_window(Quota::per_second(3), 1));
    assert!((0..WAYS).all(|key| keyed.check_n_at(&key, 3, Timestamp::ZERO).is_ok()));
    assert!((1_000..2_000).all(|key| !keyed.is_allowed_at(&key, Timestamp::ZERO)));
    assert_eq!((keyed.stats().inserted, keyed.stats().evicted), (WAYS, 0));
}
