mod adjust;
mod build;
mod give_back;
mod holder;
mod lease;
mod now;
mod reservation;
mod save;
mod spend;

pub use lease::Lease;
#[cfg(feature = "std")]
pub use lease::OwnedLease;
#[cfg(feature = "std")]
pub use reservation::OwnedReservation;
pub use reservation::Reservation;
pub use save::Saved;

use crate::algorithm::{
    Adjustable, Algorithm, FixedWindow, Heap, SlidingWindow, TokenBucket, Weighted,
};
use crate::clock::{Clock, SystemClock};
use crate::decision::{Admitted, Denied, Snapshot};
use crate::timestamp::Timestamp;
use core::fmt;

/// A rate limiter that threads share by reference. Without a type parameter it is a [token
/// bucket](TokenBucket).
///
/// ```
/// use casgate::{Limiter, Quota};
///
/// static SIGNUPS: Limiter = Limiter::token_bucket(Quota::per_second(100));
///
/// match SIGNUPS.check() {
///     Ok(admitted) => println!("#{} ({} left)", admitted.ticket(), admitted.remaining()),
///     Err(denied) => println!("retry in {:?}", denied.retry_after()),
/// }
/// # assert!(SIGNUPS.peek().remaining() < 100);
/// ```
///
/// # Guarantees
///
/// - **Never admits more than the algorithm's bound**, counted by the timestamps of the admitted
///   permits. Refunded permits can be spent again. [`charge`](Self::charge) spends beyond the
///   bound, and later requests repay that.
/// - **Denies only what it must.** A request is denied if admitting it would break the bound, or if
///   its timestamp is late or [out of range](crate::Reason::OutOfRange). A late timestamp is older
///   than one that the limiter has seen, and is decided at its own time. [`check`](Self::check)
///   then takes a fresh one and decides again, once. A [strict](Self::strict) limiter also denies
///   what its even pace does not allow. Permits that others have [reserved](Self::reserve) or
///   [leased](Self::lease), and those of a debt or a [closed](Self::deny_until) limiter, count as
///   spent.
/// - **Linearizable.** Each call takes effect at one instant between call and return. If one call
///   returns before another begins, it takes effect first. Admissions carry
///   [tickets](Admitted::ticket) in that order. A check that decides again is two decisions, of
///   which the second counts.
/// - **A denial spends nothing.** Limiters of one or two words write nothing either, so under
///   attack their state is a shared read. A sliding window may move its head on for a claim that
///   another thread has won. A [`Lease`] may first return what it holds.
/// - **Lock-free.** A thread that stops anywhere stops no other, with two exceptions.
///   [`set_quota`](Self::set_quota) waits for other calls of itself. Without the atomic that the
///   state needs, every decision takes a short lock: see [`is_lock_free`](Self::is_lock_free).
/// - **No request panics** or wraps. A request for zero permits is admitted and spends nothing. A
///   request for more than the limit is denied permanently. A clock that steps back makes the
///   limiter stricter until it has caught up.
///
/// # Memory ordering
///
/// Where the state is one word, every operation is `Relaxed`, failed ones too. Changes are
/// read-modify-writes, so the word's modification order alone decides. Two kinds of limiter have
/// more places: the sliding window its slots and head, and an [`Adjustable`] its quota next to its
/// word. There a thread releases what it wrote when it moves the head or the word, and the threads
/// that read that acquire it. None of this is a promise to the caller: an admission does not make
/// another thread's writes visible.
///
/// # Cost
///
/// No lock and no allocation. An admission is a load and one compare-and-swap, or two for a sliding
/// window. After a short spin it is repeated for each concurrent change that came first. A denial
/// is loads alone, except where it [writes](#guarantees). [`choosing`](crate::choosing) has the
/// figures. A fixed window has 24 bytes and a token bucket 56. Neither is padded: in an array that
/// threads hammer, wrap each in `crossbeam_utils::CachePadded`.
///
/// The methods that decide are always inlined. So the numbers of an answer that the caller does not
/// read are not computed.
pub struct Limiter<A: Algorithm = TokenBucket, C = SystemClock> {
    state: A::State,
    algorithm: A,
    clock: C,
}

/// Names a limiter with a fixed window: [`Limiter::fixed_window`].
pub type FixedWindowLimiter<C = SystemClock> = Limiter<FixedWindow, C>;

/// Names a limiter with a sliding window: [`Limiter::sliding_window`]. With the slots in place it
/// is a `SlidingWindowLimiter<SystemClock, [Slot; 5]>`: [`Limiter::sliding_window_array`].
pub type SlidingWindowLimiter<C = SystemClock, S = Heap> = Limiter<SlidingWindow<S>, C>;

/// Names a token bucket whose quota can change while others check:
/// [`Limiter::adjustable_token_bucket`].
pub type AdjustableLimiter<C = SystemClock> = Limiter<Adjustable<TokenBucket>, C>;

impl<A: Algorithm, C> Limiter<A, C> {
    /// Decides on one permit at `now`.
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
    fn decide(&self, n: u32, now: Timestamp, numbers: bool) -> Result<A::Seen, A::Seen> {
        if n == 0 {
            return Ok(self.algorithm.look(&self.state));
        }
        self.algorithm.decide(&self.state, n, now, numbers)
    }

    /// The numbers of a decision, apart from it and always inlined: what the caller does not read
    /// is then not computed.
    #[inline(always)]
    fn answer(
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

// The whole state changes in one step.
impl<A: Weighted, C> Limiter<A, C> {
    /// Decides on `n` permits at `now`, all or none.
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
}

impl<A: Weighted, C: Clock> Limiter<A, C> {
    /// Decides on `n` permits now, all or none.
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
    #[inline(always)]
    pub fn check_n(&self, n: u32) -> Result<Admitted, Denied> {
        let (decided, now) = self.decide_now(n);
        self.answer(decided, n, now)
    }
}

impl<A: Algorithm, C> Limiter<A, C> {
    /// Returns whether this machine decides without a lock. It does where there is an atomic as
    /// wide as the state: 64 bits or, for [`Both`](crate::algorithm::Both) and [`Adjustable`], 128.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::adjustable_fixed_window(Quota::per_second(10));
    /// println!("lock-free: {}", limiter.is_lock_free());
    /// ```
    #[must_use]
    pub fn is_lock_free(&self) -> bool {
        A::is_lock_free()
    }
}

impl<A: Algorithm, C> Limiter<A, C> {
    pub(crate) const fn state(&self) -> &A::State {
        &self.state
    }

    pub(crate) const fn algorithm(&self) -> &A {
        &self.algorithm
    }

    pub(crate) const fn clock(&self) -> &C {
        &self.clock
    }
}

impl<A: Algorithm, C> fmt::Debug for Limiter<A, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Limiter");
        self.algorithm.describe(&self.state, &mut out);
        out.finish_non_exhaustive()
    }
}
