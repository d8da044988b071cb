//! Requests for several permits, and what gives them back.

use super::Limiter;
use crate::algorithm::Several;
use crate::clock::Clock;
use crate::decision::{Admitted, Denied};
use crate::timestamp::Timestamp;

impl<A: Several, C> Limiter<A, C> {
    /// Asks for `n` permits at `now`: all or none. Zero are always admitted. Permits that only several
    /// cells of a sharded window have together are [gathered](crate::Sharded#the-fixed-window) first.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(10));
    /// let now = Timestamp::ZERO;
    /// assert!(limiter.check_n_at(8, now).is_ok());
    /// assert!(limiter.check_n_at(3, now).is_err());
    /// assert!(limiter.check_n_at(2, now).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the permits don't fit; nothing is spent.
    #[inline(always)]
    pub fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
        self.answer(self.decide(n, now, true), n, now)
    }

    /// Takes as many permits as there are at `now`, up to `n`, and returns how many: for workers
    /// that take a batch. One atomic step, for which a sharded window
    /// [gathers](crate::Sharded#the-fixed-window) its cells.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::token_bucket(Quota::per_second(5));
    /// let now = Timestamp::ZERO;
    /// assert_eq!((limiter.take_up_to_at(3, now), limiter.take_up_to_at(3, now)), (3, 2));
    /// assert_eq!(limiter.take_up_to_at(3, now), 0);
    /// ```
    #[allow(clippy::must_use_candidate)] // to drain is a use
    pub fn take_up_to_at(&self, n: u32, now: Timestamp) -> u32 {
        self.algorithm.take_up_to(&self.state, n, now)
    }

    /// Makes the limiter full, as if nothing had been spent, reserved or denied so far. That also
    /// undoes a timestamp from the far future. Tickets begin again.
    ///
    /// One atomic step: a concurrent request is either before it, and forgotten, or after it. A sharded
    /// window [gathers](crate::Sharded#the-fixed-window) its cells for it. There it gives back what
    /// was spent in the newest window, and undoes no timestamp from the far future.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_hour(1));
    /// assert!(limiter.is_allowed_at(Timestamp::from_secs(365 * 86_400))); // by mistake
    /// limiter.reset();
    /// assert!(limiter.is_allowed_at(Timestamp::ZERO));
    /// ```
    pub fn reset(&self) {
        self.algorithm.reset(&self.state);
    }

    /// Gives back the permits of an admission whose work was not done.
    ///
    /// A token bucket takes them back at any time, and is never more than full. A fixed window
    /// takes them back as long as it is still the window of the admission, and later not at all:
    /// permits of an old window are of no use in a new one. An
    /// [`Adjustable`](crate::algorithm::Adjustable) decides by its present quota.
    ///
    /// The algorithm's bound then holds with the refunds added: where it allows N permits in an
    /// interval, it allows N + R if R were refunded between the first and the last of them. Refund
    /// an admission once, and not after a [`reset`](Self::reset) has given its permits back. Its
    /// tickets are handed out again. A fixed window in [debt](Self::charge) takes back only what
    /// was spent in its newest window.
    ///
    /// This is one atomic step. A limiter that is already full is not written. A sharded window
    /// [gathers](crate::Sharded#the-fixed-window) its cells for it.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_hour(5));
    /// let admitted = limiter.check_n_at(5, Timestamp::ZERO)?;
    /// limiter.refund(&admitted);
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 5);
    ///
    /// let late = limiter.check_n_at(5, Timestamp::ZERO)?;
    /// let next_hour = Timestamp::from_secs(3_600);
    /// assert!(limiter.check_n_at(5, next_hour).is_ok());
    /// limiter.refund(&late);
    /// assert_eq!(limiter.peek_at(next_hour).remaining(), 0);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    pub fn refund(&self, admitted: &Admitted) {
        self.algorithm.refund(&self.state, admitted);
    }
}

impl<A: Several, C: Clock> Limiter<A, C> {
    /// Asks for `n` permits now: all or none. Zero are always admitted.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::fixed_window(Quota::per_hour(10));
    /// assert!(limiter.check_n(8).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the permits don't fit; nothing is spent.
    #[doc(alias = "try_acquire_many")]
    #[inline(always)]
    pub fn check_n(&self, n: u32) -> Result<Admitted, Denied> {
        self.ask(n)
    }

    /// Takes as many permits as there are now, up to `n`, and returns how many. See
    /// [`take_up_to_at`](Self::take_up_to_at).
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::token_bucket(Quota::per_hour(5));
    /// assert_eq!(limiter.take_up_to(9), 5);
    /// ```
    #[allow(clippy::must_use_candidate)] // as above
    pub fn take_up_to(&self, n: u32) -> u32 {
        self.take_up_to_at(n, self.clock.now())
    }
}
