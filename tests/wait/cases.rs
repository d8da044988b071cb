//! Situations that queues of waiters are known to get wrong, and the corners of each method.

use super::basics::{World, ms, slow, world};
use super::sim::{Tasks, Time};
use casgate::algorithm::{Adjustable, Both};
use casgate::clock::{Clock, ManualClock, SystemClock};
use casgate::testing::{DEADLINE, race_within};
use casgate::wait::{AcquireError, Queue, ThreadTimer, Timer, TokioTimer};
use casgate::{
    FixedWindow, KeyedLimiter, Limiter, Quota, SlidingWindow, Slot, Timestamp, TokenBucket,
};
use std::future::{self, Future};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

fn burst(n: u32) -> World<TokenBucket> {
    let quota = Quota::per_second(100).with_burst(n);
    world(|time| Limiter::token_bucket(quota).with_clock(time))
}

/// A waker that counts.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll(future, Waker::noop())
}

// What was reported of others.

#[test]
fn a_large_head_that_leaves_lets_a_small_one_go_without_any_other_event() {
    let (_, queue, mut tasks) = burst(5);
    queue.limiter().check_n(2).unwrap();
    let head = tasks.spawn(queue.acquire_owned().permits(5));
    let second = tasks.spawn(queue.acquire_owned());
    assert_eq!(tasks.run(), []);
    tasks.cancel(head);
    assert_eq!(tasks.woken(), [second]);
    assert_eq!(tasks.run()[0].1.unwrap().at(), Timestamp::ZERO);
}

#[test]
fn what_is_granted_and_cancelled_before_it_is_polled_goes_to_the_next() {
    let (time, queue, mut tasks) = slow();
    let all = tasks.spawn_all(3, || queue.acquire_owned());
    tasks.run();
    time.advance_to(ms(10));
    assert_eq!(tasks.woken(), [all[1]]);
    tasks.cancel(all[1]);
    let (task, outcome) = tasks.run()[0];
    assert_eq!((task, outcome.unwrap().at()), (all[2], ms(10)));
}

/// A waker that calls the queue and its limiter when it is woken and when it is dropped.
struct Nosy {
    queue: Arc<Queue<TokenBucket, Time, Time>>,
    woken: AtomicUsize,
}

impl Nosy {
    fn call(&self) {
        let _ = (self.queue.waiting(), self.queue.limiter().check());
        let mut another = self.queue.acquire();
        let _ = poll_once(&mut another);
    }
}

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Ordering::Relaxed);
        self.call();
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        self.call();
    }
}

#[test]
fn wakers_that_call_the_queue_when_they_are_woken_or_dropped_do_not_stop_it() {
    let outcome = race_within(DEADLINE, 1, |_| {
        let (time, queue, _) = slow();
        let nosy = || Waker::from(Arc::new(Nosy { queue: Arc::clone(&queue), woken: 0.into() }));
        let mut waits: Vec<_> = (0..6).map(|_| Some(queue.acquire_owned())).collect();
        let mut served = 0;
        for _ in 0..100 {
            for slot in &mut waits {
                // Each time another waker, so that the old one is dropped.
                let is_done = slot.as_mut().is_some_and(|wait| poll(wait, &nosy()).is_ready());
                if is_done {
                    *slot = None;
                    served += 1;
                }
            }
            time.advance(Duration::from_millis(10));
        }
        assert_eq!(served, 6);
        let mut rest: Vec<_> = (0..6).map(|_| queue.acquire_owned()).collect();
        assert!(rest.iter_mut().any(|wait| poll(wait, &nosy()).is_pending()));
        drop(rest.split_off(3));
        queue.close();
        drop(rest);
        assert_eq!(queue.waiting(), 0);
    });
    assert_eq!(outcome, [Ok(())]);
}

#[test]
fn a_wait_of_five_seconds_fails_at_once_with_a_patience_of_one() {
    let quota = Quota::per_second(1).with_burst(1);
    let (_, queue, mut tasks) = world(|time| Limiter::token_bucket(quota).with_clock(time));
    tasks.spawn_all(5, || queue.acquire_owned());
    tasks.run();
    let before = (queue.limiter().peek(), queue.waiting());
    let hasty = tasks.spawn(queue.acquire_owned().within(Duration::from_secs(1)));
    assert_eq!(
        tasks.run(),
        [(hasty, Err(AcquireError::TooLate { ready_after: Duration::from_secs(5) }))]
    );
    assert_eq!((queue.limiter().peek(), queue.waiting()), before);
}

#[test]
fn five_hundred_who_are_told_the_same_instant_are_served_in_order_and_woken_once() {
    let quota = Quota::per_second(500);
    let (time, queue, mut tasks) = world(|time| Limiter::fixed_window(quota).with_clock(time));
    queue.limiter().check_n(500).unwrap();
    let all = tasks.spawn_all(500, || queue.acquire_owned());
    let done = tasks.run_until(&time, ms(5_000));
    assert_eq!(done.iter().map(|done| done.0).collect::<Vec<_>>(), all);
    assert!(done.iter().all(|done| done.1 == ms(1_000) && done.2.unwrap().at() == ms(1_000)));
    assert!(all.iter().all(|&task| tasks.wakes(task) == 1));
}

