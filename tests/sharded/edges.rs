//! The ends of the ranges, and what a limiter stands in for.

use super::{PERIOD, at, quota};
use allocation_counter::measure;
use casgate::clock::ManualClock;
use casgate::{Limit, Limiter, Quota, Reason, Timestamp};
use std::time::Duration;

fn nanos(permits: u32, period: u64) -> Quota {
    Quota::new(permits, Duration::from_nanos(period)).unwrap()
}

#[test]
fn the_largest_limit_is_had_whole_and_one_by_one() {
    let limiter =
        Limiter::sharded_fixed_window(Quota::new(u32::MAX, Duration::from_secs(5)).unwrap())
            .with_cells(8);
    let first = Timestamp::ZERO;
    assert!(limiter.check_n_at(u32::MAX, first).is_ok(), "from all cells together");
    let denied = limiter.check_at(first).unwrap_err();
    assert_eq!((denied.remaining(), denied.retry_after()), (0, Some(Duration::from_secs(5))));

    let second = Timestamp::from_secs(5);
    assert!(limiter.check_at(second).is_ok());
    assert!(limiter.check_n_at(u32::MAX, second).is_err());
    assert_eq!(limiter.peek_at(second).remaining(), u32::MAX - 1);
    assert_eq!(limiter.take_up_to_at(u32::MAX, second), u32::MAX - 1);
    limiter.reset();
    assert_eq!(limiter.take_up_to_at(u32::MAX, second), u32::MAX);
}

#[test]
fn a_limit_of_one_is_one_whatever_the_number_of_cells() {
    for cells in [0, 1, 2, 3, 64, 65_536] {
        let limiter = Limiter::sharded_fixed_window(quota(1)).with_cells(cells);
        for window in [0, 1, 7] {
            let now = at(window * PERIOD);
            assert_eq!(limiter.peek_at(now).remaining(), 1);
            assert!(limiter.is_allowed_at(now), "{cells} cells");
            assert!(!limiter.is_allowed_at(now), "{cells} cells");
            assert_eq!(limiter.peek_at(now).remaining(), 0);
        }
    }
}

#[test]
fn as_many_cells_as_documented_keep_a_larger_limit() {
    let limiter = Limiter::sharded_fixed_window(quota(100_000)).with_cells(65_536);
    assert!(limiter.check_n_at(99_999, at(0)).is_ok());
    assert!(limiter.is_allowed_at(at(0)) && !limiter.is_allowed_at(at(0)));
}

#[test]
#[should_panic(expected = "at most 65,536 cells")]
fn more_cells_panic() {
    let _ = Limiter::sharded_fixed_window(quota(1)).with_cells(65_537);
}

#[test]
#[should_panic(expected = "at most 65,536 cells")]
fn far_more_cells_panic() {
    let _ = Limiter::sharded_fixed_window(quota(1)).with_cells(usize::MAX);
}

#[test]
fn no_permits_are_always_admitted() {
    let limiter = Limiter::sharded_fixed_window(quota(2)).with_cells(2);
    for _ in 0..3 {
        assert!(limiter.check_n_at(0, at(0)).is_ok());
        assert_eq!(limiter.check_n_at(0, at(0)).unwrap().permits(), 0);
        limiter.check_n_at(1, at(0)).ok();
    }
    assert_eq!(limiter.take_up_to_at(0, at(0)), 0);
    limiter.refund(&limiter.check_n_at(0, at(0)).unwrap());
    assert_eq!(limiter.peek_at(at(0)).remaining(), 0);
}

#[test]
fn more_than_the_limit_never_fits() {
    for (limit, n) in [(1, 2), (7, 8), (1_000, u32::MAX)] {
        let limiter = Limiter::sharded_fixed_window(quota(limit)).with_cells(4);
        for _ in 0..2 {
            let denied = limiter.check_n_at(n, at(0)).unwrap_err();
            assert_eq!((denied.reason(), denied.retry_after()), (Reason::NeverFits, None));
            assert_eq!(limiter.take_up_to_at(n, at(0)), denied.remaining());
        }
    }
}

#[test]
fn windows_end_where_the_word_does() {
    for (limit, period) in [(1, 1), (1, 2), (7, 7), (1_000, PERIOD), (1 << 31, 1 << 31)] {
        let limiter = Limiter::sharded_fixed_window(nanos(limit, period)).with_cells(2);
        let last = u64::MAX.checked_shr(33 - limit.leading_zeros()).unwrap();
        let start = (last - 1).saturating_mul(period);
        if start > u64::MAX - period {
            continue; // the clock ends first
        }
        assert!(limiter.check_n_at(limit, at(start)).is_ok(), "{limit} in {period}");
        let denied = limiter.check_at(at(start + period - 1)).unwrap_err();
        assert_eq!((denied.reason(), denied.retry_after()), (Reason::OutOfRange, None));
        for beyond in [start + period, u64::MAX] {
            let denied = limiter.check_at(at(beyond)).unwrap_err();
            assert_eq!((denied.reason(), denied.remaining()), (Reason::OutOfRange, 0));
            assert_eq!(limiter.take_up_to_at(1, at(beyond)), 0);
            assert_eq!(limiter.peek_at(at(beyond)).remaining(), 0);
        }
        assert!(limiter.check_at(at(0)).is_err(), "no older window is let in");
    }
}

