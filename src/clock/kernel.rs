//! The clocks of the Linux kernel.

pub(super) use rustix::time::ClockId;

use core::time::Duration;

/// How far a coarse clock may lag behind the fine one.
// The tick is 1 to 10 ms (`CONFIG_HZ` of 1000 to 100), and one can come late: on a busy virtual machine with a tick of
// 4 ms, lags up to 8.4 ms were measured. This leaves room for a late tick of the slowest kernel.
pub(super) const MAX_LAG: Duration = Duration::from_millis(25);

/// Seconds, and the nanoseconds that follow them.
#[inline]
pub(super) fn read(clock: ClockId) -> (i64, u32) {
    let time = rustix::time::clock_gettime(clock);
    (time.tv_sec, time.tv_nsec as u32)
}
