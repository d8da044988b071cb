use super::Limiter;
use crate::algorithm::{Adjust, Adjustable};
use crate::clock::Clock;
use crate::quota::Quota;
use crate::timestamp::Timestamp;

impl<R: Adjust, C> Limiter<Adjustable<R>, C> {
    /// Changes the quota at `now`, while others check.
    ///
    /// What is spent stays spent, in permits: of L permits with k spent, a new limit L′ leaves L′ − k,
    /// or none. So a raise adds the difference at once, and a cut takes it away. What was spent above
    /// a cut limit is forgotten: cut and raised again, a limiter admits that much once more. The new
    /// pace holds from `now` on; a fixed window of another period counts what was spent in the
    /// window that `now` was in to the one it is in then. A reading older than one already seen
    /// counts as that one.
    ///
    /// Each check is decided wholly by the old quota or wholly by the new one, and all that begin
    /// after this returns by the new. Waits only for other `set_quota`s.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::adjustable_fixed_window(Quota::per_hour(10));
    /// let now = Timestamp::from_secs(600);
    /// assert!(limiter.check_n_at(7, now).is_ok());
    /// limiter.set_quota_at(Quota::per_hour(12), now);
    /// assert_eq!(limiter.peek_at(now).remaining(), 5);
    /// limiter.set_quota_at(Quota::per_hour(4), now);
    /// assert_eq!(limiter.peek_at(now).remaining(), 0);
    /// ```
    pub fn set_quota_at(&self, quota: Quota, now: Timestamp) {
        self.state.set::<R>(quota, now);
    }
}

impl<R: Adjust, C: Clock> Limiter<Adjustable<R>, C> {
    /// [`set_quota_at`](Self::set_quota_at) the precise reading of the clock.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::adjustable_token_bucket(Quota::per_second(10));
    /// limiter.set_quota(Quota::per_minute(90));
    /// assert_eq!(limiter.peek().limit(), 90);
    /// ```
    pub fn set_quota(&self, quota: Quota) {
        self.set_quota_at(quota, self.clock.now());
    }
}
