//! The laws of the numbers that answers carry.

use crate::scene::{Scene, Verdict, is_told};
use crate::step::TOLD;
use crate::subject::Subject;
use casgate::Timestamp;
use proptest::prelude::*;

/// What remains is the largest request that fits.
pub(crate) fn remaining_is_the_largest_that_fits<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let &Scene { word, now, .. } = scene;
    let left = rule.snapshot(word, now).remaining;
    let fits = |n| rule.decide(word, n, now).is_some();
    prop_assert!(left == 0 || fits(left), "{left} are left and denied");
    prop_assert!(left == u32::MAX || !fits(left + 1), "more than {left} are left");
    Ok(())
}

/// An admission reports its word as its ticket, its permits, and what it left: so many fewer.
pub(crate) fn an_admission_reports_what_it_left<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let &Scene { word, n, now, .. } = scene;
    let before = rule.snapshot(word, now);
    let Some(next) = rule.decide(word, n, now) else { return Ok(()) };
    let admitted = rule.admitted(next, n, now);
    prop_assert_eq!((admitted.ticket, admitted.permits), (next.bits(), n));
    prop_assert_eq!(admitted.numbers, rule.snapshot(next, now), "not what it left");
    let left = admitted.numbers.remaining;
    prop_assert_eq!(before.remaining.checked_sub(n), Some(left), "not so many fewer");
    Ok(())
}

/// A denial reports what is left, and every answer the same limit.
pub(crate) fn a_denial_reports_what_is_left<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let &Scene { word, n, now, .. } = scene;
    let numbers = rule.denied(word, n, now).numbers;
    prop_assert_eq!(numbers, rule.snapshot(word, now), "not what is left");
    let other = rule.snapshot(scene.other, scene.elsewhere).limit;
    prop_assert_eq!(numbers.limit, other, "another limit");
    Ok(())
}

/// A denied request is denied at every instant before `retry_after` and admitted then; without one, permanently.
pub(crate) fn retry_after_is_the_first_instant<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let &Scene { word, n, now, .. } = scene;
    let fits = |at| rule.decide(word, n, at).is_some();
    if fits(now) {
        return Ok(());
    }
    let denied = rule.denied(word, n, now);
    let start = now.as_nanos();
    if let Some(wait) = denied.retry_after {
        let due = start.checked_add(wait).expect("an instant of the clock");
        prop_assert!(fits(Timestamp::from_nanos(due)), "denied when it is due");
        for at in scene.instants(start, due) {
            prop_assert!(!fits(at), "admitted at {at:?}, before it is due");
        }
    } else {
        for at in scene.instants(start, u64::MAX).chain([Timestamp::MAX]) {
            prop_assert!(!fits(at), "admitted at {at:?}, and never due");
        }
    }
    Ok(())
}

/// The limiter is full from `reset_after` on and at no instant before, as far as timestamps are told apart.
pub(crate) fn reset_after_is_the_first_full_instant<S: Subject>(
    rule: &S,
    scene: &Scene,
) -> Verdict {
    let &Scene { word, now, .. } = scene;
    let is_full = |at| {
        let numbers = rule.snapshot(word, at);
        numbers.remaining == numbers.limit
    };
    let start = now.as_nanos();
    let full_at = start.saturating_add(rule.snapshot(word, now).reset_after);
    for at in scene.instants(start, full_at) {
        prop_assert!(!is_full(at), "full at {at:?}, before the reset");
    }
    let soon = full_at.saturating_add(scene.any[0] % TOLD);
    for at in [full_at, soon].map(Timestamp::from_nanos) {
        let counts = full_at < u64::MAX && is_told(rule, at);
        prop_assert!(!counts || is_full(at), "not full at {at:?}, after the reset");
    }
    Ok(())
}
