use crate::stock::Word;
use casgate::Timestamp;
use core::time::Duration;

/// How many permits to ask for: as many as were spent of late in a part of a lease's lifetime.
///
/// The number at most doubles or halves from one request to the next, as the demand does not show at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    size: u32,
    most: u32,
    lifetime: Duration,
    /// The stock when it was last counted, and when that was.
    stock: u64,
    at: Timestamp,
    /// Whether the last request got all that it asked for.
    was_full: bool,
}

/// A lease is asked for when half of the last one is spent. So its own permits are spent by one and a half times as
/// long as they last, which is within its lifetime if they last for two thirds of it. A little less leaves time for the
/// round trip.
const PART: f64 = 0.6;

impl Size {
    /// Starts with the permits that any lease may have.
    pub(super) fn new(first: u32, most: u32, lifetime: Duration) -> Self {
        let most = most.clamp(1, Word::MOST);
        Self {
            size: first.clamp(1, most),
            most,
            lifetime,
            stock: 0,
            at: Timestamp::ZERO,
            was_full: true,
        }
    }

    /// The permits that are spent in a lifetime at the rate of late.
    pub(super) fn demand(&self, stock: u64, now: Timestamp) -> f64 {
        let spent = self.stock.saturating_sub(stock) as f64;
        let elapsed = (now - self.at).max(Duration::from_millis(1));
        spent * (self.lifetime.as_secs_f64() / elapsed.as_secs_f64())
    }

    /// The size of the next request. `ran_dry`: somebody found no permits.
    pub(super) fn next(&mut self, stock: u64, now: Timestamp, ran_dry: bool) -> u32 {
        // Leases that are over with permits left were too large, whoever comes then.
        let aim = if ran_dry && self.was_full && stock == 0 {
            u32::MAX
        } else {
            // Of what is short, little lapses.
            let part = if self.was_full { PART } else { 1.0 };
            (part * self.demand(stock, now)).ceil() as u32 // saturates
        };
        let (half, double) = ((self.size / 2).max(1), self.size.saturating_mul(2));
        self.size = aim.clamp(half, double).min(self.most);
        self.size
    }

    /// Counts the stock after a reply.
    pub(super) fn count(&mut self, stock: u64, now: Timestamp, was_full: bool) {
        (self.stock, self.at, self.was_full) = (stock, now, was_full);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_millis(100);

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn it_follows_the_demand_by_a_factor_of_two() {
        let mut size = Size::new(50, 450, LIFETIME);
        // Ten spent in 50 ms are 20 in a lifetime.
        size.count(50, at(0), true);
        assert_eq!(size.next(40, at(50), false), 25);
        size.count(65, at(50), true);
        assert_eq!(size.next(55, at(100), false), 12);
        // And when none are left, it doubles, up to the most.
        let mut now = 100;
        for expected in [24, 48, 96, 192, 384, 450, 450] {
            size.count(expected / 2, at(now), true);
            now += 1;
            assert_eq!(u64::from(size.next(0, at(now), true)), expected);
        }
    }

    #[test]
    fn a_short_reply_is_no_reason_to_ask_for_more() {
        let mut size = Size::new(50, 450, LIFETIME);
        size.count(3, at(0), false);
        assert_eq!(size.next(0, at(100), true), 25);
    }

    #[test]
    fn a_lease_that_was_not_spent_is_no_reason_to_ask_for_more() {
        let mut size = Size::new(50, 450, LIFETIME);
        for expected in [25, 12, 6, 3, 1] {
            size.count(50, at(0), true);
            assert_eq!(size.next(49, at(300), true), expected);
        }
    }

    #[test]
    fn it_falls_to_one_and_is_never_zero() {
        let mut size = Size::new(50, 450, LIFETIME);
        for _ in 0..10 {
            size.count(1, at(0), true);
            assert!(size.next(1, at(1_000), false) > 0);
        }
        assert_eq!(size.next(1, at(1_000), false), 1);
        assert_eq!(Size::new(0, 0, LIFETIME).next(0, at(0), true), 1);
    }
}
