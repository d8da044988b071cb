//! Races of a keyed table in which one outcome says what must have come first.

use super::keyed::{Action, Keyed, Kind, Rules, check, check_n, reset, step};
use super::keyed_race::{look, spread};
use std::sync::Arc;

const fn set_quota(limit: u32) -> super::keyed::Step {
    step(Action::SetQuota(limit), 0, 0)
}

/// Key 1 has spent 3 of 4 and is reset and asked for 2 more, while key 3 takes its slot. If both are admitted the
/// reset came first, and key 3 starts with no more than what was spent after it.
///
/// # Panics
///
/// If it is charged for a debt that was dropped.
pub fn forgiven<T: Keyed>() {
    let table = Arc::new(T::with_rules(Rules::new(Kind::Window, 4)));
    for before in [check_n(1, 3, 0), check_n(2, 4, 0)] {
        table.perform(before);
    }
    let effects = spread(&table, &[&[check(3, 0)], &[reset(1), check_n(1, 2, 0)]]);
    let admitted = |caller: usize| {
        effects[caller]
            .iter()
            .all(|(step, effect)| step.action == Action::Reset || effect.admitted > 0)
    };
    if admitted(0) && admitted(1) {
        let (left, _) = look(&*table, 3, 0);
        assert!(left >= 1, "a new key is charged for a forgiven debt: {left} left");
    }
}

/// Key 3 comes in with the debt of key 1, which is 1, and is brought by a second caller, who spends
/// 2 more and resets it. The next new key starts with no more than key 1 had outstanding.
///
/// # Panics
///
/// If it starts with what key 3 had outstanding, which was never evicted.
pub fn lent<T: Keyed>() {
    let table = Arc::new(T::with_rules(Rules::new(Kind::Window, 4)));
    for before in [check_n(1, 1, 0), check_n(2, 4, 0)] {
        table.perform(before);
    }
    spread(&table, &[&[check(3, 0)], &[check_n(3, 2, 0), reset(3)]]);
    // Key 3 has spent at most 1 since its reset. If the reset came too early it has spent 3 beside what it started with.
    let (left, _) = look(&*table, 3, 0);
    table.perform(reset(3));
    let (next, _) = look(&*table, 4, 0);
    assert!(next >= 3, "a new key starts with {} of 4, key 3 had {left} left", next);
}

/// A request for 3 while the limit goes from 5 to 1 to 2, after which 2 more are asked for: in no order are both
/// admitted, for of three that were spent one remains spent.
///
/// # Panics
///
/// If both are.
pub fn changed_twice<T: Keyed>() {
    let table = Arc::new(T::with_rules(Rules::new(Kind::Window, 5)));
    table.perform(check(1, 0));
    let changes = [set_quota(1), set_quota(2), check(1, 0)];
    let effects = spread(&table, &[&[check_n(1, 3, 0)], &changes]);
    // One was spent before and is carried over, so that one more is left.
    let late = effects[1][2].1.admitted;
    let early = effects[0][0].1.admitted;
    let (left, limit) = look(&*table, 1, 0);
    assert!(limit == 2, "the last change is lost: {limit}");
    assert!(late == 1, "one of two was left, {late} admitted");
    assert!(left == 0, "{early} admitted before, then {late}: {left} left");
}

/// A key that has spent 3 of 4 and was evicted comes back while the quota changes twice, to a limit of 3 in the
/// end: what it has spent, in time, is still spent.
///
/// # Panics
///
/// If it is not.
pub fn changed_twice_around_a_new_key<T: Keyed>() {
    let table = Arc::new(T::with_rules(Rules::new(Kind::Window, 4)));
    // Key 1 is evicted by key 3, which starts with its debt.
    for before in [check_n(1, 3, 0), check_n(2, 4, 0), check(3, 0), reset(3), reset(2)] {
        table.perform(before);
    }
    spread(&table, &[&[check(1, 0)], &[set_quota(9), set_quota(3)]]);
    let (left, limit) = look(&*table, 1, 0);
    assert!(limit == 3, "the last change is lost: {limit}");
    assert!(left <= 1, "a debt of three quarters is lost: {left} left of {limit}");
}

/// A full set of four, of which key 1 has spent 2 of 4 and the others all. It is evicted by key 5 while the quota
/// changes: what it has spent is kept when it comes back.
///
/// # Panics
///
/// If that debt is dropped.
pub fn changed_next_to_an_eviction<T: Keyed>() {
    let table = Arc::new(T::with_rules(Rules::new(Kind::Window, 4)));
    for before in [check_n(1, 2, 0), check_n(2, 4, 0), check_n(3, 4, 0), check_n(4, 4, 0)] {
        table.perform(before);
    }
    spread(&table, &[&[check(5, 0)], &[set_quota(9)]]);
    // Its slot is free then, and what key 1 starts with is the watermark.
    table.perform(reset(5));
    let (left, limit) = look(&*table, 1, 0);
    assert!(limit == 9, "the change is lost: {limit}");
    assert!(left <= 7, "a debt of two is forgiven: {left} left of {limit}");
}

/// The table is emptied, and a key asked for, while another comes in by an eviction: two permits are spent
/// afterwards, so every key has the rest.
///
/// # Panics
///
/// If a dropped debt is charged.
pub fn cleared<T: Keyed>(kind: Kind) {
    let table = Arc::new(T::with_rules(Rules::new(kind, 4)));
    for before in [check_n(1, 3, 0), check_n(2, 4, 0)] {
        table.perform(before);
    }
    // The record moves on after the clear, so that nobody completes the clear again.
    spread(&table, &[&[check(3, 0)], &[step(Action::Clear, 0, 0), check(2, 0)]]);
    // One that is evicted unspent starts a unit later, which costs a bucket a permit.
    let spent = if kind == Kind::Bucket { 3 } else { 2 };
    for key in [4, 1, 3, 2] {
        let (left, limit) = look(&*table, key, 0);
        assert!(left + spent >= limit, "key {key}: {left} of {limit} left after a clear");
    }
}

/// A reservation is cancelled after the table was emptied and its key has spent the same in another slot: it gives
/// nothing back.
///
/// # Panics
///
/// If it does.
pub fn cancelled_after_a_clear(kind: Kind) {
    // One of these takes the slot that key 1 had.
    for other in 2..10 {
        super::keyed::Table::with_rules(Rules::new(kind, 2)).assert_cancel_after_clear(other);
    }
}
