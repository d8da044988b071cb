//! The constructors.

use super::pace::{Kind, Unfit};
use super::record::Head;
use super::slot::Slot;
use super::table::{GROUPS, Group, Table, WAYS};
use super::tiers::Tiers;
use super::{KeyedError, KeyedLimiter, WhenFull};
use crate::clock::SystemClock;
use crate::quota::Quota;
#[cfg(feature = "std")]
use crate::quota::StrictQuota;
use crate::sync::AtomicU64;
use alloc::boxed::Box;
use alloc::vec::Vec;
use crossbeam_utils::CachePadded;

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

#[cfg(feature = "std")]
impl KeyedLimiter {
    /// Makes a limiter with a token bucket for each key: a burst of `quota.burst()`, refilled at
    /// `quota.permits()` per `quota.period()`. `capacity` is how many keys have permits outstanding
    /// at once.
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
    /// A [`KeyedError`] if the quota is faster than one permit per 500 ns, if its burst takes more
    /// than two years to refill, or if there is no memory for the table.
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
    /// A [`KeyedError`] if the period, divided by the permits and one, is shorter than 500 ns, if
    /// it is longer than two years, or if there is no memory for the table.
    pub fn try_fixed_window(quota: Quota, capacity: usize) -> Result<Self, KeyedError> {
        Self::of(Kind::FixedWindow, quota, capacity)
    }

    /// Makes a limiter with at most `quota.limit()` permits for each key in *every* interval of
    /// `quota.period()`; see [`Quota::at_most`].
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
        Self::hashed(kind, quota, capacity, super::Hasher::new())
    }
}

impl<S> KeyedLimiter<SystemClock, S> {
    /// Makes a limiter with a token bucket for each key, whose keys are hashed by `hasher`: the
    /// constructor that needs no `std`. A hasher that an attacker can foresee lets him choose keys
    /// of one set.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// use std::hash::RandomState;
    /// let quota = Quota::per_second(20);
    /// let limiter = KeyedLimiter::try_token_bucket_with_hasher(quota, 100, RandomState::new())?;
    /// assert!(limiter.check("a").is_ok());
    /// # Ok::<(), casgate::KeyedError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyedError`] if the quota does not fit, or the table is too large.
    pub fn try_token_bucket_with_hasher(
        quota: Quota,
        capacity: usize,
        hasher: S,
    ) -> Result<Self, KeyedError> {
        Self::hashed(Kind::TokenBucket, quota, capacity, hasher)
    }

    /// Makes a limiter with a fixed window for each key, whose keys are hashed by `hasher`. See
    /// [`try_token_bucket_with_hasher`](Self::try_token_bucket_with_hasher).
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// use std::hash::RandomState;
    /// let quota = Quota::per_second(20);
    /// let limiter = KeyedLimiter::try_fixed_window_with_hasher(quota, 100, RandomState::new())?;
    /// assert!(limiter.check("a").is_ok());
    /// # Ok::<(), casgate::KeyedError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyedError`] if the quota does not fit, or the table is too large.
    pub fn try_fixed_window_with_hasher(
        quota: Quota,
        capacity: usize,
        hasher: S,
    ) -> Result<Self, KeyedError> {
        Self::hashed(Kind::FixedWindow, quota, capacity, hasher)
    }

    fn hashed(kind: Kind, quota: Quota, capacity: usize, hasher: S) -> Result<Self, KeyedError> {
        let table = Table::new(kind, quota, capacity)?;
        Ok(Self { table, clock: SystemClock, hasher, tally: None })
    }
}
