//! Reports what happens in a layer: to metrics, to traces, to a live page.
//!
//! An [`Observer`] gets the [`Outcome`] of each policy's decision. It is called on the path of the
//! request, after the decision, so it must not wait. Without one the compiler leaves the calls out.
//!
//! ```
//! use casgate::Quota;
//! use casgate_tower::observe::{Event, Observer, Outcome};
//! use casgate_tower::{Policy, RateLimitLayer};
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! #[derive(Default)]
//! struct Denials(AtomicU64);
//!
//! impl Observer for Denials {
//!     fn observe(&self, event: &Event<'_>) {
//!         if event.outcome() == Outcome::Denied {
//!             self.0.fetch_add(event.cost().into(), Ordering::Relaxed);
//!         }
//!     }
//! }
//!
//! let denials = Arc::new(Denials::default());
//! let layer = RateLimitLayer::new(Policy::global(Quota::per_second(100))).observer(Arc::clone(&denials));
//! # drop(layer);
//! ```
//!
//! | [`Outcome`] | in metrics | the request |
//! |---|---|---|
//! | `Admitted` | `admitted` | passed |
//! | `Denied` | `denied` | was denied, and a later one can pass |
//! | `Never` | `never` | asks for more than the policy ever admits |
//! | `ShadowDenied` | `shadow_denied` | would have been denied, and passed |
//! | `Exempt` | `exempt` | passed uncharged |
//! | `Cancelled` | `cancelled` | was dropped while it waited |
//! | `QueueFull` | `queue_full` | was denied since too many waited |
//! | `Timeout` | `timeout` | was denied since its permits would have come too late |
//! | `MissingKey` | `missing_key` | had no key |
//! | `Unavailable` | `unavailable` | found that the limiter could not be asked |
//!
//! In a stack only the policies that deny a request report it. The others were charged nothing.

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "opentelemetry")]
mod opentelemetry;
#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "metrics")]
pub use metrics::Metrics;
#[cfg(feature = "opentelemetry")]
pub use opentelemetry::OpenTelemetry;
#[cfg(feature = "tracing")]
pub use tracing::Tracing;

pub use crate::outcome::Outcome;

use crate::fields::Name;
use crate::policy::{Ask, Policy};
use std::sync::Arc;
use std::time::Duration;

/// One policy's decision on one request.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    policy: &'a Policy,
    ask: &'a Ask,
    outcome: Outcome,
}

impl<'a> Event<'a> {
    pub(crate) const fn new(policy: &'a Policy, ask: &'a Ask, outcome: Outcome) -> Self {
        Self { policy, ask, outcome }
    }

    /// Returns the policy's name.
    #[must_use]
    pub fn policy(&self) -> &'a Name {
        self.policy.name()
    }

    /// Returns what became of the request.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns the permits that it asked for: 0 if it was exempt or had no key.
    #[must_use]
    pub const fn cost(&self) -> u32 {
        self.ask.cost
    }

    /// Whether the request would have been denied, and passes since the policy is in shadow.
    #[cfg(feature = "tracing")]
    fn is_in_shadow(&self) -> bool {
        match self.outcome {
            Outcome::ShadowDenied => true,
            Outcome::MissingKey => self.policy.is_on_trial(),
            _ => false,
        }
    }

    /// Returns a number that stands for the key as long as the policy has its limiter: the same for
    /// the same key, and another one after a restart. `None` without a key. Never use it as a
    /// metric's label: there are as many as clients.
    #[must_use]
    pub fn key_hash(&self) -> Option<u64> {
        self.ask.place.map(|_| self.policy.hash(self.ask))
    }
}

/// Gets reports of what happens in a layer: see [the module](self).
///
/// `()` does nothing, and a pair calls both. The methods are called on the path of requests, by
/// many threads at once.
pub trait Observer {
    /// Takes note of the outcome of a request at a policy.
    fn observe(&self, event: &Event<'_>);

    /// Takes note that a request begins to wait in line at that policy.
    fn waits(&self, _policy: &Name) {}

    /// Takes note that such a wait has ended, with permits or without, and how long it was. The
    /// outcome follows, unless another policy then stops the request.
    fn waited(&self, _policy: &Name, _wait: Duration) {}
}

impl Observer for () {
    #[inline(always)]
    fn observe(&self, _: &Event<'_>) {}
}

impl<A: Observer, B: Observer> Observer for (A, B) {
    fn observe(&self, event: &Event<'_>) {
        self.0.observe(event);
        self.1.observe(event);
    }

    fn waits(&self, policy: &Name) {
        self.0.waits(policy);
        self.1.waits(policy);
    }

    fn waited(&self, policy: &Name, wait: Duration) {
        self.0.waited(policy, wait);
        self.1.waited(policy, wait);
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe(&self, event: &Event<'_>) {
        (**self).observe(event);
    }

    fn waits(&self, policy: &Name) {
        (**self).waits(policy);
    }

    fn waited(&self, policy: &Name, wait: Duration) {
        (**self).waited(policy, wait);
    }
}

impl<O: Observer> Observer for Option<O> {
    fn observe(&self, event: &Event<'_>) {
        if let Some(observer) = self {
            observer.observe(event);
        }
    }

    fn waits(&self, policy: &Name) {
        if let Some(observer) = self {
            observer.waits(policy);
        }
    }

    fn waited(&self, policy: &Name, wait: Duration) {
        if let Some(observer) = self {
            observer.waited(policy, wait);
        }
    }
}
