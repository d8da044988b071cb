//! One property of a queue each, in a world without threads.

use super::sim::{Tasks, Time};
use casgate::algorithm::{Algorithm, Both};
use casgate::wait::{AcquireError, Queue};
use casgate::{Admitted, FixedWindow, Limiter, Quota, Timestamp, TokenBucket};
use std::sync::Arc;
use std::time::Duration;

pub(crate) type World<A> = (Time, Arc<Queue<A, Time, Time>>, Tasks<Result<Admitted, AcquireError>>);

pub(crate) fn world<A: Algorithm>(limiter: impl FnOnce(Time) -> Limiter<A, Time>) -> World<A> {
    let time = Time::default();
    let queue = Arc::new(Queue::with_timer(limiter(time.clone()), time.clone()));
    (time, queue, Tasks::new())
}

/// One permit each 10 ms.
pub(crate) fn slow() -> World<TokenBucket> {
    let quota = Quota::per_second(100).with_burst(1);
    world(|time| Limiter::token_bucket(quota).with_clock(time))
}

pub(crate) fn ms(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

#[test]
fn waiters_are_served_in_order_at_the_pace_of_the_quota() {
    let (time, queue, mut tasks) = slow();
    for _ in 0..100 {
        tasks.spawn(queue.acquire_owned());
    }
    let served = tasks.run_until(&time, Timestamp::from_secs(10));
    for (i, (task, at, outcome)) in served.iter().enumerate() {
        assert_eq!((*task, *at), (i, ms(10 * i as u64)));
        assert_eq!(outcome.unwrap().at(), *at);
        assert!(tasks.wakes(*task) <= 1);
    }
    assert_eq!((served.len(), queue.waiting(), time.sleepers()), (100, 0, 0));
}

#[test]
fn a_wait_that_would_be_too_long_fails_at_once_and_takes_nothing() {
    let (time, queue, mut tasks) = slow();
    for _ in 0..6 {
        tasks.spawn(queue.acquire_owned());
    }
    tasks.run();
    let before = queue.limiter().peek();
    let late = tasks.spawn(queue.acquire_owned().within(Duration::from_millis(59)));
    assert_eq!(
        tasks.run(),
        [(late, Err(AcquireError::TooLate { ready_after: Duration::from_millis(60) }))]
    );
    assert_eq!((queue.limiter().peek(), queue.waiting()), (before, 5));
    let just = tasks.spawn(queue.acquire_owned().within(Duration::from_millis(60)));
    assert_eq!(tasks.run_until(&time, ms(60)).last().unwrap().0, just);
}

#[test]
fn a_cancelled_head_lets_the_others_move_up() {
    let (time, queue, mut tasks) = slow();
    let all: Vec<_> = (0..4).map(|_| tasks.spawn(queue.acquire_owned())).collect();
    tasks.run();
    assert!(tasks.cancel(all[1]));
    let served = tasks.run_until(&time, ms(20));
    assert_eq!(
        served.iter().map(|done| (done.0, done.1)).collect::<Vec<_>>(),
        [(all[2], ms(10)), (all[3], ms(20))]
    );
}

#[test]
fn windows_and_pairs_are_queued_too() {
    let second = Quota::per_second(3);
    let (time, queue, mut tasks) = world(|time| Limiter::fixed_window(second).with_clock(time));
    tasks.spawn_all(7, || queue.acquire_owned());
    let times: Vec<_> =
        tasks.run_until(&time, ms(9_000)).iter().map(|done| done.1.as_secs()).collect();
    assert_eq!(times, [0, 0, 0, 1, 1, 1, 2]);

    let (time, queue, mut tasks) = world(|time| Limiter::sliding_window(second).with_clock(time));
    tasks.spawn_all(7, || queue.acquire_owned());
    let times: Vec<_> =
        tasks.run_until(&time, ms(9_000)).iter().map(|done| done.1.as_secs()).collect();
    assert_eq!(times, [0, 0, 0, 1, 1, 1, 2]);

    let both = Limiter::both(
        TokenBucket::new(Quota::per_second(10).with_burst(1)),
        FixedWindow::new(second),
    );
    let (time, queue, mut tasks): World<Both<TokenBucket, FixedWindow>> =
        world(|time| both.with_clock(time));
    tasks.spawn_all(7, || queue.acquire_owned());
    let times: Vec<_> =
        tasks.run_until(&time, ms(9_000)).iter().map(|done| done.1.as_millis()).collect();
    assert_eq!(times, [0, 100, 200, 1_000, 1_100, 1_200, 2_000]);
}

#[test]
fn a_new_quota_moves_those_who_wait() {
    let quota = Quota::per_second(1).with_burst(1);
    let (time, queue, mut tasks) =
        world(|time| Limiter::adjustable_token_bucket(quota).with_clock(time));
    for _ in 0..5 {
        tasks.spawn(queue.acquire_owned());
    }
    assert_eq!(tasks.run_until(&time, ms(500)).len(), 1);
    queue.set_quota(Quota::per_second(10).with_burst(1));
    let times: Vec<_> =
        tasks.run_until(&time, ms(9_000)).iter().map(|done| done.1.as_millis()).collect();
    assert_eq!(times, [550, 650, 750, 850]);
}

#[test]
fn closing_wakes_everybody_with_an_error_and_gives_the_places_back() {
    let (time, queue, mut tasks) = slow();
    tasks.spawn_all(4, || queue.acquire_owned());
    tasks.run();
    queue.close();
    let closed = tasks.run();
    assert_eq!(closed.len(), 3);
    assert!(closed.iter().all(|(_, outcome)| *outcome == Err(AcquireError::Closed)));
    time.advance_to(ms(10));
    assert!(queue.limiter().is_allowed());
}
