//! Bodies that cannot be made of bytes.

use super::body::ResponseBody;
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tower_layer::Layer;
use tower_service::Service;

/// A [tower layer](tower_layer::Layer) that wraps the body of each response into a
/// [`ResponseBody`].
///
/// ```
/// # use casgate::Quota;
/// use casgate_tower::{RateLimitLayer, WrapBody};
/// use tower::ServiceBuilder;
///
/// let limit = RateLimitLayer::per_client(Quota::per_minute(60), 1_000);
/// // The same as `limit.wrap_body()`.
/// let layers = ServiceBuilder::new().layer(limit).layer(WrapBody);
/// # drop(layers);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct WrapBody;

impl<S> Layer<S> for WrapBody {
    type Service = Wrapping<S>;

    fn layer(&self, inner: S) -> Wrapping<S> {
        Wrapping { inner }
    }
}

/// A service behind [`WrapBody`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Wrapping<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Wrapping<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = WrappingFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        WrappingFuture { response: self.inner.call(request) }
    }
}

pin_project! {
    /// The response of a [`Wrapping`] service.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WrappingFuture<F> {
        #[pin]
        response: F,
    }
}

impl<F, R, E> Future for WrappingFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().response.poll(cx));
        Poll::Ready(response.map(|response| response.map(ResponseBody::new)))
    }
}
