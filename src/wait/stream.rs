use super::acquire::Acquire;
use super::error::AcquireError;
use super::holder::Holder;
use super::queue::Queue;
use super::timer::Timer;
use crate::algorithm::Algorithm;
use crate::clock::Clock;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use futures_core::Stream;
use std::sync::Arc;

impl<A: Algorithm, C: Clock, T: Timer> Queue<A, C, T> {
    /// Lets the items of a stream through at the pace of the queue, a permit for each.
    ///
    /// ```
    /// use casgate::wait::{AcquireError, Queue};
    /// use casgate::{Limiter, Quota};
    /// use futures_util::{TryStreamExt, stream};
    ///
    /// async fn fetch(pages: Vec<String>, queue: &Queue) -> Result<(), AcquireError> {
    ///     let mut pages = queue.throttle(stream::iter(pages));
    ///     while let Some(page) = pages.try_next().await? {
    ///         println!("GET {page}");
    ///     }
    ///     Ok(())
    /// }
    /// # let queue = Queue::new(Limiter::token_bucket(Quota::per_second(10)));
    /// # let pages = vec!["/".to_owned(), "/about".to_owned()];
    /// # futures_util::FutureExt::now_or_never(fetch(pages, &queue)).unwrap().unwrap();
    /// # assert_eq!(queue.limiter().peek().remaining(), 8);
    /// ```
    pub fn throttle<S: Stream>(&self, stream: S) -> Throttle<S, &Self> {
        Throttle::new(stream, self)
    }

    /// Returns the same as [`throttle`](Self::throttle), as a stream that keeps the queue alive.
    ///
    /// ```
    /// use casgate::wait::Queue;
    /// use casgate::{Limiter, Quota};
    /// use futures_util::{FutureExt, StreamExt, stream};
    /// use std::sync::Arc;
    ///
    /// let queue = Arc::new(Queue::new(Limiter::token_bucket(Quota::per_second(10))));
    /// let items = queue.throttle_owned(stream::iter(0..3));
    /// drop(queue);
    /// assert_eq!(items.count().now_or_never(), Some(3));
    /// ```
    pub fn throttle_owned<S: Stream>(self: &Arc<Self>, stream: S) -> Throttle<S, Arc<Self>> {
        Throttle::new(stream, Arc::clone(self))
    }
}

/// A stream at the pace of a queue, from [`Queue::throttle`].
///
/// It takes an item first and then waits for its permit, so a stream that idles or ends spends
/// nothing. The item waits here meanwhile.
///
/// If there is no permit to be had, the stream yields the [error](AcquireError) and keeps the item.
/// After [`TooManyWaiting`](AcquireError::TooManyWaiting) it tries again when it is polled. After
/// other errors it has ended.
///
/// The stream must be `Unpin`: pass `Box::pin(stream)` or `pin!(stream)` if it is not.
#[must_use = "a stream does nothing until it is polled"]
pub struct Throttle<S: Stream, H: Holder> {
    stream: S,
    item: Option<S::Item>,
    queue: H,
    wait: Option<Acquire<H>>,
    has_ended: bool,
}

impl<S: Stream, H: Holder> Throttle<S, H> {
    fn new(stream: S, queue: H) -> Self {
        Self { stream, item: None, queue, wait: None, has_ended: false }
    }

    /// Returns the stream, and the item that was taken from it and waits for a permit.
    ///
    /// ```
    /// use casgate::wait::Queue;
    /// use casgate::{Limiter, Quota};
    /// use futures_util::{FutureExt, StreamExt, stream};
    ///
    /// let queue = Queue::new(Limiter::token_bucket(Quota::per_hour(1)));
    /// let mut items = queue.throttle(stream::iter(0..5));
    /// assert_eq!(items.next().now_or_never(), Some(Some(Ok(0))));
    /// assert_eq!(items.next().now_or_never(), None); // in an hour
    /// let (rest, waiting) = items.into_inner();
    /// assert_eq!((waiting, rest.count().now_or_never()), (Some(1), Some(3)));
    /// ```
    pub fn into_inner(self) -> (S, Option<S::Item>) {
        (self.stream, self.item)
    }
}

impl<S: Stream + Unpin, H: Holder> Unpin for Throttle<S, H> {}

impl<S: Stream + Unpin, H: Holder> Stream for Throttle<S, H> {
    type Item = Result<S::Item, AcquireError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.has_ended {
            return Poll::Ready(None);
        }
        if this.item.is_none() {
            this.item = ready!(Pin::new(&mut this.stream).poll_next(context));
            if this.item.is_none() {
                this.has_ended = true;
                return Poll::Ready(None);
            }
        }
        let wait = this.wait.get_or_insert_with(|| Acquire::new(this.queue.clone()));
        let outcome = ready!(Future::poll(Pin::new(wait), context));
        this.wait = None;
        Poll::Ready(match outcome {
            Ok(_) => this.item.take().map(Ok),
            Err(error) => {
                this.has_ended = error != AcquireError::TooManyWaiting;
                Some(Err(error))
            }
        })
    }

    /// That of the stream, and the item that waits. An error comes in addition, and may end the
    /// stream earlier.
    fn size_hint(&self) -> (usize, Option<usize>) {
        let waiting = usize::from(self.item.is_some());
        let (lower, upper) = self.stream.size_hint();
        (lower.saturating_add(waiting), upper.and_then(|upper| upper.checked_add(waiting)))
    }
}

impl<S: Stream, H: Holder> fmt::Debug for Throttle<S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle")
            .field("wait", &self.wait)
            .field("has_ended", &self.has_ended)
            .finish_non_exhaustive()
    }
}
