use core::time::Duration;

/// An instant of the server's clock: whole microseconds since 1970.
///
/// It doesn't compare with [`casgate::Timestamp`], which is an instant of the holder's clock. The
/// protocol never compares the two. Values end at 2⁵³ − 1, the largest that a number in the
/// server's scripts can distinguish from its neighbour.
///
/// ```
/// use casgate_redis::protocol::ServerTime;
/// assert_eq!(ServerTime::from_micros(7).as_micros(), 7);
/// assert_eq!(ServerTime::from_micros(u64::MAX), ServerTime::MAX);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerTime(u64);

impl ServerTime {
    /// The origin, 1970.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::ServerTime::ZERO.as_micros(), 0);
    /// ```
    pub const ZERO: Self = Self(0);

    /// The last instant. The scripts are exact until the year 2112, which is half of it.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::ServerTime::MAX.as_micros(), (1 << 53) - 1);
    /// ```
    pub const MAX: Self = Self((1 << 53) - 1);

    /// Makes the instant `micros` microseconds after 1970, saturating.
    ///
    /// ```
    /// assert!(casgate_redis::protocol::ServerTime::from_micros(1).as_micros() > 0);
    /// ```
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        if micros < Self::MAX.0 { Self(micros) } else { Self::MAX }
    }

    /// Returns the microseconds since 1970.
    ///
    /// ```
    /// assert_eq!(casgate_redis::protocol::ServerTime::from_micros(5).as_micros(), 5);
    /// ```
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Returns the time since `earlier`, or zero.
    ///
    /// ```
    /// use casgate_redis::protocol::ServerTime;
    /// let (a, b) = (ServerTime::from_micros(3), ServerTime::from_micros(5));
    /// assert_eq!(b.since(a).as_micros(), 2);
    /// assert_eq!(a.since(b).as_micros(), 0);
    /// ```
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}
