use super::Clock;
use crate::timestamp::Timestamp;

/// The processor's time stamp counter, read through `quanta`. It costs less than the kernel's precise
/// clock. Needs the feature `tsc`.
///
/// # When it fails
///
/// Each core has a counter. On some virtual machines, some multi-socket boards and after a live
/// migration the counters of the cores are not synchronized. A thread that moves to another core
/// may then take an earlier timestamp than another thread has taken before it. A limiter keeps its
/// bound, counted by the timestamps. But it may deny what it should admit for as long
/// as the counters differ, which may be permanently.
///
/// The rate is calibrated against the kernel's clock for some milliseconds when the first clock is
/// made. A frequency that changes later is not noticed. Where the processor does not promise an
/// invariant counter, `quanta` reads the kernel's clock. [`SystemClock`](super::SystemClock) has
/// none of these problems.
///
/// ```
/// use casgate::clock::TscClock;
/// use casgate::{Limiter, Quota};
/// let limiter = Limiter::token_bucket(Quota::per_second(100)).with_clock(TscClock::new());
/// assert!(limiter.is_allowed());
/// ```
#[derive(Clone, Debug)]
pub struct TscClock {
    clock: quanta::Clock,
    origin: u64,
}

impl TscClock {
    /// Returns a clock whose origin is now. Clones share it.
    ///
    /// ```
    /// use casgate::clock::{Clock, TscClock};
    /// let clock = TscClock::new();
    /// assert!(clock.now() <= clock.clone().now());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        let clock = quanta::Clock::new();
        let origin = clock.raw();
        Self { clock, origin }
    }
}

impl Default for TscClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TscClock {
    #[inline]
    fn now(&self) -> Timestamp {
        // Zero if the counter is behind the origin.
        Timestamp::from_nanos(self.clock.delta_as_nanos(self.origin, self.clock.raw()))
    }
}
