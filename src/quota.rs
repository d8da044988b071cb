mod at_most;

pub use at_most::{AtMost, StrictQuota};

use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};
use core::time::Duration;

/// How much is allowed: a number of permits per period, and how many of them may come at once.
///
/// A quota is a ratio of two integers and is never rounded: three per second is not one per
/// 333,333,333 ns. It can be as fast as one permit per nanosecond, and its period as long as 73
/// years (2⁶¹ ns), which is also the longest that the [burst](Self::with_burst) may take to come
/// back. Every rule can keep every quota.
///
/// ```
/// use casgate::Quota;
/// use std::time::Duration;
///
/// const API: Quota = Quota::per_minute(600);
/// assert_eq!(API.permits(), 600);
/// assert_eq!(API.period(), Duration::from_secs(60));
/// ```
///
/// A quota of zero does not compile in a `const` or a `static`:
///
/// ```compile_fail
/// const NOTHING: casgate::Quota = casgate::Quota::per_second(0);
/// # fn main() { let _ = NOTHING; }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    permits: NonZeroU32,
    burst: NonZeroU32,
    period: NonZeroU64,
}

/// The longest period, and the longest that a burst may take to come back: 2⁶¹ ns.
const LONGEST: u64 = 1 << 61;

impl Quota {
    /// `permits` per second.
    ///
    /// ```
    /// assert_eq!(casgate::Quota::per_second(5).permits(), 5);
    /// ```
    ///
    /// # Panics
    ///
    /// If `permits` is zero or above 10⁹ (one per nanosecond). In a `const` that is a compile error.
    #[must_use]
    pub const fn per_second(permits: u32) -> Self {
        Self::per_seconds(permits, 1)
    }

    /// `permits` per minute.
    ///
    /// ```
    /// assert_eq!(casgate::Quota::per_minute(5).period().as_secs(), 60);
    /// ```
    ///
    /// # Panics
    ///
    /// If `permits` is zero. In a `const` that is a compile error.
    #[must_use]
    pub const fn per_minute(permits: u32) -> Self {
        Self::per_seconds(permits, 60)
    }

    /// `permits` per hour.
    ///
    /// ```
    /// assert_eq!(casgate::Quota::per_hour(5).period().as_secs(), 3_600);
    /// ```
    ///
    /// # Panics
    ///
    /// If `permits` is zero. In a `const` that is a compile error.
    #[must_use]
    pub const fn per_hour(permits: u32) -> Self {
        Self::per_seconds(permits, 3_600)
    }

    /// `permits` per day of 86,400 seconds.
    ///
    /// ```
    /// assert_eq!(casgate::Quota::per_day(5).period().as_secs(), 86_400);
    /// ```
    ///
    /// # Panics
    ///
    /// If `permits` is zero. In a `const` that is a compile error.
    #[must_use]
    pub const fn per_day(permits: u32) -> Self {
        Self::per_seconds(permits, 86_400)
    }

    const fn per_seconds(permits: u32, secs: u64) -> Self {
        Self::literal(permits, Duration::from_secs(secs))
    }

    /// [`new`](Self::new), for a quota in the source.
    pub(crate) const fn literal(permits: u32, period: Duration) -> Self {
        match Self::new(permits, period) {
            Ok(quota) => quota,
            Err(error) => panic!("{}", error.message()),
        }
    }

    /// `permits` per `period`, for quotas that come from configuration.
    ///
    /// ```
    /// use casgate::{Quota, QuotaError};
    /// use std::time::Duration;
    ///
    /// assert!(Quota::new(3, Duration::from_millis(250)).is_ok());
    /// assert_eq!(Quota::new(0, Duration::from_secs(1)), Err(QuotaError::ZeroPermits));
    /// ```
    ///
    /// # Errors
    ///
    /// A [`QuotaError`] if either is zero, if the period is longer than 2⁶¹ ns (73 years), or if the
    /// quota is faster than one permit per nanosecond.
    pub const fn new(permits: u32, period: Duration) -> Result<Self, QuotaError> {
        let Some(permits) = NonZeroU32::new(permits) else {
            return Err(QuotaError::ZeroPermits);
        };
        if period.as_nanos() > LONGEST as u128 {
            return Err(QuotaError::PeriodTooLong);
        }
        let Some(period) = NonZeroU64::new(period.as_nanos() as u64) else {
            return Err(QuotaError::ZeroPeriod);
        };
        if permits.get() as u64 > period.get() {
            return Err(QuotaError::TooFast);
        }
        Ok(Self { permits, burst: permits, period })
    }

