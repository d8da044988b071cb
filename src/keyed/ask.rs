//! What is asked most: the methods of a [`Key`](super::Key) in tier 0, by the key itself.

use super::{KeyedLimiter, KeyedReservation};
use crate::Timestamp;
use crate::clock::Clock;
use crate::decision::{Admitted, Denied, Snapshot};
use core::hash::{BuildHasher, Hash};
use core::time::Duration;

impl<C: Clock, S: BuildHasher> KeyedLimiter<C, S> {
    /// Asks for one of the key's permits now. Reads the clock as
    /// [`Limiter::check`](crate::Limiter::check) does.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 100);
    /// assert!(limiter.check("a").is_ok() && limiter.check("a").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`check_at`](Self::check_at).
    #[inline(always)]
    pub fn check<Q: Hash + ?Sized>(&self, key: &Q) -> Result<Admitted, Denied> {
        self.key(key).check()
    }

    /// Asks for `n` of the key's permits now: all or none. Zero are always admitted.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(5), 100);
    /// assert!(limiter.check_n("a", 4).is_ok() && limiter.check_n("a", 2).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`check_at`](Self::check_at).
    #[inline(always)]
    pub fn check_n<Q: Hash + ?Sized>(&self, key: &Q, n: u32) -> Result<Admitted, Denied> {
        self.key(key).check_n(n)
    }

    /// Asks for one of the key's permits now, and returns only whether it was granted.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 100);
    /// assert!(limiter.is_allowed("a"));
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_allowed<Q: Hash + ?Sized>(&self, key: &Q) -> bool {
        self.key(key).is_allowed()
    }

    /// Takes as many of the key's permits as there are now, up to `n`, and returns how many.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(5), 100);
    /// assert_eq!(limiter.take_up_to("a", 9), 5);
    /// ```
    #[allow(clippy::must_use_candidate)] // as above
    pub fn take_up_to<Q: Hash + ?Sized>(&self, key: &Q, n: u32) -> u32 {
        self.key(key).take_up_to(n)
    }

    /// Spends `n` of the key's permits now, into debt if need be. See
    /// [`Key::charge_at`](crate::Key::charge_at).
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(5), 100);
    /// limiter.charge("a", 50)?;
    /// assert!(!limiter.is_allowed("a"));
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Key::charge_at`](crate::Key::charge_at).
    pub fn charge<Q: Hash + ?Sized>(&self, key: &Q, n: u32) -> Result<Admitted, Denied> {
        self.key(key).charge(n)
    }

    /// Takes the next free place for `n` of the key's permits, if it comes within `max_wait` of
    /// now. See [`Key::reserve_at`](crate::Key::reserve_at).
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// # use std::time::Duration;
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(5), 100);
    /// limiter.reserve("a", 5, Duration::ZERO)?.commit();
    /// assert!(!limiter.is_allowed("a"));
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Key::reserve_at`](crate::Key::reserve_at).
    pub fn reserve<Q: Hash + ?Sized>(
        &self,
        key: &Q,
        n: u32,
        max_wait: Duration,
    ) -> Result<KeyedReservation<'_>, Denied> {
        self.key(key).reserve(n, max_wait)
    }

    /// Returns what the key has left now. Spends and inserts nothing.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(2), 100);
    /// assert_eq!(limiter.peek("a").remaining(), 2);
    /// ```
    #[must_use]
    pub fn peek<Q: Hash + ?Sized>(&self, key: &Q) -> Snapshot {
        self.key(key).peek()
    }
}

impl<C, S: BuildHasher> KeyedLimiter<C, S> {
    /// Asks for one of the key's permits at `now`. Reads no clock.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(2), 100);
    /// assert_eq!(limiter.check_at("a", Timestamp::ZERO)?.remaining(), 1);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the permit does not fit, or the key's set is full; nothing is spent.
    #[inline(always)]
    pub fn check_at<Q: Hash + ?Sized>(&self, key: &Q, now: Timestamp) -> Result<Admitted, Denied> {
        self.key(key).check_at(now)
    }

    /// Asks for `n` of the key's permits at `now`: all or none. Zero are always admitted.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(5), 100);
    /// assert!(limiter.check_n_at("a", 4, Timestamp::ZERO).is_ok());
    /// assert!(limiter.check_n_at("a", 2, Timestamp::ZERO).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`check_at`](Self::check_at).
    #[inline(always)]
    pub fn check_n_at<Q: Hash + ?Sized>(
        &self,
        key: &Q,
        n: u32,
        now: Timestamp,
    ) -> Result<Admitted, Denied> {
        self.key(key).check_n_at(n, now)
    }

