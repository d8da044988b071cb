//! Where timestamps come from.
//!
//! A limiter uses [`SystemClock`] unless [`with_clock`](crate::Limiter::with_clock) gives it another.
//! Timestamps count from the origin of their clock, so those of two clocks do not compare.
//!
//! | clock | counts from | while the machine sleeps | a cheap timestamp lags by |
//! |---|---|---|---|
//! | [`SystemClock`] on Linux, Android | boot | stands still | a kernel tick; [`max_lag`](Clock::max_lag) is 25 ms |
//! | [`SystemClock`] elsewhere | the first timestamp of the process | as `std::time::Instant` | 0 |
//! | [`UtcClock`] on Linux, Android | 1970-01-01, 00:00 in its time zone | counts | as `SystemClock` |
//! | [`UtcClock`] elsewhere | the same | counts | 0 |
//! | `BootClock` (Linux, Android) | boot | counts | 0 |
//! | `TscClock` (feature `tsc`) | its creation | depends on the processor | 0 |
//! | [`ManualClock`] | zero | is not affected | 0 |
//! | [`CachedClock<C>`](CachedClock) | as `C` | shows the last tick | 0: the last tick counts as precise |
//! | [`Precise<C>`](Precise) | as `C` | as `C` | 0 |
//!
//! On `wasm32-unknown-unknown` Rust has no clock. There is no `UtcClock` there, and a program that would
//! read the `SystemClock` does not compile. For Windows, macOS and FreeBSD the crate is compiled. It was
//! not run there, nor on Android.
//!
//! A fixed window of an hour begins at a full hour on a [`UtcClock`] only. On the other clocks it
//! begins a whole number of hours after the origin, which is any minute of the day.
//!
//! # Two timestamps
//!
//! A [`Clock`] gives precise timestamps and cheap ones. A cheap timestamp may be old. For a limiter
//! that is harmless: an old timestamp can be denied where a fresh one is admitted, never the other
//! way round. (In a sharded fixed window, cells may have permits left of the older window.) So a
//! check decides by a cheap timestamp first. If that admits, the check is done. If it denies, the
//! check takes a precise timestamp and decides again in two cases:
//!
//! - The permit becomes free within [`max_lag`](Clock::max_lag), so it may be free already.
//! - The state shows a later timestamp than the caller's. The thread was stopped after it took its
//!   timestamp, and others moved on. This holds for every clock, also for one that never lags.
//!
//! In all other cases the denial stands, and it holds as of the caller's timestamp. There are two
//! exceptions, both for threads that are stopped for longer than `max_lag`:
//!
//! - The state need not show that the timestamp is old. A fixed window shows it once a request has
//!   been admitted in a later window, and a sliding window at once. A token bucket shows it while
//!   more than the burst is outstanding as of the old timestamp.
//! - A check decides again once. A thread that is stopped a second time, after it took its second
//!   timestamp, may be denied by that one.
//!
//! # Systems without a cheap timestamp
//!
//! Outside Linux and Android, [`recent`](Clock::recent) of [`SystemClock`] and [`UtcClock`] is
//! [`now`](Clock::now). Each check pays for a precise timestamp, which can cost more than the decision
//! itself. In return nothing lags. The systems have quicker clocks, and each of them was left out for a
//! reason:
//!
//! - **FreeBSD.** Its C library computes `CLOCK_MONOTONIC_FAST` as it computes `CLOCK_MONOTONIC`, so
//!   nothing is gained.
//! - **macOS, iOS.** Apple says of `CLOCK_UPTIME_RAW_APPROX` that it can be milliseconds old, and
//!   names no bound. So `max_lag` would be a guess.
//! - **Windows.** `QueryUnbiasedInterruptTime` is cheap. The time that `std::time::Instant` reads is not
//!   on its timeline, and no small, maintained crate reads both forms of it safely.
//!
//! Where the clock costs too much, let a [`Ticker`] tick a [`CachedClock`], or use `TscClock`.
//!
//! # What the lag does to the bound
//!
//! The bounds of the algorithms hold for *timestamps*. A call that is admitted with a timestamp up to
//! g old belongs to an instant up to g earlier. So in real time, an interval of length D sees what the
//! algorithm allows to timestamps in an interval of length D + g. For a fixed window of L per W that
//! is at most L·(⌈(D + g)/W⌉ + 1) permits. With g = 0 and D = W these are the 2L of the algorithm
//! itself. For a token bucket it is b + ⌊(D + g)·L/W⌋, and for a sliding window L·⌈(D + g)/W⌉. An
//! interval that is closed at both ends counts as a nanosecond longer.
//!
//! For the cheap timestamps of [`SystemClock`] and [`UtcClock`] on Linux, g is the kernel's tick: 1 to
//! 10 ms, depending on the kernel, and more if a tick comes late on a busy machine.
//! [`max_lag`](Clock::max_lag) is 25 ms, which leaves room for a late tick of the slowest kernel.
//! [`Precise`] takes any clock's lag away, for the price of its precise timestamp.
//!
//! # A clock that steps back
//!
//! A limiter's state never goes back. If the clock does, timestamps come late for a while. A fixed
//! window denies until the clock is again in the newest window it has seen. A sharded one may admit
//! what its cells have left of the older window. A token bucket and a sliding window count what is
//! outstanding as outstanding for longer. So each bound still holds for the timestamps, and the limiter
//! is stricter than its quota until the clock has caught up.

