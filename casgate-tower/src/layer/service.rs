use super::answer;
use super::future::ResponseFuture;
use super::passage::{Passage, Step};
use super::shared::Shared;
use crate::observe::Observer;
use bytes::Bytes;
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
        match passage.ask(&parts) {
            Step::Pass => {
                let rest = passage.rest(&self.shared);
                ResponseFuture::serving(self.inner.call(Request::from_parts(parts, body)), rest)
            }
            Step::Deny => ResponseFuture::answering(answer::denied(&passage, &parts)),
            Step::NoKey(status) => ResponseFuture::answering(answer::no_key(status, &parts)),
            Step::Wait => {
                let passage = passage.keep(&self.shared);
                // The service that was readied goes with the request; its clone is readied next time.
                let next = self.inner.clone();
                let readied = mem::replace(&mut self.inner, next);
                ResponseFuture::waiting(passage, readied, parts, body)
            }
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
