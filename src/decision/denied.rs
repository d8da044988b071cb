use super::{Reason, Snapshot, nanos};
use core::fmt;
use core::num::NonZeroU64;
use core::time::Duration;

/// The request was denied, and nothing was spent.
///
/// ```
/// use casgate::{Limiter, Quota, Timestamp};
/// use std::time::Duration;
///
/// let limiter = Limiter::fixed_window(Quota::per_second(1));
/// assert!(limiter.check_at(Timestamp::from_millis(100)).is_ok());
///
/// let denied = limiter.check_at(Timestamp::from_millis(400)).unwrap_err();
/// assert_eq!(denied.retry_after(), Some(Duration::from_millis(600)));
/// assert_eq!(denied.to_string(), "rate limit of 1 reached, retry in 600ms");
/// ```
///
/// The text rounds the wait up to whole milliseconds, or to whole microseconds below one
/// millisecond. So a caller that waits as long as the text says is not early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Denied {
    /// Nanoseconds; `None` if no wait helps.
    pub(crate) wait: Option<NonZeroU64>,
    pub(crate) now: Snapshot,
    /// The permits that were asked for. Kept rather than compared: [`Denied::reason`] compares.
    pub(crate) asked: u32,
    /// The index of the quota that denies, or [`TABLE`].
    pub(crate) by: u8,
}

/// Not a quota: no slot was free.
pub(crate) const TABLE: u8 = u8::MAX;

/// Not a quota: the permits are elsewhere, and could not be asked for.
const AWAY: u8 = u8::MAX - 1;

impl Denied {
    /// Makes a denial of so many permits by a limiter that is not of this crate, for its only
    /// quota.
    ///
    /// A wait of zero counts as a nanosecond. Without a wait the reason is
    /// [`NeverFits`](Reason::NeverFits) if the permits exceed the limit, and
    /// [`OutOfRange`](Reason::OutOfRange) if not.
    ///
    /// ```
    /// use casgate::{Denied, Reason, Snapshot};
    /// use std::time::Duration;
    /// let now = Snapshot::new(5, 2, Duration::from_secs(3));
    /// let denied = Denied::new(3, now, Some(Duration::from_secs(1)));
    /// assert_eq!((denied.reason(), denied.remaining()), (Reason::Quota { index: 0 }, 2));
    /// assert_eq!(Denied::new(6, now, None).reason(), Reason::NeverFits);
    /// ```
    #[must_use]
    pub const fn new(permits: u32, now: Snapshot, retry_after: Option<Duration>) -> Self {
        let wait = match retry_after {
            Some(wait) => match NonZeroU64::new(nanos(wait)) {
                Some(wait) => Some(wait),
                None => Some(NonZeroU64::MIN),
            },
            None => None,
        };
        Self { wait, now, asked: permits, by: 0 }
    }

    /// Returns the same denial for the reason [`Unavailable`](Reason::Unavailable).
    ///
    /// ```
    /// use casgate::{Denied, Reason, Snapshot};
    /// use std::time::Duration;
    /// let denied = Denied::new(1, Snapshot::new(5, 0, Duration::ZERO), Some(Duration::from_secs(1)));
    /// let denied = denied.unavailable();
    /// assert_eq!(denied.reason(), Reason::Unavailable);
    /// assert_eq!(denied.to_string(), "the limit is unavailable, retry in 1s");
    /// ```
    #[must_use]
    pub const fn unavailable(mut self) -> Self {
        self.by = AWAY;
        self
    }