/// Wakes at a part of the delay, and at first at once.
#[derive(Clone)]
struct Early(Time, Arc<AtomicUsize>);

impl Timer for Early {
    type Sleep = <Time as Timer>::Sleep;

    fn sleep(&self, delay: Duration) -> Self::Sleep {
        let times = self.1.fetch_add(1, Ordering::Relaxed) as u32;
        let part = (delay / 2).max(Duration::from_nanos(1));
        self.0.sleep(if times % 3 == 0 { Duration::ZERO } else { part })
    }
}

#[test]
fn a_timer_that_is_early_makes_nobody_early() {
    let time = Time::default();
    let limiter = Limiter::token_bucket(Quota::per_second(100).with_burst(1));
    let timer = Early(time.clone(), Arc::default());
    let queue = Arc::new(Queue::with_timer(limiter.with_clock(time.clone()), timer));
    let mut tasks = Tasks::new();
    let all = tasks.spawn_all(10, || queue.acquire_owned());
    let done = tasks.run_until(&time, ms(1_000));
    for (i, (task, at, outcome)) in done.iter().enumerate() {
        assert_eq!((*task, *at), (all[i], ms(10 * i as u64)));
        assert_eq!(outcome.unwrap().at(), *at);
    }
    assert_eq!(done.len(), 10);
}

#[test]
fn a_timer_that_is_late_makes_nobody_lose_permits() {
    let time = Time::in_steps_of(Duration::from_millis(9));
    let limiter = Limiter::token_bucket(Quota::per_second(100).with_burst(1));
    let queue = Arc::new(Queue::with_timer(limiter.with_clock(time.clone()), time.clone()));
    let mut tasks = Tasks::new();
    tasks.spawn_all(100, || queue.acquire_owned());
    let done = tasks.run_until(&time, ms(10_000));
    for (i, (_, at, outcome)) in (0u64..).zip(&done) {
        assert_eq!(outcome.unwrap().at(), ms(10 * i));
        assert!(*at >= ms(10 * i) && *at < ms(10 * i + 9));
    }
    assert_eq!(done.len(), 100);
}

#[test]
fn more_than_the_burst_is_an_error_at_once() {
    let (_, queue, mut tasks) = burst(5);
    tasks.spawn_all(9, || queue.acquire_owned());
    tasks.run();
    let before = queue.limiter().peek();
    let large = tasks.spawn(queue.acquire_owned().permits(6));
    assert_eq!(tasks.run(), [(large, Err(AcquireError::NeverFits))]);
    assert_eq!(queue.acquire().permits(u32::MAX).block(), Err(AcquireError::NeverFits));
    let large = queue.acquire().permits(6).within(Duration::ZERO).by(Timestamp::ZERO);
    assert_eq!(large.block(), Err(AcquireError::NeverFits));
    assert_eq!((queue.limiter().peek(), queue.waiting()), (before, 4));
}

// Wakers.

#[test]
fn of_many_wakers_only_the_newest_is_woken() {
    let (time, queue, mut tasks) = slow();
    tasks.spawn_all(2, || queue.acquire_owned());
    tasks.run();
    let mut wait = queue.acquire_owned();
    let wakers: Vec<_> = (0..5).map(|_| Arc::new(Count::default())).collect();
    for waker in &wakers {
        assert!(poll(&mut wait, &Waker::from(Arc::clone(waker))).is_pending());
    }
    let counts = || wakers.iter().map(|waker| waker.get()).collect::<Vec<_>>();
    // By the queue, as the one before it leaves.
    tasks.cancel(1);
    assert_eq!(counts(), [0, 0, 0, 0, 1]);
    // By the timer.
    assert!(poll(&mut wait, &Waker::from(Arc::clone(&wakers[2]))).is_pending());
    time.advance_to(ms(10));
    assert_eq!(counts(), [0, 0, 1, 0, 1]);
    assert!(poll(&mut wait, &Waker::from(Arc::clone(&wakers[0]))).is_ready());
    assert!(wakers.iter().all(|waker| Arc::strong_count(waker) == 1), "no waker is kept");
}

#[test]
fn closing_wakes_each_newest_waker_once() {
    let (_, queue, mut tasks) = slow();
    tasks.spawn(queue.acquire_owned());
    tasks.run();
    let (mut wait, old, new) = (queue.acquire_owned(), Arc::new(Count::default()), Arc::default());
    assert!(poll(&mut wait, &Waker::from(Arc::clone(&old))).is_pending());
    assert!(poll(&mut wait, &Waker::from(Arc::<Count>::clone(&new))).is_pending());
    queue.close();
    assert_eq!((old.get(), new.get()), (0, 1));
    assert_eq!(poll_once(&mut wait), Poll::Ready(Err(AcquireError::Closed)));
}

