//! Orders of events that are made to break a sentence of the documentation.

use super::basics::{World, ms, slow, world};
use super::sim::{Tasks, Time};
use allocation_counter::measure;
use casgate::algorithm::Adjustable;
use casgate::wait::{AcquireError, Queue};
use casgate::{Admitted, KeyedLimiter, Limiter, Quota, SlidingWindow, Timestamp, TokenBucket};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

type Done = (usize, Timestamp, Result<Admitted, AcquireError>);

/// When that task was done, and when its permits were ready, in milliseconds.
fn served(done: &[Done], task: usize) -> Option<(u128, u128)> {
    let (_, at, outcome) = done.iter().find(|done| done.0 == task)?;
    Some((at.as_millis().into(), outcome.ok()?.at().as_millis().into()))
}

/// "They cost it at most twice the time of the permits that they asked for."
#[test]
fn a_hundred_neglected_waiters_cost_at_most_twice_their_permits() {
    for neglected in [1, 2, 3, 100] {
        let (time, queue, mut tasks) = slow();
        let all = tasks.spawn_all(neglected + 2, || queue.acquire_owned());
        tasks.run();
        all[1..=neglected].iter().for_each(|&task| tasks.neglect(task));
        let done = tasks.run_until(&time, ms(100_000));
        let (at, ready) = served(&done, all[neglected + 1]).unwrap();
        assert!(at == ready && at <= 20 * neglected as u128, "{neglected}: {at} ms");
        assert!(tasks.wakes(all[neglected + 1]) <= 2);
    }
}

/// "Zero are there at once."
#[test]
fn zero_permits_with_a_deadline_are_there_at_once() {
    let (_time, queue, mut tasks) = slow();
    tasks.spawn_all(3, || queue.acquire_owned());
    tasks.run();
    let none = tasks.spawn(queue.acquire_owned().permits(0).by(ms(1_000)));
    assert_eq!(tasks.run().first().map(|done| done.0), Some(none));
}

/// "Permits are ready in the order in which waiters were first polled."
#[test]
fn after_a_refund_nobody_passes_one_whose_permits_are_booked() {
    let (time, queue, mut tasks) = slow();
    let all = tasks.spawn_all(2, || queue.acquire_owned());
    tasks.run();
    queue.limiter().refund_n(2);
    let last = tasks.spawn(queue.acquire_owned());
    let done = tasks.run_until(&time, ms(1_000));
    assert!(served(&done, all[1]).unwrap().1 <= served(&done, last).unwrap().1, "{done:?}");
}

#[test]
fn after_a_refund_nobody_who_queues_passes_one_whose_permits_are_booked() {
    let (time, queue, mut tasks) = slow();
    let all = tasks.spawn_all(3, || queue.acquire_owned());
    tasks.run();
    queue.limiter().refund_n(2);
    let last = tasks.spawn(queue.acquire_owned());
    let done = tasks.run_until(&time, ms(1_000));
    let order: Vec<_> =
        [all[1], all[2], last].iter().map(|&task| served(&done, task).unwrap().1).collect();
    assert!(order.is_sorted(), "{order:?}");
}

fn adjustable(quota: Quota) -> World<Adjustable<TokenBucket>> {
    world(|time| Limiter::adjustable_token_bucket(quota).with_clock(time))
}

