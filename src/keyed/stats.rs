use crate::sync::Ordering;
use crate::sync::unmodelled::Counter;
use crossbeam_utils::CachePadded;

/// What has happened in a [`KeyedLimiter`](crate::KeyedLimiter) so far.
///
/// ```
/// use casgate::{KeyedLimiter, Quota};
/// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_second(1), 100).counted();
/// assert_eq!(limiter.stats().admitted, Some(0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests admitted, if the limiter is [`counted`](crate::KeyedLimiter::counted).
    pub admitted: Option<u64>,
    /// Requests denied, for either reason, if it is counted.
    pub denied: Option<u64>,
    /// Keys that were given a slot, each time they were; modulo 2³⁴ in each set.
    pub inserted: u64,
    /// Of those, how often the slot was taken from a key that still owed something.
    pub evicted: u64,
    /// Requests of newcomers that were denied because the set was full.
    pub refused: u64,
}

/// Counts for which somebody asked.
#[derive(Debug)]
pub(crate) struct Tally {
    admitted: CachePadded<Counter>,
    denied: CachePadded<Counter>,
}

impl Default for Tally {
    fn default() -> Self {
        let zero = || CachePadded::new(Counter::new(0));
        Self { admitted: zero(), denied: zero() }
    }
}

impl Tally {
    pub(crate) fn count(&self, admitted: bool) {
        let counter = if admitted { &self.admitted } else { &self.denied };
        // Relaxed, as below: only a number.
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> (u64, u64) {
        (self.admitted.load(Ordering::Relaxed), self.denied.load(Ordering::Relaxed))
    }
}
