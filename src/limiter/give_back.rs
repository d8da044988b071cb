use super::Limiter;
use crate::algorithm::{Change, Weighted};
use crate::decision::Admitted;

impl<A: Weighted, C> Limiter<A, C> {
    /// Makes the limiter full, as if nothing had been spent, reserved or denied so far. That also
    /// undoes a timestamp from the far future. Tickets begin again.
    ///
    /// One atomic step: a concurrent request is either before it, and forgotten, or after it.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_hour(1));
    /// assert!(limiter.is_allowed_at(Timestamp::from_secs(365 * 86_400))); // by mistake
    /// limiter.reset();
    /// assert!(limiter.is_allowed_at(Timestamp::ZERO));
    /// ```
    pub fn reset(&self) {
        self.algorithm.change(&self.state, Change::Reset);
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
    /// This is one atomic step. A limiter that is already full is not written.
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
        self.algorithm.change(&self.state, Change::RefundOf(*admitted));
    }

    /// Gives `n` permits back, or all if fewer are spent, whenever they were spent.
    /// [`refund`](Self::refund) is safer for a fixed window, which takes these back in its newest
    /// window.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::token_bucket(Quota::per_hour(2));
    /// assert!(limiter.check_n_at(2, Timestamp::ZERO).is_ok());
    /// limiter.refund_n(1);
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 1);
    /// limiter.refund_n(7);
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 2);
    /// ```
    pub fn refund_n(&self, n: u32) {
        self.algorithm.change(&self.state, Change::Refund(n));
    }
}
