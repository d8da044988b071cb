//! What a scenario attacks.

use casgate::{Admitted, Denied, Limiter, Quota, Snapshot, Timestamp};

/// A limiter, right or wrong.
pub trait Gate: Send + Sync + 'static {
    /// A gate nobody has asked yet. Inside a model: its atomics are the model checker's.
    fn with_quota(quota: Quota) -> Self;

    /// Decides on `n` permits at `now`.
    ///
    /// # Errors
    ///
    /// If they are refused.
    fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied>;

    /// What is left at `now`.
    fn peek_at(&self, now: Timestamp) -> Snapshot;

    /// Makes the gate full.
    fn reset(&self);
}

impl Gate for Limiter {
    fn with_quota(quota: Quota) -> Self {
        Limiter::fixed_window(quota)
    }

    fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
        Limiter::check_n_at(self, n, now)
    }

    fn peek_at(&self, now: Timestamp) -> Snapshot {
        Limiter::peek_at(self, now)
    }

    fn reset(&self) {
        Limiter::reset(self);
    }
}