#[test]
fn a_permit_a_nanosecond_is_one_in_each() {
    let limiter = Limiter::sharded_fixed_window(nanos(1, 1)).with_cells(2);
    for now in 0..1_000 {
        assert!(limiter.is_allowed_at(at(now)));
        let denied = limiter.check_at(at(now)).unwrap_err();
        assert_eq!(denied.retry_after(), Some(Duration::from_nanos(1)));
    }
}

/// One cell of two is of no use until then; the other is, and has its half.
#[test]
fn a_far_future_timestamp_takes_one_cell() {
    let limiter = Limiter::sharded_fixed_window(quota(10)).with_cells(2);
    assert!(limiter.is_allowed_at(Timestamp::from_secs(1 << 30)));
    let admitted = (0..20).filter(|_| limiter.is_allowed_at(at(0))).count();
    assert_eq!(admitted, 5);
}

#[test]
fn a_clock_that_steps_back_only_denies_more() {
    let clock = ManualClock::new();
    let limiter = Limiter::sharded_fixed_window(quota(6)).with_cells(2).with_clock(&clock);
    let mut admitted = [0; 4];
    for window in [2, 1, 3, 0, 2, 1, 3, 0] {
        clock.set(at(window * PERIOD));
        let all = (0..4).filter(|_| limiter.check().is_ok()).count() as u32;
        admitted[window as usize] += all + limiter.take_up_to(1);
        assert!(admitted[window as usize] <= 6);
        assert!(limiter.peek().remaining() <= 6);
    }
    assert_eq!(admitted[3], 6, "the newest window has all of its permits");
}

#[test]
fn it_is_a_limit_of_the_trait() {
    let limiter = Limiter::sharded_fixed_window(Quota::per_hour(3)).with_cells(2);
    let limit: Box<dyn Limit + Send + Sync> = Box::new(limiter);
    assert_eq!(limit.peek().remaining(), 3);
    assert!(limit.check().is_ok());
    assert_eq!(limit.peek_at(Timestamp::ZERO).limit(), 3);
    let other = Timestamp::from_secs(1 << 30);
    assert!((0..3).all(|_| limit.check_at(other).is_ok()));
    assert!(limit.check_at(other).is_err());
}

#[test]
fn its_debug_form_names_the_quota_and_the_words() {
    let limiter = Limiter::sharded_fixed_window(Quota::per_second(3)).with_cells(2);
    let text = format!("{limiter:?}");
    for part in ["Limiter", "limit: 3", "period: 1s", "parent", "cells"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn it_is_lock_free_here() {
    if cfg!(target_has_atomic = "64") {
        assert!(Limiter::sharded_fixed_window(quota(1)).is_lock_free());
    }
}

#[test]
fn no_decision_allocates() {
    let limiter = Limiter::sharded_fixed_window(quota(9)).with_cells(4);
    let allocated = measure(|| {
        for i in 0..1_000 {
            let now = at(i * PERIOD / 20);
            let _ = (limiter.check_at(now), limiter.is_allowed(), limiter.peek_at(now));
            let _ = (limiter.check_n_at(i as u32 % 11, now), limiter.check_n(2));
            let _ = (limiter.take_up_to_at(2, now), limiter.take_up_to(1), limiter.peek());
            let _ = limiter.check_at(now).map(|admitted| limiter.refund(&admitted));
            if i % 50 == 0 {
                limiter.reset();
            }
        }
    });
    assert_eq!(allocated.count_total, 0);
    assert!(measure(|| drop(Limiter::sharded_fixed_window(quota(9)))).count_total > 0);
}

/// Between what was left before and after, while others only spend.
#[test]
fn a_peek_lies_between_what_was_left_before_and_after() {
    let limiter = Limiter::sharded_fixed_window(quota(200_000)).with_cells(4);
    let spent = std::sync::atomic::AtomicU32::new(0);
    let begun = std::sync::atomic::AtomicU32::new(0);
    let seq = std::sync::atomic::Ordering::SeqCst;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    begun.fetch_add(1, seq);
                    assert!(limiter.is_allowed_at(at(0)));
                    spent.fetch_add(1, seq);
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..5_000 {
                let before = spent.load(seq);
                let left = limiter.peek_at(at(0)).remaining();
                let after = begun.load(seq);
                assert!((200_000 - after..=200_000 - before).contains(&left));
            }
        });
    });
    assert_eq!(limiter.peek_at(at(0)).remaining(), 140_000);
}
