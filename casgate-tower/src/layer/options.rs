//! How a layer is configured.

use super::shared::Shared;
use super::{Denial, RateLimitLayer, WrapBody};
use crate::fields::{Fields, ProblemType};
use crate::observe::Observer;
use bytes::Bytes;
use http::Response;
use std::sync::Arc;
use tower_layer::Stack;

impl<O: Observer> RateLimitLayer<O> {
    /// Reports what happens to `observer`: see [`observe`](crate::observe). It replaces an earlier
    /// one. For two of them, pass a pair.
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
    /// If the layer was cloned or applied before, as every method that configures.
    pub fn fields(self, fields: Fields) -> Self {
        self.configure(|shared| (shared.admitted, shared.denied) = (fields, fields))
    }

    /// Writes these header fields into the responses of admitted requests, and leaves the answers
    /// to denied ones.
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

    /// Answers denied requests with what `answer` returns, gRPC requests included. The layer adds
    /// the fields and `Retry-After`.
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

    /// Wraps the service's bodies, for a service whose type of body is not `From<Bytes>`.
    ///
    /// The layer answers a denied request with a body of the service's type. axum's body can be
    /// made of bytes, and so can `Full<Bytes>`. tonic's body cannot, nor can that of an inner layer
    /// that wraps bodies, such as one that compresses. Configure the layer first: this returns
    /// another type.
    ///
    /// A wrapped body costs axum a box for each response, since it boxes every type but its own.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::RateLimitLayer;
    /// use http::{Request, Response};
    /// use http_body_util::Empty;
    /// use tower::{Layer, service_fn};
    ///
    /// let limit = RateLimitLayer::per_client(Quota::per_minute(60), 1_000);
    /// let service = limit.wrap_body().layer(service_fn(|_: Request<()>| async {
    ///     Ok::<_, std::convert::Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
    /// }));
    /// # drop(service);
    /// ```
    #[must_use]
    pub fn wrap_body(self) -> Stack<WrapBody, Self> {
        Stack::new(WrapBody, self)
    }

    fn configure(mut self, change: impl FnOnce(&mut Shared<O>)) -> Self {
        change(
            Arc::get_mut(&mut self.shared)
                .expect("a layer is configured before it is cloned or applied"),
        );
        self
    }
}
