use super::Key;
use super::key::answer;
use super::owner::Id;
use super::pace::Ask;
use super::place::Place;
use super::slot::Word;
use super::table::{Answer, Decided, Table};
use crate::Timestamp;
use crate::clock::Clock;
use crate::decision::Denied;
use core::num::NonZeroU64;
use core::time::Duration;

impl<'a, C, S> Key<'a, C, S> {
    /// Takes the next free place for `n` permits, if it comes within `max_wait` of `now`. The place
    /// is given back when the reservation is dropped, unless it was
    /// [committed](KeyedReservation::commit), or the key has taken permits after it.
    ///
    /// The permits count at the instant that they are [ready](KeyedReservation::ready_at). Until
    /// then other requests for the key are denied. If permits of the key were refunded in the
    /// meantime, a reservation that is given back can, as that of a
    /// [`Limiter`](crate::Reservation::cancel), return a place that a later request was given.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// use std::time::Duration;
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(10).with_burst(1), 100);
    /// let (now, patience) = (Timestamp::ZERO, Duration::from_millis(150));
    /// let first = limiter.key("a").reserve_at(1, patience, now)?;
    /// let second = limiter.key("a").reserve_at(1, patience, now)?;
    /// assert_eq!((first.delay(), second.delay()), (Duration::ZERO, Duration::from_millis(100)));
    /// let denied = limiter.key("a").reserve_at(1, patience, now).unwrap_err();
    /// assert_eq!(denied.retry_after(), Some(Duration::from_millis(50)));
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the wait would be longer; its `retry_after` is how much longer.
    pub fn reserve_at(
        &self,
        n: u32,
        max_wait: Duration,
        now: Timestamp,
    ) -> Result<KeyedReservation<'a>, Denied> {
        let table = &self.limiter.table;
        if n == 0 {
            return Ok(KeyedReservation::nothing(table, self.place, now));
        }
        let latest = now + max_wait;
        let Answer { decided, pace, id, way } = self.ask_at(Ask::Reserve(n, latest), now);
        match answer(decided, &pace, n, now) {
            Ok(_) => Ok(match decided {
                Decided::Admitted { word, before } => {
                    let ready_at = pace.due(before, n).map_or(now, |due| due.max(now));
                    let taken = Some(Taken { way, id, word, before });
                    KeyedReservation { table, place: self.place, taken, permits: n, now, ready_at }
                }
                _ => KeyedReservation::nothing(table, self.place, now),
            }),
            Err(mut denied) => {
                if let Decided::Denied(_) = decided {
                    let patience = latest.saturating_duration_since(now).as_nanos() as u64;
                    let longer = |wait: NonZeroU64| wait.get().saturating_sub(patience);
                    denied.wait = denied.wait.and_then(|wait| NonZeroU64::new(longer(wait)));
                }
                Err(denied)
            }
        }
    }
}

impl<'a, C: Clock, S> Key<'a, C, S> {
    /// Takes the next free place for `n` permits, if it comes within `max_wait` of now. See
    /// [`reserve_at`](Self::reserve_at).
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// use std::time::Duration;
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(100).with_burst(1), 100);
    /// let reserved = limiter.key("a").reserve(1, Duration::from_secs(1))?;
    /// std::thread::sleep(reserved.delay());
    /// reserved.commit();
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`reserve_at`](Self::reserve_at).
    pub fn reserve(&self, n: u32, max_wait: Duration) -> Result<KeyedReservation<'a>, Denied> {
        self.reserve_at(n, max_wait, self.limiter.clock.now())
    }
}

