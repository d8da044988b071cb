//! The middleware.

mod answer;
mod body;
mod charge;
mod future;
mod options;
mod passage;
mod rest;
mod service;
mod shared;
mod wrap;

pub use answer::Denial;
pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use service::RateLimit;
pub use wrap::{WrapBody, Wrapping, WrappingFuture};

use crate::fields::{Fields, ProblemType};
use crate::observe::Observer;
use crate::policy::{Policy, Set};
use casgate::Quota;
use shared::{Shared, Source};
use std::fmt;
use std::sync::Arc;
use tower_layer::Layer;

/// A [tower layer](tower_layer::Layer) that admits a request, or answers it with 429.
///
/// ```
/// use casgate::Quota;
/// use casgate_tower::RateLimitLayer;
///
/// // A client may send 60 requests a minute, 20 of them at once.
/// let layer = RateLimitLayer::per_client(Quota::per_minute(60).with_burst(20), 100_000);
/// # drop(layer);
/// ```
///
/// The state is in the layer: its clones, and all services made with them, share it. So a layer may
/// be applied to several routes, and a limit holds for all connections together.
///
/// # What it does with a request
///
/// 1. It asks the policies that [apply](Policy::only_if), [all or none](RateLimitLayer::all).
/// 2. A denied request is answered by the layer, and the service is not called. The answer is a
///    *response* and never an error: 429 with the fields and a problem document, or for gRPC a
///    status of 8. `Retry-After` says when to come again, unless no wait helps or none is known.
///    If a limiter could not be [asked](Policy::over_awaited) and no policy denies, the answer is
///    503, or 14. A request [without a key](crate::MissingKey) gets 500, or 13. No cache may store
///    these answers; one of [your own](Self::on_denied) says itself what a cache may do.
/// 3. An admitted request is passed to the service that was readied. Its response settles
///    [refunds](Policy::refund_on) and [true costs](Policy::true_cost), and gets the fields.
///
/// The answer has a body of the service's type, which must be `From<Bytes>`, as axum's is. For
/// another one, such as tonic's, see [`wrap_body`](Self::wrap_body).
///
/// A request whose service fails with an error keeps its charge, and so does one that the client
/// gives up after it was admitted: the work may have been done.
///
/// # Where to put it
///
/// Inside CORS, so that browsers can read the answer, and outside of what reads bodies. Limits by
/// address belong before authentication, which they protect; limits by user after it.
#[must_use]
pub struct RateLimitLayer<O: Observer = ()> {
    shared: Arc<Shared<O>>,
}

impl RateLimitLayer {
    /// Limits each client, by the address of its [peer](crate::Peer), with room for so many clients
    /// at a time.
    ///
    /// Behind a proxy all clients would be one: see [`address`](crate::address).
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::RateLimitLayer;
    /// let layer = RateLimitLayer::per_client(Quota::per_minute(60), 100_000);
    /// # drop(layer);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Policy::per_client`].
    pub fn per_client(quota: Quota, capacity: usize) -> Self {
        Self::new(Policy::per_client(quota, capacity))
    }

    /// Limits by one policy.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::{Policy, RateLimitLayer};
    /// let layer = RateLimitLayer::new(Policy::global(Quota::per_second(1_000)));
    /// # drop(layer);
    /// ```
    pub fn new(policy: Policy) -> Self {
        Self::all([policy])
    }

    /// Limits by several policies: all admit a request, or it is charged to none.
    ///
    /// They are asked first whether they would admit, and charged one after the other. If one
    /// denies by then, those before it are [refunded](casgate::Limiter::refund), for the request is
    /// not served; meanwhile another request may be denied that would have fitted. The answer names
    /// all that deny, and its `Retry-After` is the longest. Of [queues](Policy::over_queue), which
    /// are asked when all others admit, it names the first that denies.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::{Policy, RateLimitLayer};
    /// let layer = RateLimitLayer::all([
    ///     Policy::per_client(Quota::per_second(10), 100_000).named("burst"),
    ///     Policy::per_client(Quota::per_day(5_000), 100_000).named("daily"),
    ///     Policy::global(Quota::per_second(2_000)).named("all"),
    /// ]);
    /// # drop(layer);
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no policy, two have one name, or there are more than 255.
    pub fn all(policies: impl IntoIterator<Item = Policy>) -> Self {
        let set = Set::new(policies.into_iter().collect());
        Self::from_source(Source::Fixed(set))
    }

    #[cfg(feature = "config")]
    pub(crate) fn live(current: Arc<crate::policy::Current>) -> Self {
        Self::from_source(Source::Live(current))
    }

    fn from_source(source: Source) -> Self {
        let shared = Shared {
            source,
            admitted: Fields::default(),
            denied: Fields::default(),
            problem: ProblemType::default(),
            on_denied: None,
            observer: (),
        };
        Self { shared: Arc::new(shared) }
    }
}

impl<O: Observer> RateLimitLayer<O> {
    /// Returns the policy of that name, as it is now.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::RateLimitLayer;
    /// let layer = RateLimitLayer::per_client(Quota::per_minute(60), 1_000);
    /// let stats = layer.policy("default").and_then(|policy| policy.stats());
    /// assert_eq!(stats.unwrap().inserted, 0);
    /// ```
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<Policy> {
        let held = self.shared.hold();
        let mut policies = self.shared.set(&held).policies().iter();
        policies.find(|policy| policy.name().as_str() == name).cloned()
    }
}

impl<O: Observer> Clone for RateLimitLayer<O> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<O: Observer> fmt::Debug for RateLimitLayer<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.shared.hold();
        f.debug_tuple("RateLimitLayer").field(&self.shared.set(&held).policies()).finish()
    }
}

impl<S, O: Observer> Layer<S> for RateLimitLayer<O> {
    type Service = RateLimit<S, O>;

    fn layer(&self, inner: S) -> RateLimit<S, O> {
        RateLimit::new(inner, Arc::clone(&self.shared))
    }
}
