//! The middleware.

mod answer;
mod body;
mod charge;
mod future;
mod passage;
mod service;

pub use answer::Denial;
pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use service::RateLimit;

use crate::fields::{Fields, ProblemType};
use crate::observe::Observer;
use crate::policy::{Policy, Set};
use answer::OnDenied;
use bytes::Bytes;
use casgate::Quota;
use http::Response;
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
/// The state is in the layer: its clones, and all services made with them, share it. So a layer may be applied to
/// several routes, and a limit holds for all connections together.
///
/// # What it does with a request
///
/// 1. It asks the policies that [apply](Policy::only_if), [all or none](RateLimitLayer::all).
/// 2. A denied request is answered by the layer, and the service is not called. The answer is a *response* and never an
///    error: 429 with `Retry-After`, the fields and a problem document, or for gRPC a status of 8.
/// 3. An admitted request is passed to the service that was readied. Its response settles
///    [refunds](Policy::refund_on) and [true costs](Policy::true_cost), and gets the fields.
///
/// A request whose service fails with an error keeps its charge, and so does one that the client gives up after it was
/// admitted: the work may have been done.
///
/// # Where to put it
///
/// Inside CORS, so that browsers can read the answer, and outside of what reads bodies. Limits by address belong before
/// authentication, which they protect; limits by user after it.
#[must_use]
pub struct RateLimitLayer<O: Observer = ()> {
    shared: Arc<Shared<O>>,
}

/// What all clones of a layer and of its services have in common.
pub(crate) struct Shared<O> {
    source: Source,
    admitted: Fields,
    denied: Fields,
    problem: ProblemType,
    on_denied: Option<Arc<OnDenied>>,
    pub(crate) observer: O,
}

#[derive(Clone)]
enum Source {
    Fixed(Arc<Set>),
    #[cfg(feature = "config")]
    Live(Arc<crate::policy::Current>),
}

impl<O: Observer> Shared<O> {
    fn set(&self) -> Arc<Set> {
        match &self.source {
            Source::Fixed(set) => Arc::clone(set),
            #[cfg(feature = "config")]
            Source::Live(current) => current.load_full(),
        }
    }
}

impl RateLimitLayer {
    /// Limits each client, by the address of its [peer](crate::Peer), with room for so many clients at a time.
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
    /// They are asked first whether they would admit, and charged one after the other. If one denies by then, those before
    /// it are [refunded](casgate::Limiter::refund), for the request is not served; meanwhile another request may be denied
    /// that would have fitted. The answer names all that deny, and its `Retry-After` is the longest. Of
    /// [queues](Policy::over_queue), which are asked when all others admit, it names the first that denies.
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
        Self::from_source(Source::Fixed(Arc::new(set)))
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
    /// Tells `observer` what happens. See [`observe`](crate::observe). It replaces the one before; a pair is both.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::{RateLimitLayer, observe::{Event, Observer}};
    /// struct Log;
    ///
    /// impl Observer for Log {
    ///     fn observe(&self, event: &Event<'_>) {
    ///         println!("{}: {}", event.policy(), event.outcome().as_str());
    ///     }
    /// }
    ///
    /// let layer = RateLimitLayer::per_client(Quota::per_minute(60), 1_000).observer(Log);
    /// # drop(layer);
    /// ```
    pub fn observer<P: Observer>(self, observer: P) -> RateLimitLayer<P> {
        let Shared { source, admitted, denied, problem, on_denied, .. } = &*self.shared;
        let shared = Shared {
            source: source.clone(),
            admitted: *admitted,
            denied: *denied,
            problem: *problem,
            on_denied: on_denied.clone(),
            observer,
        };
        RateLimitLayer { shared: Arc::new(shared) }
    }

    /// Writes these header fields into every response.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::{RateLimitLayer, fields::Fields};
    /// let layer = RateLimitLayer::per_client(Quota::per_minute(60), 1_000)
    ///     .fields(Fields::DRAFT_11.and(Fields::LEGACY));
    /// # drop(layer);
    /// ```
    ///
    /// # Panics
    ///
    /// As every method that configures: if the layer was cloned or applied before.
    pub fn fields(self, fields: Fields) -> Self {
        self.configure(|shared| (shared.admitted, shared.denied) = (fields, fields))
    }

    /// Writes these header fields into the responses of admitted requests, and leaves the answers to denied ones.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::{RateLimitLayer, fields::Fields};
    /// let layer = RateLimitLayer::per_client(Quota::per_minute(60), 1_000)
    ///     .fields_when_admitted(Fields::NONE);
    /// # drop(layer);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`fields`](Self::fields).
    pub fn fields_when_admitted(self, fields: Fields) -> Self {
        self.configure(|shared| shared.admitted = fields)
    }

    /// Answers denied requests with a problem of this type.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::{RateLimitLayer, fields::ProblemType};
    /// let layer = RateLimitLayer::per_client(Quota::per_minute(60), 1_000)
    ///     .problem_type(ProblemType::QuotaExceeded);
    /// # drop(layer);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`fields`](Self::fields).
    pub fn problem_type(self, problem: ProblemType) -> Self {
        self.configure(|shared| shared.problem = problem)
    }

    /// Answers denied requests with what `answer` returns, gRPC requests included. The layer adds the fields and
    /// `Retry-After`.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_tower::RateLimitLayer;
    /// use http::{Response, StatusCode};
    ///
    /// let layer = RateLimitLayer::per_client(Quota::per_minute(60), 1_000).on_denied(|denial| {
    ///     let wait = denial.retry_after().map_or(String::new(), |secs| format!(" Come back in {secs} s."));
    ///     let mut response = Response::new(format!("Too many requests.{wait}").into());
    ///     *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    ///     response
    /// });
    /// # drop(layer);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`fields`](Self::fields).
    pub fn on_denied(
        self,
        answer: impl Fn(&Denial<'_>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.configure(|shared| shared.on_denied = Some(Arc::new(answer)))
    }

    fn configure(mut self, change: impl FnOnce(&mut Shared<O>)) -> Self {
        change(
            Arc::get_mut(&mut self.shared)
                .expect("a layer is configured before it is cloned or applied"),
        );
        self
    }

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
        self.shared.set().policies().iter().find(|policy| policy.name().as_str() == name).cloned()
    }
}

impl<O: Observer> Clone for RateLimitLayer<O> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<O: Observer> fmt::Debug for RateLimitLayer<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RateLimitLayer").field(&self.shared.set().policies()).finish()
    }
}

impl<S, O: Observer> Layer<S> for RateLimitLayer<O> {
    type Service = RateLimit<S, O>;

    fn layer(&self, inner: S) -> RateLimit<S, O> {
        RateLimit::new(inner, Arc::clone(&self.shared))
    }
}
