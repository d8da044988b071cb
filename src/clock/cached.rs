use super::Clock;
use crate::cell::Cell;
use crate::sync::const_unless_modelled;
use crate::timestamp::Timestamp;
use core::time::Duration;

/// The time of another clock as it was at the last [`tick`](Self::tick).
///
/// A timestamp is one load. It is for event loops, whose time stands still while they handle what
/// has come in. They tick it by hand. Where there is no such loop, a `Ticker` ticks it from a
/// thread of its own.
///
/// Both kinds of timestamp are that of the last tick, and it counts as precise. So a denial stands
/// until the next tick, unless the caller's timestamp is older than that of the last one. In real
/// time the bound of an algorithm grows by what the [lag](super#what-the-lag-does-to-the-bound)
/// adds. The lag is the longest time between two ticks.
///
/// # When nobody ticks
///
/// Time then stands still: the limiter admits what is left, and after that denies everything. A
/// `Ticker` prevents it while it lives. [`age`](Self::age) detects it: a health check compares the
/// age with the longest time between two ticks that it accepts.
///
/// ```
/// use casgate::clock::{CachedClock, SystemClock};
/// use casgate::{Limiter, Quota, TokenBucket};
///
/// static TIME: CachedClock = CachedClock::new(SystemClock);
/// let limiter = Limiter::token_bucket(Quota::per_second(100)).with_clock(&TIME);
///
/// for batch in [["a", "b"], ["c", "d"]] {
///     TIME.tick();
///     for request in batch {
///         println!("{request}: {}", limiter.is_allowed());
///     }
/// }
/// # assert_eq!(limiter.peek().limit(), 100);
/// ```
#[derive(Debug)]
pub struct CachedClock<C = super::SystemClock> {
    clock: C,
    ticked: Cell,
}

impl<C> CachedClock<C> {
    const_unless_modelled! {
        /// Returns a clock that stands at [`Timestamp::ZERO`] until the first [`tick`](Self::tick).
        ///
        /// ```
        /// use casgate::clock::{CachedClock, Clock, ManualClock};
        /// use casgate::Timestamp;
        /// let clock = CachedClock::new(ManualClock::new());
        /// assert_eq!(clock.now(), Timestamp::ZERO);
        /// ```
        #[must_use]
        pub fn new(clock: C) -> Self {
            Self { clock, ticked: Cell::new(0) }
        }
    }
}

impl<C: Clock> CachedClock<C> {
    /// Takes the time of the other clock, precisely, and returns it. Never goes back, even if
    /// several threads tick or the other clock steps back.
    ///
    /// ```
    /// use casgate::clock::{CachedClock, Clock, ManualClock};
    /// use casgate::Timestamp;
    /// use std::time::Duration;
    ///
    /// let manual = ManualClock::new();
    /// let clock = CachedClock::new(&manual);
    /// manual.advance(Duration::from_secs(1));
    /// assert_eq!(clock.now(), Timestamp::ZERO);
    /// assert_eq!(clock.tick(), Timestamp::from_secs(1));
    /// assert_eq!(clock.now(), Timestamp::from_secs(1));
    /// ```
    #[allow(clippy::must_use_candidate)]
    pub fn tick(&self) -> Timestamp {
        let now = self.clock.now().as_nanos();
        let (Ok(ticked) | Err(ticked)) =
            self.ticked.update(move |ticked| (now > ticked).then_some(now));
        Timestamp::from_nanos(ticked)
    }

    /// Returns how long ago the last tick was, by a precise timestamp of the other clock. Before
    /// the first tick it is the time since the other clock's origin.
    ///
    /// An age that only grows means that nobody ticks. It is zero while the other clock has stepped
    /// back behind the last tick.
    ///
    /// ```
    /// use casgate::clock::{CachedClock, Clock, ManualClock};
    /// use std::time::Duration;
    ///
    /// /// Some ticks of 1 ms may come late, not all of a second.
    /// fn is_healthy<C: Clock>(time: &CachedClock<C>) -> bool {
    ///     time.age() < Duration::from_secs(1)
    /// }
    ///
    /// let manual = ManualClock::new();
    /// let time = CachedClock::new(&manual);
    /// manual.advance(Duration::from_secs(90));
    /// assert!(!is_healthy(&time));
    /// time.tick();
    /// assert!(is_healthy(&time));
    /// ```
    #[must_use]
    pub fn age(&self) -> Duration {
        // The tick first, so that one in between does not make it look younger than zero.
        let ticked = self.now();
        self.clock.now().saturating_duration_since(ticked)
    }
}

impl<C: Default> Default for CachedClock<C> {
    fn default() -> Self {
        Self::new(C::default())
    }
}

impl<C> Clock for CachedClock<C> {
    #[inline]
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.ticked.load())
    }
}
