use super::Limiter;
use crate::algorithm::{Adjust, Adjustable};
use crate::clock::Clock;
use crate::quota::Quota;
use crate::timestamp::Timestamp;

impl<R: Adjust, C> Limiter<Adjustable<R>, C> {
    /// Changes the quota at `now`, while others check.
    ///
    /// The burst comes with the quota. `Quota::per_second(50)` has a burst of 50, whatever was set
    /// before by [`with_burst`](Quota::with_burst).
    ///
    /// Spent permits stay spent. Of L permits with k spent, a new limit L′ leaves L′ − k, or none.
    /// So a raise adds the difference at once, and a cut takes it away. Lowering the limit below
    /// what is already spent discards the excess, so lowering and raising it again frees those
    /// permits.
    ///
    /// A token bucket repays a debt beyond its limit first, at the old rate. When that is done, L′ − L
    /// are left, or none. If the new rate does not refill that many until then, the rest is left at
    /// once. A fixed window keeps only what is spent in its newest window, and forgets the windows
    /// that a debt has filled before that.
    ///
    /// The new rate holds from `now` on. A check with an older timestamp is then late, as after an
    /// admission at `now`, even if nothing is spent. A fixed window with another period counts the
    /// permits spent in the window of `now` against its own window of that time. If `now` itself is
    /// from before the newest window, it counts as the beginning of that window. A token bucket takes
    /// a late `now` as it is, so what was refilled since then is refilled at the new rate.
    ///
    /// Each check is decided wholly by the old quota or wholly by the new one. All checks that
    /// begin after this call has returned are decided by the new one. This call waits only for
    /// other `set_quota`s. The limiter does not return the quota in force: keep what you set, for a
    /// log. [`Snapshot::limit`](crate::Snapshot::limit) is its burst, or the limit of a window.
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
    /// Changes the quota now, by the clock's precise timestamp. The burst comes with the quota: see
    /// [`set_quota_at`](Self::set_quota_at).
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::adjustable_token_bucket(Quota::per_second(10).with_burst(5));
    /// limiter.set_quota(Quota::per_second(50));
    /// assert_eq!(limiter.peek().limit(), 50); // no longer 5
    /// limiter.set_quota(Quota::per_second(50).with_burst(5));
    /// assert_eq!(limiter.peek().limit(), 5);
    /// ```
    pub fn set_quota(&self, quota: Quota) {
        self.set_quota_at(quota, self.clock.now());
    }
}
