//! What an adversary found, each a sentence of the documentation.

use casgate::{KeyedLimiter, Limiter, Quota, Timestamp, WhenFull};
use std::time::Duration;

const START: Timestamp = Timestamp::ZERO;
const FIVE: Quota = Quota::per_second(5);

/// The reset has given the permits back already.
#[test]
fn a_reservation_that_was_reset_gives_nothing_back() {
    for limiter in [KeyedLimiter::token_bucket(FIVE, 100), KeyedLimiter::fixed_window(FIVE, 100)] {
        let reserved = limiter.reserve_at("a", 5, Duration::ZERO, START).unwrap();
        limiter.reset("a");
        assert!(limiter.check_n_at("a", 5, START).is_ok());
        assert_eq!(reserved.cancel(), 0);
        assert!(limiter.check_at("a", START).is_err());
    }
}

#[test]
fn a_reservation_that_was_cleared_gives_nothing_back() {
    let limiter = KeyedLimiter::token_bucket(FIVE, 100);
    let reserved = limiter.reserve_at("a", 5, Duration::ZERO, START).unwrap();
    limiter.clear();
    assert!(limiter.check_n_at("a", 5, START).is_ok());
    assert_eq!(reserved.cancel(), 0);
    assert!(limiter.check_at("a", START).is_err());
}

/// Twenty in a minute otherwise: ten of ten per hour, and ten of ten per minute.
#[test]
fn a_window_that_is_carried_over_by_a_late_request_stays_spent() {
    let limiter =
        KeyedLimiter::fixed_window(Quota::per_hour(10), 100).with_tiers([Quota::per_minute(10)]);
    let now = Timestamp::from_secs(5_400);
    let (hourly, each_minute) = (limiter.key("a"), limiter.key("a").tier(1));
    assert!(hourly.check_n_at(10, now).is_ok());
    assert!(each_minute.check_at(Timestamp::from_secs(3_599)).is_err());
    assert_eq!(each_minute.peek_at(now).remaining(), 0);
    // It was spent in the hour's last nanosecond at the latest.
    assert_eq!(each_minute.peek_at(Timestamp::from_secs(7_199)).remaining(), 0);
    assert_eq!(each_minute.peek_at(Timestamp::from_secs(7_200)).remaining(), 10);
}

/// What is spent in a window's first nanosecond is not of the window before.
#[test]
fn a_window_that_is_carried_over_at_its_beginning_keeps_what_it_has() {
    let limiter =
        KeyedLimiter::fixed_window(Quota::per_hour(10), 100).with_tiers([Quota::per_minute(10)]);
    let now = Timestamp::from_secs(3_600);
    assert!(limiter.check_n_at("a", 4, now).is_ok());
    assert_eq!(limiter.key("a").tier(1).peek_at(now).remaining(), 6);
    assert!(limiter.key("a").tier(1).check_n_at(6, now).is_ok());
}

#[test]
fn a_charge_without_a_slot_is_told_when_there_is_one() {
    let limiter = KeyedLimiter::token_bucket(FIVE, 1).when_full(WhenFull::DenyNewKeys);
    for key in 0..10_000u32 {
        let _ = limiter.check_at(&key, START);
    }
    let denied = limiter.charge_at("new", 10, START).unwrap_err();
    assert_eq!(denied.retry_after(), Some(Duration::from_millis(200)));
    assert!(limiter.charge_at("new", 10, Timestamp::from_millis(200)).is_ok());
}

#[test]
fn windows_are_told_apart_for_sixty_seven_years() {
    const YEAR: u64 = 365 * 86_400;
    let longest = Quota::new(1, Duration::from_secs(2 * YEAR)).unwrap();
    let limiter = KeyedLimiter::fixed_window(longest, 1);
    assert!(limiter.is_allowed_at("a", Timestamp::from_secs(65 * YEAR)));
    assert!(limiter.is_allowed_at("a", Timestamp::from_secs(67 * YEAR)));
}

#[test]
fn late_is_by_less_than_a_microsecond_also_where_units_are_longest() {
    let quota = Quota::new(1_000, Duration::from_nanos(999_999)).unwrap().with_burst(1);
    let (own, keyed) = (Limiter::token_bucket(quota), KeyedLimiter::token_bucket(quota, 1));
    let now = Timestamp::from_nanos(999_600_000);
    assert!(own.is_allowed_at(now) && keyed.is_allowed_at("a", now));
    let own = own.check_at(now).unwrap_err().retry_after().unwrap();
    let keyed = keyed.check_at("a", now).unwrap_err().retry_after().unwrap();
    assert!(keyed - own < Duration::from_micros(1), "{keyed:?}, {own:?}");
}

#[test]
fn a_request_for_no_permits_has_the_ticket_of_the_last() {
    let limiter = KeyedLimiter::token_bucket(FIVE, 100);
    let ticket = limiter.check_at("a", START).unwrap().ticket();
    assert_eq!(limiter.check_n_at("a", 0, START).unwrap().ticket(), ticket);
}