#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
mod boot;
mod cached;
#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
mod kernel;
mod manual;
mod precise;
mod system;
#[cfg(feature = "std")]
mod ticker;
#[cfg(feature = "tsc")]
mod tsc;
#[cfg(all(feature = "std", not(all(target_family = "wasm", target_os = "unknown"))))]
mod utc;

#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
pub use boot::BootClock;
pub use cached::CachedClock;
pub use manual::ManualClock;
pub use precise::Precise;
pub use system::SystemClock;
#[cfg(feature = "std")]
pub use ticker::Ticker;
#[cfg(feature = "tsc")]
pub use tsc::TscClock;
#[cfg(all(feature = "std", not(all(target_family = "wasm", target_os = "unknown"))))]
pub use utc::UtcClock;

use crate::timestamp::Timestamp;
use core::time::Duration;

/// A source of timestamps, precise or cheap.
///
/// Timestamps must not run backwards between threads that synchronize: if one is taken before
/// another, it is not the later one. A limiter stays sound on a clock that breaks this, but it may
/// [deny more](self#a-clock-that-steps-back) than it must.
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
///
/// The trait is dyn-compatible: a clock that is chosen while the program runs is a `Box`, an `Arc` or
/// a reference. An admission then costs one indirect call more.
///
/// ```
/// use casgate::clock::{Clock, ManualClock, SystemClock};
/// use casgate::{FixedWindow, Limiter, Quota};
///
/// fn limiter(simulated: bool) -> Limiter<FixedWindow, Box<dyn Clock + Send + Sync>> {
///     let clock: Box<dyn Clock + Send + Sync> =
///         if simulated { Box::new(ManualClock::new()) } else { Box::new(SystemClock) };
///     Limiter::fixed_window(Quota::per_hour(1)).with_clock(clock)
/// }
/// assert!(limiter(true).is_allowed() && limiter(false).is_allowed());
/// ```
pub trait Clock {
    /// Returns the time, precisely.
    ///
    /// ```
    /// use casgate::{Timestamp, clock::{Clock, ManualClock}};
    /// assert_eq!(ManualClock::new().now(), Timestamp::ZERO);
    /// ```
    fn now(&self) -> Timestamp;

    /// Returns the time, cheaply: never ahead of [`now`](Self::now), and normally behind it by at
    /// most [`max_lag`](Self::max_lag). By default this is the precise timestamp.
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

    /// Returns how far [`recent`](Self::recent) may normally lag behind [`now`](Self::now). By default
    /// it is zero, which fits a clock without a cheap timestamp of its own.
    ///
    /// A timestamp that lags further makes a limiter deny for longer, and never admit more by the
    /// timestamps. The value must be the same at each call. A limiter asks for it only when it denies.
    ///
    /// ```
    /// use casgate::clock::{Clock, Precise, SystemClock};
    /// assert!(SystemClock.max_lag() >= Precise(SystemClock).max_lag());
    /// ```
    #[inline]
    fn max_lag(&self) -> Duration {
        Duration::ZERO
    }
}

/// The clock that a pointer leads to is read, each kind of timestamp by its own method.
macro_rules! pointer {
    ($($pointer:ty),*) => {$(
        impl<C: Clock + ?Sized> Clock for $pointer {
            #[inline]
            fn now(&self) -> Timestamp {
                (**self).now()
            }

            #[inline]
            fn recent(&self) -> Timestamp {
                (**self).recent()
            }

            #[inline]
            fn max_lag(&self) -> Duration {
                (**self).max_lag()
            }
        }
    )*};
}

pointer!(&C);
#[cfg(feature = "std")]
pointer!(std::boxed::Box<C>, std::sync::Arc<C>);
