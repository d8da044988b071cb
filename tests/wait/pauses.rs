//! A pause: nobody is served before its end, and those who wait keep their order and their patience.

use super::basics::{World, ms, slow, world};
use casgate::algorithm::Algorithm;
use casgate::wait::AcquireError;
use casgate::{FixedWindow, Limiter, Quota, TokenBucket};
use std::time::Duration;

/// One permit each 10 ms.
fn quota() -> Quota {
    Quota::new(1, Duration::from_millis(10)).unwrap()
}

/// Five wait, then there is a pause of 500 ms. The first is served at its end, the others behind it at the pace.
fn paused<A: Algorithm + 'static>((time, queue, mut tasks): World<A>) {
    let all = tasks.spawn_all(6, || queue.acquire_owned());
    assert_eq!(tasks.run().len(), 1, "the burst");
    time.advance_to(ms(5));
    queue.pause_until(ms(500));
    let last = tasks.spawn(queue.acquire_owned());
    assert_eq!(tasks.run_until(&time, ms(499)), []);
    let done = tasks.run_until(&time, ms(2_000));
    let order: Vec<_> = done.iter().map(|(task, ..)| *task).collect();
    assert_eq!(order, [&all[1..], &[last]].concat());
    for (i, (_, at, outcome)) in done.iter().enumerate() {
        assert_eq!((*at, outcome.unwrap().at()), (ms(500 + 10 * i as u64), *at));
    }
    assert_eq!((queue.waiting(), time.sleepers()), (0, 0));
}

#[test]
fn nobody_is_served_in_a_pause_and_the_order_stays() {
    paused(slow());
    paused(world(|time| Limiter::fixed_window(quota()).with_clock(time)));
    paused(world(|time| Limiter::sliding_window(quota()).with_clock(time)));
    paused(world(|time| Limiter::adjustable_token_bucket(quota()).with_clock(time)));
    paused(world(|time| Limiter::adjustable_fixed_window(quota()).with_clock(time)));
    let both = || Limiter::both(TokenBucket::new(quota()), FixedWindow::new(quota()));
    paused(world(|time| both().with_clock(time)));
}

#[test]
fn a_pause_fails_at_once_those_whose_patience_ends_in_it() {
    let (time, queue, mut tasks) = slow();
    let [_, first, second, third] = tasks.spawn_all(4, || queue.acquire_owned())[..] else {
        panic!()
    };
    let hasty = tasks.spawn_all(2, || queue.acquire_owned().within(Duration::from_millis(100)));
    tasks.run();
    queue.pause_until(ms(300));
    let done = tasks.run();
    // The second would be served behind those who came before it.
    let late = |ms| Err(AcquireError::TooLate { ready_after: Duration::from_millis(ms) });
    assert_eq!(done, [(hasty[0], late(330)), (hasty[1], late(330))]);
    let at_once = tasks.spawn(queue.acquire_owned().within(Duration::from_millis(299)));
    assert_eq!(tasks.run(), [(at_once, late(330))]);
    let served = tasks.run_until(&time, ms(1_000));
    let order: Vec<_> = served.iter().map(|(task, ..)| *task).collect();
    assert_eq!(order, [first, second, third]);
}

/// Those ahead of it are served at the end, also with permits that were free long before.
fn hopeless_behind_another<A: Algorithm + 'static>((time, queue, mut tasks): World<A>) {
    time.advance_to(ms(100));
    queue.pause_until(ms(300));
    let patient = tasks.spawn(queue.acquire_owned());
    let hasty = tasks.spawn(queue.acquire_owned().by(ms(309)));
    let late = Err(AcquireError::TooLate { ready_after: Duration::from_millis(210) });
    assert_eq!(tasks.run(), [(hasty, late)]);
    let by_then = tasks.spawn(queue.acquire_owned().by(ms(310)));
    let served = tasks.run_until(&time, ms(1_000));
    let order: Vec<_> = served.iter().map(|(task, at, _)| (*task, *at)).collect();
    assert_eq!(order, [(patient, ms(300)), (by_then, ms(310))]);
}

#[test]
fn a_pause_fails_at_once_those_whose_patience_ends_behind_the_others() {
    hopeless_behind_another(slow());
    hopeless_behind_another(world(|time| Limiter::fixed_window(quota()).with_clock(time)));
    hopeless_behind_another(world(|time| Limiter::sliding_window(quota()).with_clock(time)));
}

/// Also where the place cannot go back, since a request from outside has built on it.
#[test]
fn a_booked_place_that_stays_waits_for_the_end() {
    let (time, queue, mut tasks) = slow();
    let all = tasks.spawn_all(2, || queue.acquire_owned());
    let hasty = tasks.spawn(queue.acquire_owned().within(Duration::from_millis(50)));
    tasks.run();
    queue.limiter().charge(1);
    queue.pause_until(ms(300));
    assert_eq!(tasks.run().first().map(|done| done.0), Some(hasty));
    let served = tasks.run_until(&time, ms(1_000));
    assert_eq!(
        served.iter().map(|(task, at, _)| (*task, *at)).collect::<Vec<_>>(),
        [(all[1], ms(300))]
    );
}

#[test]
fn the_place_of_one_who_is_dropped_in_a_pause_goes_to_nobody_in_it() {
    let (time, queue, mut tasks) = slow();
    let all = tasks.spawn_all(4, || queue.acquire_owned());
    tasks.run();
    queue.limiter().charge(1);
    time.advance_to(ms(10));
    queue.pause_until(ms(300));
    tasks.run();
    assert!(tasks.cancel(all[1]));
    assert_eq!(tasks.run_until(&time, ms(299)), []);
    let served = tasks.run_until(&time, ms(1_000));
    let order: Vec<_> = served.iter().map(|(task, ..)| *task).collect();
    assert_eq!(order, all[2..]);
}

#[test]
fn a_pause_ends_by_itself_and_a_longer_one_stays() {
    let (time, queue, mut tasks) = slow();
    queue.pause_until(ms(300));
    queue.pause_until(ms(100));
    queue.pause_until(ms(0));
    // Zero permits wait too, and a check from outside does not.
    tasks.spawn(queue.acquire_owned().permits(0));
    tasks.spawn(queue.acquire_owned());
    assert_eq!(tasks.run_until(&time, ms(299)), []);
    assert!(queue.limiter().is_allowed());
    assert_eq!(tasks.run_until(&time, ms(400)).len(), 2);
    // Nobody waits, and the next is served at once.
    time.advance_to(ms(500));
    tasks.spawn(queue.acquire_owned());
    assert_eq!(tasks.run().len(), 1);
}

#[test]
fn a_new_quota_does_not_end_a_pause() {
    let (time, queue, mut tasks) =
        world(|time| Limiter::adjustable_token_bucket(quota()).with_clock(time));
    tasks.spawn_all(3, || queue.acquire_owned());
    tasks.run();
    queue.pause_until(ms(300));
    queue.set_quota(Quota::per_second(1_000));
    assert_eq!(tasks.run_until(&time, ms(299)), []);
    assert_eq!(tasks.run_until(&time, ms(310)).len(), 2);
}

#[test]
fn a_queue_that_is_closed_in_a_pause_tells_everybody() {
    let (_time, queue, mut tasks) = slow();
    tasks.spawn_all(3, || queue.acquire_owned());
    tasks.run();
    queue.pause_until(ms(300));
    queue.close();
    let done = tasks.run();
    assert_eq!(done.len(), 2);
    assert!(done.iter().all(|(_, outcome)| *outcome == Err(AcquireError::Closed)));
}
