use super::Limiter;
use super::holder::Holder;
use crate::algorithm::{Rule, TokenBucket};
use crate::clock::Clock;
use crate::decision::Denied;
use crate::timestamp::Timestamp;
use crate::word::Word;
use core::fmt;
use core::num::NonZeroU64;
use core::time::Duration;
#[cfg(feature = "std")]
use std::sync::Arc;

impl<C> Limiter<TokenBucket, C> {
    /// Takes the next free place for `n` permits if it comes within `max_wait` of `now`, and
    /// nothing otherwise. Unless it is [committed](Reservation::commit), the place is given back on
    /// drop, if nothing was taken after it.
    ///
    /// Pass your patience as `max_wait`. Do not reserve without a limit and then cancel what takes
    /// too long: a cancelled place that others have built on [stays taken](Reservation::cancel).
    ///
    /// The permits count at the instant they are [ready](Reservation::ready_at), and the bucket's
    /// bound holds for those instants. Each is rounded up to a whole nanosecond, so two of them may
    /// be closer by less than one. Until then other requests are denied, and other reservations
    /// queue behind. This is one atomic step.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// use std::time::Duration;
    ///
    /// let limiter = Limiter::token_bucket(Quota::per_second(10).with_burst(1));
    /// let now = Timestamp::ZERO;
    /// let patience = Duration::from_millis(150);
    /// let first = limiter.reserve_at(1, patience, now)?;
    /// let second = limiter.reserve_at(1, patience, now)?;
    /// assert_eq!((first.delay(), second.delay()), (Duration::ZERO, Duration::from_millis(100)));
    ///
    /// // The next place is 200 ms away, so this fails at once. Tried again 50 ms later it would succeed.
    /// let denied = limiter.reserve_at(1, patience, now).unwrap_err();
    /// assert_eq!(denied.retry_after(), Some(Duration::from_millis(50)));
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the wait would be longer. Its `retry_after` is then how much longer.
    pub fn reserve_at(
        &self,
        n: u32,
        max_wait: Duration,
        now: Timestamp,
    ) -> Result<Reservation<&Self>, Denied> {
        Ok(Reservation { holder: self, place: self.take_place(n, max_wait, now)? })
    }

    fn take_place(&self, n: u32, max_wait: Duration, now: Timestamp) -> Result<Place, Denied> {
        let (rule, cell) = (self.algorithm(), self.state());
        if n == 0 {
            let taken = cell.load();
            return Ok(Place { permits: 0, given: taken, taken, now, ready_at: now });
        }
        let latest = now + max_wait;
        let step = |bits| rule.reserve(Word::from_bits(bits), n, now, latest).map(Word::bits);
        match cell.update(step) {
            Ok(taken) => {
                let (given, due) = rule.place(Word::from_bits(taken), n);
                Ok(Place { permits: n, given, taken, now, ready_at: due.max(now) })
            }
            Err(bits) => {
                let mut denied = rule.denied(Word::from_bits(bits), n, now);
                let patience = latest.saturating_duration_since(now).as_nanos() as u64;
                denied.wait = denied
                    .wait
                    .and_then(|wait| NonZeroU64::new(wait.get().saturating_sub(patience)));
                Err(denied)
            }
        }
    }
}

impl<C: Clock> Limiter<TokenBucket, C> {
    /// Takes the next free place for `n` permits if it comes within `max_wait` of now. See
    /// [`reserve_at`](Self::reserve_at).
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// use std::time::Duration;
    ///
    /// let limiter = Limiter::token_bucket(Quota::per_second(1_000).with_burst(5));
    /// let reserved = limiter.reserve(5, Duration::from_secs(1))?;
    /// println!("go on in {:?}", reserved.delay());
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the wait would be longer. Its `retry_after` is then how much longer.
    pub fn reserve(&self, n: u32, max_wait: Duration) -> Result<Reservation<&Self>, Denied> {
        self.reserve_at(n, max_wait, self.clock().now())
    }
}

#[cfg(feature = "std")]
impl<C> Limiter<TokenBucket, C> {
    /// Reserves as [`reserve_at`](Self::reserve_at), and the reservation keeps the limiter alive:
    /// for tasks that outlive the caller.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// use std::sync::Arc;
    /// use std::time::Duration;
    ///
    /// let limiter = Arc::new(Limiter::token_bucket(Quota::per_second(10)));
    /// let reserved = limiter.reserve_owned_at(1, Duration::ZERO, Timestamp::ZERO)?;
    /// std::thread::spawn(move || reserved.commit()).join().unwrap();
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 9);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`reserve_at`](Self::reserve_at).
    pub fn reserve_owned_at(
        self: &Arc<Self>,
        n: u32,
        max_wait: Duration,
        now: Timestamp,
    ) -> Result<OwnedReservation<C>, Denied> {
        let place = self.take_place(n, max_wait, now)?;
        Ok(Reservation { holder: Arc::clone(self), place })
    }
}

#[cfg(feature = "std")]
impl<C: Clock> Limiter<TokenBucket, C> {
    /// Reserves as [`reserve`](Self::reserve), and the reservation keeps the limiter alive.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// let limiter = Arc::new(Limiter::token_bucket(Quota::per_second(10)));
    /// assert!(limiter.reserve_owned(1, Duration::ZERO)?.delay().is_zero());
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`reserve_at`](Self::reserve_at).
    pub fn reserve_owned(
        self: &Arc<Self>,
        n: u32,
        max_wait: Duration,
    ) -> Result<OwnedReservation<C>, Denied> {
        self.reserve_owned_at(n, max_wait, self.clock().now())
    }
}