// Cancellation.

#[test]
fn a_future_that_was_never_polled_has_taken_nothing() {
    let (_, queue, _) = slow();
    let before = format!("{queue:?}");
    drop(queue.acquire_owned());
    drop(queue.acquire().within(Duration::from_secs(1)));
    drop(queue.acquire().by(Timestamp::MAX).permits(1));
    assert_eq!((format!("{queue:?}"), queue.waiting()), (before, 0));
}

#[test]
fn one_that_is_queued_leaves_and_its_room_is_free_at_once() {
    let (time, queue, mut tasks) = slow();
    let all = tasks.spawn_all(4, || queue.acquire_owned());
    tasks.run();
    let before = queue.limiter().peek();
    tasks.cancel(all[2]);
    assert_eq!((queue.waiting(), queue.limiter().peek()), (2, before));
    let done = tasks.run_until(&time, ms(100));
    let times: Vec<_> = done.iter().map(|done| (done.0, done.1)).collect();
    assert_eq!(times, [(all[1], ms(10)), (all[3], ms(20))]);
}

#[test]
fn one_whose_permits_are_booked_gives_them_back_exactly() {
    let (_, queue, mut tasks) = slow();
    tasks.spawn(queue.acquire_owned());
    tasks.run();
    let before = queue.limiter().peek();
    let booked = tasks.spawn(queue.acquire_owned());
    tasks.run();
    assert_ne!(queue.limiter().peek(), before);
    tasks.cancel(booked);
    assert_eq!((queue.waiting(), queue.limiter().peek()), (0, before));
}

#[test]
fn one_that_is_woken_and_not_polled_gives_back_what_was_ready() {
    let (time, queue, mut tasks) = slow();
    let all = tasks.spawn_all(2, || queue.acquire_owned());
    tasks.run();
    time.advance_to(ms(15));
    assert_eq!(tasks.woken(), [all[1]]);
    tasks.cancel(all[1]);
    assert!(queue.limiter().is_allowed());
    assert_eq!(time.sleepers(), 0);
}

#[test]
fn no_check_from_outside_comes_before_the_next_in_line() {
    let (time, queue, mut tasks) = slow();
    tasks.spawn_all(5, || queue.acquire_owned());
    for i in 1..5 {
        tasks.run();
        time.advance_to(ms(10 * i)); // one is woken, and not polled yet
        assert!(!queue.limiter().is_allowed());
        assert!(queue.acquire().within(Duration::ZERO).block().is_err());
    }
    tasks.run();
    time.advance_to(ms(50));
    assert!(queue.limiter().is_allowed());
}

#[test]
fn what_outside_requests_have_built_on_goes_to_the_next_in_line() {
    let (time, queue, mut tasks) = slow();
    let all = tasks.spawn_all(3, || queue.acquire_owned());
    tasks.run();
    // Before it is ready.
    let _ = queue.limiter().charge(1);
    tasks.cancel(all[1]);
    let done = tasks.run_until(&time, ms(20));
    assert_eq!((done[0].0, done[0].1), (all[2], ms(10)));
    // After.
    let all = tasks.spawn_all(2, || queue.acquire_owned());
    tasks.run_until(&time, ms(29));
    time.advance_to(ms(30));
    assert_eq!(tasks.woken(), [all[0]]);
    let _ = queue.limiter().charge(1);
    tasks.cancel(all[0]);
    let (task, outcome) = tasks.run()[0];
    assert_eq!((task, outcome.unwrap().at()), (all[1], ms(30)));
}

#[test]
fn a_place_goes_to_nobody_who_wants_more() {
    let (time, queue, mut tasks) = burst(2);
    queue.limiter().check_n(2).unwrap();
    let small = tasks.spawn(queue.acquire_owned());
    let large = tasks.spawn(queue.acquire_owned().permits(2));
    tasks.run();
    let _ = queue.limiter().charge(1); // it counts as that of 20 ms
    tasks.cancel(small);
    let done = tasks.run_until(&time, ms(100));
    assert_eq!((done[0].0, done[0].1), (large, ms(40)));
}

#[test]
fn those_who_left_do_not_make_others_late() {
    let (time, queue, mut tasks) = slow();
    let all = tasks.spawn_all(11, || queue.acquire_owned());
    let last = tasks.spawn(queue.acquire_owned().by(ms(110)));
    tasks.run();
    assert!(all[3..8].iter().all(|&task| tasks.cancel(task)));
    let _ = queue.limiter().charge(3);
    tasks.wake(last);
    let done = tasks.run_until(&time, ms(200));
    let (_, at, outcome) = done.iter().find(|done| done.0 == last).unwrap();
    assert_eq!((outcome.unwrap().at(), *at), (ms(90), ms(90)));
}

