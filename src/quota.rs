mod at_most;
mod error;
mod parse_error;
mod text;

pub use at_most::{AtMost, StrictQuota};
pub use error::QuotaError;
pub use parse_error::{ParseQuotaError, ParseQuotaErrorKind};
#[cfg(feature = "serde")]
pub(crate) use text::parse_period;

use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};
use core::time::Duration;

/// How much is allowed: a number of permits per period, and how many a limiter admits at once.
///
/// A quota is a ratio of two integers and is never rounded: three per second is not one per
/// 333,333,333 ns. A quota is at most as fast as one permit per nanosecond. Its period is at most
/// 73 years (2⁶¹ ns), and so is the time in which the [burst](Self::with_burst) refills.
///
/// Every algorithm of a [`Limiter`](crate::Limiter) accepts every quota. A
/// [`KeyedLimiter`](crate::KeyedLimiter) rejects some: quotas faster than one permit per 500 ns,
/// and windows or refills of the burst longer than two years. [`KeyedError`](crate::KeyedError)
/// says exactly which, and the `try_…` constructors return it.
///
/// A quota is also a text, in configuration files for instance. See
/// [`FromStr`](#impl-FromStr-for-Quota) for the form and [`Display`](#impl-Display-for-Quota) for
/// its shortest.
///
/// ```
/// use casgate::Quota;
/// use std::time::Duration;
///
/// const API: Quota = Quota::per_minute(600);
/// assert_eq!(API.permits(), 600);
/// assert_eq!(API.period(), Duration::from_secs(60));
/// assert_eq!("600/min".parse(), Ok(API));
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

/// The longest period, and the longest refill of a burst: 2⁶¹ ns.
const LONGEST: u64 = 1 << 61;

impl Quota {
    /// Makes a quota of `permits` per second.
    ///
    /// ```
    /// assert_eq!(casgate::Quota::per_second(5).permits(), 5);
    /// ```
    ///
    /// # Panics
    ///
    /// If `permits` is zero or above 10⁹ (one per nanosecond). In a `const` that is a compile
    /// error.
    #[must_use]
    pub const fn per_second(permits: u32) -> Self {
        Self::per_seconds(permits, 1)
    }

    /// Makes a quota of `permits` per minute.
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

    /// Makes a quota of `permits` per hour.
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

    /// Makes a quota of `permits` per day of 86,400 seconds.
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

    /// Makes a quota of `permits` per `period`, which may come from configuration.
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
    /// A [`QuotaError`] if either is zero, if the period is longer than 2⁶¹ ns (73 years), or if
    /// the quota is faster than one permit per nanosecond.
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

    /// Returns the same rate with another burst. The burst is how many permits a limiter admits at
    /// once after a long pause. Unless set, it is [`permits`](Self::permits).
    ///
    /// A [token bucket](crate::TokenBucket) keeps it. A fixed or sliding window has no burst apart
    /// from its limit, and ignores it.
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
    /// If `burst` is zero, or takes longer than 2⁶¹ ns (73 years) to refill. In a `const` that is a
    /// compile error.
    #[must_use]
    pub const fn with_burst(self, burst: u32) -> Self {
        match self.try_with_burst(burst) {
            Ok(quota) => quota,
            Err(error) => panic!("{}", error.message()),
        }
    }

    /// Returns the same rate with another burst, which may come from configuration. See
    /// [`with_burst`](Self::with_burst).
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
    /// A [`QuotaError`] if `burst` is zero, or takes longer than 2⁶¹ ns (73 years) to refill.
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

    /// Returns the permits per [period](Self::period).
    ///
    /// ```
    /// assert_eq!(casgate::Quota::per_hour(5).permits(), 5);
    /// ```
    #[must_use]
    pub const fn permits(&self) -> u32 {
        self.permits.get()
    }

    /// Returns how many permits a limiter admits at once: [`permits`](Self::permits) unless
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

    /// Returns the period in which [permits](Self::permits) are allowed.
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

/// Makes a quota of so many permits per period. See [`Quota::new`] for the errors.
///
/// ```
/// use casgate::Quota;
/// use std::time::Duration;
/// assert_eq!(Quota::try_from((5, Duration::from_secs(1))), Ok(Quota::per_second(5)));
/// ```
impl TryFrom<(u32, Duration)> for Quota {
    type Error = QuotaError;

    fn try_from((permits, period): (u32, Duration)) -> Result<Self, QuotaError> {
        Self::new(permits, period)
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
