//! Slots that come free.

use super::{Request, WINDOW, at, quota, run};
use crate::gate::Gate;
use crate::turn::Turn;
use casgate::testing::History;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// No half-open window has more than the limit.
fn assert_bound(limit: u32, history: &History) {
    for call in history.calls() {
        let from = call.now.as_nanos();
        let admitted = history.admitted(at(from)..at(from + WINDOW));
        assert!(admitted <= limit.into(), "{admitted} admitted of {limit} from {from}\n{history}");
    }
}

/// A gate full since 0, and callers at and around the instant at which all of it comes free:
/// `expected` pass with timestamps from 10 on, none with an earlier one, and no half-open window
/// has more than the limit.
///
/// # Panics
///
/// If not.
pub fn slide<G: Gate>(limit: u32, scripts: &[&[Request]], expected: RangeInclusive<u64>) {
    let gate = Arc::new(G::with_quota(quota(limit)));
    let history = Arc::new(History::default());
    for _ in 0..limit {
        let _ = history.record(0, 1, at(0), |n, now| gate.check_n_at(n, now));
    }
    run(&gate, &history, scripts, 1);
    let early = history.admitted(at(1)..at(WINDOW));
    let due = history.admitted(at(WINDOW)..at(u64::MAX));
    assert!(early == 0, "{early} admitted while full\n{history}");
    assert_bound(limit, &history);
    assert!(expected.contains(&due), "{due} admitted of {expected:?} that were due\n{history}");
    history.assert_tickets_in_order();
}

/// Callers that claim slots lap by lap. The last timestamp comes a window after all
/// others, so what is asked for at it is admitted, up to the limit. So it is afterwards, and no
/// half-open window has more than the limit.
///
/// # Panics
///
/// If not.
pub fn laps<G: Gate>(limit: u32, scripts: &[&[Request]]) {
    let gate = Arc::new(G::with_quota(quota(limit)));
    let history = Arc::new(History::default());
    run(&gate, &history, scripts, 0);
    let times = || scripts.iter().copied().flatten().map(|(_, now)| *now);
    let last = times().max().expect("a request");
    assert!(times().all(|now| now == last || now + WINDOW <= last), "a window after all others");
    for _ in 0..=limit {
        let ask = |n, now| gate.check_n_at(n, now);
        let _ = history.record(scripts.len(), 1, at(last + WINDOW), ask);
    }
    assert_bound(limit, &history);
    let due = limit.min(times().filter(|now| *now == last).count() as u32);
    for (from, due) in [(last, due), (last + WINDOW, limit)] {
        let admitted = history.admitted(at(from)..at(from + WINDOW));
        assert!(admitted == due.into(), "{admitted} admitted of {due} due at {from}\n{history}");
    }
    history.assert_tickets_in_order();
    if G::GAP_FREE {
        history.assert_tickets_gap_free(..);
    }
}

/// A denial beside the next admission, of a gate of one. Its slot is the oldest and the newest, so the
/// gate is full again when the next permit is free, whichever claim the denial saw.
///
/// # Panics
///
/// If a denial is made of two claims.
pub fn denied_at_one_instant<G: Gate>() {
    let gate = Arc::new(G::with_quota(quota(1)));
    assert!(gate.check_n_at(1, at(0)).is_ok(), "the first");
    let turn = Turn::default();
    let calls =
        [WINDOW - 1, WINDOW].map(|now| turn.spawn(&gate, move |gate| gate.check_n_at(1, at(now))));
    for call in calls {
        if let Err(denied) = call.join().expect("no caller panics") {
            let (next, all) = (denied.retry_after(), denied.reset_after());
            assert!(next == Some(all) && all > Duration::ZERO, "one in {next:?}, all in {all:?}");
        }
    }
}
