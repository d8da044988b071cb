use crate::store::Cause;
use casgate::{Denied, Snapshot};
use core::fmt;
use core::time::Duration;

/// Why a request was not admitted.
///
/// ```
/// use casgate_redis::{FleetLimiter, NotAdmitted};
///
/// fn status(limiter: &FleetLimiter) -> u16 {
///     match limiter.check() {
///         Ok(_) => 200,
///         Err(NotAdmitted::Denied(_)) => 429,
///         Err(NotAdmitted::Unavailable(_)) => 503,
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotAdmitted {
    /// The limit is reached.
    Denied(Denied),
    /// The store does not answer, and the limit [says](crate::FleetQuota::on_unavailable) to deny
    /// then.
    Unavailable(Unavailable),
}

/// The store does not answer, so it is unknown whether the limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unavailable {
    pub(crate) retry_after: Duration,
    pub(crate) cause: Cause,
    pub(crate) permits: u32,
    pub(crate) limit: u32,
}

impl Unavailable {
    /// No place is free for a new key.
    pub(crate) const fn full() -> Self {
        Self { retry_after: Duration::from_secs(1), cause: Cause::Full, permits: 1, limit: 1 }
    }

    /// Returns how long until the store is asked again. Never zero.
    ///
    /// ```no_run
    /// # fn of(unavailable: casgate_redis::Unavailable) {
    /// assert!(!unavailable.retry_after().is_zero());
    /// # }
    /// ```
    #[must_use]
    pub const fn retry_after(&self) -> Duration {
        self.retry_after
    }

    /// Returns how the store failed last.
    ///
    /// ```no_run
    /// # fn of(unavailable: casgate_redis::Unavailable) {
    /// eprintln!("{}", unavailable.cause());
    /// # }
    /// ```
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.cause
    }
}

impl NotAdmitted {
    /// Returns how long to wait, or `None` if no wait helps.
    ///
    /// ```no_run
    /// # fn of(not_admitted: casgate_redis::NotAdmitted) {
    /// match not_admitted.retry_after() {
    ///     Some(wait) => println!("try again in {wait:?}"),
    ///     None => println!("so many are never admitted together"),
    /// }
    /// # }
    /// ```
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Denied(denied) => denied.retry_after(),
            Self::Unavailable(unavailable) => Some(unavailable.retry_after),
        }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the limit is unavailable, for {}; retry in {:?}", self.cause, self.retry_after)
    }
}

impl fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denied) => denied.fmt(f),
            Self::Unavailable(unavailable) => unavailable.fmt(f),
        }
    }
}

impl core::error::Error for Unavailable {}
impl core::error::Error for NotAdmitted {}

/// For code that takes any limiter's answer: the reason is then
/// [`Unavailable`](casgate::Reason::Unavailable).
impl From<Unavailable> for Denied {
    fn from(unavailable: Unavailable) -> Self {
        let Unavailable { retry_after, permits, limit, .. } = unavailable;
        Self::new(permits, Snapshot::new(limit, 0, retry_after), Some(retry_after)).unavailable()
    }
}

impl From<NotAdmitted> for Denied {
    fn from(not_admitted: NotAdmitted) -> Self {
        match not_admitted {
            NotAdmitted::Denied(denied) => denied,
            NotAdmitted::Unavailable(unavailable) => unavailable.into(),
        }
    }
}
