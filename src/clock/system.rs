#[cfg(all(feature = "std", not(all(target_family = "wasm", target_os = "unknown"))))]
use {super::Clock, crate::timestamp::Timestamp};

/// The operating system's monotonic clock: what a limiter uses by default.
///
/// On Linux and Android it counts from boot, so a `static` limiter needs no origin. `recent` takes the time of the
/// kernel's last tick (`CLOCK_MONOTONIC_COARSE`) and `now` the same time in full resolution
/// (`CLOCK_MONOTONIC`). Both are monotonic across cores. Neither counts the time that the machine
/// sleeps; `BootClock` does.
///
/// Elsewhere both are `std::time::Instant`, counted from the first timestamp of the process. So each
/// check costs [a precise timestamp](super#systems-without-a-cheap-timestamp).
///
/// Its fixed windows begin at any minute of the day. For windows of the calendar use
/// [`UtcClock`](super::UtcClock).
///
/// It is a [`Clock`](super::Clock) with the feature `std` only, and not where there is no operating
/// system (`wasm32-unknown-unknown`). There a limiter decides at the timestamps it is given, or by
/// [another clock](crate::Limiter::with_clock).
///
/// ```
/// use casgate::clock::{Clock, SystemClock};
///
/// let recent = SystemClock.recent();
/// assert!(recent <= SystemClock.now());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SystemClock;

#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
impl Clock for SystemClock {
    #[inline]
    fn now(&self) -> Timestamp {
        since_boot(super::kernel::ClockId::Monotonic)
    }

    #[inline]
    fn recent(&self) -> Timestamp {
        since_boot(super::kernel::ClockId::MonotonicCoarse)
    }

    #[inline]
    fn max_lag(&self) -> core::time::Duration {
        super::kernel::MAX_LAG
    }
}

/// The timestamp of a clock that starts at boot, so it is never negative. It wraps 584 years later.
#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
#[inline]
pub(super) fn since_boot(clock: super::kernel::ClockId) -> Timestamp {
    let (secs, nanos) = super::kernel::read(clock);
    Timestamp::from_nanos((secs as u64).wrapping_mul(1_000_000_000).wrapping_add(nanos.into()))
}

#[cfg(all(
    feature = "std",
    not(any(
        target_os = "linux",
        target_os = "android",
        all(target_family = "wasm", target_os = "unknown") // there `Instant::now` panics
    ))
))]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        use std::sync::OnceLock;
        use std::time::Instant;

        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        Timestamp::ZERO + ORIGIN.get_or_init(Instant::now).elapsed()
    }
}
