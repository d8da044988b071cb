use super::quota::ROUNDING;
use super::reply_error::numbers;
use super::{Lease, LeaseQuota, ReplyError, Request, ServerTime};
use casgate::Timestamp;
use core::time::Duration;

/// The lease script's reply.
///
/// ```
/// use casgate_redis::protocol::{Grant, ServerTime};
///
/// // 3 permits; the TAT and the clock; epoch 9, 2 holders; the state was there.
/// let grant = Grant::from_reply(&[3, 5_000, 2_000, 9, 2, 0])?;
/// assert_eq!(grant.permits, 3);
/// assert_eq!(grant.tat, ServerTime::from_micros(5_000));
/// # Ok::<(), casgate_redis::protocol::ReplyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grant {
    /// How many permits are granted. Zero is a denial.
    pub permits: u32,
    /// The TAT: the holder [carries](Request::carrying) it in its next request.
    pub tat: ServerTime,
    /// The server's clock.
    pub now: ServerTime,
    /// The epoch: the holder [reports](Request::counted_in) it in its next request.
    pub epoch: u64,
    /// About how many holders there are: the more of this epoch and the last. Each holder counts
    /// from its first reply, and one that starts again or has lost a reply counts twice.
    pub holders: u32,
    /// Whether the server had no state of the limit. On a limit in use, that is a loss of data.
    pub state_missing: bool,
}

impl Grant {
    /// Reads a reply: `[granted, TAT, now, epoch, holders, state missing]`.
    ///
    /// ```
    /// use casgate_redis::protocol::Grant;
    /// assert!(Grant::from_reply(&[0, 5_000, 2_000, 9, 2, 1])?.state_missing);
    /// assert!(Grant::from_reply(&[-1, 5_000, 2_000, 9, 2, 1]).is_err());
    /// # Ok::<(), casgate_redis::protocol::ReplyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`ReplyError`] if the numbers are not six, or any is out of range.
    pub fn from_reply(reply: &[i64]) -> Result<Self, ReplyError> {
        let [permits, tat, now, epoch, holders, missing] = numbers(reply)?;
        if missing > 1 {
            return Err(ReplyError::new());
        }
        let small = |n| u32::try_from(n).map_err(|_| ReplyError::new());
        Ok(Self {
            permits: small(permits)?,
            tat: ServerTime::from_micros(tat),
            now: ServerTime::from_micros(now),
            epoch,
            holders: small(holders)?,
            state_missing: missing == 1,
        })
    }

    /// Makes the lease, of a request that was sent at `sent` by the holder's monotonic clock.
    ///
    /// The lease ends a lifetime after that instant, less a microsecond: the server rounds its
    /// clock down. Take the instant just *before* sending, and never that of the reply. A reply
    /// that comes later makes a lease that is over.
    ///
    /// ```
    /// use casgate::{Quota, Timestamp};
    /// use casgate_redis::protocol::{Grant, LeaseQuota};
    /// use std::time::Duration;
    ///
    /// let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100))?;
    /// let grant = Grant::from_reply(&[3, 5_000, 2_000, 9, 2, 0])?;
    /// let lease = grant.lease(Timestamp::from_millis(20), &quota);
    /// assert_eq!(lease.left(Timestamp::from_millis(119)), 3);
    /// assert_eq!(lease.left(Timestamp::from_millis(120)), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn lease(&self, sent: Timestamp, quota: &LeaseQuota) -> Lease {
        Lease::new(self.permits, sent, quota.lifetime() - ROUNDING)
    }

    /// Returns the holder's next request, which carries what this reply has said.
    ///
    /// ```
    /// use casgate_redis::protocol::Grant;
    /// let grant = Grant::from_reply(&[3, 5_000, 2_000, 9, 2, 0])?;
    /// assert_eq!(grant.next(50).counted(), Some(9));
    /// # Ok::<(), casgate_redis::protocol::ReplyError>(())
    /// ```
    #[must_use]
    pub const fn next(&self, want: u32) -> Request {
        Request::new(want).carrying(self.tat).counted_in(self.epoch)
    }

    /// Returns how long after this reply the server has `permits`, or `None` if it never has so
    /// many at once.
    ///
    /// It is exact by the server's clock, if no other request is granted in between: the server
    /// denies them at every earlier instant and grants them at that one.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_redis::protocol::{LeaseQuota, Request, ServerTime, State};
    /// use std::time::Duration;
    ///
    /// let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100))?;
    /// let (_, grant) = State::grant(None, &quota, &Request::new(900), ServerTime::ZERO);
    /// assert_eq!(grant.permits, 900);
    /// assert_eq!(grant.retry_after(&quota, 3), Some(Duration::from_millis(3)));
    /// assert_eq!(grant.retry_after(&quota, 901), None);
    /// # Ok::<(), casgate_redis::protocol::LeaseQuotaError>(())
    /// ```
    #[must_use]
    pub fn retry_after(&self, quota: &LeaseQuota, permits: u32) -> Option<Duration> {
        if permits > quota.burst() {
            return None;
        }
        let ready = self.tat.as_micros() + quota.interval.cost(permits.into());
        Some(ServerTime::from_micros(ready.saturating_sub(quota.tau)).since(self.now))
    }

    /// The permits that the server had left.
    pub(crate) fn left(&self, quota: &LeaseQuota) -> u32 {
        let ahead = self.tat.as_micros().saturating_sub(self.now.as_micros());
        let left = quota.interval.worth(quota.tau.saturating_sub(ahead));
        left.try_into().unwrap_or(u32::MAX)
    }
}
