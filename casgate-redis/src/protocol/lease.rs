use casgate::Timestamp;
use core::time::Duration;

/// Permits in the hands of a holder, which may spend them until a deadline.
///
/// The deadline is by the holder's own monotonic clock. Spending needs a precise timestamp: one
/// that is late lets permits be spent as much after the deadline. A lease is not `Clone`: a copy
/// would spend its permits twice.
///
/// ```
/// use casgate::Timestamp;
/// use casgate_redis::protocol::Lease;
/// use std::time::Duration;
///
/// let mut lease = Lease::new(2, Timestamp::ZERO, Duration::from_millis(100));
/// let now = Timestamp::from_millis(10);
/// assert!(lease.spend(2, now));
/// assert!(!lease.spend(1, now));
/// ```
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    permits: u32,
    ends: Timestamp,
}

impl Lease {
    /// Makes a lease of so many permits, which ends `lifetime` after the instant at which its
    /// request was sent.
    ///
    /// ```
    /// # use casgate::Timestamp;
    /// # use casgate_redis::protocol::Lease;
    /// # use std::time::Duration;
    /// let lease = Lease::new(2, Timestamp::from_millis(5), Duration::from_millis(100));
    /// assert_eq!(lease.ends(), Timestamp::from_millis(105));
    /// ```
    #[must_use]
    pub fn new(permits: u32, sent: Timestamp, lifetime: Duration) -> Self {
        Self { permits, ends: sent + lifetime }
    }

    /// Returns the deadline: the first instant at which the lease is over.
    ///
    /// ```
    /// # use casgate::Timestamp;
    /// # use casgate_redis::protocol::Lease;
    /// # use std::time::Duration;
    /// assert_eq!(Lease::new(2, Timestamp::ZERO, Duration::from_secs(1)).ends(), Timestamp::from_secs(1));
    /// ```
    #[must_use]
    pub const fn ends(&self) -> Timestamp {
        self.ends
    }

    /// Returns the permits that can be spent at `now`.
    ///
    /// ```
    /// # use casgate::Timestamp;
    /// # use casgate_redis::protocol::Lease;
    /// # use std::time::Duration;
    /// let lease = Lease::new(2, Timestamp::ZERO, Duration::from_secs(1));
    /// assert_eq!(lease.left(Timestamp::ZERO), 2);
    /// assert_eq!(lease.left(Timestamp::from_secs(1)), 0);
    /// ```
    #[must_use]
    pub fn left(&self, now: Timestamp) -> u32 {
        if now < self.ends { self.permits } else { 0 }
    }

    /// Spends `permits` at `now`, and returns whether the lease had so many. If not, it changes
    /// nothing.
    ///
    /// ```
    /// # use casgate::Timestamp;
    /// # use casgate_redis::protocol::Lease;
    /// # use std::time::Duration;
    /// let mut lease = Lease::new(2, Timestamp::ZERO, Duration::from_secs(1));
    /// assert!(!lease.spend(3, Timestamp::ZERO));
    /// assert!(lease.spend(2, Timestamp::ZERO));
    /// ```
    #[must_use]
    pub fn spend(&mut self, permits: u32, now: Timestamp) -> bool {
        let enough = permits <= self.left(now);
        if enough {
            self.permits -= permits;
        }
        enough
    }
}
