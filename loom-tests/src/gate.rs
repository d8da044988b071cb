//! What a scenario attacks.

use casgate::algorithm::{Adjustable, Both, Weighted};
use casgate::testing::History;
use casgate::{
    Admitted, Denied, FixedWindow, Limiter, Quota, SlidingWindow, Snapshot, Timestamp, TokenBucket,
};

/// A limiter, right or wrong.
pub trait Gate: Send + Sync + 'static {
    /// Whether its tickets count permits, leaving none out.
    const GAP_FREE: bool = false;

    /// A gate nobody has asked yet. Inside a model: its atomics are the model checker's.
    fn with_quota(quota: Quota) -> Self;

    /// Decides on `n` permits at `now`.
    ///
    /// # Errors
    ///
    /// If they are denied.
    fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied>;

    /// What is left at `now`.
    fn peek_at(&self, now: Timestamp) -> Snapshot;

    /// The whole history is explained by the rule, one call after another. Of a gate that has no rule by
    /// itself nothing is asked.
    ///
    /// # Panics
    ///
    /// If it is not.
    fn assert_explained(_quota: Quota, _history: &History) {}
}

/// A gate that takes permits back.
pub trait GiveBack: Gate {
    /// Makes the gate full.
    fn reset(&self);

    /// Takes `n` permits back.
    fn refund(&self, n: u32);
}

macro_rules! gate {
    ($rule:ty, $new:expr, $gap_free:literal, $check:expr $(, $word_rule:ty)?) => {
        impl Gate for Limiter<$rule> {
            const GAP_FREE: bool = $gap_free;

            fn with_quota(quota: Quota) -> Self {
                let new: fn(Quota) -> Self = $new;
                new(quota)
            }

            fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
                let check: fn(&Self, u32, Timestamp) -> Result<Admitted, Denied> = $check;
                check(self, n, now)
            }

            fn peek_at(&self, now: Timestamp) -> Snapshot {
                Limiter::peek_at(self, now)
            }

            $(fn assert_explained(quota: Quota, history: &History) {
                // Inside a model there is no common time.
                #[cfg(casgate_loom)]
                history.assert_sequentially_consistent(&<$word_rule>::new(quota));
                #[cfg(not(casgate_loom))]
                history.assert_linearizable(&<$word_rule>::new(quota));
            })?
        }
    };
}

gate!(
    FixedWindow,
    Limiter::fixed_window,
    true,
    |gate, n, now| gate.check_n_at(n, now),
    FixedWindow
);
gate!(
    TokenBucket,
    Limiter::token_bucket,
    false,
    |gate, n, now| gate.check_n_at(n, now),
    TokenBucket
);
gate!(SlidingWindow, Limiter::sliding_window, true, |gate, n, now| {
    assert_eq!(n, 1, "a sliding window takes one permit at a time");
    gate.check_at(now)
});

gate!(
    Both<TokenBucket, FixedWindow>,
    |quota| Limiter::both(TokenBucket::new(quota), FixedWindow::new(quota)),
    false,
    |gate, n, now| gate.check_n_at(n, now)
);
gate!(Adjustable<TokenBucket>, Limiter::adjustable_token_bucket, false, |gate, n, now| gate
    .check_n_at(n, now));
gate!(Adjustable<FixedWindow>, Limiter::adjustable_fixed_window, true, |gate, n, now| gate
    .check_n_at(n, now));

impl<A: Weighted> GiveBack for Limiter<A>
where
    Self: Gate,
{
    fn reset(&self) {
        Limiter::<A>::reset(self);
    }

    fn refund(&self, n: u32) {
        Limiter::<A>::refund_n(self, n);
    }
}

/// A gate with two quotas.
pub trait TwoQuotas: Send + Sync + 'static {
    /// A gate nobody has asked yet.
    fn with_quotas(first: Quota, second: Quota) -> Self;

    /// Asks for `n` permits at `now`.
    fn is_allowed(&self, n: u32, now: Timestamp) -> bool;
}

impl TwoQuotas for Limiter<Both<TokenBucket, FixedWindow>> {
    fn with_quotas(first: Quota, second: Quota) -> Self {
        Self::both(TokenBucket::new(first), FixedWindow::new(second))
    }

    fn is_allowed(&self, n: u32, now: Timestamp) -> bool {
        self.check_n_at(n, now).is_ok()
    }
}

/// A gate whose quota can be set.
pub trait SetQuota: Gate {
    /// Sets it at the instant 0.
    fn set_quota(&self, quota: Quota);
}

impl SetQuota for Limiter<Adjustable<FixedWindow>> {
    fn set_quota(&self, quota: Quota) {
        self.set_quota_at(quota, Timestamp::ZERO);
    }
}

impl SetQuota for Limiter<Adjustable<TokenBucket>> {
    fn set_quota(&self, quota: Quota) {
        self.set_quota_at(quota, Timestamp::ZERO);
    }
}
