use casgate::Quota;
use core::fmt;

/// A quota of the fleet for each aligned window: so many permits per day, for instance.
///
/// Windows are aligned to 1970, by the server's clock: days begin at midnight UTC. The burst of the
/// quota has no effect.
///
/// ```
/// use casgate::Quota;
/// use casgate_redis::protocol::WindowQuota;
/// assert!(WindowQuota::new(Quota::per_day(1_000)).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowQuota {
    quota: Quota,
}

impl WindowQuota {
    /// Makes a quota for windows as long as the quota's period.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_redis::protocol::WindowQuota;
    /// use std::time::Duration;
    ///
    /// let error = WindowQuota::new(Quota::new(1, Duration::from_nanos(1_500)).unwrap()).unwrap_err();
    /// assert_eq!(error.to_string(), "a window of the fleet must be whole microseconds");
    /// ```
    ///
    /// # Errors
    ///
    /// A [`WindowQuotaError`] if the period is not whole microseconds.
    pub fn new(quota: Quota) -> Result<Self, WindowQuotaError> {
        if quota.period().as_nanos().is_multiple_of(1_000) {
            Ok(Self { quota })
        } else {
            Err(WindowQuotaError(()))
        }
    }

    /// Returns the quota.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_redis::protocol::WindowQuota;
    /// assert_eq!(WindowQuota::new(Quota::per_day(5))?.quota().permits(), 5);
    /// # Ok::<(), casgate_redis::protocol::WindowQuotaError>(())
    /// ```
    #[must_use]
    pub const fn quota(&self) -> Quota {
        self.quota
    }

    /// The length of a window in microseconds: 2⁵² at most.
    pub(super) const fn length(&self) -> u64 {
        self.quota.period().as_micros() as u64
    }
}

/// The period of a quota is not whole microseconds, so the server cannot distinguish its windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowQuotaError(());

impl fmt::Display for WindowQuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a window of the fleet must be whole microseconds")
    }
}

impl core::error::Error for WindowQuotaError {}
