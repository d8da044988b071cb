use super::Clock;
use crate::timestamp::Timestamp;

/// A clock without its cheap timestamps: every decision takes a precise one.
///
/// It keeps the bound of an algorithm in real time, without a lag.
///
/// ```
/// use casgate::clock::{Clock, Precise, SystemClock};
/// use casgate::{Limiter, Quota};
///
/// static LIMITER: Limiter<casgate::FixedWindow, Precise<SystemClock>> =
///     Limiter::fixed_window(Quota::per_second(100)).with_clock(Precise(SystemClock));
///
/// assert!(LIMITER.is_allowed());
/// assert!(Precise(SystemClock).max_lag().is_zero());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Precise<C>(
    /// The clock that is read precisely.
    pub C,
);

impl<C: Clock> Clock for Precise<C> {
    #[inline]
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}
