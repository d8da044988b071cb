//! What concerns all keys.

use super::stats::{Stats, Tally};
use super::{Allowance, KeyedError, KeyedLimiter};
use crate::Timestamp;
use crate::clock::Clock;

impl<C, S> KeyedLimiter<C, S> {
    /// Returns what has happened so far. Looks at every set, and stops nobody.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100);
    /// assert!(limiter.check("a").is_ok());
    /// assert_eq!((limiter.stats().inserted, limiter.stats().admitted), (1, None));
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (admitted, denied) = self.tally.as_deref().map(Tally::read).unzip();
        let heads = &self.table.heads;
        Stats {
            admitted,
            denied,
            inserted: heads.iter().map(|head| head.seated.inserted()).sum(),
            evicted: heads.iter().map(|head| head.seated.evicted()).sum(),
            denied_full: self.table.denied_full.read(),
        }
    }

    /// Counts the keys that have permits outstanding at `now`: an estimate if others decide
    /// meanwhile. Looks at every slot.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100);
    /// assert!((0..50).all(|key| limiter.is_allowed_at(&key, Timestamp::ZERO)));
    /// assert_eq!(limiter.len_at(Timestamp::ZERO), 50);
    /// assert_eq!(limiter.len_at(Timestamp::from_secs(1)), 0);
    /// ```
    #[must_use]
    pub fn len_at(&self, now: Timestamp) -> usize {
        self.table.len(now)
    }

    /// Empties the table: every key is full again, as if nothing had been.
    ///
    /// Goes from set to set; a request that overlaps it may come before or after. Lock-free.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 100);
    /// assert!(limiter.is_allowed("a") && !limiter.is_allowed("a"));
    /// limiter.clear();
    /// assert!(limiter.is_allowed("a"));
    /// ```
    pub fn clear(&self) {
        self.table.clear();
    }

    /// Changes what a tier's keys are allowed, as of `now`.
    ///
    /// It holds at once for keys that are known already. They keep what they have outstanding at
    /// `now`, up to the smaller of both bursts; an unchanged quota changes nothing. A request that
    /// overlaps the change is decided by either quota. Looks at every slot. Calls for the same tier
    /// take turns; requests never wait.
    ///
    /// ```
    /// use casgate::{Allowance, KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::fixed_window(Quota::per_hour(5), 100);
    /// let now = Timestamp::ZERO;
    /// assert_eq!(limiter.check_n_at("a", 3, now)?.remaining(), 2);
    /// limiter.set_quota_at(0, Quota::per_hour(50), now)?;
    /// assert_eq!(limiter.peek_at("a", now).remaining(), 47);
    /// limiter.set_quota_at(0, Allowance::Blocked, now)?;
    /// assert!(!limiter.is_allowed_at("b", now));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyedError`] if there is no such tier, or the quota does not fit; then nothing is
    /// changed.
    pub fn set_quota_at(
        &self,
        tier: u16,
        allowance: impl Into<Allowance>,
        now: Timestamp,
    ) -> Result<(), KeyedError> {
        if usize::from(tier) >= self.table.tiers.len() {
            return Err(KeyedError::NoSuchTier);
        }
        Ok(self.table.set_tier(tier, allowance.into(), now)?)
    }
}

impl<C: Clock, S> KeyedLimiter<C, S> {
    /// Counts the keys that have permits outstanding now: an estimate if others decide meanwhile.
    /// Looks at every slot.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(2), 100);
    /// assert!(limiter.is_empty() && limiter.is_allowed("a") && limiter.len() == 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.len_at(self.clock.now())
    }

    /// Returns whether no key has permits outstanding now. Looks at every slot.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// assert!(KeyedLimiter::token_bucket(Quota::per_hour(2), 100).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Changes what a tier's keys are allowed, now. See [`set_quota_at`](Self::set_quota_at).
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(2), 100);
    /// limiter.set_quota(0, Quota::per_hour(20))?;
    /// assert_eq!(limiter.peek("a").limit(), 20);
    /// # Ok::<(), casgate::KeyedError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyedError`] if there is no such tier, or the quota does not fit; then nothing is
    /// changed.
    pub fn set_quota(&self, tier: u16, allowance: impl Into<Allowance>) -> Result<(), KeyedError> {
        self.set_quota_at(tier, allowance, self.clock.now())
    }
}
