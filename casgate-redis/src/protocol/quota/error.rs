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
/// assert_eq!(error, LeaseQuotaError::BurstTooSmall { least: 11 });
/// assert_eq!(error.to_string(), "the burst is too small: leases of this lifetime need 11 or more");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeaseQuotaError {
    /// The lifetime is at most a microsecond, which is how precise the server's clock is.
    LifetimeTooShort,
    /// `burst − rate · lifetime`, which is what Redis may grant at once, is less than a permit. At a
    /// burst of one that is so with every lifetime. Take a larger burst or a shorter lifetime.
    BurstTooSmall {
        /// The least burst for leases at that rate, with that lifetime.
        least: u64,
    },
    /// The numbers are too large for the exact arithmetic of the script.
    /// [`LeaseQuota`](super::LeaseQuota) says which.
    Inexact,
}

impl fmt::Display for LeaseQuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LifetimeTooShort => {
                f.write_str("a lease needs a lifetime longer than a microsecond")
            }
            Self::BurstTooSmall { least } => {
                write!(f, "the burst is too small: leases of this lifetime need {least} or more")
            }
            Self::Inexact => {
                f.write_str("the product of permits and burst is too large for exact leases")
            }
        }
    }
}

impl core::error::Error for LeaseQuotaError {}
