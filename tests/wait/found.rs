//! What the model checker's scenarios found, each a promise that is not kept in a rare case. They fail, so they are ignored.

use super::sim::{Tasks, Time};
use casgate::algorithm::Algorithm;
use casgate::wait::{AcquireError, Queue};
use casgate::{Admitted, Limiter, Quota, Timestamp};
use std::sync::Arc;
use std::time::Duration;

type World<A> = (Time, Arc<Queue<A, Time, Time>>, Tasks<Result<Admitted, AcquireError>>);

/// A queue whose burst is spent, and four that wait: two with places, at 1 and 2 ms, and two queued.
fn four<A: Algorithm + 'static>(
    burst: u32,
    limiter: impl FnOnce(Quota, Time) -> Limiter<A, Time>,
) -> World<A> {
    let time = Time::default();
    let limiter = limiter(Quota::per_second(1_000).with_burst(burst), time.clone());
    let queue = Arc::new(Queue::with_timer(limiter, time.clone()));
    let mut tasks = Tasks::new();
    for _ in 0..burst {
        assert!(queue.limiter().is_allowed());
    }
    for _ in 0..4 {
        tasks.spawn(queue.acquire_owned());
    }
    assert!(tasks.run().is_empty());
    (time, queue, tasks)
}

fn us(micros: u64) -> Timestamp {
    Timestamp::from_nanos(micros * 1_000)
}

/// "Permits are ready in the order in which waiters were first polled." The third is polled first, at 3 ms, and goes on.
/// Then the second is dropped, and its place at 2 ms goes to the fourth.
#[test]
#[ignore = "found by the model checker: the fourth is ready before the third was"]
fn permits_are_ready_in_the_order_of_arrival() {
    let (time, _queue, mut tasks) =
        four(1, |quota, time| Limiter::token_bucket(quota).with_clock(time));
    time.advance_to(us(3_000));
    let third = tasks.poll(2).unwrap().unwrap().at();
    assert!(tasks.cancel(1));
    let served = tasks.run_until(&time, us(9_000));
    let fourth = served.iter().find(|done| done.0 == 3).unwrap().2.unwrap().at();
    assert!(third <= fourth, "the third at {third}, the fourth at {fourth}");
}

/// "Possible as long as nobody outside the queue has taken permits since. Otherwise they go to the next in line." Nobody
/// outside takes any. The third goes on before the first two are polled, and then all leave.
#[test]
#[ignore = "found by the model checker: what was booked for the first two is lost"]
fn without_requests_from_outside_no_permit_is_lost() {
    let (time, queue, mut tasks) =
        four(2, |quota, time| Limiter::token_bucket(quota).with_clock(time));
    time.advance_to(us(3_000));
    assert!(tasks.poll(2).unwrap().is_ok());
    [0, 1, 3].into_iter().for_each(|task| assert!(tasks.cancel(task)));
    // The burst was full again after 2 ms, and one permit of it is spent.
    assert_eq!(queue.limiter().peek().remaining(), 1);
}

/// The same with a new quota, which keeps what is ready under the old one.
#[test]
#[ignore = "found by the model checker: what was ready under the old quota is lost"]
fn with_a_new_quota_no_permit_is_lost() {
    let (time, queue, mut tasks) =
        four(1, |quota, time| Limiter::adjustable_token_bucket(quota).with_clock(time));
    time.advance(Duration::from_millis(1));
    queue.set_quota(Quota::per_second(2_000).with_burst(1));
    (0..4).for_each(|task| assert!(tasks.cancel(task)));
    assert!(queue.limiter().is_allowed(), "nobody has taken what is free since 1 ms");
}