#[test]
fn a_builder_of_a_wait_that_is_queued_leaves_the_queue_and_starts_again() {
    let (_, queue, mut tasks) = slow();
    tasks.spawn_all(2, || queue.acquire_owned());
    tasks.run();
    let before = queue.limiter().peek();
    let mut wait = queue.acquire_owned();
    assert!(poll_once(&mut wait).is_pending());
    let wait = wait.permits(1);
    assert_eq!((queue.waiting(), queue.limiter().peek()), (1, before));
    let mut wait = wait.within(Duration::from_millis(1));
    assert!(matches!(poll_once(&mut wait), Poll::Ready(Err(AcquireError::TooLate { .. }))));
}

#[test]
#[should_panic = "polled again"]
fn a_wait_that_is_over_panics_if_it_is_polled() {
    let (_, queue, _) = slow();
    let mut wait = queue.acquire_owned();
    assert!(poll_once(&mut wait).is_ready());
    let _ = poll_once(&mut wait);
}

#[test]
fn a_leaked_wait_costs_its_permit_and_stops_nobody() {
    let (time, queue, mut tasks) = slow();
    let all = tasks.spawn_all(3, || queue.acquire_owned());
    tasks.run();
    tasks.forget(all[1]);
    let done = tasks.run_until(&time, ms(100));
    assert_eq!(done.iter().map(|done| (done.0, done.1)).collect::<Vec<_>>(), [(all[2], ms(20))]);
}

#[test]
fn a_leaked_wait_counts_as_waiting_until_it_is_ready() {
    let time = Time::default();
    let limiter = Limiter::token_bucket(Quota::per_second(100).with_burst(1));
    let queue = Queue::with_timer(limiter.with_clock(time.clone()), time.clone()).most_waiting(1);
    let queue = Arc::new(queue);
    let mut tasks = Tasks::new();
    let all = tasks.spawn_all(2, || queue.acquire_owned());
    tasks.run();
    tasks.forget(all[1]);
    let refused = tasks.spawn(queue.acquire_owned());
    assert_eq!(tasks.run(), [(refused, Err(AcquireError::TooManyWaiting))]);
    time.advance_to(ms(10));
    let next = tasks.spawn(queue.acquire_owned());
    let refused = tasks.spawn(queue.acquire_owned());
    assert_eq!(tasks.run(), [(refused, Err(AcquireError::TooManyWaiting))]);
    let done = tasks.run_until(&time, ms(100));
    assert_eq!((done[0].0, done[0].1), (next, ms(20)));
}

#[test]
fn a_leaked_wait_keeps_nobody_from_closing() {
    let (_, queue, mut tasks) = slow();
    let all = tasks.spawn_all(3, || queue.acquire_owned());
    tasks.run();
    tasks.forget(all[1]);
    queue.close();
    assert_eq!(tasks.run(), [(all[2], Err(AcquireError::Closed))]);
    assert_eq!(queue.waiting(), 0);
}

#[test]
fn a_wait_on_a_timer_that_panics_can_still_be_dropped() {
    let quota = Quota::per_hour(1);
    let queue = Queue::with_timer(Limiter::token_bucket(quota), TokioTimer);
    queue.acquire().block().unwrap();
    let before = format!("{:?}", queue.limiter());
    let mut wait = queue.acquire();
    // Outside a runtime.
    assert!(catch_unwind(AssertUnwindSafe(|| poll_once(&mut wait))).is_err());
    assert_eq!(queue.waiting(), 1);
    drop(wait);
    assert_eq!((format!("{:?}", queue.limiter()), queue.waiting()), (before, 0));
}

#[test]
fn a_new_quota_sends_those_away_who_never_fit_or_are_too_late() {
    let quota = Quota::per_second(10).with_burst(5);
    let (time, queue, mut tasks) =
        world(|time| Limiter::adjustable_token_bucket(quota).with_clock(time));
    queue.limiter().check_n(5).unwrap();
    let large = tasks.spawn(queue.acquire_owned().permits(5));
    let small = tasks.spawn(queue.acquire_owned());
    let hasty = tasks.spawn(queue.acquire_owned().within(Duration::from_millis(700)));
    tasks.run();
    queue.set_quota(Quota::per_second(1).with_burst(2));
    let done = tasks.run_until(&time, ms(10_000));
    assert_eq!((done[0].0, done[0].2), (large, Err(AcquireError::NeverFits)));
    assert!((done[1].0, done[1].1 <= ms(700)) == (hasty, true));
    assert!(matches!(done[1].2, Err(AcquireError::TooLate { .. })));
    assert_eq!((done[2].0, done[2].1, done.len()), (small, ms(1_000), 3));
}

// Numbers at their ends.

