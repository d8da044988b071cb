//! Two quotas in one decision, and a quota that changes: against the plain rules side by side.

use crate::bound::nanos;
use crate::step::TOLD;
use crate::trace::{CASES, quotas, requests};
use casgate::algorithm::Rule;
use casgate::word::Word;
use casgate::{FixedWindow, Limiter, Reason, Timestamp, TokenBucket};
use proptest::prelude::*;
use std::time::Duration;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    /// Admitted if and only if each rule by itself would; then both are charged, else neither.
    #[test]
    fn both_or_neither(one in quotas(), other in quotas(), trace in requests()) {
        let (first, second) = (TokenBucket::new(one), FixedWindow::new(other));
        let limiter = Limiter::both(first, second);
        let mut words = [Word::default(); 2];
        let (mut now, mut due) = (0, None);
        for (n, step) in trace {
            now = step.reading(one, now, due.take());
            let at = Timestamp::from_nanos(now);
            let decided = limiter.check_n_at(n, at);
            let [a, b] = [first.decide(words[0], n, at), second.decide(words[1], n, at)];
            if n == 0 {
                prop_assert!(decided.is_ok());
                continue;
            }
            match decided {
                Ok(admitted) => {
                    let (Some(a), Some(b)) = (a, b) else {
                        return Err(TestCaseError::fail("admitted against one of them"));
                    };
                    words = [a, b];
                    let left = [first.snapshot(a, at), second.snapshot(b, at)].map(|s| s.remaining());
                    prop_assert_eq!(admitted.remaining(), left[0].min(left[1]));
                }
                Err(denied) => {
                    let waits = [
                        a.is_none().then(|| first.denied(words[0], n, at).retry_after()),
                        b.is_none().then(|| second.denied(words[1], n, at).retry_after()),
                    ];
                    let long = |wait: Option<Duration>| wait.unwrap_or(Duration::MAX);
                    let both_at = |at| {
                        let [a, b] = words;
                        first.decide(a, n, at).is_some() && second.decide(b, n, at).is_some()
                    };
                    match denied.reason() {
                        Reason::Quota { index } => {
                            let named = waits[index];
                            prop_assert_eq!(named, Some(denied.retry_after()), "it names one that denied");
                        }
                        Reason::NeverFits => prop_assert!(n > denied.limit()),
                        Reason::OutOfRange => {
                            let longest = waits.iter().flatten().map(|&wait| long(wait)).max().unwrap();
                            prop_assert!(!both_at(at + longest), "out of range: {denied:?}");
                            prop_assert!(n <= denied.limit());
                        }
                        reason => return Err(TestCaseError::fail(format!("{reason:?}"))),
                    }
                    prop_assert!(
                        waits.iter().flatten().all(|&w| long(w) <= long(denied.retry_after()))
                    );
                    if let Some(wait) = denied.retry_after() {
                        let instant = at + wait;
                        let before = Timestamp::from_nanos(instant.as_nanos() - 1);
                        prop_assert!(limiter.check_n_at(n, before).is_err());
                        prop_assert!(both_at(instant), "admitted when it says");
                        due = Some(instant.as_nanos());
                    }
                }
            }
            prop_assert_eq!(
                limiter.peek_at(at).remaining(),
                first.snapshot(words[0], at).remaining().min(second.snapshot(words[1], at).remaining())
            );
        }
    }

    /// What was spent stays spent, up to the new burst; from then on it is a bucket of the new quota.
    #[test]
    fn an_adjusted_bucket(phases in prop::collection::vec((quotas(), requests()), 2..5)) {
        let limiter = Limiter::adjustable_token_bucket(phases[0].0);
        let (mut now, mut spent) = (0, 0);
        for (quota, trace) in phases {
            limiter.set_quota_at(quota, Timestamp::from_nanos(now));
            let left = limiter.peek_at(Timestamp::from_nanos(now)).remaining();
            prop_assert_eq!(left, quota.burst() - quota.burst().min(spent));
            let (start, mut admitted) = (now, 0u128);
            for (n, step) in trace {
                now = step.reading(quota, now, None).clamp(now, TOLD);
                let ok = limiter.check_n_at(n, Timestamp::from_nanos(now)).is_ok();
                admitted += u128::from(n * u32::from(ok));
                let half_nanos = 2 * u128::from(now - start) + 1;
                let refilled =
                    half_nanos * u128::from(quota.permits()) / (2 * u128::from(nanos(quota)));
                // One for the part of a permit that was left.
                let bound = u128::from(left) + 1 + refilled;
                prop_assert!(admitted <= bound, "{admitted} admitted of {bound}");
            }
            spent = quota.burst() - limiter.peek_at(Timestamp::from_nanos(now)).remaining();
        }
    }

    /// What was spent in the window of the change stays spent, up to the new limit; each later window
    /// has the new limit.
    #[test]
    fn an_adjusted_window(phases in prop::collection::vec((quotas(), requests()), 2..5)) {
        let limiter = Limiter::adjustable_fixed_window(phases[0].0);
        let (mut now, mut spent) = (0, 0);
        for (quota, trace) in phases {
            limiter.set_quota_at(quota, Timestamp::from_nanos(now));
            let mut left = quota.permits() - quota.permits().min(spent);
            let mut window = now / nanos(quota);
            for (n, step) in trace {
                now = step.reading(quota, now, None).clamp(now, TOLD);
                if now / nanos(quota) > window {
                    (window, left) = (now / nanos(quota), quota.permits());
                }
                let admitted = limiter.check_n_at(n, Timestamp::from_nanos(now)).is_ok();
                prop_assert_eq!(admitted, n <= left);
                left -= n * u32::from(admitted);
            }
            spent = quota.permits() - left;
        }
    }

    #[test]
    fn unchanged_it_is_the_plain_rule(quota in quotas(), trace in requests()) {
        let (plain, adjustable) =
            (Limiter::token_bucket(quota), Limiter::adjustable_token_bucket(quota));
        let mut now = 0;
        for (n, step) in trace {
            now = step.reading(quota, now, None);
            let at = Timestamp::from_nanos(now);
            prop_assert_eq!(plain.check_n_at(n, at), adjustable.check_n_at(n, at));
            prop_assert_eq!(plain.peek_at(at), adjustable.peek_at(at));
        }
    }
}

#[test]
fn past_the_horizon_of_one_a_pair_of_quotas_denies_for_good() {
    let far = Timestamp::from_nanos(1 << 61);
    let slow = casgate::Quota::new(1, Duration::from_nanos(1 << 61)).unwrap();
    let fast = casgate::Quota::new(4, Duration::from_nanos(5)).unwrap();
    let limiter = Limiter::both(TokenBucket::new(fast), FixedWindow::new(slow));
    assert!(limiter.check_at(far).is_ok());
    let denied = limiter.check_at(far).unwrap_err();
    if let Some(wait) = denied.retry_after() {
        assert!(limiter.check_at(far + wait).is_ok(), "admitted when it says");
    }
}
