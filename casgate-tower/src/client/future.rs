use super::heed::heed;
use super::{ClientError, Shared};
use crate::policy::{Late, Wait};
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};
use tower_service::Service;

pin_project! {
    /// The response to a request of a [`Client`](super::Client).
    ///
    /// Dropped while the request waits in line, it gives its permit back as far as
    /// [possible](casgate::wait#cancellation). Dropped after that, the request
    /// may have been sent, and its permit is spent.
    #[must_use = "futures do nothing unless polled"]
    pub struct ClientFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        shared: Arc<Shared>,
        #[pin]
        state: State<S::Future, S, B>,
    }
}

pin_project! {
    #[project = Projected]
    enum State<F, S, B> {
        Serves { #[pin] response: F },
        Waits { wait: Wait, call: Option<(S, Request<B>)> },
        // `None` once it was taken.
        Fails { late: Option<Late> },
    }
}

impl<S: Service<Request<B>>, B> ClientFuture<S, B> {
    pub(super) fn serving(shared: Arc<Shared>, response: S::Future) -> Self {
        Self { shared, state: State::Serves { response } }
    }

    pub(super) fn failing(shared: Arc<Shared>, late: Late) -> Self {
        Self { shared, state: State::Fails { late: Some(late) } }
    }

    pub(super) fn waiting(
        shared: Arc<Shared>,
        wait: Wait,
        service: S,
        request: Request<B>,
    ) -> Self {
        Self { shared, state: State::Waits { wait, call: Some((service, request)) } }
    }
}

impl<S, B, R> Future for ClientFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Output = Result<Response<R>, ClientError<S::Error>>;

    /// # Panics
    ///
    /// If it is polled after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const READY: &str = "polled after it was ready";
        let mut this = self.project();
        if let Projected::Waits { wait, call } = this.state.as_mut().project() {
            let next = match ready!(wait.as_mut().poll(cx)) {
                Ok(_) => {
                    let (mut service, request) = call.take().expect(READY);
                    State::Serves { response: service.call(request) }
                }
                Err(late) => State::Fails { late: Some(late) },
            };
            this.state.set(next);
        }
        match this.state.as_mut().project() {
            Projected::Serves { response } => {
                let response = ready!(response.poll(cx));
                // It is learnt from once, even if it is polled again.
                this.state.set(State::Fails { late: None });
                let response = response.map_err(ClientError::Service)?;
                this.shared.learn(&response);
                Poll::Ready(Ok(response))
            }
            Projected::Fails { late } => Poll::Ready(Err(late.take().expect(READY).into())),
            Projected::Waits { .. } => unreachable!("{READY}"),
        }
    }
}

impl Shared {
    fn learn<R>(&self, response: &Response<R>) {
        let pause = heed(response.status(), response.headers(), SystemTime::now());
        // A pause that is over, or none at all.
        let pause = pause.unwrap_or_default().min(self.longest_pause);
        if pause > Duration::ZERO {
            self.upstream.pause(pause);
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ClientFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientFuture").finish_non_exhaustive()
    }
}
