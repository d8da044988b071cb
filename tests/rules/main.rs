//! One oracle for all rules. It knows only what was admitted, and the inequality that the rule
//! promises: no admission may break it, and no request may be refused that would not.

mod bound;
mod lease;
mod reservation;
mod seeded;
mod trace;
mod two;

use bound::{AnyWindow, Bound, Bucket, PerWindow, Spent, nanos};
use casgate::{Admitted, Denied, Limiter, Quota, Timestamp};
use proptest::prelude::*;
use std::cell::RefCell;
use std::time::Duration;
use trace::{CASES, Step, TOLD, quotas, requests};

/// Follows `trace` and judges every answer of `ask`.
fn judge<B: Bound>(
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
fn slack(quota: Quota) -> u128 {
    let (mut a, mut b) = (nanos(quota), u64::from(quota.permits()));
    while b != 0 {
        (a, b) = (b, a % b);
    }
    u128::from(u64::from(quota.permits()) / a > 4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn fixed_window(quota in quotas(), trace in requests()) {
        let limiter = Limiter::fixed_window(quota);
        let ask = |n, now| limiter.check_n_at(n, now);
        judge(ask, &PerWindow::new(quota), (quota, quota.permits()), 0, &trace)?;
    }

    #[test]
    fn token_bucket(quota in quotas(), trace in requests()) {
        let limiter = Limiter::token_bucket(quota);
        let ask = |n, now| limiter.check_n_at(n, now);
        judge(ask, &Bucket::new(quota), (quota, quota.burst()), slack(quota), &trace)?;
    }

    /// One permit at a time: the type has no other requests.
    #[test]
    fn sliding_window(
        quota in quotas().prop_filter("slots in memory", |quota| quota.permits() < 3_000),
        trace in requests(),
    ) {
        let limiter = Limiter::sliding_window(quota);
        let ask = |_, now| limiter.check_at(now);
        let trace: Vec<_> = trace.into_iter().map(|(_, step)| (1, step)).collect();
        let bound = AnyWindow { limit: quota.permits(), period: nanos(quota) };
        judge(ask, &bound, (quota, quota.permits()), 0, &trace)?;
    }

    /// Sound for *every* interval of the period; maximal only as a bucket.
    #[test]
    fn strict_window(
        (limit, burst, period) in strict_windows(),
        trace in requests(),
    ) {
        let quota = Quota::at_most(limit).with_burst(burst).in_any(Duration::from_nanos(period));
        let limiter = Limiter::token_bucket(quota);
        let window = AnyWindow { limit, period };
        let log = RefCell::new(Vec::<Spent>::new());
        let ask = |n, now: Timestamp| {
            let outcome = limiter.check_n_at(n, now);
            if outcome.is_ok() && n > 0 {
                let broken = window.breaks(&log.borrow(), n, now.as_nanos(), 0);
                assert!(!broken, "{n} at {now:?}: more than {limit} in {period} ns");
                log.borrow_mut().push((now.as_nanos(), n));
            }
            outcome
        };
        judge(ask, &Bucket::new(quota), (quota, burst), slack(quota), &trace)?;
    }
}

/// Limit, burst and period.
fn strict_windows() -> impl Strategy<Value = (u32, u32, u64)> {
    let limits = prop_oneof![1..8u32, 1..2_000u32];
    (limits, any::<u32>(), prop_oneof![1..60u64, 1..3_000_000_000u64]).prop_map(
        |(limit, burst, period)| {
            let burst = 1 + burst % limit;
            (limit, burst, period.max((limit - burst + 1).into()))
        },
    )
}
