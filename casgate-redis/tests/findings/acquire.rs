//! [`FleetLimiter::acquire`](casgate_redis::FleetLimiter::acquire).

use crate::{at_rate, until};
use casgate::Quota;
use casgate_redis::{AcquireError, Fleet, FleetLimiter};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Without permits, and one refills in half a second.
fn exhausted() -> FleetLimiter {
    let (quota, server) = at_rate(Quota::per_second(2).with_burst(4), Duration::from_secs(1));
    let limiter = Fleet::over(server).limiter("api", quota).unwrap();
    until("the bucket is empty", || limiter.check().is_err());
    limiter
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

const PATIENCE: Duration = Duration::from_secs(60);

/// "The waiters of this process are served in the order of their arrival." One who arrived when the line moved came
/// before those who waited.
#[test]
fn the_line_is_served_in_the_order_of_arrival() {
    let limiter = exhausted();
    let mut first = Box::pin(limiter.acquire(1, PATIENCE));
    let (mut second, mut third) =
        (pin!(limiter.acquire(1, PATIENCE)), pin!(limiter.acquire(1, PATIENCE)));
    assert!(poll(first.as_mut()).is_pending());
    assert!(poll(second.as_mut()).is_pending());
    drop(first);
    assert!(poll(third.as_mut()).is_pending());
    // The third is not polled again, so the second is not served if it stands behind it.
    until("the second is served", || poll(second.as_mut()).is_ready());
    until("and then the third", || poll(third.as_mut()).is_ready());
}

/// "`NeverFits` at once." It came to that when the wait was the first in line.
#[test]
fn what_never_fits_is_told_at_once() {
    let limiter = exhausted();
    let (mut first, mut second) =
        (pin!(limiter.acquire(1, PATIENCE)), pin!(limiter.acquire(1_000, PATIENCE)));
    assert!(poll(first.as_mut()).is_pending());
    assert_eq!(poll(second.as_mut()), Poll::Ready(Err(AcquireError::NeverFits)));
}
