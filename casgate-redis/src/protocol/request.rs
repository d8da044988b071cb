use super::{LeaseQuota, ServerTime, StateLoss};

/// What a holder asks the lease script for.
///
/// It may be sent again, and it may run twice or late: each run can only grant permits that nobody
/// spends.
///
/// ```
/// use casgate_redis::protocol::Request;
/// let request = Request::new(100).at_least(10);
/// assert_eq!((request.want(), request.least()), (100, 10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    want: u32,
    least: u32,
    carried: ServerTime,
    counted: Option<u64>,
}

impl Request {
    /// Asks for up to `want` permits, by a holder that has had no reply yet. Zero permits only
    /// look.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::Request::new(5).want(), 5);
    /// ```
    #[must_use]
    pub const fn new(want: u32) -> Self {
        Self { want, least: 0, carried: ServerTime::ZERO, counted: None }
    }

    /// Asks for up to `want` permits instead.
    ///
    /// ```
    /// use casgate_redis::protocol::Request;
    /// assert_eq!(Request::new(1).wanting(3), Request::new(3));
    /// ```
    #[must_use]
    pub const fn wanting(mut self, want: u32) -> Self {
        self.want = want;
        self
    }

    /// Asks for `least` permits or more, or none. Wants as many, if it wanted fewer.
    ///
    /// ```
    /// use casgate_redis::protocol::Request;
    /// assert_eq!(Request::new(1).at_least(3).want(), 3);
    /// ```
    #[must_use]
    pub const fn at_least(mut self, least: u32) -> Self {
        self.least = least;
        if self.want < least {
            self.want = least;
        }
        self
    }

    /// Carries the TAT of the last reply that the holder saw, so that a server that lost it has it
    /// again.
    ///
    /// It is the last one, and never the largest. A server whose clock stepped back would else deny
    /// until the clock has caught up. [`ServerTime::MAX`] stands for an empty bucket: for a holder
    /// that spent permits without a lease.
    ///
    /// ```
    /// use casgate_redis::protocol::{Request, ServerTime};
    /// let tat = ServerTime::from_micros(5);
    /// assert_eq!(Request::new(1).carrying(tat).carried(), tat);
    /// ```
    #[must_use]
    pub const fn carrying(mut self, tat: ServerTime) -> Self {
        self.carried = tat;
        self
    }

    /// Reports the epoch of the last reply, so that each epoch counts its holder once.
    ///
    /// ```
    /// use casgate_redis::protocol::Request;
    /// assert_eq!(Request::new(1).counted_in(7).counted(), Some(7));
    /// ```
    #[must_use]
    pub const fn counted_in(mut self, epoch: u64) -> Self {
        self.counted = Some(epoch);
        self
    }

    /// Returns how many permits are wanted.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::Request::new(5).want(), 5);
    /// ```
    #[must_use]
    pub const fn want(&self) -> u32 {
        self.want
    }

    /// Returns how few permits are of use.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::Request::new(5).least(), 0);
    /// ```
    #[must_use]
    pub const fn least(&self) -> u32 {
        self.least
    }

    /// Returns the TAT that is carried.
    ///
    /// ```
    /// use casgate_redis::protocol::{Request, ServerTime};
    /// assert_eq!(Request::new(5).carried(), ServerTime::ZERO);
    /// ```
    #[must_use]
    pub const fn carried(&self) -> ServerTime {
        self.carried
    }

    /// Returns the epoch in which the holder was counted.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::Request::new(5).counted(), None);
    /// ```
    #[must_use]
    pub const fn counted(&self) -> Option<u64> {
        self.counted
    }

    /// Returns the arguments of [`Script::LEASE`](super::Script::LEASE), to be sent as decimal
    /// numbers.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_redis::protocol::{LeaseQuota, Request};
    /// use std::time::Duration;
    ///
    /// let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100))?;
    /// let arguments = Request::new(60).arguments(&quota);
    /// assert_eq!(arguments, [1_000, 0, 1, 900_000, 900, 50, 200_000, 0, 0, 60, 0, 0, -1]);
    /// # Ok::<(), casgate_redis::protocol::LeaseQuotaError>(())
    /// ```
    #[must_use]
    pub fn arguments(&self, quota: &LeaseQuota) -> [i64; 13] {
        // All are below 2⁵³, but for the epoch: one that no server returned is as good as none.
        let counted = self.counted.and_then(|epoch| i64::try_from(epoch).ok()).unwrap_or(-1);
        let interval = quota.interval;
        [
            interval.whole as i64,
            interval.part as i64,
            interval.denominator as i64,
            quota.tau as i64,
            quota.burst().into(),
            quota.fair().into(),
            quota.epoch() as i64,
            (quota.state_loss() == StateLoss::StartEmpty).into(),
            quota.kept() as i64,
            self.want.into(),
            self.least.into(),
            self.carried.as_micros() as i64,
            counted,
        ]
    }
}
