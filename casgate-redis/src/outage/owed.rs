use casgate::Timestamp;
use core::time::Duration;

/// The permits of a window that were spent without a lease, and that no lease has paid for.
///
/// When a window ends, what was spent in it is over, too. The end of a window is known by replies,
/// each of which makes it a round trip too early at most. Before the first reply it is unknown, and
/// all that was spent counts for the window of that reply.
#[derive(Debug)]
pub(super) struct Owed {
    permits: u64,
    /// How long a window is.
    length: Duration,
    /// When the window ends in which they were spent, if a reply has said so.
    ends: Option<Timestamp>,
}

impl Owed {
    pub(super) const fn new(length: Duration) -> Self {
        Self { permits: 0, length, ends: None }
    }

    /// Returns the permits at `now`.
    pub(super) fn at(&self, now: Timestamp) -> u64 {
        if self.ends.is_some_and(|ends| now >= ends) { 0 } else { self.permits }
    }

    /// Adds permits that are spent at `now`.
    pub(super) fn add(&mut self, permits: u32, now: Timestamp) {
        if let Some(ends) = self.ends.filter(|&ends| now >= ends) {
            let past = (now - ends).as_nanos() / self.length.as_nanos();
            let past = u32::try_from(past).unwrap_or(u32::MAX).saturating_add(1);
            (self.permits, self.ends) = (0, Some(ends + self.length.saturating_mul(past)));
        }
        self.permits = self.permits.saturating_add(permits.into());
    }

    /// Pays with permits of a window that ends at `ends`, and returns how many.
    pub(super) fn pay(&mut self, permits: u32, ends: Timestamp) -> u32 {
        // The same window has another end by each reply, and they are close to each other.
        let half = self.length / 2;
        match self.ends {
            // They were spent in a window after that of the lease.
            Some(own) if own > ends + half => return 0,
            Some(own) if ends > own + half => self.permits = 0,
            _ => {}
        }
        self.ends = Some(ends);
        let paid = self.permits.min(permits.into());
        self.permits -= paid;
        paid as u32 // at most `permits`
    }

    /// Forgets them: the window has no permits left to pay with.
    pub(super) fn forget(&mut self) {
        self.permits = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn owed() -> Owed {
        Owed::new(Duration::from_secs(1))
    }

    #[test]
    fn what_is_spent_is_owed_until_its_window_ends() {
        let mut owed = owed();
        assert_eq!(owed.pay(10, at(900)), 0);
        owed.add(5, at(300));
        owed.add(2, at(899));
        assert_eq!((owed.at(at(899)), owed.at(at(900))), (7, 0));
        owed.add(1, at(900));
        assert_eq!((owed.at(at(1_899)), owed.at(at(1_900))), (1, 0));
        // Three windows later.
        owed.add(4, at(4_950));
        assert_eq!((owed.at(at(5_899)), owed.at(at(5_900))), (4, 0));
    }

    #[test]
    fn all_is_of_the_first_window_that_is_known() {
        let mut owed = owed();
        owed.add(3, at(100));
        owed.add(4, at(7_100));
        assert_eq!(owed.at(at(7_200)), 7);
        assert_eq!(owed.pay(2, at(7_900)), 2);
        assert_eq!((owed.at(at(7_300)), owed.at(at(7_900))), (5, 0));
    }

    #[test]
    fn permits_of_another_window_pay_nothing() {
        let mut owed = owed();
        assert_eq!(owed.pay(0, at(900)), 0);
        owed.add(5, at(300));
        // The same window, though that reply was faster.
        assert_eq!(owed.pay(1, at(910)), 1);
        assert_eq!(owed.pay(3, at(1_905)), 0);
        assert_eq!(owed.at(at(1_000)), 0);
        owed.add(6, at(1_950)); // in the next one
        assert_eq!((owed.pay(6, at(1_905)), owed.at(at(2_000))), (0, 6));
        assert_eq!(owed.pay(9, at(2_901)), 6);
    }

    #[test]
    fn what_cannot_be_paid_is_forgotten() {
        let mut owed = owed();
        owed.add(u32::MAX, at(100));
        owed.forget();
        assert_eq!((owed.at(at(200)), owed.pay(1, at(900))), (0, 0));
    }
}
