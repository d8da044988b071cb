//! One oracle for all rules. It knows only what was admitted, and the inequality that the rule
//! promises: no admission may break it, and no request may be refused that would not.

mod bound;
mod judge;
mod lease;
mod reservation;
mod seeded;
mod step;
mod trace;
mod two;

use bound::{AnyWindow, Bound, Bucket, PerWindow, Spent, nanos};
use casgate::{Limiter, Quota, Timestamp};
use judge::{judge, slack};
use proptest::prelude::*;
use std::cell::RefCell;
use std::time::Duration;
use trace::{CASES, quotas, requests};

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
        let limiter = Limiter::strict(quota);
        let quota = Quota::new(limit - burst + 1, quota.period()).unwrap().with_burst(burst);
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
