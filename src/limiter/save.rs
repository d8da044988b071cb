use super::Limiter;
use crate::algorithm::{Change, Outstanding, Weighted};
use crate::clock::Clock;
use crate::timestamp::Timestamp;
use core::time::Duration;

/// Holds what a limiter has outstanding while the program is not running: from
/// [`Limiter::save_at`].
///
/// It names no instant of a clock, so it can be restored on another clock's timeline and on another
/// machine. The limiter must have the same algorithm. It should have the same quota: with another
/// one a token bucket is full again at the same instant, and a fixed window may deny for as long.
///
/// ```
/// use casgate::{Limiter, Quota, Saved, Timestamp};
/// use std::time::Duration;
///
/// let limiter = Limiter::token_bucket(Quota::per_hour(60));
/// let words = {
///     assert!(limiter.check_n_at(60, Timestamp::from_secs(5_000)).is_ok());
///     limiter.save_at(Timestamp::from_secs(5_000)).to_words() // to a file
/// };
/// // Ten minutes later, on a clock that has begun again:
/// let limiter = Limiter::token_bucket(Quota::per_hour(60));
/// limiter.restore_at(Saved::from_words(words), Duration::from_secs(600), Timestamp::ZERO);
/// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 10);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Saved {
    /// One for each quota.
    parts: [Outstanding; 2],
}

impl Saved {
    pub(crate) const fn new(parts: [Outstanding; 2]) -> Self {
        Self { parts }
    }

    /// Returns it as four words, for storage. Their meaning may change with the crate's major
    /// version.
    ///
    /// ```
    /// use casgate::Saved;
    /// assert_eq!(Saved::default().to_words(), [0; 4]);
    /// ```
    #[must_use]
    pub const fn to_words(&self) -> [u64; 4] {
        let [a, b] = self.parts;
        [a.permits as u64, a.full_after, b.permits as u64, b.full_after]
    }

    /// Returns what [`to_words`](Self::to_words) came from. Any words will do: too large a number
    /// of permits counts as the largest.
    ///
    /// ```
    /// use casgate::Saved;
    /// assert_eq!(Saved::from_words([1, 2, 3, 4]).to_words(), [1, 2, 3, 4]);
    /// ```
    #[must_use]
    pub const fn from_words([a, a_after, b, b_after]: [u64; 4]) -> Self {
        const fn part(permits: u64, full_after: u64) -> Outstanding {
            let most = u32::MAX as u64;
            Outstanding { permits: if permits > most { most } else { permits } as u32, full_after }
        }
        Self { parts: [part(a, a_after), part(b, b_after)] }
    }
}

impl<A: Weighted, C> Limiter<A, C> {
    /// Returns what is outstanding at `now`, to be [restored](Self::restore_at) after a restart.
    /// Writes nothing.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Saved, Timestamp};
    /// let limiter = Limiter::token_bucket(Quota::per_hour(60));
    /// assert_eq!(limiter.save_at(Timestamp::ZERO), Saved::default());
    /// ```
    #[must_use]
    pub fn save_at(&self, now: Timestamp) -> Saved {
        Saved::new(self.algorithm.save(&self.state, now))
    }

    /// Spends at `now` what was outstanding when it was [saved](Self::save_at), minus what has been
    /// refilled in the `elapsed` time since then.
    ///
    /// A token bucket is never early, and late by less than two nanoseconds. A fixed window's
    /// permits count against the window of `now`. If the windows of both clocks begin at the same
    /// times, as those of a wall clock do, it is the window in which they were spent. Otherwise it
    /// may end sooner or later. A debt of several windows is never repaid sooner. Permits that are
    /// spent already stay spent, so restore once. This is one atomic step.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// use std::time::Duration;
    /// let old = Limiter::fixed_window(Quota::per_minute(10));
    /// assert!(old.check_n_at(7, Timestamp::from_secs(50)).is_ok());
    /// let saved = old.save_at(Timestamp::from_secs(50));
    ///
    /// let new = Limiter::fixed_window(Quota::per_minute(10));
    /// new.restore_at(saved, Duration::from_secs(9), Timestamp::ZERO);
    /// assert_eq!(new.peek_at(Timestamp::ZERO).remaining(), 3);
    ///
    /// let new = Limiter::fixed_window(Quota::per_minute(10));
    /// new.restore_at(saved, Duration::from_secs(10), Timestamp::ZERO);
    /// assert_eq!(new.peek_at(Timestamp::ZERO).remaining(), 10);
    /// ```
    pub fn restore_at(&self, saved: Saved, elapsed: Duration, now: Timestamp) {
        let elapsed = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let parts = saved.parts.map(|part| part.after(elapsed));
        self.algorithm.change(&self.state, Change::Restore(parts, now));
    }
}

impl<A: Weighted, C: Clock> Limiter<A, C> {
    /// Returns what is outstanding now. See [`save_at`](Self::save_at).
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Saved};
    /// let limiter = Limiter::token_bucket(Quota::per_hour(60));
    /// assert!(limiter.is_allowed());
    /// assert_ne!(limiter.save(), Saved::default());
    /// ```
    #[must_use]
    pub fn save(&self) -> Saved {
        self.save_at(self.clock.now())
    }

    /// Spends now what was outstanding `elapsed` ago. See [`restore_at`](Self::restore_at).
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// use std::time::Duration;
    /// let old = Limiter::token_bucket(Quota::per_hour(60));
    /// assert!(old.check_n(60).is_ok());
    /// let new = Limiter::token_bucket(Quota::per_hour(60));
    /// new.restore(old.save(), Duration::from_secs(600));
    /// assert_eq!(new.peek().remaining(), 10);
    /// ```
    pub fn restore(&self, saved: Saved, elapsed: Duration) {
        self.restore_at(saved, elapsed, self.clock.now());
    }
}
