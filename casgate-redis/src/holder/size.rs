use crate::stock::Word;
use casgate::Timestamp;
use core::time::Duration;

/// How many permits to ask for: as many as were spent of late in a [part](PART) of a lease's
/// lifetime.
///
/// The number at most doubles or halves from one request to the next, as the demand does not show
/// at once. It stays when a lease of fewer permits than it asked for was spent before its end: the
/// demand is there, and the permits are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    size: u32,
    most: u32,
    lifetime: Duration,
    /// The stock when it was last counted, and when that was: zero before the first reply.
    stock: u64,
    at: Timestamp,
    /// Whether the last request got all that it asked for.
    was_full: bool,
}

/// A lease is asked for when half of the last one is spent. So its own permits are spent by one and
/// a half times as long as they last, which is within its lifetime if they last for two thirds of
/// it. A little less leaves time for the round trip.
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

    /// Whether a permit at most is spent in a lifetime. One that is spent at once shows no more
    /// demand than that.
    pub(super) fn is_idle(&self, stock: u64, now: Timestamp) -> bool {
        self.per_lifetime(self.spent(stock), (now - self.at).max(self.lifetime)) <= 1.0
    }

    /// The permits that were spent since the last count.
    const fn spent(&self, stock: u64) -> u64 {
        self.stock.saturating_sub(stock)
    }

    fn per_lifetime(&self, permits: u64, elapsed: Duration) -> f64 {
        permits as f64 * (self.lifetime.as_secs_f64() / elapsed.as_secs_f64())
    }

    /// The size of the next request, when one for so many found too few permits; 0 if none did.
    pub(super) fn next(&mut self, stock: u64, now: Timestamp, wanted: u32) -> u32 {
        // With permits left that are over, one permit can be wanting and not spent.
        let ran_dry = wanted > 1 || wanted == 1 && 2 * stock <= self.stock;
        let is_spent = ran_dry && now - self.at < self.lifetime;
        let aim = if self.at == Timestamp::ZERO || is_spent && !self.was_full {
            self.size
        } else {
            let elapsed = (now - self.at).max(Duration::from_millis(1));
            let demand = self.per_lifetime(self.spent(stock) + u64::from(wanted), elapsed);
            // The next lease has its lifetime to itself, and the demand may be more than it shows.
            let share = if is_spent { 1.0 } else { PART };
            (demand * share).ceil() as u32 // saturates
        };
        let (half, double) = ((self.size / 2).max(1), self.size.saturating_mul(2));
        self.size = aim.clamp(half, double).min(self.most);
        self.size
    }

    /// Takes so many permits from the stock that were not spent.
    pub(super) fn forget(&mut self, permits: u32) {
        self.stock = self.stock.saturating_sub(permits.into());
    }

    /// Counts the stock after a reply.
    pub(super) fn count(&mut self, stock: u64, now: Timestamp, was_full: bool) {
        (self.stock, self.at, self.was_full) = (stock, now, was_full);
    }
}

#[cfg(all(test, not(casgate_loom)))]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_millis(100);

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn it_follows_the_demand_by_a_factor_of_two() {
        let mut size = Size::new(50, 450, LIFETIME);
        assert_eq!(size.next(0, at(1), 1), 50);
        // 25 spent in 50 ms are 30 in the part of a lifetime.
        size.count(50, at(50), true);
        assert_eq!(size.next(25, at(100), 0), 30);
        // Ten would be less than half of it.
        size.count(60, at(100), true);
        assert_eq!(size.next(50, at(150), 0), 15);
        // And when none are left, it doubles, up to the most.
        let mut now = 150;
        for expected in [30, 60, 120, 240, 450, 450] {
            size.count(expected / 2, at(now), true);
            now += 1;
            assert_eq!(u64::from(size.next(0, at(now), 1)), expected);
        }
    }

    #[test]
    fn a_lease_that_ran_dry_is_followed_by_what_a_lifetime_spends() {
        let mut size = Size::new(200, 450, LIFETIME);
        // 100 spent in 50 ms are 200 in a lifetime, and one more was wanted: no reason to double.
        size.count(100, at(1), true);
        assert_eq!(size.next(0, at(51), 1), 202);
    }

    #[test]
    fn a_short_reply_is_no_reason_to_ask_for_more() {
        let mut size = Size::new(50, 450, LIFETIME);
        size.count(3, at(1), false);
        assert_eq!(size.next(0, at(50), 1), 50);
        // Nor is it for less, unless they were not spent.
        assert_eq!(size.next(2, at(50), 1), 25);
    }

    #[test]
    fn a_lease_that_ended_unspent_is_no_reason_to_ask_for_more() {
        for (stock, left, elapsed, expected) in [
            (50, 25, 99, 27),   // half of it was spent before it ended: 25 in 99 ms
            (50, 25, 9, 100),   // or long before
            (50, 26, 99, 25),   // less than half: 24 in 99 ms
            (50, 49, 100, 25),  // one in a lifetime
            (50, 0, 100, 31),   // all of it in just a lifetime
            (50, 0, 1_000, 25), // in ten
        ] {
            let mut size = Size::new(50, 450, LIFETIME);
            size.count(stock, at(1), true);
            assert_eq!(size.next(left, at(1 + elapsed), 1), expected, "{left} {elapsed}");
        }
    }

    /// A request for many finds too few while most permits of a lease are there.
    #[test]
    fn a_request_for_many_counts_as_demand() {
        let mut size = Size::new(10, 450, LIFETIME);
        size.count(10, at(1), true);
        assert_eq!(size.next(9, at(51), 7), 16); // 1 and 7 in half a lifetime
    }

    #[test]
    fn permits_taken_back_are_no_demand() {
        let mut size = Size::new(50, 450, LIFETIME);
        size.count(50, at(1), true);
        size.forget(40);
        assert_eq!(size.spent(0), 10);
        size.forget(40);
        assert_eq!(size.spent(0), 0);
    }

    #[test]
    fn a_lease_that_was_not_spent_is_no_reason_to_ask_for_more() {
        let mut size = Size::new(50, 450, LIFETIME);
        for expected in [25, 12, 6, 3, 1] {
            size.count(50, at(1), true);
            assert_eq!(size.next(49, at(301), 1), expected);
        }
    }

    #[test]
    fn it_falls_to_one_and_is_never_zero() {
        let mut size = Size::new(50, 450, LIFETIME);
        for _ in 0..10 {
            size.count(1, at(1), true);
            assert!(size.next(1, at(1_000), 0) > 0);
        }
        assert_eq!(size.next(1, at(1_000), 0), 1);
        assert_eq!(Size::new(0, 0, LIFETIME).next(0, at(0), 1), 1);
    }
}
