use core::fmt;
use core::ops::{Add, AddAssign, Sub, SubAssign};
use core::time::Duration;

/// An instant: whole nanoseconds since the origin of the clock that read it.
///
/// 64 bits reach 584 years past the origin. Operators and conversions saturate at both ends; none
/// panics or wraps. The `checked_…` methods return `None` instead. Timestamps of clocks with
/// different origins don't compare.
///
/// ```
/// use casgate::Timestamp;
/// use std::time::Duration;
///
/// let t = Timestamp::from_millis(1_500);
/// assert_eq!(t, Timestamp::from_secs(1) + Duration::from_millis(500));
/// assert_eq!(t - Timestamp::from_secs(1), Duration::from_millis(500));
/// assert_eq!(t.as_nanos(), 1_500_000_000);
/// assert_eq!(t.to_string(), "1.5s");
/// assert_eq!(Timestamp::from_secs(u64::MAX), Timestamp::MAX);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

const NANOS_PER_MICRO: u64 = 1_000;
const NANOS_PER_MILLI: u64 = 1_000_000;
const NANOS_PER_SEC: u64 = 1_000_000_000;

impl Timestamp {
    /// The origin of the clock.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::ZERO.as_nanos(), 0);
    /// ```
    pub const ZERO: Self = Self(0);

    /// The last instant that a timestamp can represent, 584 years after the origin.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::MAX.as_nanos(), u64::MAX);
    /// ```
    pub const MAX: Self = Self(u64::MAX);

    /// Makes the instant `nanos` nanoseconds after the origin.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::from_nanos(7).as_nanos(), 7);
    /// ```
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Makes the instant `micros` microseconds after the origin, saturating.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::from_micros(7).as_nanos(), 7_000);
    /// ```
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(NANOS_PER_MICRO))
    }

    /// Makes the instant `millis` milliseconds after the origin, saturating.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::from_millis(7).as_nanos(), 7_000_000);
    /// ```
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(NANOS_PER_MILLI))
    }

    /// Makes the instant `secs` seconds after the origin, saturating.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::from_secs(7).as_nanos(), 7_000_000_000);
    /// ```
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// Returns the nanoseconds since the origin.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::from_secs(2).as_nanos(), 2_000_000_000);
    /// ```
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the whole microseconds since the origin, rounded down.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::from_nanos(2_999).as_micros(), 2);
    /// ```
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0 / NANOS_PER_MICRO
    }

    /// Returns the whole milliseconds since the origin, rounded down.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::from_micros(2_999).as_millis(), 2);
    /// ```
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / NANOS_PER_MILLI
    }

    /// Returns the whole seconds since the origin, rounded down.
    ///
    /// ```
    /// assert_eq!(casgate::Timestamp::from_millis(2_999).as_secs(), 2);
    /// ```
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / NANOS_PER_SEC
    }

    /// Returns how long after `earlier` this instant is: zero if it is not after it.
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

    /// Returns how long after `earlier` this instant is, or `None` if it is before it.
    ///
    /// ```
    /// use casgate::Timestamp;
    /// use std::time::Duration;
    ///
    /// let (a, b) = (Timestamp::from_secs(1), Timestamp::from_secs(3));
    /// assert_eq!(b.checked_duration_since(a), Some(Duration::from_secs(2)));
    /// assert_eq!(a.checked_duration_since(b), None);
    /// ```
    #[must_use]
    pub const fn checked_duration_since(self, earlier: Self) -> Option<Duration> {
        match self.0.checked_sub(earlier.0) {
            Some(nanos) => Some(Duration::from_nanos(nanos)),
            None => None,
        }
    }

    /// Returns the instant `delay` later, or `None` if it is past [`MAX`](Self::MAX).
    ///
    /// ```
    /// use casgate::Timestamp;
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// assert_eq!(Timestamp::ZERO.checked_add(second), Some(Timestamp::from_secs(1)));
    /// assert_eq!(Timestamp::MAX.checked_add(second), None);
    /// ```
    #[must_use]
    pub const fn checked_add(self, delay: Duration) -> Option<Self> {
        let nanos = delay.as_nanos();
        if nanos > u64::MAX as u128 {
            return None;
        }
        match self.0.checked_add(nanos as u64) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// Returns the instant `delay` earlier, or `None` if it is before the origin.
    ///
    /// ```
    /// use casgate::Timestamp;
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// assert_eq!(Timestamp::from_secs(1).checked_sub(second), Some(Timestamp::ZERO));
    /// assert_eq!(Timestamp::ZERO.checked_sub(second), None);
    /// ```
    #[must_use]
    pub const fn checked_sub(self, delay: Duration) -> Option<Self> {
        let nanos = delay.as_nanos();
        if nanos > u64::MAX as u128 {
            return None;
        }
        match self.0.checked_sub(nanos as u64) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// Returns the instant `delay` later, at most [`MAX`](Self::MAX). In a `const` this stands for
    /// `+`.
    ///
    /// ```
    /// use casgate::Timestamp;
    /// use std::time::Duration;
    ///
    /// const START: Timestamp = Timestamp::ZERO.saturating_add(Duration::from_secs(1));
    /// assert_eq!(START, Timestamp::from_secs(1));
    /// ```
    #[must_use]
    pub const fn saturating_add(self, delay: Duration) -> Self {
        match self.checked_add(delay) {
            Some(later) => later,
            None => Self::MAX,
        }
    }

    /// Returns the instant `delay` earlier, at least [`ZERO`](Self::ZERO). In a `const` this stands
    /// for `-`.
    ///
    /// ```
    /// use casgate::Timestamp;
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// assert_eq!(Timestamp::from_millis(300).saturating_sub(second), Timestamp::ZERO);
    /// ```
    #[must_use]
    pub const fn saturating_sub(self, delay: Duration) -> Self {
        match self.checked_sub(delay) {
            Some(earlier) => earlier,
            None => Self::ZERO,
        }
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

/// Saturates at [`Timestamp::MAX`].
impl AddAssign<Duration> for Timestamp {
    fn add_assign(&mut self, delay: Duration) {
        *self = *self + delay;
    }
}

/// Saturates at [`Timestamp::ZERO`].
impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, delay: Duration) -> Self {
        self.saturating_sub(delay)
    }
}

/// Saturates at [`Timestamp::ZERO`].
impl SubAssign<Duration> for Timestamp {
    fn sub_assign(&mut self, delay: Duration) {
        *self = *self - delay;
    }
}

/// Returns how long after the other instant this one is. Saturates at zero: see
/// [`checked_duration_since`](Timestamp::checked_duration_since).
impl Sub for Timestamp {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

/// Seconds since the origin, with as many decimals as the nanoseconds need: `12.345s`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, mut fraction) = (self.as_secs(), self.0 % NANOS_PER_SEC);
        if fraction == 0 {
            return write!(f, "{secs}s");
        }
        let mut digits = 9;
        while fraction % 10 == 0 {
            (fraction, digits) = (fraction / 10, digits - 1);
        }
        write!(f, "{secs}.{fraction:0digits$}s")
    }
}
