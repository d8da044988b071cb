use core::fmt;
use core::num::NonZeroU64;
use core::time::Duration;

/// The numbers that every answer carries: what is left at the instant of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset_after: u64,
}

impl Snapshot {
    /// The permits of a full limiter.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(3));
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).limit(), 3);
    /// ```
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// The permits that would be admitted at this instant.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(3));
    /// assert!(limiter.is_allowed_at(Timestamp::ZERO));
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 2);
    /// ```
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        self.remaining
    }

    /// How long until the limiter is full again, with no other traffic: zero if it is.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # use std::time::Duration;
    /// let limiter = Limiter::fixed_window(Quota::per_second(3));
    /// assert!(limiter.is_allowed_at(Timestamp::from_millis(200)));
    /// assert_eq!(limiter.peek_at(Timestamp::from_millis(200)).reset_after(), Duration::from_millis(800));
    /// ```
    #[must_use]
    pub const fn reset_after(&self) -> Duration {
        Duration::from_nanos(self.reset_after)
    }
}

/// The permits were granted and spent.
///
/// Plain numbers, computed without touching the limiter again; what a caller does not read, the
/// compiler does not compute.
///
/// ```
/// use casgate::{Limiter, Quota, Timestamp};
///
/// let limiter = Limiter::fixed_window(Quota::per_second(2));
/// let first = limiter.check_at(Timestamp::ZERO)?;
/// let second = limiter.check_at(Timestamp::ZERO)?;
/// assert!(first.ticket() < second.ticket());
/// assert_eq!(second.remaining(), 0);
/// # Ok::<(), casgate::Denied>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Admitted {
    pub(crate) ticket: u64,
    pub(crate) after: Snapshot,
}

impl Admitted {
    /// The place of this admission in the limiter's own order.
    ///
    /// Tickets are unique and grow strictly in the order in which the limiter admitted. Those of a
    /// [fixed window](crate::FixedWindow) are consecutive within a window: a request for `n` permits
    /// takes `n` of them and reports the last. The other rules leave gaps. A request for zero
    /// permits takes no ticket: it reports that of the last admission before it.
    ///
    /// Tickets of a [`KeyedLimiter`](crate::KeyedLimiter) are unique for one key in one tier.
    ///
    /// What is given back ([`reset`](crate::Limiter::reset), [`refund`](crate::Limiter::refund),
    /// [`cancel`](crate::Reservation::cancel)) is handed out anew with its ticket, and after
    /// [`set_quota`](crate::Limiter::set_quota) tickets begin anew.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(9));
    /// let a = limiter.check_at(Timestamp::ZERO)?.ticket();
    /// let b = limiter.check_n_at(3, Timestamp::ZERO)?.ticket();
    /// assert_eq!(b, a + 3);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    #[must_use]
    pub const fn ticket(&self) -> u64 {
        self.ticket
    }

    /// The permits of a full limiter.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(9));
    /// assert_eq!(limiter.check_at(Timestamp::ZERO)?.limit(), 9);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.after.limit
    }

    /// The permits left after this admission.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(9));
    /// assert_eq!(limiter.check_n_at(4, Timestamp::ZERO)?.remaining(), 5);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        self.after.remaining
    }

    /// How long until the limiter is full again, with no other traffic.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_minute(9));
    /// assert_eq!(limiter.check_at(Timestamp::from_secs(50))?.reset_after().as_secs(), 10);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    #[must_use]
    pub const fn reset_after(&self) -> Duration {
        self.after.reset_after()
    }
}

/// The permits were refused, and nothing was spent.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Denied {
    /// Nanoseconds; `None` if no wait helps.
    pub(crate) wait: Option<NonZeroU64>,
    pub(crate) now: Snapshot,
    /// The index of the quota that refused.
    pub(crate) by: u8,
}

impl Denied {
    /// How long to wait: with no other traffic the same request is denied at every earlier instant
    /// and admitted at that one. `None` if it never will be: it asks for more than the
    /// [limit](Self::limit), or that instant is past the last [`Timestamp`](crate::Timestamp).
    ///
    /// Never zero. It counts from the clock reading that decided: the time given, or for the
    /// methods that read the clock at most [`Clock::max_lag`](crate::clock::Clock::max_lag) before
    /// the call. To send it in whole seconds, round up.
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

    /// Which quota refused: 0, or for [two quotas](crate::algorithm::Both) 0 or 1. If both did, the
    /// one that refuses for longer.
    ///
    /// ```
    /// use casgate::{FixedWindow, Limiter, Quota, Timestamp, TokenBucket};
    /// let limiter = Limiter::both(
    ///     TokenBucket::new(Quota::per_second(10)),
    ///     FixedWindow::new(Quota::per_hour(15)),
    /// );
    /// let now = Timestamp::ZERO;
    /// assert!(limiter.check_n_at(10, now).is_ok());
    /// assert_eq!(limiter.check_n_at(5, now).unwrap_err().refused_by(), 0);
    /// assert_eq!(limiter.check_n_at(6, now).unwrap_err().refused_by(), 1);
    /// ```
    #[must_use]
    pub const fn refused_by(&self) -> usize {
        self.by as usize
    }

    /// Whether waiting helps, and for at most `lag`. Compared in nanoseconds: a `Duration` would
    /// cost two divisions on the path of every refusal.
    #[inline]
    pub(crate) fn is_within(&self, lag: Duration) -> bool {
        self.wait.is_some_and(|wait| u128::from(wait.get()) <= lag.as_nanos())
    }

    /// The permits of a full limiter.
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

    /// The permits that a smaller request could still have.
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

    /// How long until the limiter is full again, with no other traffic.
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
        let limit = self.limit();
        match self.retry_after() {
            Some(wait) => write!(f, "rate limit of {limit} reached, retry in {wait:?}"),
            None => write!(f, "request can never fit the rate limit of {limit}"),
        }
    }
}

impl core::error::Error for Denied {}
