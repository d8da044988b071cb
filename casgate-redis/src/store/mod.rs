//! Where the leases come from.

#[cfg(feature = "cluster")]
mod cluster;
mod error;
mod opening;
mod redis;

#[cfg(feature = "cluster")]
pub use self::cluster::ClusterStore;
pub use self::error::{Cause, StoreError};
pub use self::redis::RedisStore;

use crate::protocol::Script;
use core::any::Any;
use core::time::Duration;

/// A server that runs the scripts of the [protocol](crate::protocol): Redis, Valkey, or another in
/// its place.
///
/// One thread calls it. Each call may run twice or late: that strands permits, and grants none
/// twice. So a store may send a call again when a connection breaks.
///
/// ```
/// use casgate::{Limit, Quota};
/// use casgate_redis::protocol::{Script, ServerTime, State};
/// use casgate_redis::{Call, Fleet, Store, StoreError};
/// use std::time::Duration;
///
/// /// A store that is down.
/// struct Down;
///
/// impl Store for Down {
///     fn call(
///         &mut self,
///         _: &[Call<'_>],
///         _: Duration,
///     ) -> Result<Vec<Result<Vec<i64>, StoreError>>, StoreError> {
///         Err(StoreError::new(casgate_redis::Cause::Unreachable, "it is down"))
///     }
/// }
///
/// let limiter = Fleet::over(Down).limiter("api", Quota::per_second(100))?;
/// assert!(limiter.check().is_err());
/// # Ok::<(), casgate_redis::FleetQuotaError>(())
/// ```
pub trait Store: Send + 'static {
    /// Runs all scripts, and returns the reply to each in order. Takes at most about `timeout`. A
    /// panic is a failure of all calls.
    ///
    /// A reply after the timeout must not be taken for that to a later call.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] for all calls, if the server gave no replies. An error of a single call
    /// stands in its place.
    fn call(
        &mut self,
        calls: &[Call<'_>],
        timeout: Duration,
    ) -> Result<Vec<Result<Vec<i64>, StoreError>>, StoreError>;
}

/// What a panic said, in one line.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A script to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The script.
    pub script: Script,
    /// Its key.
    pub key: &'a str,
    /// Its arguments, to be sent as decimal numbers.
    pub arguments: &'a [i64],
}
