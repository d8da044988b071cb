//! Where readings of the time come from.
//!
//! # Two readings
//!
//! A [`Clock`] can be read precisely or cheaply. The cheap reading may be old, and for a limiter
//! that is harmless: an old reading can only be refused where a fresh one would be admitted, never
//! the other way round. So a limiter decides with the cheap reading. Admitted: done. Refused for
//! longer than the cheap reading can lag: the refusal stands. Only in between does it ask the
//! precise clock and decide again.
//!
//! # What the lag does to the bound
//!
//! The bounds of the rules hold for *readings*. A call that is admitted with a reading up to g old
//! belongs to an instant up to g before it. So in real time, an interval of length D sees what the
//! rule allows to readings in an interval of length D + g. For a fixed window of L per W that is
//! at most L·(⌈(D + g)/W⌉ + 1) permits. With g = 0 and D = W these are the 2L of the rule itself. For
//! a token bucket it is b + ⌊(D + g)·L/W⌋, and for a sliding window L·⌈(D + g)/W⌉ (an interval that
//! is closed at both ends counts as a nanosecond longer).
//!
//! [`SystemClock`] on Linux lags by the kernel's tick, 1 to 10 ms. [`Precise`] takes any clock's lag
//! away, for the price of its precise reading.

mod cached;
mod manual;
mod precise;
#[cfg(feature = "std")]
mod system;
#[cfg(feature = "tsc")]
mod tsc;

pub use cached::CachedClock;
pub use manual::ManualClock;
pub use precise::Precise;
#[cfg(feature = "tsc")]
pub use tsc::TscClock;

use crate::timestamp::Timestamp;
use core::time::Duration;

/// A source of the time, read precisely or cheaply.
///
/// Readings of threads that synchronize must not run backwards: if one reading happens before
/// another, it is not the later one. A limiter stays sound on a clock that breaks this, but it may
/// refuse more than it must.
///
/// ```
/// use casgate::clock::Clock;
/// use casgate::{Limiter, Quota, Timestamp};
/// use std::time::Instant;
///
/// struct SinceStart(Instant);
///
/// impl Clock for SinceStart {
///     fn now(&self) -> Timestamp {
///         Timestamp::ZERO + self.0.elapsed()
///     }
/// }
///
/// let clock = SinceStart(Instant::now());
/// let limiter = Limiter::fixed_window(Quota::per_hour(1)).with_clock(clock);
/// assert!(limiter.is_allowed());
/// ```
pub trait Clock {
    /// How far [`recent`](Self::recent) may normally lag behind [`now`](Self::now). A reading that
    /// lags further makes a limiter refuse for longer, and never admit more.
    ///
    /// ```
    /// use casgate::clock::{Clock, Precise, SystemClock};
    /// assert!(SystemClock::MAX_LAG >= Precise::<SystemClock>::MAX_LAG);
    /// ```
    const MAX_LAG: Duration = Duration::ZERO;

    /// The time, precisely.
    ///
    /// ```
    /// use casgate::{Timestamp, clock::{Clock, ManualClock}};
    /// assert_eq!(ManualClock::new().now(), Timestamp::ZERO);
    /// ```
    fn now(&self) -> Timestamp;

    /// The time, cheaply: never ahead of [`now`](Self::now), and normally behind it by at most
    /// [`MAX_LAG`](Self::MAX_LAG). By default the precise reading.
    ///
    /// ```
    /// use casgate::clock::{Clock, SystemClock};
    /// let before = SystemClock.recent();
    /// assert!(before <= SystemClock.now());
    /// ```
    #[inline]
    fn recent(&self) -> Timestamp {
        self.now()
    }
}

impl<C: Clock + ?Sized> Clock for &C {
    const MAX_LAG: Duration = C::MAX_LAG;

    #[inline]
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    #[inline]
    fn recent(&self) -> Timestamp {
        (**self).recent()
    }
}

#[cfg(feature = "std")]
impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    const MAX_LAG: Duration = C::MAX_LAG;

    #[inline]
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    #[inline]
    fn recent(&self) -> Timestamp {
        (**self).recent()
    }
}

/// The operating system's monotonic clock. It starts at boot, so a `static` limiter needs no origin.
///
/// On Linux `recent` reads the kernel's own tick (`CLOCK_MONOTONIC_COARSE`) and `now` the same
/// timeline in full resolution (`CLOCK_MONOTONIC`). Both are monotonic across cores by
/// construction. Neither counts the time that the machine is suspended. Elsewhere both are
/// `std::time::Instant`, counted from the process's first reading.
///
/// A [`Clock`] with the feature `std` only; without it a limiter decides at the times it is given.
///
/// ```
/// use casgate::clock::{Clock, SystemClock};
///
/// let recent = SystemClock.recent();
/// assert!(recent <= SystemClock.now());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;
