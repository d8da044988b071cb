//! Sentences of the documentation of the sharded limiters, and what broke them.

use casgate::algorithm::Sharded;
use casgate::{FixedWindow, Limiter, Quota, Reason, Timestamp};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn window(permits: u32, cells: usize) -> Limiter<Sharded<FixedWindow>> {
    Limiter::sharded_fixed_window(Quota::per_second(permits)).with_cells(cells)
}

/// "A denial means that nothing was left."
#[test]
fn the_last_window_of_a_new_limiter_is_full() {
    assert!(window(10, 2).check_at(Timestamp::MAX).is_ok());
    let longest = Quota::new(3, Duration::from_nanos(1 << 61)).unwrap();
    let limiter = Limiter::sharded_fixed_window(longest);
    assert!(limiter.check_at(Timestamp::from_nanos(7 << 61)).is_ok());
}

/// "No request panics or wraps."
#[test]
fn the_last_timestamp_of_the_shortest_window_is_out_of_range() {
    let fastest = Quota::new(1, Duration::from_nanos(1)).unwrap();
    let limiter = Limiter::sharded_fixed_window(fastest);
    let denied = limiter.check_at(Timestamp::MAX).unwrap_err();
    assert_eq!(denied.reason(), Reason::OutOfRange);
    assert_eq!(limiter.peek_at(Timestamp::MAX).remaining(), 0);
}

/// "`Admitted::remaining` counts one cell or the parent, so it is a lower bound", and `reset_after` is how long until the
/// limiter is full.
#[test]
fn a_request_for_nothing_reports_what_is_left_at_its_timestamp() {
    let limiter = window(10, 2);
    limiter.refund(&limiter.check_n_at(1, Timestamp::ZERO).unwrap());
    let now = Timestamp::ZERO + SECOND;
    for left in (0..10).rev() {
        assert!(limiter.check_at(now).is_ok());
        let nothing = limiter.check_n_at(0, now).unwrap();
        assert_eq!((nothing.remaining(), nothing.reset_after()), (left, SECOND));
    }
}