#[test]
fn a_new_quota_after_a_charge_keeps_the_order() {
    let (time, queue, mut tasks) = adjustable(Quota::per_second(1).with_burst(1));
    let all = tasks.spawn_all(3, || queue.acquire_owned());
    tasks.run();
    let _ = queue.limiter().charge(1);
    queue.set_quota(Quota::per_second(10).with_burst(1));
    let done = tasks.run_until(&time, ms(10_000));
    let order: Vec<_> = all[1..].iter().map(|&task| served(&done, task).unwrap().1).collect();
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn a_new_quota_from_outside_keeps_the_order() {
    let (time, queue, mut tasks) = adjustable(Quota::per_second(1).with_burst(1));
    let mut all = tasks.spawn_all(3, || queue.acquire_owned());
    tasks.run();
    queue.limiter().set_quota(Quota::per_second(10).with_burst(1));
    all.push(tasks.spawn(queue.acquire_owned()));
    let done = tasks.run_until(&time, ms(10_000));
    let order: Vec<_> = all[1..].iter().map(|&task| served(&done, task).unwrap().1).collect();
    assert!(order.is_sorted(), "{order:?}");
}

/// "Timers wake late: tokio's by up to a millisecond, others by more. The limiter's pace does not suffer."
#[test]
fn a_coarse_timer_does_not_slow_the_pace() {
    let time = Time::in_steps_of(Duration::from_millis(15));
    let quota = Quota::per_second(10_000).with_burst(1);
    let limiter = Limiter::token_bucket(quota).with_clock(time.clone());
    let queue = Arc::new(Queue::with_timer(limiter, time.clone()));
    let mut tasks = Tasks::new();
    tasks.spawn_all(1_000, || queue.acquire_owned());
    let served = tasks.run_until(&time, ms(120)).len();
    assert_eq!(served, 1_000);
}

/// "If nobody is queued, `acquire` is a load and a check, and takes no lock and no memory."
#[test]
fn a_deadline_takes_no_memory_if_nobody_is_queued() {
    let queue = Queue::new(Limiter::token_bucket(Quota::per_second(10)));
    let allocated = measure(|| {
        queue.acquire().block().unwrap();
        queue.acquire().within(Duration::from_secs(1)).block().unwrap();
    });
    assert_eq!(allocated.count_total, 0);
    let allocated = measure(|| assert!(queue.acquire().by(Timestamp::MAX).block().is_ok()));
    assert_eq!(allocated.count_total, 0);
}

/// "At most what is booked, 2 ms of the quota and one request."
#[test]
fn behind_one_who_is_too_late_nobody_is_booked_far_ahead() {
    let (_, queue, mut tasks) = adjustable(Quota::per_second(1).with_burst(1));
    tasks.spawn_all(2, || queue.acquire_owned());
    tasks.spawn(queue.acquire_owned().within(Duration::from_secs(3)));
    tasks.spawn(queue.acquire_owned());
    tasks.run();
    queue.set_quota(Quota::new(1, Duration::from_secs(10)).unwrap());
    // One is spent and one is booked.
    assert_eq!(queue.limiter().peek().reset_after(), Duration::from_secs(20));
}

/// "A caller can go on later than that: by what its timer lags, and by what its task waits to be polled."
#[test]
fn old_places_of_those_who_leave_make_no_burst() {
    let (time, queue, mut tasks) = slow();
    let all = tasks.spawn_all(101, || queue.acquire_owned());
    tasks.run();
    // Each second one is neglected, and dropped a while after the others were served.
    let neglected: Vec<_> = all[1..].iter().copied().step_by(2).collect();
    neglected.iter().for_each(|&task| tasks.neglect(task));
    tasks.run_until(&time, ms(20_000));
    assert_eq!((tasks.unfinished().len(), queue.waiting()), (0, 50));
    tasks.spawn_all(50, || queue.acquire_owned());
    tasks.run();
    assert!(neglected.iter().all(|&task| tasks.cancel(task)));
    let done = tasks.run_until(&time, ms(20_050));
    assert!(done.len() <= 6, "{} go on within 50 ms", done.len());
}

/// "Permits are ready in the order in which waiters were first polled."
#[test]
fn nobody_is_ready_before_one_who_came_earlier_and_is_served() {
    let (time, queue, mut tasks) = slow();
    let all = tasks.spawn_all(4, || queue.acquire_owned());
    tasks.run();
    tasks.neglect(all[1]);
    let mut done = tasks.run_until(&time, ms(25));
    tasks.cancel(all[1]);
    done.extend(tasks.run_until(&time, ms(100)));
    assert!(served(&done, all[2]).unwrap().1 <= served(&done, all[3]).unwrap().1, "{done:?}");
}

/// "In a sliding window more": how much.
#[test]
fn neglected_waiters_before_a_sliding_window_stop_nobody() {
    let quota = Quota::new(1, Duration::from_millis(10)).unwrap();
    let (time, queue, mut tasks): World<SlidingWindow> =
        world(|time| Limiter::sliding_window(quota).with_clock(time));
    let all = tasks.spawn_all(12, || queue.acquire_owned());
    tasks.run();
    all[1..11].iter().for_each(|&task| tasks.neglect(task));
    let done = tasks.run_until(&time, ms(10_000));
    assert!(served(&done, all[11]).unwrap().0 <= 660, "{done:?}");
}

/// Of a sliding window, what was given to one that is dropped goes on.
#[test]
fn what_a_sliding_window_gave_goes_on() {
    let (time, queue, mut tasks): World<SlidingWindow> =
        world(|time| Limiter::sliding_window(Quota::per_second(1)).with_clock(time));
    let all = tasks.spawn_all(3, || queue.acquire_owned());
    tasks.run();
    time.advance_to(ms(1_000));
    tasks.cancel(all[1]);
    let done = tasks.run_until(&time, ms(9_000));
    assert_eq!(served(&done, all[2]), Some((1_000, 1_000)));
}

/// "The permits are booked ahead of time: for the first, for those who follow within 2 ms, and for those whose time has come."
#[test]
fn one_whose_time_has_come_has_its_permits_booked_behind_the_neglected() {
    let (time, queue, mut tasks) = slow();
    let all = tasks.spawn_all(6, || queue.acquire_owned());
    tasks.run();
    all[1..5].iter().for_each(|&task| tasks.neglect(task));
    assert_eq!(tasks.run_until(&time, ms(50)), []);
    // The neglected from the second on at 50, 60 and 70 ms, and it at 80.
    let denied = queue.limiter().check().unwrap_err();
    assert_eq!(denied.retry_after(), Some(Duration::from_millis(40)));
}

/// Permits that are refunded move up those who can use them, and those alone: each place is taken once.
#[test]
fn a_refund_moves_up_the_last_as_far_as_it_goes() {
    let quota = Quota::per_second(2_000).with_burst(1);
    let (time, queue, mut tasks) = world(|time| Limiter::token_bucket(quota).with_clock(time));
    let all = tasks.spawn_all(4, || queue.acquire_owned());
    assert_eq!(tasks.run().len(), 1);
    // Booked at 500, 1,000 and 1,500 µs. Two come back, so the next free place is at 1,000.
    queue.limiter().refund_n(2);
    let last = tasks.spawn(queue.acquire_owned());
    let done = tasks.run_until(&time, ms(10));
    let at = |task: usize| {
        let (_, _, outcome) = done.iter().find(|done| done.0 == task).unwrap();
        outcome.unwrap().at().as_micros()
    };
    let times: Vec<_> = all[1..].iter().chain([&last]).map(|&task| at(task)).collect();
    assert_eq!(times, [500, 1_000, 1_000, 1_500]);
}

/// `AcquireKey::permits`: "It gives up a place that it has."
#[test]
fn a_wait_for_a_key_that_asks_for_another_number_gives_up_its_place() {
    let keys = KeyedLimiter::token_bucket(Quota::per_hour(1), 10);
    assert!(keys.is_allowed("a"));
    let mut wait = keys.acquire("a");
    assert!(Pin::new(&mut wait).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let hour = Duration::from_secs(3_600);
    assert!(keys.peek("a").reset_after() > hour);
    let wait = wait.permits(1);
    assert!(keys.peek("a").reset_after() <= hour);
    drop(wait);
}
