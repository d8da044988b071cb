use super::Clock;
use super::kernel::ClockId;
use super::system::since_boot;
use crate::timestamp::Timestamp;

/// The time since boot, with the time that the machine slept in it (`CLOCK_BOOTTIME`). Linux only.
///
/// For quotas that refill while a laptop or a phone sleeps: on a
/// [`SystemClock`](super::SystemClock) an hour of sleep is no time at all. It never steps back,
/// unlike a [`UtcClock`](super::UtcClock).
///
/// The kernel has no cheap form of this clock, so each check takes a precise timestamp. Other
/// systems have no such clock in the standard library. The type does not exist there, rather than
/// stand still while the machine sleeps.
///
/// ```
/// use casgate::clock::BootClock;
/// use casgate::{Limiter, Quota, TokenBucket};
///
/// static SYNC: Limiter<TokenBucket, BootClock> =
///     Limiter::token_bucket(Quota::per_hour(4)).with_clock(BootClock);
/// assert!(SYNC.is_allowed());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BootClock;

impl Clock for BootClock {
    #[inline]
    fn now(&self) -> Timestamp {
        since_boot(ClockId::Boottime)
    }
}

#[cfg(all(test, not(casgate_loom)))]
mod tests {
    use super::*;

    #[test]
    fn boot_time_goes_on() {
        let before = BootClock.now();
        assert!(before > Timestamp::ZERO && before <= BootClock.recent());
        assert!(BootClock.max_lag().is_zero());
    }
}
