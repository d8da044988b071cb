//! Permits that a thread keeps.

use super::{PERIOD, at, quota};
use casgate::algorithm::Private;
use casgate::{Limit, Limiter, Quota, Reason, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

fn admitted_at(limiter: &Limiter<Private>, now: Timestamp) -> usize {
    (0..1_000).filter(|_| limiter.is_allowed_at(now)).count()
}

/// What a thread that has ended kept is lost until the window ends, and no more than that.
#[test]
fn a_thread_strands_less_than_a_batch() {
    let limiter = Limiter::sharded_fixed_window(quota(100)).with_cells(1).private(16);
    assert!(limiter.is_allowed_at(at(0)));
    for _ in 0..3 {
        thread::scope(|scope| scope.spawn(|| assert!(limiter.is_allowed_at(at(1)))).join())
            .unwrap();
    }
    assert_eq!(limiter.peek_at(at(2)).remaining(), 100 - 1 - 3 * 16);
    assert_eq!(admitted_at(&limiter, at(3)), 100 - 1 - 3 * 16);
    assert_eq!(admitted_at(&limiter, at(PERIOD)), 100, "the next window has all");
}

#[test]
fn what_is_kept_is_of_its_window_and_its_limiter() {
    let new = || Limiter::sharded_fixed_window(quota(40)).with_cells(1).private(8);
    let (one, other) = (new(), new());
    assert!(one.is_allowed_at(at(0)) && one.is_allowed_at(at(0)));
    assert_eq!(one.peek_at(at(0)).remaining(), 40 - 1 - 8);
    // One by one, as long as this thread keeps some of the first.
    assert!(other.is_allowed_at(at(0)) && other.is_allowed_at(at(0)));
    assert_eq!(other.peek_at(at(0)).remaining(), 38);
    assert_eq!(admitted_at(&other, at(1)), 38);
    assert_eq!(admitted_at(&one, at(1)), 38);
    // Of the next window.
    assert!(one.is_allowed_at(at(PERIOD)) && one.is_allowed_at(at(PERIOD)));
    drop(one);
    assert_eq!(admitted_at(&new(), at(PERIOD)), 40, "nothing is kept of one that is gone");
    assert_eq!(admitted_at(&other, at(PERIOD)), 40);
}

#[test]
fn batches_of_none_and_of_more_than_there_are() {
    for batch in [0, 1, 7, 8, 1_000, u32::MAX] {
        let limiter = Limiter::sharded_fixed_window(quota(7)).with_cells(2).private(batch);
        for window in 0..3 {
            assert_eq!(admitted_at(&limiter, at(window * PERIOD)), 7, "{batch} at a time");
        }
        let denied = limiter.check_at(at(2 * PERIOD)).unwrap_err();
        assert_eq!(denied.retry_after(), Some(Duration::from_nanos(PERIOD)));
        assert_eq!(denied.reason(), Reason::Quota { index: 0 });
    }
}

#[test]
fn it_is_a_limit_and_says_what_it_is() {
    let limiter = Limiter::sharded_fixed_window(Quota::per_hour(1_000)).private(16);
    let text = format!("{limiter:?}");
    assert!(text.contains("limit: 1000") && text.contains("batch: 16"), "{text}");
    let limit: &dyn Limit = &limiter;
    assert!(limit.check().is_ok() && limit.check().is_ok());
    assert!(limit.peek().remaining() <= 998);
}

#[test]
fn no_decision_allocates() {
    let limiter = Limiter::sharded_fixed_window(quota(90)).with_cells(4).private(8);
    let allocated = allocation_counter::measure(|| {
        for i in 0..1_000 {
            let now = at(i * PERIOD / 200);
            let _ = (limiter.check_at(now), limiter.is_allowed(), limiter.peek_at(now));
        }
    });
    assert_eq!(allocated.count_total, 0);
}

proptest! {
    #[test]
    fn in_any_order_no_window_admits_more_than_its_limit(
        limit in 1..60u32,
        batch in 1..20u32,
        cells in 1..5usize,
        trace in prop::collection::vec(0..4 * PERIOD, 1..300),
    ) {
        let limiter = Limiter::sharded_fixed_window(quota(limit)).with_cells(cells).private(batch);
        let mut windows = BTreeMap::new();
        for now in trace {
            let window = windows.entry(now / PERIOD).or_insert(0);
            *window += u32::from(limiter.is_allowed_at(at(now)));
            prop_assert!(*window <= limit);
        }
    }
}
