//! Slots that come free.

use super::{Request, WINDOW, at, quota, run};
use crate::gate::Gate;
use casgate::testing::History;
use std::ops::RangeInclusive;
use std::sync::Arc;

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
    for call in history.calls() {
        let from = call.now.as_nanos();
        let admitted = history.admitted(at(from)..at(from + WINDOW));
        assert!(admitted <= limit.into(), "{admitted} admitted of {limit} from {from}\n{history}");
    }
    assert!(expected.contains(&due), "{due} admitted of {expected:?} that were due\n{history}");
    history.assert_tickets_in_order();
}
