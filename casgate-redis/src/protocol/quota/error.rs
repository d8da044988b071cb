use core::fmt;

/// Why a [`LeaseQuota`](super::LeaseQuota) cannot be made.
///
/// ```
/// use casgate::Quota;
/// use casgate_redis::protocol::{LeaseQuota, LeaseQuotaError};
/// use std::time::Duration;
///
/// // Ten permits refill in 100 ms, which is as many as the burst.
/// let quota = Quota::per_second(100).with_burst(10);
/// let error = LeaseQuota::new(quota, Duration::from_millis(100)).unwrap_err();
/// assert_eq!(error, LeaseQuotaError::BurstTooSmall);
/// assert_eq!(error.to_string(), "the burst must exceed by a permit what refills while a lease lives");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeaseQuotaError {
    /// The lifetime is at most a microsecond, which is how precise the server's clock is.
    LifetimeTooShort,
    /// `burst − rate · lifetime`, which is what Redis may grant at once, is less than a permit.
    /// Take a shorter lifetime or a larger burst.
    BurstTooSmall,
    /// The numbers are too large for the exact arithmetic of the script.
    /// [`LeaseQuota`](super::LeaseQuota) says which.
    Inexact,
}

impl fmt::Display for LeaseQuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LifetimeTooShort => "a lease needs a lifetime longer than a microsecond",
            Self::BurstTooSmall => {
                "the burst must exceed by a permit what refills while a lease lives"
            }
            Self::Inexact => "the product of permits and burst is too large for exact leases",
        })
    }
}

impl core::error::Error for LeaseQuotaError {}
