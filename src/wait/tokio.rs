use super::Timer;
use crate::clock::Clock;
use crate::timestamp::Timestamp;
use core::time::Duration;
use tokio::time::{Instant, Sleep};

/// The timer of tokio's runtime.
///
/// It rounds up to whole milliseconds. The [limiter's pace](super#timers) does not suffer.
///
/// ```
/// use casgate::clock::SystemClock;
/// use casgate::wait::{Queue, TokioTimer};
/// use casgate::{Limiter, Quota, TokenBucket};
///
/// static API: Queue<TokenBucket, SystemClock, TokioTimer> =
///     Queue::with_timer(Limiter::token_bucket(Quota::per_second(100)), TokioTimer);
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// API.acquire().await?;
/// # Ok::<(), casgate::wait::AcquireError>(()) }).unwrap();
/// ```
///
/// # Panics
///
/// A waiter panics if it is polled outside a tokio runtime, or in one whose time is not enabled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokioTimer;

impl Timer for TokioTimer {
    type Sleep = Sleep;

    fn sleep(&self, delay: Duration) -> Sleep {
        tokio::time::sleep(delay)
    }
}

/// The clock of tokio's runtime, from the creation of this value on. Where a test pauses tokio's
/// time, it stands still, and jumps to the next sleeper's time.
///
/// ```
/// use casgate::wait::{Queue, TokioClock, TokioTimer};
/// use casgate::{Limiter, Quota, Timestamp};
/// use std::time::Duration;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// // In a test with #[tokio::test(start_paused = true)]:
/// let limiter = Limiter::token_bucket(Quota::per_minute(1)).with_clock(TokioClock::new());
/// let queue = Queue::with_timer(limiter, TokioTimer);
/// queue.acquire().await?;
/// let second = queue.acquire().await?; // takes no time
/// assert_eq!(second.at(), Timestamp::from_secs(60));
/// # Ok::<(), casgate::wait::AcquireError>(()) }).unwrap();
/// ```
///
/// To pause the time needs tokio's feature `test-util`, which its `full` has not. Outside a runtime
/// the clock goes on as [`std::time::Instant`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokioClock {
    origin: Instant,
}

impl TokioClock {
    /// Returns a clock that begins now.
    ///
    /// ```
    /// use casgate::clock::Clock;
    /// use casgate::wait::TokioClock;
    /// let clock = TokioClock::new();
    /// assert!(clock.now() <= clock.now());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::ZERO + self.origin.elapsed()
    }
}
