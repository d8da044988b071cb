use super::acquire::{Acquire, Seen};
use super::error::AcquireError;
use super::holder::Holder;
use super::queue::Queue;
use super::timer::Timer;
use super::waiters::Granted;
use crate::algorithm::Algorithm;
use crate::clock::Clock;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use futures_sink::Sink;
use std::sync::Arc;

impl<A: Algorithm, C: Clock, T: Timer> Queue<A, C, T> {
    /// Lets items into a sink at the pace of the queue, a permit for each.
    ///
    /// ```
    /// use casgate::wait::Queue;
    /// use casgate::{Limiter, Quota};
    /// use futures_util::{FutureExt, SinkExt, sink};
    ///
    /// let queue = Queue::new(Limiter::token_bucket(Quota::per_second(10)));
    /// let mut requests = queue.throttle_sink(sink::drain());
    /// requests.send("GET /").now_or_never().expect("a permit is free")?;
    /// assert_eq!(queue.limiter().peek().remaining(), 9);
    /// # Ok::<(), casgate::wait::ThrottleError<std::convert::Infallible>>(())
    /// ```
    pub fn throttle_sink<S>(&self, sink: S) -> ThrottleSink<S, &Self> {
        ThrottleSink { sink, queue: self, permit: Permit::None }
    }

    /// Returns the same as [`throttle_sink`](Self::throttle_sink), as a sink that keeps the queue
    /// alive.
    ///
    /// ```
    /// use casgate::wait::Queue;
    /// use casgate::{Limiter, Quota};
    /// use futures_util::{FutureExt, SinkExt, sink};
    /// use std::sync::Arc;
    ///
    /// let queue = Arc::new(Queue::new(Limiter::token_bucket(Quota::per_second(10))));
    /// let mut requests = queue.throttle_sink_owned(sink::drain());
    /// drop(queue);
    /// assert!(requests.send(1).now_or_never().is_some());
    /// ```
    pub fn throttle_sink_owned<S>(self: &Arc<Self>, sink: S) -> ThrottleSink<S, Arc<Self>> {
        ThrottleSink { sink, queue: Arc::clone(self), permit: Permit::None }
    }
}

/// A sink at the pace of a queue, from [`Queue::throttle_sink`].
///
/// `poll_ready` waits for the sink and then for a permit, once for each item. A permit that is not
/// used goes back when this is dropped, as that of a [wait that is dropped](super#cancellation).
///
/// The sink must be `Unpin`: pass `Box::pin(sink)` or `pin!(sink)` if it is not.
///
/// # Panics
///
/// `start_send` panics if `poll_ready` has not said before that the sink is ready. The trait
/// demands that it has.
#[must_use = "a sink does nothing until something is sent"]
pub struct ThrottleSink<S, H: Holder> {
    sink: S,
    queue: H,
    permit: Permit<H>,
}

enum Permit<H: Holder> {
    None,
    Awaited(Acquire<H>),
    Granted(Granted<Seen<H>>),
}

impl<S: Unpin, H: Holder> Unpin for ThrottleSink<S, H> {}

impl<S: Sink<I> + Unpin, I, H: Holder> Sink<I> for ThrottleSink<S, H> {
    type Error = ThrottleError<S::Error>;

    fn poll_ready(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Self::Error>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.sink).poll_ready(context)).map_err(ThrottleError::Sink)?;
        if let Permit::None = this.permit {
            this.permit = Permit::Awaited(Acquire::new(this.queue.clone()));
        }
        if let Permit::Awaited(wait) = &mut this.permit {
            let granted = ready!(wait.poll_granted(context));
            this.permit = Permit::None;
            this.permit = Permit::Granted(granted.map_err(ThrottleError::Acquire)?);
        }
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, item: I) -> Result<(), Self::Error> {
        let this = self.get_mut();
        assert!(matches!(this.permit, Permit::Granted(_)), "the sink was not ready");
        this.permit = Permit::None;
        Pin::new(&mut this.sink).start_send(item).map_err(ThrottleError::Sink)
    }

    fn poll_flush(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.get_mut().sink).poll_flush(context).map_err(ThrottleError::Sink)
    }

    fn poll_close(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.get_mut().sink).poll_close(context).map_err(ThrottleError::Sink)
    }
}

impl<S, H: Holder> Drop for ThrottleSink<S, H> {
    fn drop(&mut self) {
        if let Permit::Granted(granted) = self.permit {
            self.queue.queue().give_up(granted);
        }
    }
}

impl<S, H: Holder> fmt::Debug for ThrottleSink<S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThrottleSink")
            .field("has_permit", &matches!(self.permit, Permit::Granted(_)))
            .finish_non_exhaustive()
    }
}

/// Why nothing was sent: the sink failed, or there was no permit.
///
/// ```
/// use casgate::wait::{AcquireError, Queue, ThrottleError};
/// use casgate::{Limiter, Quota};
/// use futures_util::{FutureExt, SinkExt, sink};
///
/// let queue = Queue::new(Limiter::token_bucket(Quota::per_second(10)));
/// queue.close();
/// let error = queue.throttle_sink(sink::drain()).send(1).now_or_never().unwrap().unwrap_err();
/// assert_eq!(error, ThrottleError::Acquire(AcquireError::Closed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThrottleError<E> {
    /// The error of the sink.
    Sink(E),
    /// The error of the queue.
    Acquire(AcquireError),
}

impl<E: fmt::Display> fmt::Display for ThrottleError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sink(error) => error.fmt(f),
            Self::Acquire(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error> std::error::Error for ThrottleError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Sink(error) => error.source(),
            Self::Acquire(error) => error.source(),
        }
    }
}