    /// Asks for one of the key's permits at `now`, and returns only whether it was granted.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100);
    /// assert!(limiter.is_allowed_at("a", Timestamp::ZERO));
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_allowed_at<Q: Hash + ?Sized>(&self, key: &Q, now: Timestamp) -> bool {
        self.key(key).is_allowed_at(now)
    }

    /// Takes as many of the key's permits as there are at `now`, up to `n`, and returns how many.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(5), 100);
    /// assert_eq!(limiter.take_up_to_at("a", 9, Timestamp::ZERO), 5);
    /// ```
    #[allow(clippy::must_use_candidate)] // to drain is a use
    pub fn take_up_to_at<Q: Hash + ?Sized>(&self, key: &Q, n: u32, now: Timestamp) -> u32 {
        self.key(key).take_up_to_at(n, now)
    }

    /// Spends `n` of the key's permits at `now`, into debt if need be. See
    /// [`Key::charge_at`](crate::Key::charge_at).
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(5), 100);
    /// limiter.charge_at("a", 10, Timestamp::ZERO)?;
    /// let denied = limiter.check_at("a", Timestamp::ZERO).unwrap_err();
    /// assert_eq!(denied.retry_after().unwrap().as_millis(), 1_200);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Key::charge_at`](crate::Key::charge_at).
    pub fn charge_at<Q: Hash + ?Sized>(
        &self,
        key: &Q,
        n: u32,
        now: Timestamp,
    ) -> Result<Admitted, Denied> {
        self.key(key).charge_at(n, now)
    }

    /// Takes the next free place for `n` of the key's permits, if it comes within `max_wait` of
    /// `now`. See [`Key::reserve_at`](crate::Key::reserve_at).
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// # use std::time::Duration;
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(10).with_burst(1), 100);
    /// let now = Timestamp::ZERO;
    /// limiter.reserve_at("a", 1, Duration::ZERO, now)?.commit();
    /// assert!(limiter.reserve_at("a", 1, Duration::from_millis(99), now).is_err());
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Key::reserve_at`](crate::Key::reserve_at).
    pub fn reserve_at<Q: Hash + ?Sized>(
        &self,
        key: &Q,
        n: u32,
        max_wait: Duration,
        now: Timestamp,
    ) -> Result<KeyedReservation<'_>, Denied> {
        self.key(key).reserve_at(n, max_wait, now)
    }

    /// Returns what the key has left at `now`. Spends and inserts nothing.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(2), 100);
    /// assert_eq!(limiter.peek_at("a", Timestamp::ZERO).remaining(), 2);
    /// ```
    #[must_use]
    pub fn peek_at<Q: Hash + ?Sized>(&self, key: &Q, now: Timestamp) -> Snapshot {
        self.key(key).peek_at(now)
    }

    /// Gives the key all of its permits back, as if nothing had been. A key without a slot is left
    /// as it is.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 100);
    /// assert!(limiter.is_allowed("a") && !limiter.is_allowed("a"));
    /// limiter.reset("a");
    /// assert!(limiter.is_allowed("a"));
    /// ```
    #[doc(alias = "remove")]
    pub fn reset<Q: Hash + ?Sized>(&self, key: &Q) {
        self.key(key).reset();
    }

    /// Gives back the permits of an admission of the key whose work was not done. See
    /// [`Key::refund`](crate::Key::refund).
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(5), 100);
    /// let admitted = limiter.check_n("a", 5)?;
    /// limiter.refund("a", &admitted);
    /// assert_eq!(limiter.peek("a").remaining(), 5);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    pub fn refund<Q: Hash + ?Sized>(&self, key: &Q, admitted: &Admitted) {
        self.key(key).refund(admitted);
    }

    /// Gives `n` permits back: to a window those that were spent in it. A key without a slot is
    /// left as it is.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(5), 100);
    /// assert!(limiter.check_n("a", 5).is_ok());
    /// limiter.refund_n("a", 2);
    /// assert_eq!(limiter.peek("a").remaining(), 2);
    /// ```
    pub fn refund_n<Q: Hash + ?Sized>(&self, key: &Q, n: u32) {
        self.key(key).refund_n(n);
    }
}