#[test]
fn at_most_so_many_wait() {
    let time = Time::default();
    let limiter = Limiter::token_bucket(Quota::per_second(100).with_burst(2));
    let queue = Queue::with_timer(limiter.with_clock(time.clone()), time.clone()).most_waiting(3);
    let queue = Arc::new(queue);
    let mut tasks = Tasks::new();
    let all = tasks.spawn_all(7, || queue.acquire_owned());
    let full = Err(AcquireError::TooManyWaiting);
    assert_eq!(tasks.run()[2..], [(all[5], full), (all[6], full)]);
    assert_eq!(queue.waiting(), 3);
    // Room is free again when one leaves, and when one is served.
    tasks.cancel(all[3]);
    assert!(tasks.run().is_empty());
    let another = tasks.spawn(queue.acquire_owned());
    assert_eq!(tasks.run(), []);
    assert_eq!(tasks.run_until(&time, ms(10)).len(), 1);
    let last = tasks.spawn(queue.acquire_owned());
    let refused = tasks.spawn(queue.acquire_owned());
    assert_eq!(tasks.run(), [(refused, full)]);
    let done = tasks.run_until(&time, ms(100));
    let order: Vec<_> = done.iter().map(|done| (done.0, done.1)).collect();
    assert_eq!(order, [(all[4], ms(20)), (another, ms(30)), (last, ms(40))]);
    // Of a queue in which nobody may wait, what is free is there for all.
    let limiter = Limiter::token_bucket(Quota::per_second(100).with_burst(2));
    let none = Queue::with_timer(limiter.with_clock(time.clone()), time.clone()).most_waiting(0);
    assert!(none.acquire().block().is_ok() && none.acquire().by(Timestamp::MAX).block().is_ok());
    assert_eq!(none.acquire().by(Timestamp::MAX).block(), Err(AcquireError::TooManyWaiting));
    // One that would be too late is told so rather than that there is no room.
    tasks.spawn_all(5, || queue.acquire_owned());
    tasks.run();
    let hasty = tasks.spawn(queue.acquire_owned().within(Duration::ZERO));
    assert!(
        matches!(tasks.run()[..], [(task, Err(AcquireError::TooLate { .. }))] if task == hasty)
    );
}

#[test]
fn zero_permits_are_there_at_once() {
    let (_, queue, mut tasks) = burst(3);
    assert_eq!(queue.acquire().permits(0).block().unwrap().remaining(), 3);
    tasks.spawn_all(5, || queue.acquire_owned().permits(3));
    tasks.run();
    let before = queue.limiter().peek();
    let admitted = queue.acquire().permits(0).block().unwrap();
    assert_eq!((admitted.permits(), admitted.at()), (0, Timestamp::ZERO));
    assert!(queue.acquire().permits(0).within(Duration::ZERO).block().is_ok());
    assert_eq!((queue.limiter().peek(), queue.waiting()), (before, 4));
    queue.close();
    assert_eq!(queue.acquire().permits(0).block(), Err(AcquireError::Closed));
}

#[test]
fn a_closed_queue_lets_nobody_in_and_its_limiter_goes_on() {
    let (_, queue, _) = burst(3);
    queue.close();
    queue.close();
    assert_eq!(queue.acquire().block(), Err(AcquireError::Closed));
    assert_eq!(queue.acquire().permits(9).block(), Err(AcquireError::Closed));
    assert_eq!(queue.acquire().by(Timestamp::MAX).block(), Err(AcquireError::Closed));
    assert_eq!(queue.acquire().within(Duration::ZERO).block(), Err(AcquireError::Closed));
    assert_eq!(poll_once(&mut queue.acquire_owned()), Poll::Ready(Err(AcquireError::Closed)));
    assert!(queue.limiter().is_allowed());
}

#[test]
fn a_deadline_in_the_past_takes_nothing() {
    let (time, queue, _) = burst(3);
    time.advance_to(ms(50));
    let before = format!("{queue:?}");
    let late = queue.acquire().by(ms(49)).block();
    assert_eq!(late, Err(AcquireError::TooLate { ready_after: Duration::ZERO }));
    assert_eq!(format!("{queue:?}"), before);
    assert_eq!(queue.acquire().by(ms(50)).block().unwrap().at(), ms(50));
}

#[test]
fn the_last_deadline_and_the_longest_patience_are_no_limit() {
    let (time, queue, mut tasks) = slow();
    tasks.spawn(queue.acquire_owned());
    let by = tasks.spawn(queue.acquire_owned().by(Timestamp::MAX));
    let within = tasks.spawn(queue.acquire_owned().within(Duration::MAX));
    let done = tasks.run_until(&time, ms(100));
    let times: Vec<_> = done.iter().skip(1).map(|done| (done.0, done.1)).collect();
    assert_eq!(times, [(by, ms(10)), (within, ms(20))]);
    // The later of two conditions counts.
    let none = queue.acquire().within(Duration::ZERO).by(Timestamp::MAX);
    assert!(poll_once(&mut { none }).is_pending() || queue.waiting() == 0);
}

