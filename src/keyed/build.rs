//! The constructors.

use super::table::{Table, WAYS};
use super::{KeyedLimiter, WhenFull};
use crate::Timestamp;
use crate::algorithm::{FixedWindow, Rule};
use crate::clock::SystemClock;
use crate::quota::Quota;
use crate::word::Word;
use std::hash::RandomState;

/// The most permits, or burst, that a slot has room for.
const MOST: u32 = 1 << 20;

impl<K: ?Sized> KeyedLimiter<K> {
    /// For each key a burst of `quota.burst()`, refilled at `quota.permits()` per `quota.period()`: the
    /// rule of [`TokenBucket`](crate::TokenBucket), in memory for `capacity` keys that owe something at once.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let per_user = KeyedLimiter::<u64>::token_bucket(Quota::per_second(20).with_burst(50), 10_000);
    /// assert!(per_user.check(&1815).is_ok());
    /// ```
    ///
    /// # Panics
    ///
    /// If the burst is above 2²⁰, or the table larger than the address space.
    #[must_use]
    pub fn token_bucket(quota: Quota, capacity: usize) -> Self {
        Self::of(quota, capacity)
    }
}

impl<K: ?Sized> KeyedLimiter<K, FixedWindow> {
    /// For each key at most `quota.permits()` in each window: the rule of [`FixedWindow`], in memory for
    /// `capacity` keys that owe something at once.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let per_tenant = KeyedLimiter::<[u8; 16], _>::fixed_window(Quota::per_hour(1_000), 500);
    /// assert!(per_tenant.check(&[7; 16]).is_ok());
    /// ```
    ///
    /// # Panics
    ///
    /// If the permits are above 2²⁰, or the table larger than the address space.
    #[must_use]
    pub fn fixed_window(quota: Quota, capacity: usize) -> Self {
        Self::of(quota, capacity)
    }
}

fn assert_fits<R: Rule>(quota: Quota) {
    let limit = R::in_few_bits(quota).denied(Word::default(), 1, Timestamp::ZERO).limit();
    assert!(limit <= MOST, "a keyed limiter's quota has at most 2^20 permits");
}

impl<K: ?Sized, R: Rule> KeyedLimiter<K, R> {
    fn of(quota: Quota, capacity: usize) -> Self {
        assert_fits::<R>(quota);
        let sets = capacity.saturating_add(capacity / 2).div_ceil(WAYS).max(1);
        Self {
            table: Table::new([quota], sets),
            clock: SystemClock,
            hasher: RandomState::new(),
            full: WhenFull::default(),
            class_of: None,
            tally: None,
        }
    }
}

impl<K: ?Sized, R: Rule, C, S> KeyedLimiter<K, R, C, S> {
    /// Reads the time from `clock`.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota, clock::ManualClock};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_second(1), 100)
    ///     .with_clock(ManualClock::new());
    /// assert!(limiter.check("a").is_ok() && limiter.check("a").is_err());
    /// ```
    #[must_use]
    pub fn with_clock<D>(self, clock: D) -> KeyedLimiter<K, R, D, S> {
        let Self { table, hasher, full, class_of, tally, .. } = self;
        KeyedLimiter { table, clock, hasher, full, class_of, tally }
    }

    /// Hashes keys with `hasher`, all of whose 64 bits are used. If strangers choose the keys it must be one that they
    /// cannot predict: a key that they can place beside another is denied and denies with it.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// use std::hash::{BuildHasherDefault, DefaultHasher};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_second(1), 100)
    ///     .with_hasher(BuildHasherDefault::<DefaultHasher>::default()); // the same in each process
    /// assert!(limiter.check("a").is_ok());
    /// ```
    #[must_use]
    pub fn with_hasher<T>(self, hasher: T) -> KeyedLimiter<K, R, C, T> {
        let Self { table, clock, full, class_of, tally, .. } = self;
        KeyedLimiter { table, clock, hasher, full, class_of, tally }
    }

    /// What to do with a newcomer in a full set; by default [`WhenFull::EvictLeastDebt`].
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota, WhenFull};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_second(1), 100)
    ///     .when_full(WhenFull::RefuseNewcomers);
    /// ```
    #[must_use]
    pub fn when_full(mut self, full: WhenFull) -> Self {
        self.full = full;
        self
    }

    /// Other quotas for some keys: `class_of` tells which, 0 being the quota given to the constructor, 1
    /// the first of `others` and so on; an index past the end counts as the last. It must say the same of a
    /// key each time. Each doubling of the quotas takes a bit from the tags, and so doubles the
    /// probability that two keys are confused.
    ///
    /// To be called before the first check, for it begins with an empty table.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_second(1), 100)
    ///     .with_quotas([Quota::per_second(3)], |key| usize::from(key.starts_with("paid/")));
    /// let passed = |key| (0..9).filter(|_| limiter.is_allowed_at(key, Timestamp::ZERO)).count();
    /// assert_eq!((passed("ada"), passed("paid/grace")), (1, 3));
    /// ```
    ///
    /// # Panics
    ///
    /// If there are more than 15 others, or one has more than 2²⁰ permits.
    #[must_use]
    pub fn with_quotas(
        mut self,
        others: impl IntoIterator<Item = Quota>,
        class_of: fn(&K) -> usize,
    ) -> Self {
        let quotas: Vec<Quota> = core::iter::once(self.table.quota()).chain(others).collect();
        quotas.iter().copied().for_each(assert_fits::<R>);
        assert!(quotas.len() <= 16, "a keyed limiter has at most 16 quotas");
        self.table = Table::new(quotas, self.table.sets());
        self.class_of = Some(class_of);
        self
    }

    /// Counts what is admitted and denied, for [`stats`](Self::stats): an atomic addition each, on a
    /// line that all threads share.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_hour(1), 100).counted();
    /// let _ = (limiter.check("a"), limiter.check("a"), limiter.check("b"));
    /// assert_eq!((limiter.stats().admitted, limiter.stats().denied), (Some(2), Some(1)));
    /// ```
    #[must_use]
    pub fn counted(mut self) -> Self {
        self.tally = Some(Box::default());
        self
    }
}
