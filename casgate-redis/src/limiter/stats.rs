use std::sync::atomic::AtomicU64;

/// What a limiter has done in this process, since it was made.
///
/// ```
/// use casgate::Quota;
/// use casgate_redis::{Fleet, FleetStats};
/// let limiter = Fleet::connect("redis://127.0.0.1/")?.limiter("api", Quota::per_second(100))?;
/// assert_eq!(limiter.stats(), FleetStats::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FleetStats {
    /// Requests to the store.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    /// Permits that were leased.
    pub leased: u64,
    /// How often the store had lost the state of the limit, as far as this process could see.
    pub losses: u64,
    /// Permits that were admitted from the [share](crate::OnUnavailable::share) of this process.
    pub shared: u64,
    /// Permits that were [allowed](crate::OnUnavailable::allow) without a bound.
    pub allowed: u64,
    /// Permits that were denied because the store did not answer.
    pub unavailable: u64,
}

/// What is counted of that as replies come.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) calls: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) leased: AtomicU64,
    pub(super) losses: AtomicU64,
}
