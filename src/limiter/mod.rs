// In the order in which their methods stand in the documentation.
mod now;

mod at;

mod spend;

mod give_back;

mod reservation;

mod lease;

mod adjust;

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

/// A rate limiter that threads share by reference: each decision is one atomic step on one word.
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
/// - **Sound and maximal.** The rule's bound holds for the clock readings of the admitted permits,
///   and a request is refused only if admitting it would break the bound, or if its reading is
///   older than what the limiter has already seen. [`check`](Self::check) then takes a fresh one and
///   decides again, once.
/// - **Linearizable.** Each call takes effect at one instant between call and return: whoever can
///   know that another's call has returned comes after it. Admissions carry
///   [tickets](Admitted::ticket) in that order.
/// - **A refusal is pure**: it writes nothing, so a limiter under attack is a shared read.
/// - **Lock-free.** A thread stopped anywhere stops nobody else.
/// - **Total.** No input panics, wraps or admits by accident: not zero permits (admitted, nothing
///   spent), not more than the limit (refused for ever), not a clock that runs backwards.
///
/// # Memory ordering
///
/// Where the state is one word every operation is `Relaxed`, failed ones too: changes are
/// read-modify-writes, so the word's modification order alone decides. The sliding window's slots
/// and head, and the rule beside an [`Adjustable`]'s word, are several places; there what one thread
/// wrote before it moved the head or the word is released with it and acquired by who reads that. None
/// of this is a promise to the caller: an admission does not make another thread's writes visible.
///
/// # Cost
///
/// No lock and no allocation. An admission is a load and one compare-and-swap (two for a sliding
/// window), which is repeated, after a short spin, for each concurrent change that came first; a
/// refusal is loads alone. [`choosing`](crate::choosing) has the figures. A fixed window is 24 bytes, a token
/// bucket 56, and neither is padded: in an array that threads hammer, wrap each in
/// `crossbeam_utils::CachePadded`.
///
/// The methods that decide are always inlined: what a caller does not read of the answer is then
/// not computed.
#[doc(alias = "RateLimiter")]
#[doc(alias = "throttle")]
pub struct Limiter<A: Algorithm = TokenBucket, C = SystemClock> {
    state: A::State,
    algorithm: A,
    clock: C,
}

/// A limiter with a fixed window: [`Limiter::fixed_window`].
pub type FixedWindowLimiter<C = SystemClock> = Limiter<FixedWindow, C>;

/// A limiter with a sliding window: [`Limiter::sliding_window`]. With the slots in place it is a
/// `SlidingWindowLimiter<SystemClock, [Slot; 5]>`: [`Limiter::sliding_window_array`].
pub type SlidingWindowLimiter<C = SystemClock, S = Heap> = Limiter<SlidingWindow<S>, C>;

/// A token bucket whose quota can be changed while others check: [`Limiter::adjustable_token_bucket`].
pub type AdjustableLimiter<C = SystemClock> = Limiter<Adjustable<TokenBucket>, C>;

impl<A: Algorithm, C> Limiter<A, C> {
    /// Whether this machine decides without a lock: wherever there is an atomic as wide as the state,
    /// 64 bits or, for [`Both`](crate::algorithm::Both) and [`Adjustable`], 128.
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
