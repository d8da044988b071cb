//! The constructors.

use super::pace::{Kind, Unfit};
use super::record::Head;
use super::slot::Slot;
use super::table::{GROUPS, Group, Table, WAYS};
use super::tier::Allowance;
use super::tiers::Tiers;
use super::{KeyedError, KeyedLimiter, WhenFull};
use crate::clock::SystemClock;
use crate::quota::{Quota, StrictQuota};
use crate::sync::AtomicU64;
use crossbeam_utils::CachePadded;
use std::hash::RandomState;

/// Why a table cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTable {
    Quota(Unfit),
    TooLarge,
    TooManyTiers,
}

fn boxed<T>(n: usize, new: impl Fn() -> T) -> Result<Box<[T]>, NoTable> {
    let mut all = Vec::new();
    all.try_reserve_exact(n).map_err(|_| NoTable::TooLarge)?;
    all.extend(core::iter::repeat_with(new).take(n));
    Ok(all.into_boxed_slice())
}

impl Table {
    pub(crate) fn new(kind: Kind, quota: Quota, capacity: usize) -> Result<Self, NoTable> {
        let slots = capacity.checked_add(capacity / 2).ok_or(NoTable::TooLarge)?;
        let sets = slots.div_ceil(WAYS).max(1);
        let groups = u32::try_from(sets).ok().and_then(|sets| sets.checked_mul(GROUPS as u32));
        let groups = groups.ok_or(NoTable::TooLarge)? as usize;
        Ok(Self {
            marks: boxed(groups, || AtomicU64::new(0))?,
            groups: boxed(groups, || Group(core::array::from_fn(|_| Slot::unused())))?,
            heads: boxed(sets, Head::new)?,
            tiers: Tiers::new(kind, quota).map_err(NoTable::Quota)?,
            kind,
            full: WhenFull::default(),
            denied_full: CachePadded::default(),
        })
    }
}

impl KeyedLimiter {
    /// Makes a limiter with a token bucket for each key: a burst of `quota.burst()`, refilled at
    /// `quota.permits()` per `quota.period()`. `capacity` is how many keys have permits outstanding at
    /// once.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let per_user = KeyedLimiter::token_bucket(Quota::per_second(20).with_burst(50), 10_000);
    /// assert!(per_user.check(&1815).is_ok());
    /// ```
    ///
    /// # Panics
    ///
    /// Where [`try_token_bucket`](Self::try_token_bucket) would return an error.
    #[must_use]
    pub fn token_bucket(quota: Quota, capacity: usize) -> Self {
        Self::expect(Self::try_token_bucket(quota, capacity))
    }

    /// Makes a limiter with a fixed window for each key: at most `quota.permits()` in each
    /// `quota.period()`, counted from the clock's origin. `capacity` is how many keys have permits
    /// outstanding at once.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let per_tenant = KeyedLimiter::fixed_window(Quota::per_hour(1_000), 500);
    /// assert!(per_tenant.check(&[7u8; 16]).is_ok());
    /// ```
    ///
    /// # Panics
    ///
    /// Where [`try_fixed_window`](Self::try_fixed_window) would return an error.
    #[must_use]
    pub fn fixed_window(quota: Quota, capacity: usize) -> Self {
        Self::expect(Self::try_fixed_window(quota, capacity))
    }

    /// Makes a limiter as [`token_bucket`](Self::token_bucket), from configuration.
    ///
    /// ```
    /// use casgate::{KeyedError, KeyedLimiter, Quota};
    /// let quota = Quota::per_second(20);
    /// assert!(KeyedLimiter::try_token_bucket(quota, 1_000).is_ok());
    /// assert_eq!(
    ///     KeyedLimiter::try_token_bucket(quota, usize::MAX).unwrap_err(),
    ///     KeyedError::TooLarge,
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyedError`] if the quota is faster than one permit per 500 ns, if its burst takes more than
    /// two years to refill, or if there is no memory for the table.
    pub fn try_token_bucket(quota: Quota, capacity: usize) -> Result<Self, KeyedError> {
        Self::of(Kind::TokenBucket, quota, capacity)
    }

    /// Makes a limiter as [`fixed_window`](Self::fixed_window), from configuration.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// assert!(KeyedLimiter::try_fixed_window(Quota::per_hour(1_000), 500).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyedError`] if the period, divided by the permits and one, is shorter than 500 ns, if it is
    /// longer than two years, or if there is no memory for the table.
    pub fn try_fixed_window(quota: Quota, capacity: usize) -> Result<Self, KeyedError> {
        Self::of(Kind::FixedWindow, quota, capacity)
    }

    /// Makes a limiter with at most `quota.limit()` permits for each key in *every* interval of `quota.period()`; see
    /// [`Quota::at_most`].
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// use std::time::Duration;
    /// let quota = Quota::at_most(10).in_any(Duration::from_secs(1));
    /// let limiter = KeyedLimiter::strict(quota, 10_000);
    /// assert!(limiter.check("a").is_ok());
    /// ```
    ///
    /// # Panics
    ///
    /// Where [`try_strict`](Self::try_strict) would return an error.
    #[must_use]
    pub fn strict(quota: StrictQuota, capacity: usize) -> Self {
        Self::expect(Self::try_strict(quota, capacity))
    }

    /// Makes a limiter as [`strict`](Self::strict), from configuration.
    ///
    /// ```
    /// use casgate::{KeyedError, KeyedLimiter, Quota};
    /// use std::time::Duration;
    /// let quota = Quota::at_most(10).in_any(Duration::from_micros(1));
    /// assert_eq!(KeyedLimiter::try_strict(quota, 100).unwrap_err(), KeyedError::TooFast);
    /// ```
    ///
    /// # Errors
    ///
    /// As [`try_token_bucket`](Self::try_token_bucket).
    pub fn try_strict(quota: StrictQuota, capacity: usize) -> Result<Self, KeyedError> {
        Self::try_token_bucket(quota.paced(), capacity)
    }

    fn of(kind: Kind, quota: Quota, capacity: usize) -> Result<Self, KeyedError> {
        Ok(Self {
            table: Table::new(kind, quota, capacity)?,
            clock: SystemClock,
            hasher: RandomState::new(),
            tally: None,
        })
    }
}

impl<C, S> KeyedLimiter<C, S> {
    fn expect(made: Result<Self, KeyedError>) -> Self {
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

    /// Hashes keys with `hasher`. Any 64-bit hash will do, the identity of distinct numbers included. Where
    /// strangers choose the keys it must be one that they cannot predict, as the default is: keys that they
    /// can place in one set fill it.
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

    /// Adds tiers: the first gets the next index, which after construction is 1. A request names its tier with
    /// [`Key::tier`](crate::Key::tier). The tier is no part of the key.
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

    /// Counts what is admitted and denied, for [`stats`](Self::stats): an atomic addition each, on a
    /// line that all threads share.
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