    /// Returns how long to wait. With no other traffic, the same request is denied at every earlier
    /// instant and admitted at that one. `None` if no wait helps: [`reason`](Self::reason) says
    /// why.
    ///
    /// Never zero. A [sharded](crate::algorithm::Sharded) limiter's can be too short or too long for a
    /// late timestamp. The wait counts from the timestamp of the decision. That is the timestamp given,
    /// or, for methods that read the clock, one at most
    /// [`Clock::max_lag`](crate::clock::Clock::max_lag) before the call.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(5));
    /// assert_eq!(limiter.check_n_at(6, Timestamp::ZERO).unwrap_err().retry_after(), None);
    /// ```
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.wait {
            Some(nanos) => Some(Duration::from_nanos(nanos.get())),
            None => None,
        }
    }

    /// Returns [`retry_after`](Self::retry_after) in whole seconds, rounded up, as the
    /// `Retry-After` field of HTTP needs it. Never zero; `None` if no wait helps.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_minute(1));
    /// assert!(limiter.is_allowed_at(Timestamp::ZERO));
    /// let denied = limiter.check_at(Timestamp::from_millis(57_999)).unwrap_err();
    /// assert_eq!(denied.retry_after_secs(), Some(3));
    /// ```
    #[must_use]
    pub const fn retry_after_secs(&self) -> Option<u64> {
        match self.wait {
            Some(nanos) => Some(nanos.get().div_ceil(1_000_000_000)),
            None => None,
        }
    }

    /// Returns why the request was denied.
    ///
    /// ```
    /// use casgate::{FixedWindow, Limiter, Quota, Reason, Timestamp, TokenBucket};
    /// let limiter = Limiter::both(
    ///     TokenBucket::new(Quota::per_second(10)),
    ///     FixedWindow::new(Quota::per_hour(15)),
    /// );
    /// let now = Timestamp::ZERO;
    /// assert!(limiter.check_n_at(10, now).is_ok());
    /// let why = |n| limiter.check_n_at(n, now).unwrap_err().reason();
    /// assert_eq!(why(5), Reason::Quota { index: 0 });
    /// assert_eq!(why(6), Reason::Quota { index: 1 });
    /// assert_eq!(why(11), Reason::NeverFits);
    /// ```
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match (self.wait, self.by) {
            (None, _) if self.asked > self.now.limit => Reason::NeverFits,
            (_, TABLE) => Reason::TableFull,
            (_, AWAY) => Reason::Unavailable,
            (Some(_), by) => Reason::Quota { index: by as usize },
            (None, _) => Reason::OutOfRange,
        }
    }

    /// Whether waiting helps, and for at most `lag`. Compared in nanoseconds: a `Duration` would
    /// cost two divisions on the path of every denial.
    #[inline]
    pub(crate) fn is_within(&self, lag: Duration) -> bool {
        self.wait.is_some_and(|wait| u128::from(wait.get()) <= lag.as_nanos())
    }

    /// Returns the permits of a full limiter.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(5));
    /// assert_eq!(limiter.check_n_at(6, Timestamp::ZERO).unwrap_err().limit(), 5);
    /// ```
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.now.limit
    }

    /// Returns the permits that a smaller request could still take.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(5));
    /// assert!(limiter.check_n_at(3, Timestamp::ZERO).is_ok());
    /// assert_eq!(limiter.check_n_at(3, Timestamp::ZERO).unwrap_err().remaining(), 2);
    /// ```
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        self.now.remaining
    }

    /// Returns how long until the limiter is full again, with no other traffic.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_hour(1));
    /// assert!(limiter.is_allowed_at(Timestamp::ZERO));
    /// assert_eq!(limiter.check_at(Timestamp::ZERO).unwrap_err().reset_after().as_secs(), 3_600);
    /// ```
    #[must_use]
    pub const fn reset_after(&self) -> Duration {
        self.now.reset_after()
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, now: Snapshot { limit, .. }, .. } = self;
        match self.reason() {
            Reason::Quota { .. } => write!(f, "rate limit of {limit} reached")?,
            Reason::TableFull => f.write_str("no slot is free for a new key")?,
            Reason::Unavailable => f.write_str("the limit is unavailable")?,
            Reason::NeverFits => {
                write!(f, "a request for {asked} can never fit the rate limit of {limit}")?;
            }
            Reason::OutOfRange => {
                write!(f, "rate limit of {limit} cannot represent so late a timestamp")?;
            }
        }
        match self.wait {
            Some(wait) => write!(f, ", retry in {:?}", rounded_up(wait.get())),
            None => Ok(()),
        }
    }
}

/// In whole milliseconds, or below one in whole microseconds.
pub(crate) const fn rounded_up(nanos: u64) -> Duration {
    if nanos < 1_000_000 {
        Duration::from_micros(nanos.div_ceil(1_000))
    } else {
        Duration::from_millis(nanos.div_ceil(1_000_000))
    }
}

impl core::error::Error for Denied {}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: Snapshot = Snapshot { limit: 5, remaining: 0, reset_after: 0 };

    fn denied(asked: u32, wait: u64, by: u8) -> Denied {
        Denied { wait: NonZeroU64::new(wait), now: FIVE, asked, by }
    }

    #[test]
    fn text_rounds_the_wait_up() {
        let reached = |wait: u64| denied(1, wait, 0).to_string();
        for (wait, told) in [
            (1, "1µs"),
            (1_000, "1µs"),
            (1_001, "2µs"),
            (999_001, "1ms"),
            (1_000_000, "1ms"),
            (1_000_001, "2ms"),
            (2_365_432_109_877, "2365.433s"),
            (u64::MAX, "18446744073.71s"),
        ] {
            assert_eq!(reached(wait), format!("rate limit of 5 reached, retry in {told}"));
        }
    }

    #[test]
    fn text_names_the_reason() {
        for (denied, reason, text) in [
            (
                denied(6, 0, 1),
                Reason::NeverFits,
                "a request for 6 can never fit the rate limit of 5",
            ),
            (
                denied(6, 0, TABLE),
                Reason::NeverFits,
                "a request for 6 can never fit the rate limit of 5",
            ),
            (denied(5, 0, TABLE), Reason::TableFull, "no slot is free for a new key"),
            (denied(6, 7, TABLE), Reason::TableFull, "no slot is free for a new key, retry in 1µs"),
            (denied(5, 7, 1), Reason::Quota { index: 1 }, "rate limit of 5 reached, retry in 1µs"),
            (
                denied(5, 0, 1),
                Reason::OutOfRange,
                "rate limit of 5 cannot represent so late a timestamp",
            ),
        ] {
            assert_eq!((denied.reason(), denied.to_string()), (reason, text.to_owned()));
        }
    }

    #[test]
    fn whole_seconds_are_rounded_up_and_never_zero() {
        for (wait, secs) in [
            (1, Some(1)),
            (1_000_000_000, Some(1)),
            (1_000_000_001, Some(2)),
            (u64::MAX, Some(18_446_744_074)),
            (0, None),
        ] {
            assert_eq!(denied(1, wait, 0).retry_after_secs(), secs);
        }
    }

    #[test]
    fn an_answer_is_no_larger_than_four_words() {
        assert!(size_of::<Denied>() <= 32);
    }
}
