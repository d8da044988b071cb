//! What happens to a queue when permits are returned to its limiter, or taken from it, by others.

use super::sim::{Tasks, Time};
use casgate::algorithm::{Algorithm, Weighted};
use casgate::wait::Queue;
use casgate::{Admitted, FixedWindow, Limiter, Quota, Timestamp, TokenBucket};
use std::sync::Arc;
use std::time::Duration;

type Line = Arc<Queue<TokenBucket, Time, Time>>;

/// One permit a second.
fn line(burst: u32) -> (Time, Line) {
    let time = Time::default();
    let quota = Quota::per_second(1).with_burst(burst);
    let limiter = Limiter::token_bucket(quota).with_clock(time.clone());
    (time.clone(), Arc::new(Queue::with_timer(limiter, time)))
}

fn instants<E: std::fmt::Debug>(
    served: Vec<(usize, Timestamp, Result<Admitted, E>)>,
) -> Vec<(usize, u64)> {
    served
        .into_iter()
        .map(|(task, at, outcome)| {
            assert_eq!(outcome.unwrap().at(), at);
            (task, at.as_secs())
        })
        .collect()
}

#[test]
fn a_reset_is_seen_by_the_next_arrival_and_nobody_is_passed() {
    let (time, queue) = line(1);
    queue.limiter().charge(10);
    let mut tasks = Tasks::new();
    (0..2).for_each(|_| assert!(tasks.spawn(queue.acquire_owned()) < 2));
    assert!(tasks.run().is_empty());
    queue.limiter().reset();
    tasks.spawn(queue.acquire_owned());
    let served = tasks.run_until(&time, Timestamp::from_secs(20));
    assert_eq!(instants(served), [(0, 0), (1, 1), (2, 2)]);
}

#[test]
fn refunded_permits_bring_everybody_forward() {
    let (time, queue) = line(4);
    let spent = queue.limiter().charge(4);
    let mut tasks = Tasks::new();
    tasks.spawn(queue.acquire_owned().permits(2)); // ready at 2 s
    tasks.spawn(queue.acquire_owned());
    assert!(tasks.run().is_empty());
    queue.limiter().refund(&spent);
    tasks.spawn(queue.acquire_owned());
    let served = instants(tasks.run_until(&time, Timestamp::from_secs(20)));
    assert_eq!(served.iter().map(|(task, _)| *task).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(served.iter().all(|&(task, at)| at <= task as u64), "{served:?}");
}

#[test]
fn a_check_from_outside_cannot_come_before_the_first_in_line() {
    let (time, queue) = line(1);
    assert!(queue.limiter().is_allowed());
    let mut tasks = Tasks::new();
    tasks.spawn(queue.acquire_owned());
    tasks.spawn(queue.acquire_owned());
    tasks.run();
    for second in 1..=4 {
        time.advance_to(Timestamp::from_millis(second * 1_000 - 1));
        assert!(!queue.limiter().is_allowed());
        time.advance_to(Timestamp::from_secs(second));
        // First the one from outside, then the one in line, which has its place.
        let outside = queue.limiter().is_allowed();
        let served = tasks.run();
        assert!(!outside || second > 2 && served.is_empty(), "at {second} s");
    }
    assert_eq!(queue.waiting(), 0);
}

/// The first in line has its permit booked at 1 s, whatever the algorithm that can book ahead.
fn nobody_comes_before_the_first<A: Algorithm + 'static>(
    limiter: impl FnOnce(Time) -> Limiter<A, Time>,
) {
    let time = Time::default();
    let queue = Arc::new(Queue::with_timer(limiter(time.clone()), time.clone()));
    let mut tasks = Tasks::new();
    while queue.limiter().is_allowed() {
        time.advance(Duration::from_millis(100));
    }
    tasks.spawn(queue.acquire_owned());
    assert!(tasks.run().is_empty());
    time.advance_to(Timestamp::from_secs(1));
    assert!(!queue.limiter().is_allowed(), "it was the first one's");
    assert_eq!(tasks.run().len(), 1);
}

#[test]
fn windows_and_pairs_book_ahead() {
    let (pace, window) = (Quota::per_second(10).with_burst(1), Quota::per_second(1));
    let few = Quota::per_second(3);
    nobody_comes_before_the_first(|time| Limiter::fixed_window(window).with_clock(time));
    nobody_comes_before_the_first(|time| Limiter::adjustable_fixed_window(window).with_clock(time));
    nobody_comes_before_the_first(|time| {
        Limiter::both(TokenBucket::new(pace), FixedWindow::new(few)).with_clock(time)
    });
    nobody_comes_before_the_first(|time| {
        Limiter::both(FixedWindow::new(few), TokenBucket::new(pace)).with_clock(time)
    });
}

/// A place that is dropped goes back, and takes nothing back that others have spent since.
fn only_what_was_booked_goes_back<A: Weighted + 'static>(
    limiter: impl Fn(Time) -> Limiter<A, Time>,
) {
    for others in [0, 1] {
        let time = Time::default();
        let queue = Arc::new(Queue::with_timer(limiter(time.clone()), time.clone()));
        assert!(queue.limiter().is_allowed());
        let mut tasks = Tasks::new();
        let waiter = tasks.spawn(queue.acquire_owned());
        tasks.run();
        queue.limiter().charge(others);
        assert!(tasks.cancel(waiter));
        time.advance_to(Timestamp::from_secs(1));
        assert_eq!(queue.limiter().is_allowed(), others == 0);
    }
}

#[test]
fn a_place_that_is_dropped_goes_back_and_takes_nothing_from_others() {
    let quota = Quota::per_second(1);
    only_what_was_booked_goes_back(|time| Limiter::token_bucket(quota).with_clock(time));
    only_what_was_booked_goes_back(|time| Limiter::fixed_window(quota).with_clock(time));
    only_what_was_booked_goes_back(|time| {
        Limiter::both(TokenBucket::new(quota), FixedWindow::new(quota)).with_clock(time)
    });
    only_what_was_booked_goes_back(|time| Limiter::adjustable_token_bucket(quota).with_clock(time));
    only_what_was_booked_goes_back(|time| Limiter::adjustable_fixed_window(quota).with_clock(time));
}
