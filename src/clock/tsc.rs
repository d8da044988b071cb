use super::Clock;
use crate::timestamp::Timestamp;

/// The processor's time stamp counter, read through `quanta`: precise for a third of what the kernel's
/// precise clock costs. Needs the feature `tsc`.
///
/// # When it fails
///
/// A counter belongs to a core. Where those of a machine's cores are not synchronised (some virtual
/// machines, some multi-socket boards, a live migration), a thread that moves to another core may read
/// an earlier time than another thread has read before it. A limiter stays sound then: an older reading
/// can only be refused. But it may refuse what it should admit, for as long as the counters differ,
/// and at worst it never catches up. The rate is calibrated against the kernel's clock for some
/// milliseconds when the first one is made, and a frequency that later changes is not noticed. Where
/// the processor does not promise an invariant counter, `quanta` reads the kernel's clock.
/// [`SystemClock`](super::SystemClock) has none of these problems.
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
    /// A clock whose origin is now; clones share it.
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
