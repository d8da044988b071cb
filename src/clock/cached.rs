use super::Clock;
use crate::cell::Cell;
use crate::sync::const_unless_modelled;
use crate::timestamp::Timestamp;

/// The time of another clock as it was at the last [`tick`](Self::tick): for event loops, whose time
/// stands still while they handle what has come in.
///
/// To read it is one load. Both readings are that of the last tick, and it counts as precise: a
/// refusal is not looked into further until the loop ticks again. In real time the bound of a rule
/// grows by what the [lag](super#what-the-lag-does-to-the-bound) adds, the lag being the longest time
/// between two ticks.
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
        /// At [`Timestamp::ZERO`] until the first [`tick`](Self::tick).
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
    /// Takes the time of the other clock, precisely, and returns it. Never goes back, also if
    /// several threads tick.
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
}

impl<C> Clock for CachedClock<C> {
    #[inline]
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.ticked.load())
    }
}
