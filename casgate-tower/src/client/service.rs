use super::future::ClientFuture;
use super::{ClientError, Shared};
use crate::policy::Entered;
use http::{Request, Response};
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// A client behind a [`ClientLayer`](super::ClientLayer).
#[derive(Clone)]
#[must_use]
pub struct Client<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Client<S> {
    pub(super) const fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

impl<S, B, R> Service<Request<B>> for Client<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    type Response = Response<R>;
    type Error = ClientError<S::Error>;
    type Future = ClientFuture<S, B>;

    /// Is ready when the inner client is: requests wait after they were called, since their cost is
    /// not known before.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(ClientError::Service)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let cost = (self.shared.cost)(&parts);
        let request = Request::from_parts(parts, body);
        let shared = Arc::clone(&self.shared);
        match shared.upstream.enter(cost, shared.patience) {
            Entered::Now(Ok(_)) => ClientFuture::serving(shared, self.inner.call(request)),
            Entered::Now(Err(late)) => ClientFuture::failing(shared, late),
            Entered::Waits(wait) => {
                // The client that was readied goes with the request; its clone is readied next time.
                let next = self.inner.clone();
                let readied = mem::replace(&mut self.inner, next);
                ClientFuture::waiting(shared, wait, readied, request)
            }
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("inner", &self.inner).finish_non_exhaustive()
    }
}
