//! What decides at a timestamp that the caller has.

use super::Limiter;
use crate::algorithm::Algorithm;
use crate::decision::{Admitted, Denied, Snapshot};
use crate::timestamp::Timestamp;

impl<A: Algorithm, C> Limiter<A, C> {
    /// Asks for one permit at `now`. Reads no clock.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(1));
    /// assert!(limiter.check_at(Timestamp::from_millis(10)).is_ok());
    /// assert!(limiter.check_at(Timestamp::from_millis(20)).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the permit does not fit; nothing is spent.
    #[inline(always)]
    pub fn check_at(&self, now: Timestamp) -> Result<Admitted, Denied> {
        self.answer(self.decide(1, now, true), 1, now)
    }

    #[inline(always)]
    pub(super) fn decide(&self, n: u32, now: Timestamp, numbers: bool) -> Result<A::Seen, A::Seen> {
        if n == 0 {
            return Ok(self.algorithm.look(&self.state));
        }
        self.algorithm.decide(&self.state, n, now, numbers)
    }

    /// The numbers of a decision, apart from it and always inlined: what the caller does not read
    /// is then not computed.
    #[inline(always)]
    pub(super) fn answer(
        &self,
        decided: Result<A::Seen, A::Seen>,
        n: u32,
        now: Timestamp,
    ) -> Result<Admitted, Denied> {
        match decided {
            Ok(seen) => Ok(self.algorithm.admitted(&self.state, seen, n, now)),
            Err(seen) => Err(self.algorithm.denied(&self.state, seen, n, now)),
        }
    }

    /// Asks for one permit at `now`, and returns only whether it was granted.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(1));
    /// assert!(limiter.is_allowed_at(Timestamp::ZERO));
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_allowed_at(&self, now: Timestamp) -> bool {
        self.decide(1, now, false).is_ok()
    }

    /// Returns what is left at `now`. Spends nothing.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(3));
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 3);
    /// ```
    #[must_use]
    pub fn peek_at(&self, now: Timestamp) -> Snapshot {
        self.algorithm.peek(&self.state, now)
    }
}
