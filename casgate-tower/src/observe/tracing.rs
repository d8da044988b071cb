use super::{Event, Observer, Outcome};
use casgate::{KeyedLimiter, Quota};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes denials as events of [`tracing`](::tracing): for each policy and outcome at most one in
/// ten seconds, so that a flood of requests is no flood of lines.
///
/// The event has the level `WARN`, or `INFO` if the policy is in shadow for the request. It has the
/// fields `policy`, `result`, `unwritten` and `key`. `unwritten` is how many events were left out
/// since the last one, of all policies. `key` stands for a key that was denied: a
/// [hash](Event::key_hash), since a key can be an address or a secret. Admitted requests are not
/// written.
///
/// ```
/// use casgate::Quota;
/// use casgate_tower::RateLimitLayer;
/// use casgate_tower::observe::Tracing;
///
/// let layer = RateLimitLayer::per_client(Quota::per_minute(60), 1_000).observer(Tracing::new());
/// # drop(layer);
/// ```
pub struct Tracing {
    pace: KeyedLimiter,
    unwritten: AtomicU64,
}

impl Tracing {
    /// Writes at most one event in ten seconds for each policy and outcome.
    #[must_use]
    pub fn new() -> Self {
        Self::at_most(Quota::per_minute(6).with_burst(1))
    }

    /// Writes so many events for each policy and outcome.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::observe::Tracing;
    /// let seldom = Tracing::at_most(Quota::per_hour(1));
    /// # drop(seldom);
    /// ```
    ///
    /// # Panics
    ///
    /// If the quota is none that a [`KeyedLimiter`] can have.
    #[must_use]
    pub fn at_most(quota: Quota) -> Self {
        const POLICIES_AND_OUTCOMES: usize = 255 * Outcome::ALL.len();
        Self {
            pace: KeyedLimiter::token_bucket(quota, POLICIES_AND_OUTCOMES),
            unwritten: AtomicU64::new(0),
        }
    }
}

impl Default for Tracing {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Tracing {
    fn observe(&self, event: &Event<'_>) {
        let outcome = event.outcome();
        if matches!(outcome, Outcome::Admitted | Outcome::Exempt | Outcome::Cancelled) {
            return;
        }
        // Relaxed: only a number.
        if !self.pace.is_allowed(&(event.policy(), outcome)) {
            self.unwritten.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let (policy, result) = (event.policy().as_str(), outcome.as_str());
        let unwritten = self.unwritten.swap(0, Ordering::Relaxed);
        let key = event.key_hash().map(Hex);
        let key = key.as_ref().map(tracing::field::display);
        if event.is_in_shadow() {
            tracing::info!(policy, result, unwritten, key, "rate limit in shadow");
        } else {
            tracing::warn!(policy, result, unwritten, key, "rate limit");
        }
    }
}

struct Hex(u64);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Tracing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracing").finish_non_exhaustive()
    }
}
