use core::fmt;

/// Why a [`Quota`](crate::Quota) cannot be made.
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
    /// The quota has no permits. Denying everything needs no limiter.
    ZeroPermits,
    /// The period is zero.
    ZeroPeriod,
    /// The period is longer than 2⁶¹ ns (73 years).
    PeriodTooLong,
    /// The quota has more permits than its period has nanoseconds.
    TooFast,
    /// The burst is zero. Nothing would ever be admitted.
    ZeroBurst,
    /// The burst takes longer than 2⁶¹ ns (73 years) to refill.
    BurstTooLong,
    /// The burst is above the limit of a [strict window](crate::Quota::at_most).
    BurstAboveLimit,
}

impl QuotaError {
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::ZeroPermits => "a quota needs at least one permit",
            Self::ZeroPeriod => "a quota needs a period longer than zero",
            Self::PeriodTooLong => "a quota's period cannot exceed 73 years (2^61 ns)",
            Self::TooFast => "a quota faster than one permit per nanosecond cannot be represented",
            Self::ZeroBurst => "a quota needs a burst of at least one permit",
            Self::BurstAboveLimit => "a strict window's burst cannot exceed its limit",
            Self::BurstTooLong => {
                "a quota's burst cannot take longer than 73 years (2^61 ns) to refill"
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
