use super::Limiter;
use super::holder::Holder;
use crate::algorithm::{Rule, RuleParts, Term};
use crate::clock::Clock;
use crate::decision::Denied;
use crate::timestamp::Timestamp;
use crate::word::Word;
use core::cell::Cell;
use core::fmt;

impl<R: Rule, C> Limiter<R, C> {
    /// Returns a handle for one thread. It takes up to `most` permits in one atomic step and then
    /// spends them from memory of its own. 0 counts as 1.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    ///
    /// let limiter = Limiter::fixed_window(Quota::per_second(1_000_000));
    /// std::thread::scope(|scope| {
    ///     for _ in 0..4 {
    ///         scope.spawn(|| {
    ///             let lease = limiter.lease(64);
    ///             let served = (0..1_000).filter(|_| lease.is_allowed()).count();
    ///             assert_eq!(served, 1_000);
    ///         });
    ///     }
    /// });
    /// ```
    pub fn lease(&self, most: u32) -> Lease<&Self> {
        Lease::of(self, most)
    }

    /// Returns a [`lease`](Self::lease) that keeps the limiter alive: for a worker's state or a
    /// `thread_local!`.
    ///
    /// ```
    /// use casgate::{Limiter, OwnedLease, Quota};
    /// use std::sync::Arc;
    ///
    /// struct Worker {
    ///     lease: OwnedLease,
    /// }
    ///
    /// let limiter = Arc::new(Limiter::token_bucket(Quota::per_second(1_000)));
    /// let worker = Worker { lease: limiter.lease_owned(64) };
    /// assert!(worker.lease.is_allowed());
    /// ```
    #[cfg(feature = "std")]
    pub fn lease_owned(self: &std::sync::Arc<Self>, most: u32) -> OwnedLease<R, C> {
        Lease::of(std::sync::Arc::clone(self), most)
    }
}

/// Names a lease that keeps its limiter alive: from [`Limiter::lease_owned`].
#[cfg(feature = "std")]
pub type OwnedLease<R = crate::TokenBucket, C = crate::clock::SystemClock> =
    Lease<std::sync::Arc<Limiter<R, C>>>;

/// Permits taken ahead by one thread, from [`Limiter::lease`]: most calls touch no shared memory.
///
/// # What it guarantees
///
/// The algorithm's bound holds for the timestamps at which the permits are *spent*, together with
/// all other requests to the limiter. Do not combine leases with [`refund`](Limiter::refund) or
/// [`reset`](Limiter::reset): permits that a lease still holds would be returned twice. To keep the
/// bound, a lease ends:
///
/// - A lease of a fixed window ends with the window in which it was taken.
/// - A lease of a token bucket ends when the bucket would have refilled by what was taken. Until
///   that instant the bucket is charged in advance: n permits taken at `now` are booked as if at
///   the end of the n emission intervals that follow.
///
/// A check with a timestamp outside that time returns the lease's permits and takes new ones.
///
/// # What it costs others
///
/// Permits held by a lease are unavailable to other callers. A lease takes an eighth of what is
/// left, and `most` at the most. Near the limit it takes one permit at a time, so the last permits
/// go to the callers that ask. A lease that was taken when there was more can strand `most` − 1
/// permits for the rest of its time. That happens if its thread stops asking and does not drop it.
/// While leases are outstanding, a token bucket may show up to one lease fewer permits than it
/// really has, because it is charged in advance.
///
/// Unspent permits are returned when the lease is dropped or first used after it has ended. A fixed
/// window takes them only within the same window. A token bucket takes them only if nothing was
/// taken since, as with [`cancel`](crate::Reservation::cancel).
///
/// ```
/// use casgate::{Limiter, Quota, Timestamp};
///
/// let limiter = Limiter::fixed_window(Quota::per_second(80));
/// let lease = limiter.lease(64);
/// assert!(lease.is_allowed_at(Timestamp::ZERO));
/// assert_eq!(lease.held(), 9); // an eighth of 80, minus the one
/// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 70);
/// drop(lease);
/// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 79);
/// ```
#[must_use]
pub struct Lease<H: Holder> {
    holder: H,
    most: u32,
    held: Cell<u32>,
    term: Cell<Term>,
}

impl<H: Holder> Lease<H> {
    fn of(holder: H, most: u32) -> Self {
        let term = Term { permits: 0, from: 0, span: 0, taken: Word::default() };
        Self { holder, most: most.max(1), held: Cell::new(0), term: Cell::new(term) }
    }

