//! The scenarios. Expectations are attached to the outcome as a whole, never to one caller.

mod bucket;
#[cfg(casgate_loom)]
pub mod fleet;
mod keyed;
mod keyed_order;
mod keyed_pairs;
mod keyed_race;
mod lease;
pub mod pairs;
pub mod queue;
mod sharded;
mod sliding;
mod two;

pub use bucket::*;
pub(crate) use keyed::PERIOD;
pub use keyed::*;
pub use keyed_order::*;
pub use keyed_pairs::*;
pub use keyed_race::*;
pub use lease::*;
pub use sharded::*;
pub use sliding::*;
pub use two::*;

use crate::explore::thread::{self, JoinHandle};
use crate::gate::{Gate, GiveBack};
use crate::turn::Turn;
use casgate::testing::History;
use casgate::{Quota, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// The window of every scenario, in nanoseconds.
const WINDOW: u64 = 10;

fn quota(limit: u32) -> Quota {
    Quota::new(limit, Duration::from_nanos(WINDOW)).expect("a limit below the window")
}

const fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

/// The permits admitted in window `index`.
fn admitted_in(index: u64, history: &History) -> u32 {
    let admitted = history.admitted(at(index * WINDOW)..at((index + 1) * WINDOW));
    admitted.try_into().expect("few callers")
}

/// One request: permits and timestamp.
pub type Request = (u32, u64);

/// Each script is one caller's requests, made one after another. Returns the gate and what happened.
fn race<G: Gate>(limit: u32, scripts: &[&[Request]]) -> (Arc<G>, Arc<History>) {
    let gate = Arc::new(G::with_quota(quota(limit)));
    let history = Arc::new(History::default());
    run(&gate, &history, scripts, 0);
    (gate, history)
}

/// [`race`] on a gate that has been used: `first` is the number of the first caller.
fn run<G: Gate>(gate: &Arc<G>, history: &Arc<History>, scripts: &[&[Request]], first: usize) {
    join(spawn(&Turn::default(), gate, history, scripts, first));
}

/// The callers of [`run`], each on a thread of its own.
fn spawn<G: Gate>(
    turn: &Turn,
    gate: &Arc<G>,
    history: &Arc<History>,
    scripts: &[&[Request]],
    first: usize,
) -> Vec<JoinHandle<()>> {
    let callers = scripts.iter().enumerate().map(|(i, script)| {
        let (turn, gate, history) = (turn.clone(), Arc::clone(gate), Arc::clone(history));
        let script = script.to_vec();
        thread::spawn(move || {
            for (n, now) in script {
                turn.take();
                let _ = history.record(first + i, n, at(now), |n, now| gate.check_n_at(n, now));
            }
        })
    });
    callers.collect()
}

/// What the callers return.
fn join<T>(callers: impl IntoIterator<Item = JoinHandle<T>>) -> Vec<T> {
    callers.into_iter().map(|caller| caller.join().expect("no caller panics")).collect()
}

/// At a frozen clock, `callers` × `calls` requests of one permit: exactly min(k, limit) pass.
///
/// # Panics
///
/// If the gate lets another number pass, or its tickets or denials are out of order.
pub fn frozen<G: Gate>(limit: u32, callers: usize, calls: usize) {
    let script = vec![(1, 0); calls];
    let scripts = vec![script.as_slice(); callers];
    let (gate, history) = race::<G>(limit, &scripts);
    G::assert_explained(quota(limit), &history);
    let admitted = admitted_in(0, &history);
    let expected = limit.min((callers * calls) as u32);
    assert!(admitted == expected, "{admitted} admitted of {expected}\n{history}");
    assert_eq!(gate.peek_at(at(0)).remaining(), limit - expected, "the word remembers\n{history}");
    history.assert_tickets_in_order();
    if G::GAP_FREE {
        history.assert_tickets_gap_free(..);
    }
    history.assert_denials_final();
}

/// [`frozen`], a hundred years later and with an hour's window, so that every field of a state is in use.
///
/// # Panics
///
/// As [`frozen`].
pub fn far<G: Gate>(limit: u32, callers: usize, calls: usize) {
    let now = 100 * 365 * 24 * 3600 * 1_000_000_000;
    let gate = Arc::new(G::with_quota(Quota::per_hour(limit)));
    let history = Arc::new(History::default());
    let script = vec![(1, now); calls];
    run(&gate, &history, &vec![script.as_slice(); callers], 0);
    let expected = limit.min((callers * calls) as u32);
    history.assert_admitted(.., expected.into());
    assert_eq!(gate.peek_at(at(now)).remaining(), limit - expected, "{history}");
    history.assert_tickets_in_order();
    history.assert_denials_final();
}

/// Whatever callers ask, the rule explains it, one call after another.
///
/// # Panics
///
/// If it does not.
pub fn explained<G: Gate>(limit: u32, scripts: &[&[Request]]) {
    let (_, history) = race::<G>(limit, scripts);
    G::assert_explained(quota(limit), &history);
}

/// Callers on both sides of a boundary, a late one included: each window keeps its limit, the
/// window that is open keeps what it admitted, and an older one is never written back.
///
/// # Panics
///
/// If not.
pub fn roll<G: Gate>(scripts: &[&[Request]]) {
    const LIMIT: u32 = 1;
    let (gate, history) = race::<G>(LIMIT, scripts);
    // Afterwards, alone: one more of the old window and one more of the new.
    run(&gate, &history, &[&[(1, WINDOW - 1), (1, WINDOW)]], scripts.len());
    G::assert_explained(quota(LIMIT), &history);
    for window in 0..2 {
        let admitted = admitted_in(window, &history);
        assert!(admitted <= LIMIT, "window {window}: {admitted} admitted of {LIMIT}\n{history}");
    }
    let newer = admitted_in(1, &history);
    assert!(newer == LIMIT, "the newer window lost a permit\n{history}");
    history.assert_tickets_in_order();
}

/// A window rolled by several callers at once counts each of them.
///
/// # Panics
///
/// If it does not.
pub fn roll_together<G: Gate>(limit: u32, callers: usize) {
    let gate = Arc::new(G::with_quota(quota(limit)));
    let history = Arc::new(History::default());
    let _ = history.record(0, limit, at(0), |n, now| gate.check_n_at(n, now));
    let scripts = vec![[(1, WINDOW)]; callers];
    let scripts: Vec<&[Request]> = scripts.iter().map(<[Request; 1]>::as_slice).collect();
    run(&gate, &history, &scripts, 1);
    G::assert_explained(quota(limit), &history);
    let admitted = admitted_in(1, &history);
    let expected = limit.min(callers as u32);
    assert!(admitted == expected, "{admitted} admitted of {expected}\n{history}");
    let left = gate.peek_at(at(WINDOW)).remaining();
    assert!(left == limit - expected, "{left} left, {admitted} admitted of {limit}\n{history}");
    history.assert_tickets_in_order();
}

/// A request for two with requests for one: all or none, and what fits is not denied to all.
///
/// # Panics
///
/// If not.
pub fn mixed_weights<G: Gate>() {
    const LIMIT: u32 = 2;
    let (gate, history) = race::<G>(LIMIT, &[&[(2, 0)], &[(1, 0)], &[(1, 0)]]);
    G::assert_explained(quota(LIMIT), &history);
    let admitted = admitted_in(0, &history);
    // Either the two together or both single ones: every order leaves the window full.
    assert!(admitted == LIMIT, "{admitted} admitted of {LIMIT}\n{history}");
    assert_eq!(gate.peek_at(at(0)).remaining(), 0, "{history}");
    history.assert_tickets_in_order();
    if G::GAP_FREE {
        history.assert_tickets_gap_free(..);
    }
    history.assert_denials_final();
}

/// A reset racing two callers of a limit of one: at least one passes and, reset once, two at the
/// most; and what is left agrees with what was admitted after the reset.
///
/// # Panics
///
/// If not.
pub fn reset_races<G: GiveBack>() {
    const LIMIT: u32 = 1;
    let gate = Arc::new(G::with_quota(quota(LIMIT)));
    let history = Arc::new(History::default());
    let turn = Turn::default();
    let resetter = turn.spawn(&gate, G::reset);
    join(spawn(&turn, &gate, &history, &[&[(1, 0)], &[(1, 0)]], 0));
    join([resetter]);
    let admitted = admitted_in(0, &history);
    assert!((1..=2).contains(&admitted), "{admitted} admitted of {LIMIT}, reset once\n{history}");
    let spent = LIMIT - gate.peek_at(at(0)).remaining();
    assert!(spent <= admitted && admitted <= spent + 1, "{admitted} admitted, {spent} spent");
}

/// A caller of the old window, for whom there was room when it looked, races the roll: the newer
/// window has exactly what was not admitted in it.
///
/// # Panics
///
/// If not.
pub fn add_races_roll<G: Gate>() {
    const LIMIT: u32 = 2;
    let gate = Arc::new(G::with_quota(quota(LIMIT)));
    let history = Arc::new(History::default());
    let _ = history.record(0, 1, at(0), |n, now| gate.check_n_at(n, now));
    run(&gate, &history, &[&[(1, WINDOW - 1)], &[(1, WINDOW)]], 1);
    let admitted = admitted_in(1, &history);
    let left = gate.peek_at(at(WINDOW)).remaining();
    assert!(left + admitted == LIMIT, "the newer window lost a permit\n{history}");
}

/// A refund of one permit racing two callers: exactly what was left and what is given back can be
/// had, and what is left then agrees.
///
/// # Panics
///
/// If not.
pub fn refund_races<G: GiveBack>() {
    const LIMIT: u32 = 2;
    let gate = Arc::new(G::with_quota(quota(LIMIT)));
    let history = Arc::new(History::default());
    let _ = history.record(0, 1, at(0), |n, now| gate.check_n_at(n, now));
    let turn = Turn::default();
    let refunder = turn.spawn(&gate, |gate| gate.refund(1));
    join(spawn(&turn, &gate, &history, &[&[(1, 0)], &[(1, 0)]], 1));
    join([refunder]);
    let admitted = admitted_in(0, &history);
    let left = gate.peek_at(at(0)).remaining();
    assert!(
        admitted + left == LIMIT + 1,
        "1 given back, {admitted} admitted, {left} left\n{history}"
    );
}

/// A peek sees a state that some prefix of the admissions leaves: what is left only falls, and is
/// never more than the limit less what was admitted before.
///
/// # Panics
///
/// If not.
pub fn peek_races<G: Gate>() {
    const LIMIT: u32 = 2;
    let gate = Arc::new(G::with_quota(quota(LIMIT)));
    let history = Arc::new(History::default());
    let turn = Turn::default();
    let peeker = turn.spawn(&gate, |gate| [(); 2].map(|()| gate.peek_at(at(0))));
    join(spawn(&turn, &gate, &history, &[&[(1, 0)], &[(1, 0)]], 0));
    let [first, second] = peeker.join().expect("no caller panics");
    assert!(first.remaining() <= LIMIT && second.remaining() <= first.remaining(), "{history}");
    assert_eq!(first.limit(), LIMIT);
    let full = first.remaining() == LIMIT;
    assert_eq!(first.reset_after().is_zero(), full, "a full limiter has nothing to reset");
}

/// The specification that the story started with: caller 0 passes, caller 1 does not. It is wrong,
/// for concurrent callers have no order of their own.
///
/// # Panics
///
/// In an interleaving that refutes it.
pub fn caller_zero_passes<G: Gate>() {
    let (_, history) = race::<G>(1, &[&[(1, 0)], &[(1, 0)]]);
    let passed = history.calls().iter().find(|call| call.outcome.is_ok()).map(|call| call.caller);
    assert!(passed == Some(0), "per-caller: caller 0 did not pass\n{history}");
}
