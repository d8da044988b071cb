use crate::clock::Clock;
use crate::{Limiter, Quota, Timestamp};

/// A thread that took its timestamp in the first window, and was stopped until the second.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1)
    }

    fn recent(&self) -> Timestamp {
        Timestamp::ZERO
    }

    fn max_lag(&self) -> core::time::Duration {
        core::time::Duration::ZERO
    }
}

#[test]
fn a_late_thread_is_decided_again_after_a_refund_of_its_window() {
    let limiter =
        Limiter::sharded_fixed_window(Quota::per_second(4)).with_cells(2).with_clock(Stopped);
    assert!(limiter.is_allowed_at(Timestamp::from_secs(1)), "from the first cell");
    let late = limiter.check_at(Timestamp::ZERO).expect("from the second");
    limiter.refund(&late);
    assert!(limiter.check_n(3).is_ok(), "the second window has three");
}

#[test]
fn a_late_thread_is_decided_again_if_its_window_would_have_to_be_gathered() {
    let limiter =
        Limiter::sharded_fixed_window(Quota::per_second(9)).with_cells(4).with_clock(Stopped);
    assert!(limiter.is_allowed_at(Timestamp::from_secs(1)), "from the first cell");
    assert_eq!(limiter.check_n(4).map(|admitted| admitted.at()), Ok(Timestamp::from_secs(1)));
}

/// There a word of no window seems to be of the current one.
#[test]
fn the_last_period_of_time_is_a_window_as_any() {
    for now in [u64::MAX, u64::MAX - 1_000_000_000] {
        let limiter = Limiter::sharded_fixed_window(Quota::per_hour(2)).with_cells(2);
        let now = Timestamp::from_nanos(now);
        assert!(limiter.is_allowed_at(now) && limiter.is_allowed_at(now));
        assert!(!limiter.is_allowed_at(now));
        limiter.reset();
        assert!(limiter.check_n_at(2, now).is_ok());
    }
}

#[test]
fn a_request_for_nothing_is_told_what_is_left_in_its_window() {
    let limiter = Limiter::sharded_fixed_window(Quota::per_second(4)).with_cells(2);
    let left =
        |secs| limiter.check_n_at(0, Timestamp::from_secs(secs)).expect("nothing").remaining();
    assert_eq!(left(0), 4);
    assert!(limiter.check_n_at(3, Timestamp::ZERO).is_ok(), "gathered");
    assert_eq!((left(0), left(1)), (1, 4));
    assert!(limiter.is_allowed_at(Timestamp::from_secs(1)));
    assert_eq!(left(1), 3);
}