/// Permits of a key taken ahead of time, from [`Key::reserve`](crate::Key::reserve). Dropped, it
/// gives them back, unless it was [committed](Self::commit) or the key has taken permits after it.
///
/// Wait for [`delay`](Self::delay), commit, and go on. Give the longest acceptable wait to
/// `reserve` rather than to a timeout around the wait: what cannot be given back is lost.
///
/// It can be given back only if nothing was taken from the key since: later requests have their
/// places behind it, and know when. So reservations are returned whole from the latest to the
/// earliest, and one that was built upon stays spent. What a [`refund`](crate::Key::refund) gave
/// back must not be given back again: commit such a reservation.
///
/// ```
/// use casgate::{KeyedLimiter, Quota, Timestamp};
/// use std::time::Duration;
///
/// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100);
/// let now = Timestamp::ZERO;
/// limiter.reserve_at("a", 1, Duration::ZERO, now)?.commit();
/// let second = limiter.reserve_at("a", 1, Duration::MAX, now)?;
/// assert_eq!(second.ready_at(), Timestamp::from_secs(1));
/// drop(second);
/// assert_eq!(limiter.reserve_at("a", 1, Duration::MAX, now)?.ready_at(), Timestamp::from_secs(1));
/// # Ok::<(), casgate::Denied>(())
/// ```
#[derive(Debug)]
#[must_use = "dropped, a reservation gives its permits back"]
pub struct KeyedReservation<'a> {
    table: &'a Table,
    place: Place,
    /// What was taken, and where; `None` if there is nothing to give back.
    taken: Option<Taken>,
    permits: u32,
    now: Timestamp,
    ready_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Taken {
    way: usize,
    id: Id,
    /// The key's word with the permits taken, and its state without.
    word: Word,
    before: u64,
}

impl<'a> KeyedReservation<'a> {
    pub(super) fn nothing(table: &'a Table, place: Place, now: Timestamp) -> Self {
        Self { table, place, taken: None, permits: 0, now, ready_at: now }
    }

    /// Returns how long to wait, from the timestamp at which it was made. Zero if the permits were
    /// free.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// # use std::time::Duration;
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100);
    /// let reserved = limiter.reserve_at("a", 1, Duration::ZERO, Timestamp::ZERO)?;
    /// assert!(reserved.delay().is_zero());
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    #[must_use]
    pub const fn delay(&self) -> Duration {
        self.ready_at.saturating_duration_since(self.now)
    }

    /// Returns the first instant at which the permits may be used.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// # use std::time::Duration;
    /// let limiter = KeyedLimiter::fixed_window(Quota::per_minute(1), 100);
    /// let now = Timestamp::from_secs(70);
    /// limiter.reserve_at("a", 1, Duration::ZERO, now)?.commit();
    /// let next = limiter.reserve_at("a", 1, Duration::MAX, now)?;
    /// assert_eq!(next.ready_at(), Timestamp::from_secs(120)); // the next window
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    #[must_use]
    pub const fn ready_at(&self) -> Timestamp {
        self.ready_at
    }

    /// Keeps the permits: they are spent.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// # use std::time::Duration;
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(5), 100);
    /// limiter.reserve_at("a", 4, Duration::ZERO, Timestamp::ZERO)?.commit();
    /// assert_eq!(limiter.peek_at("a", Timestamp::ZERO).remaining(), 1);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    pub fn commit(mut self) {
        self.taken = None;
    }

    /// Gives the permits back, and returns how many: all, or none if a later request was built on
    /// them. Dropping does the same.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// # use std::time::Duration;
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(5), 100);
    /// let reserved = limiter.reserve_at("a", 4, Duration::ZERO, Timestamp::ZERO)?;
    /// assert_eq!(reserved.cancel(), 4);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    #[allow(clippy::must_use_candidate)] // most callers cancel and leave
    pub fn cancel(mut self) -> u32 {
        self.give_back()
    }

    fn give_back(&mut self) -> u32 {
        match self.taken.take() {
            Some(Taken { way, id, word, before })
                if self.table.undo(self.place, way, id, word, before) =>
            {
                self.permits
            }
            _ => 0,
        }
    }
}

impl Drop for KeyedReservation<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}
