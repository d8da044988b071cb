//! What a quota says that it was made of.

use casgate::{Limiter, Quota, QuotaError, Timestamp};
use proptest::prelude::*;
use std::time::Duration;

proptest! {
    #[test]
    fn a_strict_quota_says_what_it_was_made_of(
        limit in 0..40u32, burst in 0..40u32, nanos in 100..1u64 << 50,
    ) {
        let period = Duration::from_nanos(nanos);
        let made = Quota::at_most(limit).with_burst(burst).try_in_any(period);
        let error = match (limit, burst) {
            (0, _) => Some(QuotaError::ZeroPermits),
            (_, 0) => Some(QuotaError::ZeroBurst),
            _ if burst > limit => Some(QuotaError::BurstAboveLimit),
            _ => None,
        };
        prop_assert_eq!(made.err(), error);
        let Ok(quota) = made else { return Ok(()) };
        prop_assert_eq!((quota.limit(), quota.burst(), quota.period()), (limit, burst, period));

        // So many come at once, and in the rest of the period the others.
        let limiter = Limiter::strict(quota);
        let taken = limiter.drain_at(Timestamp::ZERO);
        prop_assert_eq!((taken, limiter.peek_at(Timestamp::ZERO).limit()), (burst, burst));
        let (mut admitted, mut now) = (burst, Timestamp::ZERO);
        while let Err(denied) = limiter.check_at(now) {
            now += denied.retry_after().expect("it refills");
            if now.as_nanos() >= nanos {
                break;
            }
            admitted += limiter.drain_at(now);
        }
        prop_assert!(admitted <= limit, "{} in less than a period", admitted);
        prop_assert!(admitted + 1 >= limit, "only {}", admitted);
    }
}