    /// Spends one permit at `now`: one that the lease holds, or one of those that it takes first.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::token_bucket(Quota::per_second(1));
    /// let lease = limiter.lease(64);
    /// assert!(lease.check_at(Timestamp::ZERO).is_ok());
    /// assert_eq!(lease.check_at(Timestamp::ZERO).unwrap_err().retry_after().unwrap().as_secs(), 1);
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the limiter denies; nothing is spent.
    #[inline(always)]
    pub fn check_at(&self, now: Timestamp) -> Result<(), Denied> {
        if self.spend(now) {
            Ok(())
        } else {
            self.renew(now).map_err(|word| self.denied(word, now))
        }
    }

    /// Spends one permit at `now`, and returns only whether it was granted.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::token_bucket(Quota::per_second(1));
    /// assert!(limiter.lease(64).is_allowed_at(Timestamp::ZERO));
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_allowed_at(&self, now: Timestamp) -> bool {
        self.spend(now) || self.renew(now).is_ok()
    }

    /// Returns how many permits the lease holds.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// assert_eq!(Limiter::token_bucket(Quota::per_second(1)).lease(64).held(), 0);
    /// ```
    #[must_use]
    pub fn held(&self) -> u32 {
        self.held.get()
    }

    #[inline(always)]
    fn spend(&self, now: Timestamp) -> bool {
        let (held, term) = (self.held.get(), self.term.get());
        // A timestamp before `from` wraps to more than any span.
        let ours = held > 0 && now.as_nanos().wrapping_sub(term.from) <= term.span;
        if ours {
            self.held.set(held - 1);
        }
        ours
    }

    /// Gives back what is left, takes new permits and spends one of them; or returns the word that
    /// denies.
    #[cold]
    #[inline(never)]
    fn renew(&self, now: Timestamp) -> Result<(), Word> {
        self.give_back();
        let rule = self.holder.limiter().algorithm();
        let term = Cell::new(None);
        let outcome = self.holder.limiter().state().update(|bits| {
            term.set(rule.lease(Word::from_bits(bits), self.most, now));
            term.get().map(|term| term.taken.bits())
        });
        match (outcome, term.get()) {
            (Ok(_), Some(term)) => {
                self.term.set(term);
                self.held.set(term.permits - 1);
                Ok(())
            }
            (Ok(bits) | Err(bits), _) => Err(Word::from_bits(bits)),
        }
    }

    fn give_back(&self) {
        let (rule, term) = (self.holder.limiter().algorithm(), self.term.get());
        let held = self.held.replace(0);
        if held > 0 {
            let _ = self.holder.limiter().state().update(|bits| {
                rule.end_lease(Word::from_bits(bits), term.taken, held).map(Word::bits)
            });
        }
    }

    fn denied(&self, word: Word, now: Timestamp) -> Denied {
        Rule::denied(self.holder.limiter().algorithm(), word, 1, now)
    }
}

impl<H: Holder<Clock: Clock>> Lease<H> {
    /// Spends one permit now.
    ///
    /// Reads the clock as [`Limiter::check`] does.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::token_bucket(Quota::per_hour(1));
    /// assert!(limiter.lease(64).check().is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the limiter denies; nothing is spent.
    #[inline(always)]
    pub fn check(&self) -> Result<(), Denied> {
        let now = self.holder.limiter().clock().recent();
        if self.spend(now) { Ok(()) } else { self.renew_now(now) }
    }

    /// Spends one permit now, and returns only whether it was granted.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::token_bucket(Quota::per_hour(1));
    /// assert!(limiter.lease(64).is_allowed());
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.check().is_ok()
    }

    #[cold]
    #[inline(never)]
    fn renew_now(&self, now: Timestamp) -> Result<(), Denied> {
        let Err(word) = self.renew(now) else { return Ok(()) };
        if !self.holder.limiter().is_unsettled(word, 1, now) {
            return Err(self.denied(word, now));
        }
        let now = self.holder.limiter().clock().now();
        self.renew(now).map_err(|word| self.denied(word, now))
    }
}

impl<H: Holder> Drop for Lease<H> {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl<H: Holder> fmt::Debug for Lease<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("held", &self.held.get()).finish_non_exhaustive()
    }
}
