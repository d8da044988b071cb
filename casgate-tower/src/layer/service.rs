use super::answer;
use super::future::ResponseFuture;
use super::passage::{Passage, Stop};
use super::shared::Shared;
use crate::observe::Observer;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// A service behind a [`RateLimitLayer`](super::RateLimitLayer).
#[must_use]
pub struct RateLimit<S, O: Observer = ()> {
    inner: S,
    shared: Arc<Shared<O>>,
}

impl<S, O: Observer> RateLimit<S, O> {
    pub(super) const fn new(inner: S, shared: Arc<Shared<O>>) -> Self {
        Self { inner, shared }
    }
}

impl<S, B, R, O> Service<Request<B>> for RateLimit<S, O>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: From<Bytes>,
    O: Observer,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, O>;

    /// Is ready when the inner service is: the decision needs the request.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let mut passage = Passage::new(&*self.shared);
        if let Err(stop) = passage.ask(&parts) {
            return stopped(&mut self.inner, &self.shared, passage, stop, parts, body);
        }
        let response = self.inner.call(Request::from_parts(parts, body));
        if passage.leaves_rest() {
            return ResponseFuture::serving(response, passage.rest(&self.shared));
        }
        // Apart, so that no more than the response is copied.
        ResponseFuture::serving(response, None)
    }
}

/// What becomes of a request that does not pass, or not yet.
#[cold]
fn stopped<S, B, O>(
    inner: &mut S,
    shared: &Arc<Shared<O>>,
    mut passage: Passage<&Shared<O>, O>,
    stop: Stop,
    parts: Parts,
    body: B,
) -> ResponseFuture<S, B, O>
where
    S: Service<Request<B>> + Clone,
    O: Observer,
{
    match stop {
        Stop::Deny => ResponseFuture::answering(answer::denied(&passage, &parts)),
        Stop::NoKey(status) => ResponseFuture::answering(answer::no_key(status, &parts)),
        Stop::Wait => {
            let passage = passage.keep(shared);
            // The service that was readied goes with the request; its clone is readied next time.
            let next = inner.clone();
            let readied = mem::replace(inner, next);
            ResponseFuture::waiting(passage, readied, parts, body)
        }
    }
}

impl<S: Clone, O: Observer> Clone for RateLimit<S, O> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<S: fmt::Debug, O: Observer> fmt::Debug for RateLimit<S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit").field("inner", &self.inner).finish_non_exhaustive()
    }
}
