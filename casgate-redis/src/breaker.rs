use casgate::Timestamp;
use core::time::Duration;

/// When a store that failed is asked again: after a random delay, which grows up to a limit.
///
/// The random delay is "full jitter": evenly from nothing to the limit, so that a fleet does not
/// ask all at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Breaker {
    failures: u32,
    until: Timestamp,
}

const FIRST: Duration = Duration::from_millis(25);

impl Breaker {
    /// Whether the last request failed.
    pub(crate) const fn is_open(&self) -> bool {
        self.failures > 0
    }

    /// The instant at which the store may be asked again.
    pub(crate) const fn until(&self) -> Timestamp {
        self.until
    }

    pub(crate) fn succeed(&mut self) {
        *self = Self::default();
    }

    /// Takes note of a failure. `random` is from 0 to 1.
    pub(crate) fn fail(&mut self, now: Timestamp, most: Duration, random: f64) {
        let limit = FIRST.saturating_mul(1 << self.failures.min(16)).min(most);
        self.failures = self.failures.saturating_add(1);
        self.until = now + limit.mul_f64(random);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_the_limit() {
        let most = Duration::from_millis(150);
        let mut breaker = Breaker::default();
        for delay in [25, 50, 100, 150, 150] {
            breaker.fail(Timestamp::ZERO, most, 1.0);
            assert_eq!(breaker.until(), Timestamp::from_millis(delay));
        }
        breaker.succeed();
        assert!(!breaker.is_open());
        breaker.fail(Timestamp::ZERO, most, 0.5);
        assert_eq!(breaker.until(), Timestamp::from_micros(12_500));
    }

    #[test]
    fn it_can_fail_without_end() {
        let mut breaker = Breaker { failures: u32::MAX, until: Timestamp::ZERO };
        breaker.fail(Timestamp::MAX, Duration::MAX, 1.0);
        assert_eq!(breaker.until(), Timestamp::MAX);
    }
}
