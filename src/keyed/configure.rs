//! What can be chosen after construction.

use super::tier::Allowance;
use super::{KeyedError, KeyedLimiter, WhenFull};
use alloc::boxed::Box;

impl<C, S> KeyedLimiter<C, S> {
    pub(super) fn expect(made: Result<Self, KeyedError>) -> Self {
        match made {
            Ok(limiter) => limiter,
            Err(error) => panic!("{error}"),
        }
    }

    /// Reads the time from `clock`.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota, clock::ManualClock};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100)
    ///     .with_clock(ManualClock::new());
    /// assert!(limiter.check("a").is_ok() && limiter.check("a").is_err());
    /// ```
    #[must_use]
    pub fn with_clock<D>(self, clock: D) -> KeyedLimiter<D, S> {
        let Self { table, hasher, tally, .. } = self;
        KeyedLimiter { table, clock, hasher, tally }
    }

    /// Hashes keys with `hasher`. Any 64-bit hash will do, the identity of distinct numbers
    /// included. Where strangers choose the keys it must be one that they cannot predict, as the
    /// default is: keys that they can place in one set fill it.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// use std::hash::{BuildHasherDefault, DefaultHasher};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100)
    ///     .with_hasher(BuildHasherDefault::<DefaultHasher>::default()); // the same in each process
    /// assert!(limiter.check("a").is_ok());
    /// ```
    #[must_use]
    pub fn with_hasher<T>(self, hasher: T) -> KeyedLimiter<C, T> {
        let Self { table, clock, tally, .. } = self;
        KeyedLimiter { table, clock, hasher, tally }
    }

    /// Sets what to do with a new key in a full set: by default [`WhenFull::EvictLeastDebt`].
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota, WhenFull};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100)
    ///     .when_full(WhenFull::DenyNewKeys);
    /// ```
    #[must_use]
    pub fn when_full(mut self, full: WhenFull) -> Self {
        self.table.full = full;
        self
    }

    /// Adds tiers: the first gets the next index, which after construction is 1. A request names
    /// its tier with [`Key::tier`](crate::Key::tier). The tier is no part of the key.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100)
    ///     .with_tiers([Quota::per_second(3), Quota::per_second(9)]);
    /// let left = |tier| limiter.key("a").tier(tier).peek_at(Timestamp::ZERO).remaining();
    /// assert_eq!((left(0), left(1), left(2)), (1, 3, 9));
    /// ```
    ///
    /// # Panics
    ///
    /// Where [`try_with_tiers`](Self::try_with_tiers) would return an error.
    #[must_use]
    pub fn with_tiers<T: Into<Allowance>>(self, tiers: impl IntoIterator<Item = T>) -> Self {
        Self::expect(self.try_with_tiers(tiers))
    }

    /// Adds tiers as [`with_tiers`](Self::with_tiers), from configuration.
    ///
    /// ```
    /// use casgate::{KeyedError, KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100);
    /// let fast = [Quota::per_second(3_000_000)];
    /// assert_eq!(limiter.try_with_tiers(fast).unwrap_err(), KeyedError::TooFast);
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyedError`] if a quota does not fit, or if there are more than 65,536 tiers in all.
    pub fn try_with_tiers<T: Into<Allowance>>(
        mut self,
        tiers: impl IntoIterator<Item = T>,
    ) -> Result<Self, KeyedError> {
        self.table.tiers.add(self.table.kind, tiers.into_iter().map(Into::into))?;
        Ok(self)
    }

    /// Counts what is admitted and denied, for [`stats`](Self::stats): an atomic addition each, on
    /// a line that all threads share.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 100).counted();
    /// let _ = (limiter.check("a"), limiter.check("a"), limiter.check("b"));
    /// assert_eq!((limiter.stats().admitted, limiter.stats().denied), (Some(2), Some(1)));
    /// ```
    #[must_use]
    pub fn counted(mut self) -> Self {
        self.tally = Some(Box::default());
        self
    }
}
