use crate::protocol::reply_error::numbers;
use crate::protocol::{Lease, ReplyError};
use casgate::Timestamp;
use core::time::Duration;

/// The window script's reply.
///
/// ```
/// use casgate_redis::protocol::WindowGrant;
/// let grant = WindowGrant::from_reply(&[3, 20_000, 500, 7])?;
/// assert_eq!((grant.permits, grant.window, grant.left), (3, 20_000, 7));
/// # Ok::<(), casgate_redis::protocol::ReplyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowGrant {
    /// How many permits are granted. Zero is a denial.
    pub permits: u32,
    /// The window that they are of.
    pub window: u64,
    /// How long after the reply the window ends.
    pub ends_in: Duration,
    /// How many permits the window has left.
    pub left: u32,
}

impl WindowGrant {
    /// Reads a reply: `[granted, window, time until its end, left]`.
    ///
    /// ```
    /// assert!(casgate_redis::protocol::WindowGrant::from_reply(&[3]).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// A [`ReplyError`] if the numbers are not four, or any is out of range.
    pub fn from_reply(reply: &[i64]) -> Result<Self, ReplyError> {
        let [permits, window, ends_in, left] = numbers(reply)?;
        let small = |n| u32::try_from(n).map_err(|_| ReplyError::new());
        Ok(Self {
            permits: small(permits)?,
            window,
            ends_in: Duration::from_micros(ends_in),
            left: small(left)?,
        })
    }

    /// Makes the lease, of a request that was sent at `sent` by the holder's monotonic clock. It
    /// ends with the window, or earlier by as long as the request was on its way.
    ///
    /// ```
    /// use casgate::Timestamp;
    /// use casgate_redis::protocol::WindowGrant;
    /// let grant = WindowGrant::from_reply(&[3, 20_000, 500, 7])?;
    /// let lease = grant.lease(Timestamp::from_micros(1_000));
    /// assert_eq!(lease.ends(), Timestamp::from_micros(1_500));
    /// # Ok::<(), casgate_redis::protocol::ReplyError>(())
    /// ```
    #[must_use]
    pub fn lease(&self, sent: Timestamp) -> Lease {
        Lease::new(self.permits, sent, self.ends_in)
    }
}
