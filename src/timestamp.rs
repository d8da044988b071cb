use core::ops::Add;
use core::time::Duration;

/// An instant: whole nanoseconds since the origin of the clock that read it.
///
/// 64 bits reach 584 years past the origin. Every conversion and sum saturates there; none panics
/// or wraps. Timestamps of clocks with different origins don't compare.
///
/// ```
/// use casgate::Timestamp;
/// use std::time::Duration;
///
/// let t = Timestamp::from_millis(1_500);
/// assert_eq!(t, Timestamp::from_secs(1) + Duration::from_millis(500));
/// assert_eq!(t.as_nanos(), 1_500_000_000);
/// assert_eq!(Timestamp::from_secs(u64::MAX), Timestamp::MAX);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The origin of the clock.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::ZERO.as_nanos(), 0);
    /// ```
    pub const ZERO: Self = Self(0);

    /// The last instant that can be told, 584 years after the origin.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::MAX.as_nanos(), u64::MAX);
    /// ```
    pub const MAX: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the origin.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::from_nanos(7).as_nanos(), 7);
    /// ```
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant `micros` microseconds after the origin, saturating.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::from_micros(7).as_nanos(), 7_000);
    /// ```
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// The instant `millis` milliseconds after the origin, saturating.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::from_millis(7).as_nanos(), 7_000_000);
    /// ```
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// The instant `secs` seconds after the origin, saturating.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::from_secs(7).as_nanos(), 7_000_000_000);
    /// ```
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the origin.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::from_secs(2).as_nanos(), 2_000_000_000);
    /// ```
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this instant is: zero if it is not after it.
    ///
    /// ```
    /// use casgate::Timestamp;
    /// use std::time::Duration;
    ///
    /// let (a, b) = (Timestamp::from_secs(1), Timestamp::from_secs(3));
    /// assert_eq!(b.saturating_duration_since(a), Duration::from_secs(2));
    /// assert_eq!(a.saturating_duration_since(b), Duration::ZERO);
    /// ```
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Saturates at [`Timestamp::MAX`].
impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, delay: Duration) -> Self {
        let nanos = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}
