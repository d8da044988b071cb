//! Places of those who leave, when others have built on them.

use super::sim::{Tasks, Time};
use casgate::clock::Clock;
use casgate::wait::Queue;
use casgate::{Limiter, Quota, Timestamp, TokenBucket};
use futures_util::{FutureExt, SinkExt, sink};
use std::sync::Arc;
use std::time::Duration;

type Line = Arc<Queue<TokenBucket, Time, Time>>;

const fn ms(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// One permit each millisecond.
fn quick() -> (Time, Line) {
    let time = Time::default();
    let limiter = Limiter::token_bucket(Quota::per_second(1_000).with_burst(1));
    let limiter = limiter.with_clock(time.clone());
    (time.clone(), Arc::new(Queue::with_timer(limiter, time)))
}

#[test]
fn a_place_that_others_have_built_on_goes_to_the_next_for_two_milliseconds() {
    for (late, ready) in [(0, [1, 3]), (1, [3, 4])] {
        let (time, queue) = quick();
        assert!(queue.limiter().is_allowed());
        let mut tasks = Tasks::new();
        let [first, second, third, fourth] = [(); 4].map(|()| tasks.spawn(queue.acquire_owned()));
        tasks.neglect(first);
        assert_eq!(tasks.poll(first), None);
        let done = tasks.run_until(&time, ms(2));
        assert_eq!(done.len(), 1);
        assert_eq!((done[0].0, done[0].1), (second, ms(2)));
        // The place of the first is of 1 ms.
        time.advance_to(ms(3) + Duration::from_nanos(late));
        tasks.cancel(first);
        let done = tasks.run_until(&time, ms(100));
        let served: Vec<_> = done.into_iter().map(|done| (done.0, done.2.unwrap().at())).collect();
        assert_eq!(served, [(third, ms(ready[0])), (fourth, ms(ready[1]))], "{late} ns late");
    }
}

/// As soon as the pause is over, and not before. Those behind can rely on it.
#[test]
fn what_is_given_up_when_a_pause_ends_goes_to_the_next() {
    for (end, ready) in [(2, [0, 2, 3]), (3, [3, 4, 5])] {
        let (time, queue) = quick();
        let mut sink = queue.throttle_sink_owned(sink::drain::<u8>());
        let ready_now = std::future::poll_fn(|context| sink.poll_ready_unpin(context));
        assert!(ready_now.now_or_never().is_some(), "the permit of 0");
        let mut tasks = Tasks::new();
        tasks.spawn(queue.acquire_owned());
        assert_eq!(tasks.run_until(&time, ms(1)).len(), 1, "the permit of 1 ms is built on it");
        let [next, after] = [(); 2].map(|()| tasks.spawn(queue.acquire_owned()));
        tasks.run();
        queue.pause_until(ms(end));
        tasks.run();
        time.advance_to(ms(2));
        drop(sink);
        // The one behind them has its permit in time.
        let last = tasks.spawn(queue.acquire_owned().by(ms(ready[2])));
        let done = tasks.run_until(&time, ms(100));
        let served: Vec<_> = done.into_iter().map(|done| (done.0, done.2.unwrap().at())).collect();
        let at = ready.map(ms);
        assert_eq!(served, [(next, at[0]), (after, at[1]), (last, at[2])], "paused until {end} ms");
        assert_eq!(time.now(), ms(100));
    }
}

/// The next waits until the instant of the place, and not for longer. Otherwise the place would be lost, and it would fail.
#[test]
fn a_place_goes_to_the_next_that_it_is_just_in_time_for() {
    let time = Time::default();
    let quota = Quota::new(2, Duration::from_millis(10)).unwrap();
    let limiter = Limiter::fixed_window(quota).with_clock(time.clone());
    let queue = Arc::new(Queue::with_timer(limiter, time.clone()));
    assert!(queue.limiter().check_n(2).is_ok());
    let mut tasks = Tasks::new();
    let first = tasks.spawn(queue.acquire_owned());
    let second = tasks.spawn(queue.acquire_owned().by(ms(10)));
    let third = tasks.spawn(queue.acquire_owned());
    tasks.run();
    // It is built on, by the other permit of that window.
    queue.limiter().charge(1);
    tasks.cancel(first);
    let done = tasks.run_until(&time, ms(100));
    let served: Vec<_> = done.into_iter().map(|done| (done.0, done.2.unwrap().at())).collect();
    assert_eq!(served, [(second, ms(10)), (third, ms(20))]);
}
