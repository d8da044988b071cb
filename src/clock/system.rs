use super::{Clock, SystemClock};
use crate::timestamp::Timestamp;

#[cfg(target_os = "linux")]
impl Clock for SystemClock {
    /// The tick is 1 to 10 ms (`CONFIG_HZ` of 1000 to 100), and one can come late: on a busy
    /// virtual machine with a tick of 4 ms, lags up to 8.4 ms were measured. This leaves room for
    /// a late tick of the slowest kernel.
    const MAX_LAG: core::time::Duration = core::time::Duration::from_millis(25);

    #[inline]
    fn now(&self) -> Timestamp {
        read(rustix::time::ClockId::Monotonic)
    }

    #[inline]
    fn recent(&self) -> Timestamp {
        read(rustix::time::ClockId::MonotonicCoarse)
    }
}

#[cfg(target_os = "linux")]
#[inline]
fn read(clock: rustix::time::ClockId) -> Timestamp {
    let time = rustix::time::clock_gettime(clock);
    // Never negative: this clock starts at boot. Wraps 584 years after it.
    Timestamp::from_nanos(
        (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64),
    )
}

#[cfg(not(target_os = "linux"))]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        use std::sync::OnceLock;
        use std::time::Instant;

        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        Timestamp::ZERO + ORIGIN.get_or_init(Instant::now).elapsed()
    }
}
