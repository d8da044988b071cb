//! What decides by the limiter's own clock.

use super::Limiter;
use crate::algorithm::Algorithm;
use crate::cell::Attempt;
use crate::clock::Clock;
use crate::decision::{Admitted, Denied, Snapshot};
use crate::timestamp::Timestamp;

impl<A: Algorithm, C: Clock> Limiter<A, C> {
    /// Asks for one permit now.
    ///
    /// Takes a cheap timestamp, and decides by it if that admits. A denial is decided again at one
    /// precise timestamp if the cheap one may be to blame: it lags, or the thread was stopped after
    /// it took it and the state shows a later one. See [`clock`](crate::clock#two-timestamps).
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::fixed_window(Quota::per_hour(1));
    /// assert!(limiter.check().is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the permit does not fit; nothing is spent.
    #[doc(alias = "try_acquire")]
    #[inline(always)]
    pub fn check(&self) -> Result<Admitted, Denied> {
        self.ask(1)
    }

    /// Asks for one or, of the algorithms that allow it, `n` permits.
    #[inline(always)]
    pub(crate) fn ask(&self, n: u32) -> Result<Admitted, Denied> {
        let (decided, now) = self.decide_now(n);
        self.answer(decided, n, now)
    }

    /// Decides on them at the cheap timestamp or a precise one.
    #[inline(always)]
    pub(super) fn decide_now(&self, n: u32) -> (Result<A::Seen, A::Seen>, Timestamp) {
        let now = self.clock.recent();
        let decided = self.decide(n, now, true);
        let unsettled = |seen| self.is_unsettled(seen, n, now);
        if decided.is_err_and(unsettled) { self.decide_precisely(n) } else { (decided, now) }
    }

    /// Whether a denial might be an admission at a fresh timestamp: the thread was late, or its
    /// timestamp lags.
    #[inline(always)]
    pub(crate) fn is_unsettled(&self, seen: A::Seen, n: u32, now: Timestamp) -> bool {
        let lag = self.clock.max_lag();
        self.algorithm.is_late(&self.state, seen, now)
            || (!lag.is_zero() && self.algorithm.is_due_within(&self.state, seen, n, now, lag))
    }

    #[cold]
    #[inline(never)]
    fn decide_precisely(&self, n: u32) -> (Result<A::Seen, A::Seen>, Timestamp) {
        let now = self.clock.now();
        (self.decide(n, now, true), now)
    }

    /// As [`decide_precisely`](Self::decide_precisely), for one who only branches: a jump, and
    /// nothing in memory.
    #[cold]
    #[inline(never)]
    fn is_allowed_precisely(&self) -> bool {
        self.decide(1, self.clock.now(), false).is_ok()
    }

    /// The rest of [`is_allowed`](Self::is_allowed) after an exchange was lost.
    #[cold]
    #[inline(never)]
    fn is_allowed_after(&self, newer: A::Newer, now: Timestamp) -> bool {
        let Err(seen) = self.algorithm.decide_after(&self.state, newer, 1, now) else {
            return true;
        };
        self.is_unsettled(seen, 1, now) && self.is_allowed_precisely()
    }

    /// Asks for one permit now, and returns only whether it was granted.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::fixed_window(Quota::per_hour(1));
    /// assert!(limiter.is_allowed());
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        let now = self.clock.recent();
        match self.algorithm.attempt(&self.state, 1, now) {
            Attempt::Won(_) => true,
            Attempt::Declined(seen) => {
                self.is_unsettled(seen, 1, now) && self.is_allowed_precisely()
            }
            Attempt::Lost(newer) => self.is_allowed_after(newer, now),
        }
    }

    /// Returns what is left now. Spends nothing.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::fixed_window(Quota::per_hour(3));
    /// assert_eq!(limiter.peek().remaining(), 3);
    /// ```
    #[must_use]
    pub fn peek(&self) -> Snapshot {
        self.peek_at(self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quota;
    use crate::algorithm::InForce;
    use crate::word::Word;
    use core::cell::Cell;
    use core::time::Duration;

    const LAG: Duration = Duration::from_millis(4);

    /// A clock that is behind by up to the lag, and counts how often it is asked for the precise time.
    #[derive(Default)]
    struct Behind {
        recent: Cell<u64>,
        asked: Cell<u32>,
    }

    impl Clock for Behind {
        fn now(&self) -> Timestamp {
            self.asked.set(self.asked.get() + 1);
            self.recent() + LAG
        }

        fn recent(&self) -> Timestamp {
            Timestamp::from_millis(self.recent.get())
        }

        fn max_lag(&self) -> Duration {
            LAG
        }
    }

    /// Calls it as a caller that has lost its exchange to the newest state: whether it was admitted, and how often it
    /// has asked for the precise time.
    fn lost_at<A: Algorithm>(
        limiter: &Limiter<A, Behind>,
        newest: impl Fn(A::Seen) -> A::Newer,
        millis: u64,
    ) -> (bool, u32) {
        limiter.clock.asked.set(0);
        limiter.clock.recent.set(millis);
        let newer = newest(limiter.algorithm.look(&limiter.state));
        let allowed = limiter.is_allowed_after(newer, limiter.clock.recent());
        (allowed, limiter.clock.asked.get())
    }

    /// Of two a second. `newest` makes of the state what an exchange is lost to.
    fn judge<A: Algorithm>(
        limiter: &Limiter<A, Behind>,
        newest: impl Fn(A::Seen) -> A::Newer + Copy,
    ) {
        let lost_at = |millis| lost_at(limiter, newest, millis);
        assert_eq!(lost_at(1_000), (true, 0), "two are left");
        assert_eq!(lost_at(1_000), (true, 0), "one is left");
        assert_eq!(lost_at(1_000), (false, 0), "none are left, and none are due");
        assert_eq!(lost_at(1_494), (false, 0), "nor within the lag");
        assert_eq!(lost_at(1_997), (true, 1), "one is due within the lag");
        assert!(limiter.is_allowed_at(Timestamp::from_millis(3_000)));
        assert_eq!(lost_at(1_500), (false, 1), "older than what others have seen");
    }

    #[test]
    fn who_loses_an_exchange_is_decided_on_by_the_newer_state() {
        let (quota, clock) = (Quota::per_second(2), Behind::default);
        judge(&Limiter::fixed_window(quota).with_clock(clock()), |word| word);
        let adjustable = Limiter::adjustable_fixed_window(quota);
        judge(&adjustable.with_clock(clock()), InForce::pair);
        let wide = crate::TokenBucket::new(Quota::per_hour(90));
        let two = Limiter::both(crate::FixedWindow::new(quota), wide);
        judge(&two.with_clock(clock()), |words| words.map(Word::bits));
    }
}
