use super::answer;
use super::passage::Passage;
use super::rest::Rest;
use super::shared::Shared;
use crate::observe::Observer;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tower_service::Service;

pin_project! {
    /// The response of a [`RateLimit`](super::RateLimit).
    ///
    /// Dropped while the request waits in line, it gives back what was charged, and its place in line as
    /// far as possible.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B, O = ()>
    where
        S: Service<Request<B>>,
        O: Observer,
    {
        // `None` if the service was not called.
        #[pin]
        response: Option<S::Future>,
        next: Next<Rest<O>, Waiting<S, B, O>>,
    }
}

/// What the layer does next. In boxes what most requests do not have, since futures are moved
/// about.
enum Next<R, W> {
    /// It waits for the service's response, and then there may be something left to do.
    Serve(Option<R>),
    Answer(Box<Response<Bytes>>),
    Wait(Box<W>),
    /// Nothing: it was ready.
    Done,
}

/// A request that waits, with the service that was readied for it.
struct Waiting<S, B, O: Observer> {
    passage: Passage<Arc<Shared<O>>, O>,
    service: S,
    parts: Parts,
    body: B,
}

impl<S: Service<Request<B>>, B, O: Observer> ResponseFuture<S, B, O> {
    #[inline]
    pub(super) fn serving(response: S::Future, rest: Option<Rest<O>>) -> Self {
        Self { response: Some(response), next: Next::Serve(rest) }
    }

    #[cold]
    pub(super) fn answering(response: Response<Bytes>) -> Self {
        Self { response: None, next: Next::Answer(Box::new(response)) }
    }

    #[cold]
    pub(super) fn waiting(
        passage: Passage<Arc<Shared<O>>, O>,
        service: S,
        parts: Parts,
        body: B,
    ) -> Self {
        let waiting = Waiting { passage, service, parts, body };
        Self { response: None, next: Next::Wait(Box::new(waiting)) }
    }
}

const READY: &str = "polled after it was ready";

impl<S, B, R, O> Future for ResponseFuture<S, B, O>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<Bytes>,
    O: Observer,
{
    type Output = Result<Response<R>, S::Error>;

    /// # Panics
    ///
    /// If it is polled after it was ready.
    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Next::Serve(None) = self.next else { return self.poll_all(cx) };
        // Nothing is left to do.
        let mut response = self.project().response;
        let answer = response.as_mut().as_pin_mut().expect(READY).poll(cx);
        if answer.is_ready() {
            response.set(None);
        }
        answer
    }
}

impl<S, B, R, O> ResponseFuture<S, B, O>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<Bytes>,
    O: Observer,
{
    #[inline(never)]
    fn poll_all(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Response<R>, S::Error>> {
        let mut this = self.project();
        if let Next::Wait(waiting) = this.next {
            let passes = ready!(waiting.passage.poll(cx));
            let Next::Wait(waiting) = mem::replace(this.next, Next::Done) else { unreachable!() };
            let Waiting { mut passage, mut service, parts, body } = *waiting;
            *this.next = if passes {
                let shared = Arc::clone(passage.shared());
                let rest = passage.rest(&shared);
                this.response.set(Some(service.call(Request::from_parts(parts, body))));
                Next::Serve(rest)
            } else {
                Next::Answer(Box::new(answer::denied(&passage, &parts)))
            };
        }
        let Next::Serve(rest) = this.next else {
            let Next::Answer(response) = mem::replace(this.next, Next::Done) else {
                panic!("{READY}");
            };
            return Poll::Ready(Ok(response.map(R::from)));
        };
        // In its place, since responses are large.
        let mut answer = this.response.as_pin_mut().expect(READY).poll(cx);
        if answer.is_ready() {
            match (rest, &mut answer) {
                (Some(Rest::Fields(fields)), Poll::Ready(Ok(response))) => {
                    fields.write(response.headers_mut());
                }
                (Some(Rest::Settle(settle)), _) => {
                    answer = answer.map_ok(|response| settle.settle(response));
                }
                _ => {}
            }
            // It is settled once, even if it is polled again.
            *this.next = Next::Done;
        }
        answer
    }
}

impl<S: Service<Request<B>>, B, O: Observer> fmt::Debug for ResponseFuture<S, B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
