//! The judge of a trace: what the fuzzer and the random traces have in common.

use crate::bound::{Bound, Spent, nanos};
use crate::step::{Step, TOLD};
use casgate::{Admitted, Denied, Quota, Timestamp};
use proptest::prelude::*;
use std::time::Duration;

/// Follows `trace` and judges every answer of `ask`.
pub(crate) fn judge<B: Bound>(
    ask: impl Fn(u32, Timestamp) -> Result<Admitted, Denied>,
    bound: &B,
    (quota, limit): (Quota, u32),
    slack: u128,
    trace: &[(u32, Step)],
) -> Result<(), TestCaseError> {
    // As read, and with a late reading counted at the newest one before it.
    let (mut read, mut counted): (Vec<Spent>, Vec<Spent>) = (Vec::new(), Vec::new());
    let (mut now, mut newest, mut ticket) = (0, 0, None);
    let mut promised: Option<(u32, u64)> = None;
    for &(mut n, step) in trace {
        now = step.reading(quota, now, promised.map(|(_, due)| due));
        if let (Step::Due, Some(promise)) = (step, promised) {
            n = promise.0;
        }
        let outcome = ask(n, Timestamp::from_nanos(now));
        let kept = promised != Some((n, now)) || outcome.is_ok();
        prop_assert!(kept, "refused at the instant it was due: {n} at {now}");
        promised = None;
        match outcome {
            Ok(_) if n == 0 => {}
            Ok(admitted) => {
                prop_assert!(!bound.breaks(&read, n, now, slack), "unsound: {n} at {now}");
                prop_assert!(ticket < Some(admitted.ticket()), "tickets");
                prop_assert!(admitted.remaining() <= limit - n);
                ticket = Some(admitted.ticket());
                newest = now.max(newest);
                read.push((now, n));
                counted.push((newest, n));
                if now == newest && now <= TOLD {
                    judge_numbers(&admitted, bound, &counted, (limit, slack), now)?;
                }
            }
            Err(denied) => {
                prop_assert!(n > 0, "zero permits are always admitted");
                let excused = bound.is_late(now, newest) || now > TOLD;
                prop_assert!(
                    excused || bound.breaks(&counted, n, now, 0),
                    "not maximal: {n} at {now}"
                );
                if n <= denied.remaining() {
                    prop_assert!(false, "remaining lies: {denied:?}");
                }
                promised = judge_retry(&ask, &denied, (n, limit), now)?.map(|due| (n, due));
            }
        }
    }
    Ok(())
}

/// What is left fits and no more does; the limiter is full when it says and not 1 ns earlier.
fn judge_numbers<B: Bound>(
    admitted: &Admitted,
    bound: &B,
    log: &[Spent],
    (limit, slack): (u32, u128),
    now: u64,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(admitted.limit(), limit);
    let left = admitted.remaining();
    prop_assert!(left == 0 || !bound.breaks(log, left, now, slack), "{left} is too much");
    prop_assert!(bound.breaks(log, left + 1, now, 0), "more than {left} are left at {now}");
    let reset = admitted.reset_after().as_nanos() as u64;
    if now.saturating_add(reset) > 2 * TOLD {
        return Ok(()); // It may never be seen full.
    }
    prop_assert!(reset > 0 && bound.breaks(log, limit, now + reset - 1, 0), "full before it says");
    prop_assert!(!bound.breaks(log, limit, now + reset, slack), "not full when it says");
    Ok(())
}

/// The refusal says when: not 1 ns earlier. Asking is free, for a refusal writes nothing. That it
/// is admitted at that instant is for the caller to judge, whose next step may be to ask then.
fn judge_retry(
    ask: &impl Fn(u32, Timestamp) -> Result<Admitted, Denied>,
    denied: &Denied,
    (n, limit): (u32, u32),
    now: u64,
) -> Result<Option<u64>, TestCaseError> {
    let Some(wait) = denied.retry_after() else {
        // Never: it is too much, or no reading is late enough.
        prop_assert!(n > limit || denied.reset_after() > Duration::from_nanos(TOLD) || now > TOLD);
        return Ok(None);
    };
    prop_assert!(n <= limit && !wait.is_zero());
    let due = Timestamp::from_nanos(now) + wait;
    let earlier = ask(n, Timestamp::from_nanos(due.as_nanos() - 1));
    let Err(earlier) = earlier else {
        return Err(TestCaseError::fail("admitted 1 ns before it was due"));
    };
    let again = Timestamp::from_nanos(due.as_nanos() - 1) + earlier.retry_after().unwrap();
    prop_assert_eq!(again, due, "a refusal changed the state, or the wait");
    Ok(Some(due.as_nanos()))
}

/// Half nanoseconds by which a token bucket may be early: none if the quota's lowest terms have a
/// small numerator.
pub(crate) fn slack(quota: Quota) -> u128 {
    let (mut a, mut b) = (nanos(quota), u64::from(quota.permits()));
    while b != 0 {
        (a, b) = (b, a % b);
    }
    u128::from(u64::from(quota.permits()) / a > 4)
}
