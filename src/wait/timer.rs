use core::future::Future;
use core::time::Duration;
use futures_timer::Delay;

/// The longest sleep, after which a waiter looks again: timers need not know more.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Wakes a waiter when its time has come.
///
/// A closure is a timer: it takes the time to sleep and returns a future. So the timer of any
/// runtime is one, as `tokio::time::sleep`.
///
/// ```
/// use casgate::wait::Queue;
/// use casgate::{Limiter, Quota};
///
/// let limiter = Limiter::token_bucket(Quota::per_second(10));
/// let queue = Queue::with_timer(limiter, |delay| futures_timer::Delay::new(delay));
/// # fn takes(_: impl Sized) {}
/// # takes(queue);
/// ```
///
/// It must run on the time of the limiter's clock. It may wake late, and the waiter is then late.
/// If it wakes early, the waiter sleeps again.
pub trait Timer {
    /// What [`sleep`](Self::sleep) returns.
    type Sleep: Future<Output = ()>;

    /// Returns a future that is ready after `delay`, which is at most a day.
    ///
    /// ```
    /// use casgate::wait::{ThreadTimer, Timer};
    /// use std::time::Duration;
    /// let sleep = ThreadTimer.sleep(Duration::ZERO);
    /// # drop(sleep);
    /// ```
    fn sleep(&self, delay: Duration) -> Self::Sleep;
}

impl<F, S> Timer for F
where
    F: Fn(Duration) -> S,
    S: Future<Output = ()>,
{
    type Sleep = S;

    fn sleep(&self, delay: Duration) -> S {
        self(delay)
    }
}

/// A timer that needs no runtime: one thread for all waiters of the process, of the crate
/// `futures-timer`.
///
/// The thread is started by the first waiter that sleeps.
///
/// ```
/// use casgate::wait::Queue;
/// use casgate::{Limiter, Quota};
///
/// static API: Queue = Queue::new(Limiter::token_bucket(Quota::per_second(100).with_burst(1)));
///
/// async fn call() {
///     API.acquire().await.expect("never closed");
///     // send the request
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadTimer;

impl Timer for ThreadTimer {
    type Sleep = Delay;

    fn sleep(&self, delay: Duration) -> Delay {
        Delay::new(delay)
    }
}
