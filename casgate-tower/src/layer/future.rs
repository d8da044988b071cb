use super::answer;
use super::body::ResponseBody;
use super::passage::Passage;
use crate::observe::Observer;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tower_service::Service;

pin_project! {
    /// The response of a [`RateLimit`](super::RateLimit).
    ///
    /// Dropped while the request waits in line, it gives everything back that was charged.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B, O = ()>
    where
        S: Service<Request<B>>,
        O: Observer,
    {
        passage: Passage<O>,
        #[pin]
        state: State<S::Future, Waiting<S, B>>,
    }
}

pin_project! {
    #[project = ProjectedState]
    enum State<F, W> {
        Serves { #[pin] response: F },
        // `None` once it was taken. In boxes, since most requests have neither, and futures are moved about.
        Answers { response: Option<Box<Response<Bytes>>> },
        Waits { waiting: Option<Box<W>> },
    }
}

/// A request that waits, with the service that was readied for it.
struct Waiting<S, B> {
    service: S,
    parts: Parts,
    body: B,
}
impl<S: Service<Request<B>>, B, O: Observer> ResponseFuture<S, B, O> {
    pub(super) fn serving(passage: Passage<O>, response: S::Future) -> Self {
        Self { passage, state: State::Serves { response } }
    }

    pub(super) fn answering(passage: Passage<O>, response: Response<Bytes>) -> Self {
        Self { passage, state: State::Answers { response: Some(Box::new(response)) } }
    }

    pub(super) fn waiting(passage: Passage<O>, service: S, parts: Parts, body: B) -> Self {
        Self {
            passage,
            state: State::Waits { waiting: Some(Box::new(Waiting { service, parts, body })) },
        }
    }
}

impl<S, B, R, O> Future for ResponseFuture<S, B, O>
where
    S: Service<Request<B>, Response = Response<R>>,
    O: Observer,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    /// # Panics
    ///
    /// If it is polled after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const READY: &str = "polled after it was ready";
        let mut this = self.project();
        if let ProjectedState::Waits { waiting } = this.state.as_mut().project() {
            let passes = ready!(this.passage.poll(cx));
            let Waiting { mut service, parts, body } = *waiting.take().expect(READY);
            let next = if passes {
                State::Serves { response: service.call(Request::from_parts(parts, body)) }
            } else {
                State::Answers { response: Some(Box::new(answer::denied(this.passage, &parts))) }
            };
            this.state.set(next);
        }
        match this.state.as_mut().project() {
            ProjectedState::Serves { response } => {
                let response = ready!(response.poll(cx));
                // It is settled once, even if it is polled again.
                this.state.set(State::Answers { response: None });
                let (mut parts, body) = response?.into_parts();
                this.passage.answered(&mut parts);
                Poll::Ready(Ok(Response::from_parts(parts, ResponseBody::inner(body))))
            }
            ProjectedState::Answers { response } => {
                Poll::Ready(Ok(response.take().expect(READY).map(ResponseBody::own)))
            }
            ProjectedState::Waits { .. } => unreachable!("{READY}"),
        }
    }
}

impl<S: Service<Request<B>>, B, O: Observer> fmt::Debug for ResponseFuture<S, B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