#[test]
fn a_wait_of_years_sleeps_a_day_at_a_time() {
    let time = Time::default();
    let longest = Arc::new(Mutex::new(Duration::ZERO));
    let timer = {
        let (time, longest) = (time.clone(), Arc::clone(&longest));
        move |delay: Duration| {
            let mut longest = longest.lock().unwrap();
            *longest = delay.max(*longest);
            time.sleep(delay)
        }
    };
    let year = Duration::from_secs(365 * 24 * 3_600);
    let quota = Quota::new(1, year).unwrap();
    let limiter = Limiter::token_bucket(quota).with_clock(time.clone());
    let queue = Arc::new(Queue::with_timer(limiter, timer));
    let mut tasks = Tasks::new();
    let all = tasks.spawn_all(2, || queue.acquire_owned());
    let done = tasks.run_until(&time, Timestamp::ZERO + 2 * year);
    assert_eq!((done[1].0, done[1].1), (all[1], Timestamp::ZERO + year));
    assert_eq!(*longest.lock().unwrap(), Duration::from_secs(24 * 3_600));
}

#[test]
fn the_end_of_time_never_fits() {
    let clock = ManualClock::new();
    clock.set(Timestamp::MAX);
    let queue = Queue::new(Limiter::token_bucket(Quota::per_second(1)).with_clock(&clock));
    assert_eq!(queue.acquire().block(), Err(AcquireError::NeverFits));
    let queue = Queue::new(Limiter::sliding_window(Quota::per_second(1)).with_clock(&clock));
    assert_eq!(queue.acquire().block(), Err(AcquireError::NeverFits));
}

#[test]
fn a_clock_that_steps_back_serves_nobody_early_and_keeps_the_order() {
    let clock = ManualClock::new();
    let limiter = Limiter::token_bucket(Quota::per_second(100).with_burst(1)).with_clock(&clock);
    let queue = Queue::with_timer(limiter, |_| future::pending());
    assert!(queue.acquire().block().is_ok());
    let (mut first, mut second) = (queue.acquire(), queue.acquire());
    assert!(poll_once(&mut first).is_pending() && poll_once(&mut second).is_pending());
    clock.set(ms(10));
    clock.set(ms(4));
    assert!(poll_once(&mut first).is_pending() && poll_once(&mut second).is_pending());
    clock.set(ms(10));
    let Poll::Ready(Ok(admitted)) = poll_once(&mut first) else { panic!("still waits") };
    assert_eq!(admitted.at(), ms(10));
    clock.set(ms(5));
    assert!(poll_once(&mut second).is_pending());
    let mut third = queue.acquire();
    assert!(poll_once(&mut third).is_pending());
    clock.set(ms(20));
    let Poll::Ready(Ok(admitted)) = poll_once(&mut second) else { panic!("still waits") };
    assert_eq!(admitted.at(), ms(20));
    clock.set(Timestamp::ZERO);
    drop(third);
    assert_eq!(queue.waiting(), 0);
}

// Threads.

/// Returns when so many wait.
fn until_so_many_wait(queue: &Queue<TokenBucket, Time, Time>, count: usize) {
    while queue.waiting() < count {
        thread::yield_now();
    }
}

#[test]
fn threads_and_tasks_wait_in_one_order() {
    let outcome = race_within(DEADLINE, 1, |_| {
        let (time, queue, mut tasks) = slow();
        assert!(queue.acquire().block().is_ok());
        let block = |queue: &Arc<_>| {
            let wait = Queue::acquire_owned(queue);
            thread::spawn(move || wait.block())
        };
        let first = block(&queue);
        until_so_many_wait(&queue, 1);
        let second = tasks.spawn(queue.acquire_owned());
        tasks.run();
        let third = block(&queue);
        until_so_many_wait(&queue, 3);
        let fourth = tasks.spawn(queue.acquire_owned());
        tasks.run();
        time.advance_to(ms(10));
        assert_eq!(first.join().unwrap().unwrap().at(), ms(10));
        let done = tasks.run_until(&time, ms(20));
        assert_eq!((done[0].0, done[0].2.unwrap().at()), (second, ms(20)));
        time.advance_to(ms(30));
        assert_eq!(third.join().unwrap().unwrap().at(), ms(30));
        let done = tasks.run_until(&time, ms(40));
        assert_eq!((done[0].0, done[0].2.unwrap().at()), (fourth, ms(40)));
    });
    assert_eq!(outcome, [Ok(())]);
}

#[test]
fn a_thread_behind_a_large_head_that_leaves_goes_on() {
    let outcome = race_within(DEADLINE, 1, |_| {
        let quota = Quota::per_hour(5);
        let (_, queue, mut tasks) = world(|time| Limiter::token_bucket(quota).with_clock(time));
        queue.limiter().check_n(2).unwrap();
        let head = tasks.spawn(queue.acquire_owned().permits(5));
        tasks.run();
        let wait = queue.acquire_owned();
        let thread = thread::spawn(move || wait.block());
        until_so_many_wait(&queue, 2);
        tasks.cancel(head);
        assert_eq!(thread.join().unwrap().unwrap().at(), Timestamp::ZERO);
    });
    assert_eq!(outcome, [Ok(())]);
}