/// Names a reservation that keeps its limiter alive: from [`Limiter::reserve_owned`].
#[cfg(feature = "std")]
pub type OwnedReservation<C = crate::clock::SystemClock> =
    Reservation<Arc<Limiter<TokenBucket, C>>>;

/// Permits taken ahead of time, from [`Limiter::reserve`].
///
/// Wait for [`delay`](Self::delay), call [`commit`](Self::commit) and go on. A reservation that is
/// dropped before that is [cancelled](Self::cancel).
///
/// ```
/// use casgate::{Limiter, Quota, Timestamp};
/// use std::time::Duration;
///
/// let limiter = Limiter::token_bucket(Quota::per_second(1));
/// let now = Timestamp::ZERO;
/// let first = limiter.reserve_at(1, Duration::MAX, now)?;
/// let second = limiter.reserve_at(1, Duration::MAX, now)?;
/// assert_eq!(second.ready_at(), Timestamp::from_secs(1));
/// assert_eq!(first.cancel(), 0); // the second waits where it does because of the first
/// assert_eq!(limiter.reserve_at(1, Duration::MAX, now)?.cancel(), 1);
/// # Ok::<(), casgate::Denied>(())
/// ```
#[must_use = "a reservation that is dropped is cancelled: `commit` it"]
pub struct Reservation<H: Holder<Rule = TokenBucket>> {
    holder: H,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    permits: u32,
    /// The word without this reservation, and with it.
    given: u64,
    taken: u64,
    now: Timestamp,
    ready_at: Timestamp,
}

impl<H: Holder<Rule = TokenBucket>> Reservation<H> {
    /// Returns how long to wait, from the timestamp at which it was made. Zero if the permits were
    /// free.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # use std::time::Duration;
    /// let limiter = Limiter::token_bucket(Quota::per_second(1));
    /// assert!(limiter.reserve_at(1, Duration::ZERO, Timestamp::ZERO)?.delay().is_zero());
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    #[must_use]
    pub const fn delay(&self) -> Duration {
        self.place.ready_at.saturating_duration_since(self.place.now)
    }

    /// Returns the first instant at which the permits may be used.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # use std::time::Duration;
    /// let limiter = Limiter::token_bucket(Quota::per_second(1));
    /// let now = Timestamp::from_secs(7);
    /// assert_eq!(limiter.reserve_at(1, Duration::ZERO, now)?.ready_at(), now);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    #[must_use]
    pub const fn ready_at(&self) -> Timestamp {
        self.place.ready_at
    }

    /// Returns its place in the limiter's order, as [`Admitted::ticket`](crate::Admitted::ticket).
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # use std::time::Duration;
    /// let limiter = Limiter::token_bucket(Quota::per_second(2));
    /// let first = limiter.reserve_at(1, Duration::ZERO, Timestamp::ZERO)?;
    /// let second = limiter.check_at(Timestamp::ZERO)?;
    /// assert!(first.ticket() < second.ticket());
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    #[must_use]
    pub const fn ticket(&self) -> u64 {
        self.place.taken
    }

    /// Gives the permits back, and returns how many: all, or none if a later admission or
    /// reservation has built on them.
    ///
    /// *Why none.* The limiter's word is the end of the last place taken. A later caller was placed
    /// at the end of this one and was given that instant. If the word moved back, the same instant
    /// would be given to one more caller: two in one place, over the bound. Reservations that are
    /// cancelled from the latest to the earliest are returned whole. The word is then what it was
    /// before, and the bound holds as if they had never been made. Permits that are not returned
    /// are lost capacity, never a permit too many.
    ///
    /// A [`refund`](Limiter::refund) or a [`reset`](Limiter::reset) in the meantime moves the word
    /// back. Then usually nothing is returned. But if later requests have moved the word to exactly
    /// where this reservation left it, it cannot be distinguished from that one: its place is given
    /// out twice, which admits as many permits more as were refunded. The same holds on drop.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # use std::time::Duration;
    /// let limiter = Limiter::token_bucket(Quota::per_second(5));
    /// let reserved = limiter.reserve_at(4, Duration::ZERO, Timestamp::ZERO)?;
    /// assert_eq!(reserved.cancel(), 4);
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 5);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    #[allow(clippy::must_use_candidate)] // most callers cancel and leave
    pub fn cancel(mut self) -> u32 {
        self.give_back()
    }

    /// Keeps the permits: they are spent.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # use std::time::Duration;
    /// let limiter = Limiter::token_bucket(Quota::per_second(5));
    /// limiter.reserve_at(4, Duration::ZERO, Timestamp::ZERO)?.commit();
    /// drop(limiter.reserve_at(1, Duration::ZERO, Timestamp::ZERO)?);
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 1);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    pub fn commit(mut self) {
        self.place.permits = 0;
    }

    fn give_back(&mut self) -> u32 {
        let Place { given, taken, .. } = self.place;
        let permits = core::mem::take(&mut self.place.permits);
        let cell = self.holder.limiter().state();
        let is_back = permits > 0 && cell.update(|bits| (bits == taken).then_some(given)).is_ok();
        if is_back { permits } else { 0 }
    }
}

impl<H: Holder<Rule = TokenBucket>> Drop for Reservation<H> {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl<H: Holder<Rule = TokenBucket>> fmt::Debug for Reservation<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reservation").field(&self.place).finish()
    }
}
