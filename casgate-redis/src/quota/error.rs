use crate::protocol::{LeaseQuotaError, WindowQuotaError};
use core::fmt;
use core::time::Duration;

/// Why a fleet cannot keep a [`FleetQuota`](super::FleetQuota).
///
/// ```
/// use casgate::Quota;
/// use casgate_redis::{Fleet, FleetQuota, FleetQuotaError};
/// use std::time::Duration;
///
/// let fleet = Fleet::connect("redis://127.0.0.1/")?;
/// let quota = FleetQuota::rate(Quota::per_second(100)).lifetime(Duration::from_millis(1));
/// let error = fleet.limiter("api", quota).unwrap_err();
/// assert_eq!(error, FleetQuotaError::LifetimeTooShort);
/// assert_eq!(error.to_string(), "a lease must live for 10ms at least");
/// # Ok::<(), casgate_redis::StoreError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FleetQuotaError {
    /// The lifetime is less than 10 ms.
    LifetimeTooShort,
    /// No leases can be made at that rate.
    Rate(LeaseQuotaError),
    /// No leases can be made in such windows.
    Window(WindowQuotaError),
}

impl FleetQuotaError {
    pub(super) const SHORTEST: Duration = Duration::from_millis(10);
}

impl From<LeaseQuotaError> for FleetQuotaError {
    fn from(error: LeaseQuotaError) -> Self {
        Self::Rate(error)
    }
}

impl From<WindowQuotaError> for FleetQuotaError {
    fn from(error: WindowQuotaError) -> Self {
        Self::Window(error)
    }
}

impl fmt::Display for FleetQuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LifetimeTooShort => {
                write!(f, "a lease must live for {:?} at least", Self::SHORTEST)
            }
            Self::Rate(error @ LeaseQuotaError::BurstTooSmall { .. }) => {
                write!(f, "{error}; a FleetQuota::window needs no burst")
            }
            Self::Rate(error) => error.fmt(f),
            Self::Window(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FleetQuotaError {}
