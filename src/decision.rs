mod denied;
mod reason;

pub use denied::Denied;
#[cfg(feature = "alloc")]
pub(crate) use denied::TABLE;
#[cfg(feature = "wait")]
pub(crate) use denied::rounded_up;
pub use reason::Reason;

use crate::timestamp::Timestamp;
use core::time::Duration;

/// The numbers that every answer carries, at the instant of the answer.
///
/// ```
/// use casgate::{Limiter, Quota, Snapshot, Timestamp};
///
/// let limiter = Limiter::token_bucket(Quota::per_second(4));
/// let seen: Snapshot = limiter.peek_at(Timestamp::ZERO);
/// assert_eq!((seen.remaining(), seen.limit()), (4, 4));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset_after: u64,
}

impl Snapshot {
    /// Makes an answer of a limiter that is not of this crate. A time longer than 584 years counts
    /// as 584 years.
    ///
    /// ```
    /// use casgate::Snapshot;
    /// use std::time::Duration;
    /// assert_eq!(Snapshot::new(5, 2, Duration::from_secs(3)).remaining(), 2);
    /// ```
    #[must_use]
    pub const fn new(limit: u32, remaining: u32, reset_after: Duration) -> Self {
        Self { limit, remaining, reset_after: nanos(reset_after) }
    }

    /// Returns the permits of a full limiter.
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

    /// Returns the permits that would be admitted at this instant.
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

    /// Returns how long until the limiter is full again, with no other traffic: zero if it is full.
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

/// The request was admitted and its permits are spent.
///
/// The numbers are computed without reading the limiter again. The compiler leaves out those that
/// the caller does not read.
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
    /// The permits that were asked for, and the timestamp.
    pub(crate) permits: u32,
    pub(crate) at: Timestamp,
    pub(crate) after: Snapshot,
}

impl Admitted {
    /// Makes an admission by a limiter that is not of this crate: of so many permits at that
    /// timestamp, by its own [`ticket`](Self::ticket).
    ///
    /// ```
    /// use casgate::{Admitted, Snapshot, Timestamp};
    /// use std::time::Duration;
    /// let after = Snapshot::new(5, 2, Duration::from_secs(3));
    /// assert_eq!(Admitted::new(3, Timestamp::ZERO, 7, after).remaining(), 2);
    /// ```
    #[must_use]
    pub const fn new(permits: u32, at: Timestamp, ticket: u64, after: Snapshot) -> Self {
        Self { ticket, permits, at, after }
    }

    /// Returns the place of this admission in the limiter's own order.
    ///
    /// Tickets of a [`Limiter`](crate::Limiter) are unique and grow strictly in the order in which
    /// it admitted, as long as nothing is given back. Permits that are given back
    /// ([`refund`](crate::Limiter::refund), [`reset`](crate::Limiter::reset),
    /// [`cancel`](crate::Reservation::cancel), a [`lease`](crate::Limiter::lease) that ends) are
    /// handed out again, and so are tickets. After [`set_quota`](crate::Limiter::set_quota), and
    /// after [charges](crate::Limiter::charge) beyond the last timestamp that the algorithm can
    /// represent, they are not unique either. A request for zero permits takes no ticket: it
    /// reports that of a change before it.
    ///
    /// Those of a [`KeyedLimiter`](crate::KeyedLimiter) are also unique for one key, as long as it
    /// stays in one tier and the table is not cleared. A tier without a limit has none: it reports 0.
    ///
    /// A limiter with permits in several cells has none: it reports 0.
    ///
    /// Those of a [fixed window](crate::FixedWindow) are consecutive within a window: a request for
    /// `n` permits takes `n` of them and reports the last. The other algorithms leave gaps.
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

    /// Returns the permits that were spent.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(9));
    /// assert_eq!(limiter.check_n_at(4, Timestamp::ZERO)?.permits(), 4);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    #[must_use]
    pub const fn permits(&self) -> u32 {
        self.permits
    }

    /// Returns the same admission of fewer permits, to refund a part of it: at most as many as were
    /// spent.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(9));
    /// let estimated = limiter.check_n_at(4, Timestamp::ZERO)?;
    /// limiter.refund(&estimated.part(3)); // it cost 1
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 8);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// Its other numbers stay as they are.
    #[must_use]
    pub const fn part(mut self, permits: u32) -> Self {
        if permits < self.permits {
            self.permits = permits;
        }
        self
    }

    /// Returns the timestamp at which they count: that of the request or, after a wait, the instant
    /// at which they were ready.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(9));
    /// assert_eq!(limiter.check_at(Timestamp::from_secs(7))?.at(), Timestamp::from_secs(7));
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns the permits of a full limiter.
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

    /// Returns the permits left after this admission.
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

    /// Returns how long until the limiter is full again, with no other traffic.
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

/// In nanoseconds, saturating.
pub(crate) const fn nanos(duration: Duration) -> u64 {
    let nanos = duration.as_nanos();
    if nanos > u64::MAX as u128 { u64::MAX } else { nanos as u64 }
}