#[test]
fn threads_that_block_and_are_closed_all_return() {
    let queue = Arc::new(Queue::new(Limiter::token_bucket(Quota::per_hour(1))));
    let outcomes = race_within(DEADLINE, 5, move |caller| {
        if caller > 0 {
            return queue.acquire().block();
        }
        // One is served, three wait.
        while queue.waiting() < 3 {
            thread::yield_now();
        }
        queue.close();
        queue.acquire().block()
    });
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().all(|o| o.is_ok() || *o == Err(AcquireError::Closed)));
}

#[test]
fn threads_share_a_quota_and_none_is_lost() {
    let limiter = Limiter::token_bucket(Quota::per_second(20_000).with_burst(1));
    let queue = Arc::new(Queue::new(limiter));
    let threads = race_within(DEADLINE, 4, move |_| {
        (0..50).map(|_| queue.acquire().block().unwrap().at().as_nanos()).collect::<Vec<_>>()
    });
    let mut all: Vec<u64> = threads.into_iter().flat_map(Result::unwrap).collect();
    all.sort_unstable();
    assert_eq!(all.len(), 200);
    assert!(all.windows(2).all(|pair| pair[1] - pair[0] >= 50_000));
}

// Types.

#[test]
fn owned_waits_go_to_any_thread() {
    fn is_free<T: 'static + Send + Unpin>(_: &T) {}
    fn is_shared<T: Send + Sync>(_: &T) {}
    let bucket = Arc::new(Queue::new(Limiter::token_bucket(Quota::per_second(1))));
    is_free(&bucket.acquire_owned());
    is_shared(&bucket);
    let sliding = Arc::new(Queue::new(Limiter::sliding_window(Quota::per_second(1))));
    is_free(&sliding.acquire_owned());
    let limiter = Limiter::adjustable_fixed_window(Quota::per_second(1));
    let adjustable = Arc::new(Queue::with_timer(limiter, TokioTimer));
    is_free(&adjustable.acquire_owned().permits(1).within(Duration::MAX));
    let limiter = Limiter::fixed_window(Quota::per_second(1));
    let closure = Arc::new(Queue::with_timer(limiter, |_| future::ready(())));
    is_free(&closure.acquire_owned());
    fn is_send<T: Send + Unpin>(_: &T) {}
    is_send(&bucket.acquire());
    let keyed = KeyedLimiter::token_bucket(Quota::per_second(1), 10);
    is_send(&keyed.acquire("a"));
    is_send(&keyed.acquire("a").timer(TokioTimer));
}

const FIVE: Quota = Quota::per_second(5);

static BUCKET: Queue = Queue::new(Limiter::token_bucket(FIVE));
static WINDOW: Queue<FixedWindow> = Queue::new(Limiter::fixed_window(FIVE));
static SLIDING: Queue<SlidingWindow<[Slot; 5]>> =
    Queue::new(Limiter::sliding_window_array(Duration::from_secs(1)));
static BOTH: Queue<Both<TokenBucket, FixedWindow>> =
    Queue::new(Limiter::both(TokenBucket::new(FIVE), FixedWindow::new(FIVE)));
static ADJUSTABLE: Queue<Adjustable<TokenBucket>> =
    Queue::new(Limiter::adjustable_token_bucket(FIVE));
static TOKIO: Queue<Adjustable<FixedWindow>, SystemClock, TokioTimer> =
    Queue::with_timer(Limiter::adjustable_fixed_window(FIVE), TokioTimer).most_waiting(9);
static TIMED: Queue<TokenBucket, SystemClock, fn(Duration) -> future::Ready<()>> =
    Queue::with_timer(Limiter::token_bucket(FIVE), |_| future::ready(()));

#[test]
fn queues_of_each_kind_are_statics() {
    let all = [
        BUCKET.acquire().block(),
        WINDOW.acquire().block(),
        SLIDING.acquire().block(),
        BOTH.acquire().block(),
        ADJUSTABLE.acquire().block(),
        TOKIO.acquire().block(),
        TIMED.acquire().block(),
    ];
    assert!(all.iter().all(|outcome| outcome.unwrap().remaining() == 4));
}

// Keys.

type Keyed = &'static KeyedLimiter<Time>;

fn keyed(time: &Time) -> Keyed {
    let quota = Quota::per_second(100).with_burst(1);
    Box::leak(Box::new(KeyedLimiter::token_bucket(quota, 10).with_clock(time.clone())))
}

