mod build;
mod now;

use crate::algorithm::{Adjust, Adjustable, Algorithm, FixedWindow, Weighted};
use crate::clock::{Clock, SystemClock};
use crate::decision::{Admitted, Denied, Snapshot};
use crate::quota::Quota;
use crate::timestamp::Timestamp;
use core::fmt;

/// A rate limiter that threads share by reference: each decision is one atomic step on one word.
///
/// ```
/// use casgate::{Limiter, Quota};
///
/// static SIGNUPS: Limiter = Limiter::fixed_window(Quota::per_second(100));
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
pub struct Limiter<A: Algorithm = FixedWindow, C = SystemClock> {
    state: A::State,
    algorithm: A,
    clock: C,
}

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
        self.answer(self.decide(1, now), 1, now)
    }

    #[inline(always)]
    fn decide(&self, n: u32, now: Timestamp) -> Result<A::Seen, A::Seen> {
        if n == 0 {
            return Ok(self.algorithm.look(&self.state));
        }
        self.algorithm.decide(&self.state, n, now)
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
            Ok(seen) => Ok(self.algorithm.admitted(&self.state, seen, now)),
            Err(seen) => Err(self.algorithm.denied(&self.state, seen, n, now)),
        }
    }

    /// [`check_at`](Self::check_at) for callers that only branch.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(1));
    /// assert!(limiter.is_allowed_at(Timestamp::ZERO));
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_allowed_at(&self, now: Timestamp) -> bool {
        self.decide(1, now).is_ok()
    }

    /// What is left at `now`. Spends nothing and writes nothing.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(3));
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 3);
    /// ```
    #[must_use]
    pub fn peek_at(&self, now: Timestamp) -> Snapshot {
        self.algorithm.snapshot(&self.state, self.algorithm.look(&self.state), now)
    }
}

/// What changes the whole state in one step.
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
        self.answer(self.decide(n, now), n, now)
    }

    /// Gives back what was spent, as if nothing had been: the limiter is full at once. Tickets are
    /// handed out anew.
    ///
    /// One atomic step: a concurrent request is either before it, and forgiven, or after it.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_hour(1));
    /// assert!(limiter.is_allowed_at(Timestamp::ZERO));
    /// limiter.reset();
    /// assert!(limiter.is_allowed_at(Timestamp::ZERO));
    /// ```
    pub fn reset(&self) {
        self.algorithm.reset(&self.state);
    }

    /// Gives back `n` permits of a request that was admitted and then not carried out, or all if
    /// fewer are spent: the limiter is never more than full.
    ///
    /// The bound of the rule then holds with the refunds added: where it allows N permits to the
    /// readings of an interval, it allows N + R if R were refunded between the first and the last of
    /// them. A fixed window takes them back in the newest window, whenever they were spent. Their
    /// tickets are handed out anew.
    ///
    /// One atomic step; what is full already is not written.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::token_bucket(Quota::per_hour(2));
    /// assert!(limiter.check_n_at(2, Timestamp::ZERO).is_ok());
    /// limiter.refund(1);
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 1);
    /// limiter.refund(7);
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 2);
    /// ```
    pub fn refund(&self, n: u32) {
        self.algorithm.refund(&self.state, n);
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

impl<R: Adjust, C> Limiter<Adjustable<R>, C> {
    /// Changes the quota at `now`, while others check.
    ///
    /// What is spent stays spent, in permits: of L permits with k spent, a new limit L′ leaves L′ − k,
    /// or none. So a raise adds the difference at once, and a cut takes it away. What was spent above
    /// a cut limit is forgotten: cut and raised again, a limiter admits that much once more. The new
    /// pace holds from `now` on; a fixed window of another period counts what was spent in the
    /// window that `now` was in to the one it is in then. A reading older than one already seen
    /// counts as that one.
    ///
    /// Each check is decided wholly by the old quota or wholly by the new one, and all that begin
    /// after this returns by the new. Waits only for other `set_quota`s.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::adjustable_fixed_window(Quota::per_hour(10));
    /// let now = Timestamp::from_secs(600);
    /// assert!(limiter.check_n_at(7, now).is_ok());
    /// limiter.set_quota_at(Quota::per_hour(12), now);
    /// assert_eq!(limiter.peek_at(now).remaining(), 5);
    /// limiter.set_quota_at(Quota::per_hour(4), now);
    /// assert_eq!(limiter.peek_at(now).remaining(), 0);
    /// ```
    pub fn set_quota_at(&self, quota: Quota, now: Timestamp) {
        self.state.set::<R>(quota, now);
    }
}

impl<R: Adjust, C: Clock> Limiter<Adjustable<R>, C> {
    /// [`set_quota_at`](Self::set_quota_at) the precise reading of the clock.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::adjustable_token_bucket(Quota::per_second(10));
    /// limiter.set_quota(Quota::per_minute(90));
    /// assert_eq!(limiter.peek().limit(), 90);
    /// ```
    pub fn set_quota(&self, quota: Quota) {
        self.set_quota_at(quota, self.clock.now());
    }
}

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