    /// The same rate with another burst: how many permits a limiter admits at once when nobody has
    /// asked for long. Unless set, it is [`permits`](Self::permits).
    ///
    /// The [token bucket](crate::TokenBucket) heeds it. A fixed or sliding window has no burst apart
    /// from its limit, and disregards it.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::token_bucket(Quota::per_minute(600).with_burst(20));
    /// assert!(limiter.check_n_at(20, Timestamp::ZERO).is_ok());
    /// assert!(limiter.check_at(Timestamp::ZERO).is_err());
    /// ```
    ///
    /// # Panics
    ///
    /// If `burst` is zero, or takes longer than 2⁶¹ ns (73 years) to come back. In a `const` that
    /// is a compile error.
    #[must_use]
    pub const fn with_burst(self, burst: u32) -> Self {
        match self.try_with_burst(burst) {
            Ok(quota) => quota,
            Err(error) => panic!("{}", error.message()),
        }
    }

    /// [`with_burst`](Self::with_burst), for quotas that come from configuration.
    ///
    /// ```
    /// use casgate::{Quota, QuotaError};
    /// assert_eq!(Quota::per_day(1).try_with_burst(20)?.burst(), 20);
    /// assert_eq!(Quota::per_day(1).try_with_burst(0), Err(QuotaError::ZeroBurst));
    /// assert_eq!(Quota::per_day(1).try_with_burst(30_000), Err(QuotaError::BurstTooLong));
    /// # Ok::<(), QuotaError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`QuotaError`] if `burst` is zero, or takes longer than 2⁶¹ ns (73 years) to come back.
    pub const fn try_with_burst(self, burst: u32) -> Result<Self, QuotaError> {
        let Some(burst) = NonZeroU32::new(burst) else {
            return Err(QuotaError::ZeroBurst);
        };
        // burst · period / permits ≤ LONGEST, without the division.
        let needed = burst.get() as u128 * self.period.get() as u128;
        if needed > LONGEST as u128 * self.permits.get() as u128 {
            return Err(QuotaError::BurstTooLong);
        }
        Ok(Self { burst, ..self })
    }

    /// Permits per [period](Self::period).
    ///
    /// ```
    /// assert_eq!(casgate::Quota::per_hour(5).permits(), 5);
    /// ```
    #[must_use]
    pub const fn permits(&self) -> u32 {
        self.permits.get()
    }

    /// How many permits may come at once: [`permits`](Self::permits) unless
    /// [set](Self::with_burst).
    ///
    /// ```
    /// assert_eq!(casgate::Quota::per_hour(5).burst(), 5);
    /// assert_eq!(casgate::Quota::per_hour(5).with_burst(2).burst(), 2);
    /// ```
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst.get()
    }

    /// The period in which [permits](Self::permits) are allowed.
    ///
    /// ```
    /// assert_eq!(casgate::Quota::per_hour(5).period().as_secs(), 3_600);
    /// ```
    #[must_use]
    pub const fn period(&self) -> Duration {
        Duration::from_nanos(self.period.get())
    }

    /// The period in nanoseconds: at least 1, and at least [permits](Self::permits).
    pub(crate) const fn period_nanos(&self) -> NonZeroU64 {
        self.period
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quota({} per {:?}", self.permits, self.period())?;
        if self.burst != self.permits {
            write!(f, ", burst {}", self.burst)?;
        }
        f.write_str(")")
    }
}

/// Why a [`Quota`] was refused.
///
/// ```
/// use casgate::{Quota, QuotaError};
/// use std::time::Duration;
///
/// let error = Quota::new(2, Duration::from_nanos(1)).unwrap_err();
/// assert_eq!(error, QuotaError::TooFast);
/// assert_eq!(error.to_string(), "a quota faster than one permit per nanosecond cannot be represented");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QuotaError {
    /// No permits at all: to refuse everything needs no limiter.
    ZeroPermits,
    /// A period of no time.
    ZeroPeriod,
    /// A period above 2⁶¹ ns, which is 73 years.
    PeriodTooLong,
    /// More permits than the period has nanoseconds.
    TooFast,
    /// No burst at all: nothing would ever be admitted.
    ZeroBurst,
    /// A burst that takes more than 2⁶¹ ns, which is 73 years, to come back.
    BurstTooLong,
    /// A burst above the limit of a [strict window](Quota::at_most).
    BurstAboveLimit,
}

impl QuotaError {
    const fn message(self) -> &'static str {
        match self {
            Self::ZeroPermits => "a quota needs at least one permit",
            Self::ZeroPeriod => "a quota needs a period longer than zero",
            Self::PeriodTooLong => "a quota's period cannot exceed 73 years (2^61 ns)",
            Self::TooFast => "a quota faster than one permit per nanosecond cannot be represented",
            Self::ZeroBurst => "a quota needs a burst of at least one permit",
            Self::BurstAboveLimit => "a strict window's burst cannot exceed its limit",
            Self::BurstTooLong => {
                "a quota's burst cannot take longer than 73 years (2^61 ns) to come back"
            }
        }
    }
}

impl fmt::Display for QuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for QuotaError {}