#[test]
fn waiters_of_a_key_are_served_in_the_order_of_first_polls() {
    let time = Time::in_steps_of(Duration::from_millis(3));
    let (limiter, mut tasks) = (keyed(&time), Tasks::new());
    let a = tasks.spawn_all(5, || limiter.acquire("a").timer(time.clone()));
    let b = tasks.spawn(limiter.acquire("b").timer(time.clone()));
    let done = tasks.run_until(&time, ms(1_000));
    assert!(done.iter().all(|done| done.2.is_ok()));
    let of_a: Vec<_> = done.iter().filter(|done| done.0 != b).collect();
    for (i, (task, at, _)) in of_a.iter().enumerate() {
        assert!(*task == a[i] && *at >= ms(10 * i as u64) && *at < ms(10 * i as u64 + 3));
    }
    assert!(done.contains(&(b, Timestamp::ZERO, Ok(()))));
}

#[test]
fn a_wait_for_a_key_that_is_too_long_fails_at_once_and_takes_nothing() {
    let time = Time::default();
    let (limiter, mut tasks) = (keyed(&time), Tasks::new());
    let wait = || limiter.acquire("a").timer(time.clone());
    tasks.spawn_all(3, wait);
    tasks.run();
    let before = limiter.peek("a");
    let late = tasks.spawn(wait().within(Duration::from_millis(29)));
    let done = tasks.run();
    assert_eq!(done[0].0, late);
    assert_eq!(done[0].1.unwrap_err().retry_after(), Some(Duration::from_millis(1)));
    assert_eq!(limiter.peek("a"), before);
    let just = tasks.spawn(wait().within(Duration::from_millis(30)));
    let large = tasks.spawn(wait().permits(2));
    let done = tasks.run();
    assert_eq!((done[0].0, done[0].1.unwrap_err().retry_after()), (large, None));
    assert_eq!(tasks.run_until(&time, ms(100)).last().unwrap(), &(just, ms(30), Ok(())));
}

#[test]
fn a_wait_for_a_key_that_is_dropped_gives_its_place_back() {
    let time = Time::default();
    let (limiter, mut tasks) = (keyed(&time), Tasks::new());
    let wait = || limiter.acquire("a").timer(time.clone());
    tasks.spawn(wait());
    tasks.run();
    let before = limiter.peek("a");
    drop(wait()); // never polled
    let dropped = tasks.spawn(wait());
    tasks.run();
    tasks.cancel(dropped);
    assert_eq!(limiter.peek("a"), before);
    // Also if its time has come, and by a builder.
    let mut ready = wait();
    assert!(poll_once(&mut ready).is_pending());
    let mut ready = ready.within(Duration::MAX);
    assert_eq!(limiter.peek("a"), before);
    assert!(poll_once(&mut ready).is_pending());
    time.advance_to(ms(10));
    drop(ready);
    assert_eq!(limiter.peek("a").remaining(), 1);
    assert_eq!(time.sleepers(), 0);
}

#[test]
fn an_early_timer_makes_no_wait_for_a_key_early() {
    let time = Time::default();
    let (limiter, mut tasks) = (keyed(&time), Tasks::new());
    let early = Early(time.clone(), Arc::default());
    let all = tasks.spawn_all(5, || limiter.acquire("a").timer(early.clone()));
    let done = tasks.run_until(&time, ms(1_000));
    for (i, done) in done.iter().enumerate() {
        assert_eq!(*done, (all[i], ms(10 * i as u64), Ok(())));
    }
    assert_eq!(done.len(), 5);
}

#[test]
fn threads_block_for_a_key() {
    let quota = Quota::per_second(20_000).with_burst(1);
    let limiter = Arc::new(KeyedLimiter::token_bucket(quota, 10));
    let origin = SystemClock.now();
    let shared = Arc::clone(&limiter);
    let threads =
        race_within(DEADLINE, 4, move |_| (0..50).all(|_| shared.acquire("a").block().is_ok()));
    assert_eq!(threads, vec![Ok(true); 4]);
    // 200 permits take 199 intervals at least.
    assert!(SystemClock.now() - origin >= Duration::from_micros(199 * 50));
}

#[test]
fn a_leaked_wait_for_a_key_keeps_its_place() {
    let time = Time::default();
    let (limiter, mut tasks) = (keyed(&time), Tasks::new());
    let all = tasks.spawn_all(3, || limiter.acquire("a").timer(time.clone()));
    tasks.run();
    tasks.forget(all[1]);
    assert_eq!(tasks.run_until(&time, ms(100)), [(all[2], ms(20), Ok(()))]);
}

#[test]
fn the_timer_that_needs_no_runtime_wakes() {
    let woken = Arc::new(Count::default());
    let outcome = race_within(DEADLINE, 1, move |_| {
        let mut sleep = ThreadTimer.sleep(Duration::from_millis(1));
        while poll(&mut sleep, &Waker::from(Arc::clone(&woken))).is_pending() {
            thread::yield_now();
        }
        mem::drop(sleep);
    });
    assert_eq!(outcome, [Ok(())]);
}
