use crate::stock::Word;
use casgate::Timestamp;
use core::time::Duration;

/// How many permits to ask for: as many as were spent in half of a lease's lifetime of late.
///
/// The next lease is here when the current one has half of its permits left. It must have time for those and its own,
/// or it lapses with the rest. If none are left, it has time for twice as many, and the demand may be more than it shows.
///
/// The number at most doubles or halves from one request to the next, as the demand does not show at once. It stays when
/// a lease of fewer permits than it asked for was spent before its end: the demand is there, and the permits are not.
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
    fn demand(&self, stock: u64, now: Timestamp) -> f64 {
        self.spent_in(stock, (now - self.at).max(Duration::from_millis(1)))
    }

    /// Whether a permit at most is spent in a lifetime. One that is spent at once shows no more demand than that.
    pub(super) fn is_idle(&self, stock: u64, now: Timestamp) -> bool {
        self.spent_in(stock, (now - self.at).max(self.lifetime)) <= 1.0
    }

    fn spent_in(&self, stock: u64, elapsed: Duration) -> f64 {
        let spent = self.stock.saturating_sub(stock) as f64;
        spent * (self.lifetime.as_secs_f64() / elapsed.as_secs_f64())
    }

    /// The size of the next request. `ran_dry`: somebody found no permits.
    pub(super) fn next(&mut self, stock: u64, now: Timestamp, ran_dry: bool) -> u32 {
        let is_spent = ran_dry && now - self.at < self.lifetime && 2 * stock <= self.stock;
        let aim = if self.at == Timestamp::ZERO || is_spent && !self.was_full {
            self.size
        } else {
            let share = if is_spent { 1.0 } else { 0.5 };
            (self.demand(stock, now) * share).ceil() as u32 // saturates
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
        assert_eq!(size.next(0, at(1), true), 50);
        // 30 spent in 50 ms are as many in half of a lifetime.
        size.count(50, at(50), true);
        assert_eq!(size.next(20, at(100), false), 30);
        // Ten would be a third of it.
        size.count(60, at(100), true);
        assert_eq!(size.next(50, at(150), false), 15);
        // And when none are left, it doubles, up to the most.
        let mut now = 150;
        for expected in [30, 60, 120, 240, 450, 450] {
            size.count(expected / 2, at(now), true);
            now += 1;
            assert_eq!(u64::from(size.next(0, at(now), true)), expected);
        }
    }

    #[test]
    fn a_lease_that_ran_dry_is_followed_by_what_a_lifetime_spends() {
        let mut size = Size::new(200, 450, LIFETIME);
        // 100 spent in 50 ms are 200 in a lifetime: no reason to double.
        size.count(100, at(1), true);
        assert_eq!(size.next(0, at(51), true), 200);
    }

    #[test]
    fn a_short_reply_is_no_reason_to_ask_for_more() {
        let mut size = Size::new(50, 450, LIFETIME);
        size.count(3, at(1), false);
        assert_eq!(size.next(0, at(50), true), 50);
        // Nor is it for less, unless they were not spent.
        assert_eq!(size.next(2, at(50), true), 25);
    }

    #[test]
    fn a_lease_that_ended_unspent_is_no_reason_to_ask_for_more() {
        for (stock, left, elapsed, expected) in [
            (50, 25, 99, 26),   // half of it was spent before it ended: 25 in 99 ms
            (50, 25, 9, 100),   // or long before
            (50, 26, 99, 25),   // less than half: 24 in 99 ms
            (50, 49, 100, 25),  // one in a lifetime
            (50, 0, 100, 25),   // all of it in just a lifetime
            (50, 0, 1_000, 25), // in ten
        ] {
            let mut size = Size::new(50, 450, LIFETIME);
            size.count(stock, at(1), true);
            assert_eq!(size.next(left, at(1 + elapsed), true), expected, "{left} {elapsed}");
        }
    }

    #[test]
    fn permits_taken_back_are_no_demand() {
        let mut size = Size::new(50, 450, LIFETIME);
        size.count(50, at(1), true);
        size.forget(40);
        assert_eq!(size.demand(0, at(101)), 10.0);
        size.forget(40);
        assert_eq!(size.demand(0, at(101)), 0.0);
    }

    #[test]
    fn it_falls_to_one_and_is_never_zero() {
        let mut size = Size::new(50, 450, LIFETIME);
        for _ in 0..10 {
            size.count(1, at(1), true);
            assert!(size.next(1, at(1_000), false) > 0);
        }
        assert_eq!(size.next(1, at(1_000), false), 1);
        assert_eq!(Size::new(0, 0, LIFETIME).next(0, at(0), true), 1);
    }
}
