//! What takes other than all or nothing.

use super::Key;
use super::key::answer;
use super::pace::Ask;
use super::peek::Looked;
use super::table::Answer;
use crate::Timestamp;
use crate::clock::Clock;
use crate::decision::{Admitted, Denied};

impl<C, S> Key<'_, C, S> {
    /// Takes as many permits as there are at `now`, up to `n`, and returns how many.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(5), 100);
    /// let batch = limiter.key("a");
    /// let now = Timestamp::ZERO;
    /// assert_eq!((batch.take_up_to_at(3, now), batch.take_up_to_at(3, now)), (3, 2));
    /// assert_eq!(batch.take_up_to_at(3, now), 0);
    /// ```
    #[allow(clippy::must_use_candidate)] // to drain is a use
    pub fn take_up_to_at(&self, n: u32, now: Timestamp) -> u32 {
        loop {
            let (Looked::State(state), pace) = self.look_at(now) else { return 0 };
            let n = if pace.is_unlimited() { n } else { pace.left(state, now).min(n) };
            // Denied only if another has spent of them meanwhile.
            if n == 0 || self.spend_at(n, now).0.is_admitted() {
                return n;
            }
        }
    }

    /// Spends `n` permits at `now`, into debt if need be: for costs that are known afterwards. The
    /// key is denied until the debt is repaid. A window's debt is spent from the next windows.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let tokens = KeyedLimiter::token_bucket(Quota::per_minute(600), 100);
    /// let now = Timestamp::ZERO;
    /// let estimate = 500; // and not 1: until the charge arrives, every caller is admitted
    /// tokens.key("a").check_n_at(estimate, now)?;
    /// tokens.key("a").charge_at(900 - estimate, now)?; // it was 900
    /// let denied = tokens.key("a").check_at(now).unwrap_err();
    /// assert_eq!(denied.retry_after().unwrap().as_millis(), 30_100);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the key has no slot and gets none with [`WhenFull::DenyNewKeys`]; nothing is
    /// charged.
    ///
    /// [`WhenFull::DenyNewKeys`]: crate::WhenFull::DenyNewKeys
    pub fn charge_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
        if n == 0 {
            return Ok(self.none_at(now));
        }
        let Answer { decided, pace, .. } = self.ask_at(Ask::Charge(n), now);
        let charged = answer(decided, &pace, n.min(pace.limit()), now);
        // A charge may exceed the limit, and is never denied for that.
        charged.map(|admitted| Admitted { permits: n, ..admitted })
    }
}

impl<C: Clock, S> Key<'_, C, S> {
    /// Takes as many permits as there are now, up to `n`, and returns how many.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(5), 100);
    /// assert_eq!(limiter.key("a").take_up_to(9), 5);
    /// ```
    #[allow(clippy::must_use_candidate)] // as above
    pub fn take_up_to(&self, n: u32) -> u32 {
        self.take_up_to_at(n, self.limiter.clock.now())
    }

    /// Spends `n` permits now, into debt if need be. See [`charge_at`](Self::charge_at).
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(5), 100);
    /// limiter.key("a").charge(50)?;
    /// assert!(!limiter.key("a").is_allowed());
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`charge_at`](Self::charge_at).
    pub fn charge(&self, n: u32) -> Result<Admitted, Denied> {
        self.charge_at(n, self.limiter.clock.now())
    }
}
