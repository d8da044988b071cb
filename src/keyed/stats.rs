use crate::sync::Ordering;
use crate::sync::unmodelled::Counter;
use crossbeam_utils::CachePadded;

/// What has happened in a [`KeyedLimiter`](crate::KeyedLimiter) so far.
///
/// ```
/// use casgate::{KeyedLimiter, Quota};
/// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100).counted();
/// assert_eq!(limiter.stats().admitted, Some(0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Stats {
    /// Requests admitted, if the limiter is [`counted`](crate::KeyedLimiter::counted).
    pub admitted: Option<u64>,
    /// Requests denied, for any reason, if it is counted.
    pub denied: Option<u64>,
    /// Insertions of keys, including those that return after an eviction. Wraps at 2³² in each set.
    pub inserted: u64,
    /// Insertions that took the slot of a key with permits outstanding.
    pub evicted: u64,
    /// Requests denied because the key's set was full of keys with permits outstanding.
    pub denied_full: u64,
}

/// A number of events. Every access is `Relaxed`: only a number.
#[derive(Debug)]
pub(crate) struct Count(Counter);

impl Default for Count {
    fn default() -> Self {
        Self(Counter::new(0))
    }
}

impl Count {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Insertions, and those of them that evicted a key: two numbers of 32 bits in one, for one
/// addition.
#[derive(Debug, Default)]
pub(crate) struct Seated(Count);

impl Seated {
    pub(crate) fn add(&self, evicted: bool) {
        self.0.add(1 | u64::from(evicted) << 32);
    }

    pub(crate) fn inserted(&self) -> u64 {
        self.0.read() & u64::from(u32::MAX)
    }

    pub(crate) fn evicted(&self) -> u64 {
        self.0.read() >> 32
    }
}

/// Counts that a limiter keeps on demand.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    admitted: CachePadded<Count>,
    denied: CachePadded<Count>,
}

impl Tally {
    pub(crate) fn count(&self, admitted: bool) {
        if admitted { self.admitted.add(1) } else { self.denied.add(1) }
    }

    pub(crate) fn read(&self) -> (u64, u64) {
        (self.admitted.read(), self.denied.read())
    }
}
