// In the order in which their methods stand in the documentation.
mod now;

mod at;

mod several;

mod spend;

mod reservation;

mod lease;

mod adjust;

#[cfg(feature = "std")]
mod sharded;

mod save;

mod build;

mod holder;

pub use lease::Lease;
#[cfg(feature = "std")]
pub use lease::OwnedLease;
#[cfg(feature = "std")]
pub use reservation::OwnedReservation;
pub use reservation::Reservation;
pub use save::Saved;

use crate::algorithm::{Adjustable, Algorithm, FixedWindow, Heap, SlidingWindow, TokenBucket};
use crate::clock::SystemClock;
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
/// [Sharded](crate::algorithm::Sharded) and [private](crate::algorithm::Private) limiters differ in
/// what they deny, and have no tickets: their pages list each difference.
///
/// - **Never admits more than the algorithm's bound**, counted by the timestamps of the admitted
///   permits. Refunded permits can be spent again. [`charge`](Self::charge) spends beyond the
///   bound, and later requests repay that.
/// - **Denies only what it must.** A request is denied if admitting it would break the bound, or if
///   its timestamp is late or [out of range](crate::Reason::OutOfRange). A late timestamp is older
///   than one that the limiter has seen, and is decided at its own time. [`check`](Self::check)
///   then takes a fresh one and decides again, once. A [sliding window](SlidingWindow) holds the
///   permit of a late one for longer than the bound asks. A [strict](Self::strict) limiter also
///   denies what its even pace does not allow. Permits that others have [reserved](Self::reserve) or
///   [leased](Self::lease), and those of a debt or a [closed](Self::deny_until) limiter, count as
///   spent.
/// - **Linearizable.** Each call takes effect at one instant between call and return. If one call
///   returns before another begins, it takes effect first. Admissions carry
///   [tickets](crate::Admitted::ticket) in that order. A check that decides again is two decisions,
///   of which the second counts.
/// - **A denial spends nothing.** Limiters of one or two words write nothing either, so under
///   attack their state is a shared read. (For two words, if the processor loads 128 bits without an
///   exchange.) A sliding window may store where its oldest slot is, and end a lap, after a claim
///   of another thread. A [`Lease`] may first return what it holds. A limiter with cells notes that
///   all are empty, and may have [gathered](crate::algorithm::Sharded) them.
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
/// read-modify-writes, so the word's modification order alone decides. Four kinds of limiter have
/// more places: the sliding window its slots and lap, an [`Adjustable`] its quota and a copy next
/// to its word, a [`Both`](crate::algorithm::Both) a copy of its words, and a sharded token bucket
/// its cells. There a thread releases what it wrote when it claims a slot, ends a lap, moves the word
/// or a cell, or notes that a cell has its lease. The threads that read that acquire it. The words of
/// a sharded fixed window are `Relaxed`. None of this is a promise to the caller: an admission does
/// not make another thread's writes visible.
///
/// # Cost
///
/// No lock and no allocation. An admission is some loads and one compare-and-swap. It takes a second
/// one after each lap of a sliding window, and in a sharded bucket for some timestamps that are new to
/// its cell. After a short spin it is repeated for each concurrent change that came first. A denial is
/// loads alone, except where it [writes](#guarantees). [`choosing`](crate::guide::choosing) has the
/// figures. A fixed window has 24 bytes and a token bucket 56. Neither is padded: in an array
/// that threads hammer, wrap each in `crossbeam_utils::CachePadded`.
///
/// The methods that decide are always inlined. So the numbers of an answer that the caller does not
/// read are not computed.
#[doc(alias = "RateLimiter")]
#[doc(alias = "throttle")]
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

    /// Returns the clock, whose time is that of the limiter's timestamps.
    ///
    /// ```
    /// use casgate::clock::{Clock, ManualClock};
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::token_bucket(Quota::per_hour(1)).with_clock(ManualClock::new());
    /// limiter.clock().set(Timestamp::from_secs(7));
    /// assert_eq!(limiter.clock().now(), Timestamp::from_secs(7));
    /// ```
    #[must_use]
    pub const fn clock(&self) -> &C {
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
