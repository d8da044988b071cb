//! Two quotas in one decision, and a quota that changes.

use super::{WINDOW, admitted_in, at, join, quota, spawn};
use crate::explore::thread::JoinHandle;
use crate::gate::{GiveBack, SetQuota, TwoQuotas};
use crate::turn::Turn;
use casgate::Quota;
use casgate::testing::History;
use std::sync::Arc;
use std::time::Duration;

/// A request for two that the second quota can never admit, with two requests for one that it
/// admits once: the first quota, which has room for two, is not charged for what the second denies.
///
/// # Panics
///
/// If it is.
pub fn both_or_neither<G: TwoQuotas>() {
    let gate = Arc::new(G::with_quotas(quota(2), quota(1)));
    let turn = Turn::default();
    let callers = [2, 1, 1].map(|n| turn.spawn(&gate, move |gate| gate.is_allowed(n, at(0))));
    let outcomes = join(callers);
    assert!(!outcomes[0], "the second denies two");
    let admitted = outcomes.iter().filter(|&&is_allowed| is_allowed).count();
    assert!(admitted == 1, "{admitted} admitted of 1: {outcomes:?}");
}

/// A check and a refund race, and afterwards a caller asks: it is admitted if and only if something
/// is left. A copy of the state that is written after an exchange may be older than the state.
///
/// # Panics
///
/// If not.
pub fn what_is_left_is_admitted<G: GiveBack>() {
    let gate = Arc::new(G::with_quota(quota(1)));
    let turn = Turn::default();
    let caller = turn.spawn(&gate, |gate| gate.check_n_at(1, at(0)).is_ok());
    let refunder = turn.spawn(&gate, |gate| gate.refund(1));
    assert!(caller.join().expect("no caller panics"), "nothing else is spent");
    join([refunder]);
    let left = gate.peek_at(at(0)).remaining();
    let admitted = gate.check_n_at(1, at(0)).is_ok();
    assert!(admitted == (left == 1), "{left} left, admitted: {admitted}");
}

/// A raise from 1 to 2 races two callers: what is spent stays spent, so what was admitted and what
/// is left make 2.
///
/// # Panics
///
/// If not.
pub fn raise_races<G: SetQuota>() {
    let gate = Arc::new(G::with_quota(quota(1)));
    let history = Arc::new(History::default());
    let turn = Turn::default();
    let setter = turn.spawn(&gate, |gate| gate.set_quota(quota(2)));
    join(spawn(&turn, &gate, &history, &[&[(1, 0)], &[(1, 0)]], 0));
    join([setter]);
    let admitted = admitted_in(0, &history);
    let left = gate.peek_at(at(0)).remaining();
    assert!(admitted >= 1 && admitted + left == 2, "{admitted} admitted, {left} left\n{history}");
}

/// A cut from 2 to 1, after which its caller checks, races another caller: one of them passes, for
/// neither order has two.
///
/// # Panics
///
/// If not.
pub fn cut_races<G: SetQuota>() {
    let gate = Arc::new(G::with_quota(quota(2)));
    let history = Arc::new(History::default());
    let turn = Turn::default();
    let setter = {
        let (turn, history) = (turn.clone(), Arc::clone(&history));
        turn.clone().spawn(&gate, move |gate| {
            gate.set_quota(quota(1));
            turn.take();
            let _ = history.record(0, 1, at(0), |n, now| gate.check_n_at(n, now));
        })
    };
    join(spawn(&turn, &gate, &history, &[&[(1, 0)]], 1));
    join([setter]);
    let admitted = admitted_in(0, &history);
    assert!(admitted == 1, "{admitted} admitted of 1 after the cut\n{history}");
}

/// A gate with one permit spent of one, and the thread that makes `changes` changes in a row: to k permits in k²
/// windows, the sizes telling which.
fn changing<G: SetQuota>(changes: u32) -> (Arc<G>, Turn, JoinHandle<()>) {
    let kth = |k: u32| {
        let period = u64::from(k * k) * WINDOW;
        Quota::new(k, Duration::from_nanos(period)).expect("slower than one a nanosecond")
    };
    let gate = Arc::new(G::with_quota(kth(1)));
    gate.check_n_at(1, at(0)).expect("it is full");
    let turn = Turn::default();
    let change = move |gate: &G| (2..2 + changes).for_each(|k| gate.set_quota(kth(k)));
    let setter = turn.spawn(&gate, change);
    (gate, turn, setter)
}

/// `changes` changes in a row race a look at a gate with one permit spent: it sees one of the quotas,
/// never the limit of one with the period of another.
///
/// # Panics
///
/// If not.
pub fn looks_see_one_quota<G: SetQuota>(changes: u32) {
    let (gate, turn, setter) = changing::<G>(changes);
    let looker = turn.spawn(&gate, |gate| gate.peek_at(at(0)));
    join([setter]);
    let seen = looker.join().expect("no caller panics");
    let k = seen.limit();
    // One permit is spent, so a bucket is full after a k-th of the period, a window at its end.
    let reset = seen.reset_after().as_nanos() as u64;
    let whole = u64::from(k * k) * WINDOW;
    let torn = reset != whole && reset != whole / u64::from(k);
    assert!(!torn && seen.remaining() == k - 1, "a torn quota: {seen:?}");
    let last = gate.peek_at(at(0)).limit();
    assert!(last == 1 + changes, "the last change is lost: {last}");
}

/// Changes race, one by each setter: one of them is in force afterwards, with what was spent.
///
/// # Panics
///
/// If not.
pub fn changes_race<G: SetQuota>(setters: u32) {
    let gate = Arc::new(G::with_quota(quota(1)));
    gate.check_n_at(1, at(0)).expect("it is full");
    let turn = Turn::default();
    let change = |k| turn.spawn(&gate, move |gate| gate.set_quota(quota(1 + k)));
    join((1..=setters).map(change).collect::<Vec<_>>());
    let seen = gate.peek_at(at(0));
    assert!((2..=1 + setters).contains(&seen.limit()), "{seen:?}");
    assert!(seen.remaining() == seen.limit() - 1, "what was spent is lost: {seen:?}");
}

/// `changes` changes in a row race a check at a gate with one permit spent of one: one of the quotas
/// decides it, and its numbers are of that one.
///
/// # Panics
///
/// If not.
pub fn checks_see_one_quota<G: SetQuota>(changes: u32) {
    let (gate, turn, setter) = changing::<G>(changes);
    let checker = turn.spawn(&gate, |gate| gate.check_n_at(1, at(0)));
    join([setter]);
    let decided = checker.join().expect("no caller panics");
    let (k, spent, left, reset) = match decided {
        Ok(ok) => (ok.limit(), 2, ok.remaining(), ok.reset_after()),
        Err(denied) => (denied.limit(), 1, denied.remaining(), denied.reset_after()),
    };
    let reset = reset.as_nanos() as u64;
    let (window, bucket) = (u64::from(k * k) * WINDOW, u64::from(k * spent) * WINDOW);
    assert!(reset == window || reset == bucket, "a torn quota: {decided:?}");
    assert!(decided.is_ok() == (k > 1) && left == k - spent, "by another quota: {decided:?}");
    let last = gate.peek_at(at(0));
    let all = 1 + u32::from(decided.is_ok());
    assert!(last.limit() == 1 + changes && last.limit() - last.remaining() == all, "{last:?}");
}
