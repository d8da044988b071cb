use super::Clock;
use crate::cell::Cell;
use crate::sync::const_unless_modelled;
use crate::timestamp::Timestamp;
use core::time::Duration;

/// A clock that the program moves, for tests and simulations.
///
/// Share it by reference or `Arc`: both are clocks.
///
/// ```
/// use casgate::clock::ManualClock;
/// use casgate::{Limiter, Quota};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let limiter = Limiter::fixed_window(Quota::per_second(1)).with_clock(&clock);
/// assert!(limiter.is_allowed());
/// assert!(!limiter.is_allowed());
/// clock.advance(Duration::from_secs(1));
/// assert!(limiter.is_allowed());
/// ```
#[derive(Debug)]
pub struct ManualClock {
    now: Cell,
}

impl ManualClock {
    const_unless_modelled! {
        /// Returns a clock at [`Timestamp::ZERO`].
        ///
        /// ```
        /// use casgate::{Timestamp, clock::{Clock, ManualClock}};
        /// static CLOCK: ManualClock = ManualClock::new();
        /// assert_eq!(CLOCK.now(), Timestamp::ZERO);
        /// ```
        #[must_use]
        pub fn new() -> Self {
            Self { now: Cell::new(0) }
        }
    }

    /// Moves the clock forward. At [`Timestamp::MAX`] it stands still.
    ///
    /// ```
    /// use casgate::{Timestamp, clock::{Clock, ManualClock}};
    /// # use std::time::Duration;
    /// let clock = ManualClock::new();
    /// clock.advance(Duration::from_secs(3));
    /// assert_eq!(clock.now(), Timestamp::from_secs(3));
    /// ```
    pub fn advance(&self, by: Duration) {
        let _ = self.now.update(move |nanos| Some((Timestamp::from_nanos(nanos) + by).as_nanos()));
    }

    /// Sets the clock, even backwards. A [`Clock`] must not step back by itself, and this shows
    /// what a limiter does [if it does](super#a-clock-that-steps-back).
    ///
    /// ```
    /// use casgate::{Timestamp, clock::{Clock, ManualClock}};
    /// let clock = ManualClock::new();
    /// clock.set(Timestamp::from_secs(5));
    /// clock.set(Timestamp::from_secs(4));
    /// assert_eq!(clock.now(), Timestamp::from_secs(4));
    /// ```
    pub fn set(&self, to: Timestamp) {
        let _ = self.now.update(move |_| Some(to.as_nanos()));
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.now.load())
    }
}
