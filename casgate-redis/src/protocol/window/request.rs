use super::WindowQuota;
use crate::protocol::MOST;

/// Permits that a holder gives back, unspent.
///
/// The holder has stopped spending them before it sends this, and never spends them after, whatever
/// the reply. Sent again with the same sequence number, it has no second effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Returned {
    /// How many permits.
    pub permits: u32,
    /// The window of their lease.
    pub window: u64,
    /// The number of this return among the holder's: 1 at first, and larger with each. Below 2⁵³.
    pub sequence: u64,
}

/// What a holder asks the window script for.
///
/// ```
/// use casgate_redis::protocol::{Returned, WindowRequest};
/// let back = Returned { permits: 5, window: 20_000, sequence: 1 };
/// let request = WindowRequest::new(100, 7).among(3).returning(back);
/// assert_eq!((request.want(), request.holder(), request.holders()), (100, 7, 3));
/// assert_eq!(request.returned(), Some(back));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowRequest {
    want: u32,
    least: u32,
    holder: u64,
    holders: u32,
    returned: Option<Returned>,
}

impl WindowRequest {
    /// Asks for up to `want` permits for `holder`: a number that no other holder has or had, so a
    /// random one. A holder that starts again takes another.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::WindowRequest::new(5, 7).want(), 5);
    /// ```
    #[must_use]
    pub const fn new(want: u32, holder: u64) -> Self {
        Self { want, least: 0, holder, holders: 1, returned: None }
    }

    /// Asks for `least` permits or more, or none. Wants as many, if it wanted fewer.
    ///
    /// ```
    /// use casgate_redis::protocol::WindowRequest;
    /// assert_eq!(WindowRequest::new(1, 7).at_least(3).want(), 3);
    /// ```
    #[must_use]
    pub const fn at_least(mut self, least: u32) -> Self {
        self.least = least;
        if self.want < least {
            self.want = least;
        }
        self
    }

    /// Reports about how many holders there are. It makes leases smaller, and changes no bound.
    /// Zero counts as one.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::WindowRequest::new(5, 7).among(0).holders(), 1);
    /// ```
    #[must_use]
    pub const fn among(mut self, holders: u32) -> Self {
        self.holders = if holders == 0 { 1 } else { holders };
        self
    }

    /// Returns permits as well.
    ///
    /// ```
    /// use casgate_redis::protocol::{Returned, WindowRequest};
    /// let back = Returned { permits: 5, window: 20_000, sequence: 1 };
    /// assert!(WindowRequest::new(0, 7).returning(back).returned().is_some());
    /// ```
    #[must_use]
    pub fn returning(mut self, mut returned: Returned) -> Self {
        // The server cannot tell larger numbers apart.
        returned.window = returned.window.min(MOST);
        returned.sequence = returned.sequence.min(MOST);
        self.returned = Some(returned);
        self
    }

    /// Returns how many permits are wanted.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::WindowRequest::new(5, 7).want(), 5);
    /// ```
    #[must_use]
    pub const fn want(&self) -> u32 {
        self.want
    }

    /// Returns how few permits are of use.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::WindowRequest::new(5, 7).least(), 0);
    /// ```
    #[must_use]
    pub const fn least(&self) -> u32 {
        self.least
    }

    /// Returns the number of the holder.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::WindowRequest::new(5, 7).holder(), 7);
    /// ```
    #[must_use]
    pub const fn holder(&self) -> u64 {
        self.holder
    }

    /// Returns how many holders there are, about.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::WindowRequest::new(5, 7).holders(), 1);
    /// ```
    #[must_use]
    pub const fn holders(&self) -> u32 {
        self.holders
    }

    /// Returns what is given back.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::WindowRequest::new(5, 7).returned(), None);
    /// ```
    #[must_use]
    pub const fn returned(&self) -> Option<Returned> {
        self.returned
    }

    /// Returns the arguments of [`Script::WINDOW`](crate::protocol::Script::WINDOW), to be sent as
    /// decimal numbers.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_redis::protocol::{WindowQuota, WindowRequest};
    /// let quota = WindowQuota::new(Quota::per_second(1_000))?;
    /// let arguments = WindowRequest::new(60, 7).arguments(&quota);
    /// assert_eq!(arguments, [1_000_000, 1_000, 60, 1, 7, 0, 0, 0, 0]);
    /// # Ok::<(), casgate_redis::protocol::WindowQuotaError>(())
    /// ```
    #[must_use]
    pub fn arguments(&self, quota: &WindowQuota) -> [u64; 9] {
        let (permits, window, sequence) =
            self.returned.map_or((0, 0, 0), |r| (r.permits.into(), r.window, r.sequence));
        [
            quota.length(),
            quota.quota().permits().into(),
            self.want.into(),
            self.holders.into(),
            self.holder,
            permits,
            window,
            sequence,
            self.least.into(),
        ]
    }
}
