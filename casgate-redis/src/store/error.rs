use core::fmt;

/// Why a store could not grant a lease.
///
/// ```
/// use casgate_redis::{Cause, StoreError};
/// let error = StoreError::new(Cause::Authentication, "WRONGPASS invalid username-password pair");
/// assert_eq!(error.cause(), Cause::Authentication);
/// assert_eq!(error.to_string(), "the store denies access: WRONGPASS invalid username-password pair");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    cause: Cause,
    detail: String,
}

/// What kind of failure it is.
///
/// ```
/// assert_eq!(casgate_redis::Cause::ReadOnly.to_string(), "the store is a read-only replica");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// No reply came in time.
    Timeout,
    /// There is no connection, or it broke.
    Unreachable,
    /// Wrong user or password, or no permission for the command (`WRONGPASS`, `NOAUTH`, `NOPERM`).
    Authentication,
    /// A replica was asked to write (`READONLY`): a failover is under way, or the address is wrong.
    ReadOnly,
    /// The server reads its data, or runs a script that does not end (`LOADING`, `BUSY`).
    Busy,
    /// The server has no memory left (`OOM`).
    OutOfMemory,
    /// Fewer replicas have the write than asked for (`NOREPLICAS`, or `WAIT`).
    Replicas,
    /// The cluster cannot serve the key (`CLUSTERDOWN`, `MASTERDOWN`, `TRYAGAIN`, `MOVED`).
    Cluster,
    /// The memory for keys is full of keys that [must be kept](crate::FleetKeyed#memory).
    Full,
    /// Something else, which the text explains.
    Other,
}

impl StoreError {
    /// Makes an error of a store. The text is what it said.
    ///
    /// ```
    /// # use casgate_redis::{Cause, StoreError};
    /// assert_eq!(StoreError::new(Cause::Timeout, "").to_string(), "the store does not answer");
    /// ```
    #[must_use]
    pub fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self { cause, detail: detail.into() }
    }

    /// Returns the kind of failure.
    ///
    /// ```
    /// # use casgate_redis::{Cause, StoreError};
    /// assert_eq!(StoreError::new(Cause::Timeout, "").cause(), Cause::Timeout);
    /// ```
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.cause
    }
}

impl Cause {
    /// Whether this is what a server said, or what was said for one that did not.
    pub(crate) const fn is_reply(self) -> bool {
        !matches!(self, Self::Timeout | Self::Unreachable)
    }

    /// Whether a store may have this of one key while it grants leases of others: an ACL, a key of
    /// another type, or one server of several that does not answer.
    pub(crate) const fn may_be_of_key(self) -> bool {
        !matches!(self, Self::ReadOnly | Self::Busy | Self::OutOfMemory | Self::Replicas)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "the store does not answer",
            Self::Unreachable => "the store cannot be reached",
            Self::Authentication => "the store denies access",
            Self::ReadOnly => "the store is a read-only replica",
            Self::Busy => "the store is busy",
            Self::OutOfMemory => "the store has no memory left",
            Self::Replicas => "the store has too few replicas",
            Self::Cluster => "the store's cluster cannot serve the key",
            Self::Full => "no place is free for a new key",
            Self::Other => "the store failed",
        })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl core::error::Error for StoreError {}
