//! What spends permits, or gives them back, without a question.

use super::Limiter;
use crate::algorithm::{Change, Weighted};
use crate::clock::Clock;
use crate::decision::Admitted;
use crate::timestamp::Timestamp;

impl<A: Weighted, C> Limiter<A, C> {
    /// Takes all permits that there are at `now`, and returns how many.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::token_bucket(Quota::per_second(5));
    /// assert_eq!(limiter.drain_at(Timestamp::ZERO), 5);
    /// assert!(limiter.check_at(Timestamp::ZERO).is_err());
    /// ```
    #[allow(clippy::must_use_candidate)] // to drain is a use
    pub fn drain_at(&self, now: Timestamp) -> u32 {
        self.take_up_to_at(u32::MAX, now)
    }

    /// Spends `n` permits at `now`, into debt if need be: for costs that are known only afterwards.
    /// Until the debt is repaid all requests are denied. A fixed window's debt is spent from its
    /// next windows.
    ///
    /// A timestamp older than one already seen counts as that one; such a charge to a fixed window
    /// cannot be [refunded](Self::refund). One atomic step.
    ///
    /// ```
    /// use casgate::{Denied, Limiter, Quota, Timestamp};
    ///
    /// /// Asks for the estimate, does the work, and settles the difference to what it cost.
    /// fn spend(tokens: &Limiter, estimate: u32, work: impl Fn() -> u32) -> Result<u32, Denied> {
    ///     let now = Timestamp::ZERO; // a service asks without `_at`
    ///     let admitted = tokens.check_n_at(estimate, now)?;
    ///     let cost = work();
    ///     if cost < estimate {
    ///         tokens.refund(&admitted.part(estimate - cost));
    ///     } else {
    ///         tokens.charge_at(cost - estimate, now);
    ///     }
    ///     Ok(cost)
    /// }
    /// let tokens = Limiter::token_bucket(Quota::per_minute(600));
    /// assert_eq!(spend(&tokens, 400, || 250)?, 250); // 350 are left
    /// assert_eq!(spend(&tokens, 300, || 650)?, 650); // a debt of 300, at 10 a second
    /// let denied = tokens.check_at(Timestamp::ZERO).unwrap_err();
    /// assert_eq!(denied.retry_after().unwrap().as_millis(), 30_100);
    /// # Ok::<(), Denied>(())
    /// ```
    ///
    /// Ask for an estimate, and not for one permit: until the first charge arrives, every caller
    /// that asks for one is admitted.
    #[allow(clippy::must_use_candidate)] // most callers have done the work already
    pub fn charge_at(&self, n: u32, now: Timestamp) -> Admitted {
        let seen = self.algorithm.change(&self.state, Change::Charge(n, now));
        self.algorithm.admitted(&self.state, seen, n, now)
    }

    /// Gives `n` permits back, or all if fewer are spent, whenever they were spent.
    /// [`refund`](Self::refund) is safer for a fixed window, which takes these back in its newest
    /// window.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::token_bucket(Quota::per_hour(2));
    /// assert!(limiter.check_n_at(2, Timestamp::ZERO).is_ok());
    /// limiter.refund_n(1);
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 1);
    /// limiter.refund_n(7);
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 2);
    /// ```
    pub fn refund_n(&self, n: u32) {
        self.algorithm.change(&self.state, Change::Refund(n));
    }

    /// Denies everything before `until`, for example until the instant that an upstream server
    /// named in its `Retry-After`.
    ///
    /// A token bucket then has one permit, and refills from there. A fixed window begins with the
    /// first window that begins at `until` or later. If the limiter denies for longer already,
    /// nothing changes. One atomic step.
    ///
    /// Later calls can shorten it. [`reset`](Self::reset) ends it. [`refund`](Self::refund) ends it
    /// sooner by as long as the permits take to refill, so refund first. A new quota ends that of a
    /// fixed window sooner by less than the new period, and treats that of a token bucket as a
    /// [debt](Limiter::set_quota_at). Permits that a [lease](Self::lease) holds already can still be
    /// spent.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::token_bucket(Quota::per_second(5));
    /// limiter.deny_until(Timestamp::from_secs(30));
    /// let denied = limiter.check_at(Timestamp::ZERO).unwrap_err();
    /// assert_eq!(denied.retry_after().unwrap().as_secs(), 30);
    /// assert!(limiter.check_at(Timestamp::from_secs(30)).is_ok());
    /// assert!(limiter.check_at(Timestamp::from_secs(30)).is_err());
    /// ```
    pub fn deny_until(&self, until: Timestamp) {
        self.algorithm.change(&self.state, Change::DenyUntil(until));
    }
}

impl<A: Weighted, C: Clock> Limiter<A, C> {
    /// Takes all permits that there are now, and returns how many.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::token_bucket(Quota::per_hour(5));
    /// assert_eq!(limiter.drain(), 5);
    /// ```
    #[allow(clippy::must_use_candidate)] // as above
    pub fn drain(&self) -> u32 {
        self.drain_at(self.clock.now())
    }

    /// Spends `n` permits now, into debt if need be. See [`charge_at`](Self::charge_at).
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::token_bucket(Quota::per_hour(5));
    /// assert_eq!(limiter.charge(50).remaining(), 0);
    /// assert!(!limiter.is_allowed());
    /// ```
    #[allow(clippy::must_use_candidate)] // as above
    pub fn charge(&self, n: u32) -> Admitted {
        self.charge_at(n, self.clock.now())
    }

    /// Begins with `n` permits instead of a full limiter, as of now. Call it on a new limiter that
    /// has its clock already: it spends what is more than `n`.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::token_bucket(Quota::per_hour(100)).starting_with(10);
    /// assert_eq!(limiter.peek().remaining(), 10);
    /// ```
    #[must_use]
    pub fn starting_with(self, n: u32) -> Self {
        let now = self.clock.now();
        self.charge_at(self.peek_at(now).limit().saturating_sub(n), now);
        self
    }
}
