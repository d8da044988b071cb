use super::stock::{Spent, Stock};
use super::{Buckets, Lease, Parent};
use crate::algorithm::{Machine, Rule, Sharded, TokenBucket};
use crate::{Quota, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

fn rule() -> TokenBucket {
    TokenBucket::new(Quota::per_second(1_000))
}

/// Spends all permits of a cell, at `now` and then every `step` nanoseconds: when the last one was spent.
fn spend_all(cell: &Stock, now: u64, step: u64) -> u64 {
    for later in (now..).step_by(step as usize) {
        match cell.spend(Timestamp::from_nanos(later), &rule()) {
            Spent::Won(0) => return later,
            Spent::Won(_) => {}
            other => panic!("{other:?} at {later}"),
        }
    }
    unreachable!("a cell has an end")
}

/// As long as spending a permit takes a nanosecond.
#[test]
fn no_lease_waits_for_a_timestamp_that_was_noted_in_advance() {
    for step in [1, 2, 3, 5, 25, 63, 100, 254, 255, 256, 1_000, 1_000_000] {
        let cell = Stock::new(255);
        let mut now = 1_000_000;
        for stamp in 1..20 {
            let last = spend_all(&cell, now, step);
            assert!(!cell.prepare(Timestamp::from_nanos(last - 1)), "older than the last");
            assert!(cell.prepare(Timestamp::from_nanos(last)), "every {step} ns");
            cell.complete(stamp, 255);
            now = last + step;
        }
    }
}

proptest! {
    /// What the proof of the bound rests on.
    #[test]
    fn a_lease_is_never_older_than_a_spend(times in vec(1_000_000..1_000_300_u64, 255)) {
        let cell = Stock::new(255);
        for &now in &times {
            let spent = cell.spend(Timestamp::from_nanos(now), &rule());
            prop_assert!(matches!(spent, Spent::Won(_)));
        }
        let newest = times.into_iter().max().expect("a permit");
        prop_assert!(!cell.prepare(Timestamp::from_nanos(newest - 1)));
        prop_assert!(cell.prepare(Timestamp::from_nanos(newest + 255)));
    }
}

/// Of a clock that shows the same timestamp for as long as many permits take.
#[test]
fn no_lease_waits_at_a_coarse_timestamp() {
    let cell = Stock::new(255);
    for (stamp, now) in (1..20).map(|stamp| (stamp, stamp / 3 * 4_000_000)) {
        let now = Timestamp::from_nanos(now);
        while matches!(cell.spend(now, &rule()), Spent::Won(_)) {}
        assert!(cell.prepare(now));
        cell.complete(stamp, 255);
    }
}

/// Otherwise a timestamp that is not served would keep leases away from the cell.
#[test]
fn a_timestamp_out_of_range_leaves_no_trace() {
    let cell = Stock::new(255);
    assert!(matches!(cell.spend(Timestamp::MAX, &rule()), Spent::Late));
    spend_all(&cell, 0, 1);
    assert!(cell.prepare(Timestamp::from_nanos(254)));
}

/// Nothing is noted past the range, so no spend beyond it passes for one that was noted.
#[test]
fn near_the_end_of_the_range_a_spend_past_it_is_late() {
    let (cell, end) = (Stock::new(255), rule().horizon());
    for _ in 0..2 {
        assert!(matches!(cell.spend(Timestamp::from_nanos(end - 1), &rule()), Spent::Won(_)));
        assert!(matches!(cell.spend(Timestamp::from_nanos(end), &rule()), Spent::Won(_)));
        assert!(matches!(cell.spend(Timestamp::from_nanos(end + 1), &rule()), Spent::Late));
    }
}

/// A thread that has exchanged the parent, with a lease for a cell, and stops there.
fn stop_after_a_lease(sharded: &Sharded<TokenBucket>, state: &Buckets, at: usize, now: Timestamp) {
    let seen = Parent::from_bits(state.top.parent.load());
    let taken = Rule::decide(sharded.rule(), seen.word, 1 + state.lease, now);
    let lease = Lease::new(at, state.cells[at].load().stamp());
    assert!(state.cells[at].prepare(now));
    let next = Parent { word: taken.expect("so many are there"), lease };
    let _ = state.top.parent.update(|_| Some(next.bits()));
}

/// "The state shows a later timestamp than the caller's", if others have been admitted at one since.
#[test]
fn who_is_served_from_the_lease_of_a_stopped_thread_makes_others_late() {
    let state = Buckets::with_cells(16, 2);
    let rule = TokenBucket::new(Quota::per_second(1).with_burst(state.burst_of_parent()));
    let sharded = Sharded::new(rule);
    let (first, later) = (Timestamp::ZERO, Timestamp::from_secs(100));
    while sharded.decide(&state, 1, first, true).is_ok() {}
    crate::sync::move_home(0);
    stop_after_a_lease(&sharded, &state, 0, later);
    assert!(sharded.decide(&state, 1, later, true).is_ok());
    crate::sync::move_home(1);
    let denied = sharded.decide(&state, 1, first, true).expect_err("no cell has one for it");
    assert!(sharded.is_late(&state, denied, first));
}
