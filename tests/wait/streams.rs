//! Streams and sinks at the pace of a queue.

use super::sim::{Tasks, Time};
use casgate::wait::{AcquireError, Queue, ThrottleError};
use casgate::{Limiter, Quota, Timestamp, TokenBucket};
use futures_util::task::noop_waker;
use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt, sink, stream};
use std::cell::Cell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

type Line = Arc<Queue<TokenBucket, Time, Time>>;

/// One permit each 10 ms.
fn slow() -> (Time, Line) {
    let time = Time::default();
    let quota = Quota::per_second(100).with_burst(1);
    let limiter = Limiter::token_bucket(quota).with_clock(time.clone());
    (time.clone(), Arc::new(Queue::with_timer(limiter, time)))
}

fn spent(queue: &Line) -> u32 {
    let seen = queue.limiter().peek();
    seen.limit() - seen.remaining()
}

#[test]
fn items_come_in_order_at_the_pace_of_the_queue() {
    let (time, queue) = slow();
    let mut tasks = Tasks::new();
    let clock = time.clone();
    let items = queue.throttle_owned(stream::iter(0..5));
    tasks.spawn(async move {
        use casgate::clock::Clock;
        items.map(move |item| (item.unwrap(), clock.now().as_millis())).collect::<Vec<_>>().await
    });
    let done = tasks.run_until(&time, Timestamp::from_secs(1));
    assert_eq!(done[0].2, [(0, 0), (1, 10), (2, 20), (3, 30), (4, 40)]);
}

#[test]
fn a_stream_that_idles_or_ends_spends_nothing() {
    let (_, queue) = slow();
    assert_eq!(queue.throttle(stream::empty::<u8>()).next().now_or_never(), Some(None));
    assert_eq!(queue.throttle(stream::pending::<u8>()).next().now_or_never(), None);
    assert_eq!((spent(&queue), queue.waiting()), (0, 0));
}

#[test]
fn the_waiting_item_counts_in_the_size_hint_and_is_given_out() {
    let (_, queue) = slow();
    assert!(queue.limiter().is_allowed());
    let mut items = queue.throttle(stream::iter(0..3));
    assert_eq!(items.size_hint(), (3, Some(3)));
    assert_eq!(items.next().now_or_never(), None);
    assert_eq!((items.size_hint(), queue.waiting()), ((3, Some(3)), 1));
    let (rest, item) = items.into_inner();
    assert_eq!((rest.size_hint(), item, queue.waiting()), ((2, Some(2)), Some(0), 0));
}

#[test]
fn a_closed_queue_ends_a_stream_with_the_error_and_keeps_the_item() {
    let (_, queue) = slow();
    queue.close();
    let mut items = queue.throttle(stream::iter(0..3));
    assert_eq!(items.next().now_or_never(), Some(Some(Err(AcquireError::Closed))));
    assert_eq!(items.next().now_or_never(), Some(None));
    assert_eq!(items.into_inner().1, Some(0));
}

#[test]
fn a_stream_that_found_too_many_waiting_tries_again() {
    let time = Time::default();
    let quota = Quota::per_second(100).with_burst(1);
    let limiter = Limiter::token_bucket(quota).with_clock(time.clone());
    let queue = Queue::with_timer(limiter, time.clone()).most_waiting(0);
    assert!(queue.limiter().is_allowed());
    let mut items = queue.throttle(stream::iter(0..1));
    assert_eq!(items.next().now_or_never(), Some(Some(Err(AcquireError::TooManyWaiting))));
    time.advance(std::time::Duration::from_millis(10));
    assert_eq!(items.next().now_or_never(), Some(Some(Ok(0))));
    assert_eq!(items.next().now_or_never(), Some(None));
}

#[test]
fn a_sink_takes_one_permit_for_each_item_however_often_it_is_asked() {
    let (time, queue) = slow();
    let mut sink = pin!(queue.throttle_sink(sink::drain()));
    let waker = noop_waker();
    let mut context = Context::from_waker(&waker);
    for _ in 0..3 {
        assert_eq!(sink.as_mut().poll_ready(&mut context), Poll::Ready(Ok(())));
    }
    sink.as_mut().start_send(1).unwrap();
    assert_eq!(sink.as_mut().poll_ready(&mut context), Poll::Pending);
    time.advance(std::time::Duration::from_millis(10));
    assert_eq!(sink.as_mut().poll_ready(&mut context), Poll::Ready(Ok(())));
}

#[test]
fn a_permit_that_nothing_was_sent_with_goes_back() {
    let (_, queue) = slow();
    let mut sink = queue.throttle_sink(sink::drain::<u8>());
    assert!(
        std::future::poll_fn(|context| sink.poll_ready_unpin(context)).now_or_never().is_some()
    );
    assert_eq!(spent(&queue), 1);
    drop(sink);
    assert_eq!(spent(&queue), 0);
}

#[test]
fn a_permit_that_nothing_was_sent_with_goes_to_the_next_in_line() {
    let (time, queue) = slow();
    let mut sink = queue.throttle_sink(sink::drain::<u8>());
    assert!(
        std::future::poll_fn(|context| sink.poll_ready_unpin(context)).now_or_never().is_some()
    );
    let mut tasks = Tasks::new();
    for _ in 0..3 {
        tasks.spawn(queue.acquire_owned());
    }
    tasks.run();
    drop(sink);
    let served = tasks.run_until(&time, Timestamp::from_secs(1));
    assert_eq!(served.iter().map(|done| done.1.as_millis()).collect::<Vec<_>>(), [0, 10, 20]);
}

/// A sink that is never ready.
struct Stuck(Rc<Cell<bool>>);

impl Sink<u8> for Stuck {
    type Error = std::convert::Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.set(true);
        Poll::Pending
    }

    fn start_send(self: Pin<&mut Self>, _: u8) -> Result<(), Self::Error> {
        unreachable!("it is never ready")
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_sink_that_is_not_ready_takes_no_permit() {
    let (_, queue) = slow();
    let asked = Rc::new(Cell::new(false));
    let mut sink = queue.throttle_sink(Stuck(Rc::clone(&asked)));
    assert!(sink.send(1).now_or_never().is_none());
    assert!(asked.get());
    assert_eq!((spent(&queue), queue.waiting()), (0, 0));
}

#[test]
fn errors_of_the_queue_are_told_from_those_of_the_sink() {
    let (_, queue) = slow();
    let mut broken = queue.throttle_sink(
        sink::drain()
            .sink_map_err(|_| ())
            .with(|item: u8| std::future::ready(if item == 0 { Ok(item) } else { Err(()) })),
    );
    assert_eq!(broken.send(1).now_or_never(), Some(Err(ThrottleError::Sink(()))));
    queue.close();
    assert_eq!(
        queue.throttle_sink(sink::drain()).send(1).now_or_never(),
        Some(Err(ThrottleError::Acquire(AcquireError::Closed)))
    );
}

#[test]
#[should_panic(expected = "the sink was not ready")]
fn sending_without_being_ready_panics_as_documented() {
    let (_, queue) = slow();
    let _ = queue.throttle_sink(sink::drain()).start_send_unpin(1);
}
