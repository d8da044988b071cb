//! Places taken ahead of time.

use crate::given::{CASES, Kind, TOLD, at, kinds, quotas};
use casgate::{KeyedLimiter, Quota, Timestamp};
use proptest::prelude::*;
use std::time::Duration;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_reservation_is_ready_within_the_wait(
        (kind, quota) in kinds().prop_flat_map(|kind| (Just(kind), quotas(kind))),
        now in 0..TOLD / 2, (spent, n) in (0..9u32, 1..9u32), wait in 0..100u32,
    ) {
        let keyed = kind.keyed(quota, 100);
        let _ = keyed.charge_at("a", spent, at(now));
        let wait = quota.period() / 64 * wait;
        if let Ok(reserved) = keyed.reserve_at("a", n, wait, at(now)) {
            prop_assert!(reserved.delay() <= wait, "{:?} of {wait:?}", reserved.delay());
        }
    }

    /// A denial says how much longer: denied with a nanosecond less, and not with that.
    #[test]
    fn a_denied_reservation_says_how_much_longer(
        (kind, quota) in kinds().prop_flat_map(|kind| (Just(kind), quotas(kind))),
        now in 0..TOLD / 2, (spent, n) in (1..9u32, 1..9u32), wait in 0..100u32,
    ) {
        let keyed = kind.keyed(quota, 100);
        let _ = keyed.charge_at("a", spent, at(now));
        let wait = quota.period() / 64 * wait;
        let Err(denied) = keyed.reserve_at("a", n, wait, at(now)) else { return Ok(()) };
        let Some(more) = denied.retry_after() else { return Ok(()) };
        let less = more - Duration::from_nanos(1);
        prop_assert!(keyed.reserve_at("a", n, wait + less, at(now)).is_err());
        prop_assert!(keyed.reserve_at("a", n, wait + more, at(now)).is_ok());
    }

    /// Of a cancelled reservation nothing is left: what could be spent before can be spent again.
    #[test]
    fn a_cancelled_reservation_leaves_nothing_behind(
        (kind, quota) in kinds().prop_flat_map(|kind| (Just(kind), quotas(kind))),
        now in 0..TOLD / 2, (spent, n) in (0..9u32, 1..9u32), wait in 0..100u32, drops in any::<bool>(),
    ) {
        let keyed = kind.keyed(quota, 100);
        let _ = keyed.charge_at("a", spent, at(now));
        let before = keyed.peek_at("a", at(now));
        let Ok(reserved) = keyed.reserve_at("a", n, quota.period() / 64 * wait, at(now)) else {
            return Ok(());
        };
        if drops { drop(reserved) } else { prop_assert_eq!(reserved.cancel(), n) }
        prop_assert_eq!(keyed.peek_at("a", at(now)).remaining(), before.remaining());
    }
}

const FIVE: Quota = Quota::per_second(5);

/// Three of five are spent, and three are reserved, which only the next window has.
#[test]
fn a_place_in_the_next_window_that_is_given_back_leaves_this_one_as_it_was() {
    let keyed = KeyedLimiter::fixed_window(FIVE, 100);
    assert!(keyed.check_n_at("a", 3, Timestamp::ZERO).is_ok());
    let reserved = keyed.reserve_at("a", 3, Duration::MAX, Timestamp::ZERO).unwrap();
    assert_eq!(reserved.ready_at(), Timestamp::from_secs(1));
    assert_eq!(reserved.cancel(), 3);
    assert_eq!(keyed.peek_at("a", Timestamp::ZERO).remaining(), 2);
}

/// A bucket of four, full, at an instant that is no whole number of units.
#[test]
fn a_place_that_is_free_now_is_ready_now() {
    let keyed = KeyedLimiter::token_bucket(Quota::per_second(4), 100);
    let now = Timestamp::from_nanos(186);
    let reserved = keyed.reserve_at("a", 4, Duration::ZERO, now).unwrap();
    assert_eq!(reserved.ready_at(), now);
}

#[test]
fn reservations_come_back_from_the_latest_to_the_earliest() {
    for kind in [Kind::Bucket, Kind::Window] {
        let keyed = kind.keyed(FIVE, 100);
        let reserve = || keyed.reserve_at("a", 5, Duration::MAX, Timestamp::ZERO).unwrap();
        let (first, second, third) = (reserve(), reserve(), reserve());
        assert!(first.ready_at() < second.ready_at() && second.ready_at() < third.ready_at());
        assert_eq!(first.cancel(), 0, "others have built on it");
        assert_eq!(third.cancel(), 5);
        assert_eq!(second.cancel(), 5);
        assert_eq!(reserve().ready_at(), Timestamp::from_secs(1), "{kind:?}");
    }
}

#[test]
fn a_reservation_stays_spent_if_another_came_after_it() {
    let keyed = KeyedLimiter::token_bucket(FIVE, 100);
    let reserved = keyed.reserve_at("a", 1, Duration::ZERO, Timestamp::ZERO).unwrap();
    assert!(keyed.is_allowed_at("a", Timestamp::ZERO));
    assert_eq!(reserved.cancel(), 0);
    assert_eq!(keyed.peek_at("a", Timestamp::ZERO).remaining(), 3);
}

/// The word is the same, but another tenancy of the slot.
#[test]
fn a_reservation_of_an_evicted_key_gives_nothing_back() {
    let keyed = crate::unhashed(KeyedLimiter::token_bucket(FIVE, 1));
    let now = Timestamp::ZERO;
    let reserved = keyed.reserve_at(&0, 1, Duration::ZERO, now).unwrap();
    for key in 1..2 * crate::WAYS {
        assert!(keyed.charge_at(&key, 5, now).is_ok());
    }
    assert!(keyed.stats().evicted > 0);
    let _ = keyed.charge_at(&0, 1, now);
    let before = keyed.peek_at(&0, now);
    assert_eq!(reserved.cancel(), 0);
    assert_eq!(keyed.peek_at(&0, now), before);
}

#[test]
fn zero_permits_are_reserved_at_once() {
    let keyed = KeyedLimiter::token_bucket(FIVE, 100);
    assert!(keyed.check_n_at("a", 5, Timestamp::ZERO).is_ok());
    let reserved = keyed.reserve_at("a", 0, Duration::ZERO, Timestamp::ZERO).unwrap();
    assert_eq!((reserved.delay(), reserved.cancel()), (Duration::ZERO, 0));
}
