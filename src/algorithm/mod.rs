//! The rules that decide.
//!
//! A [`Rule`] is a pure function from a state word, a request and a clock reading to the next word
//! or a refusal. [`Limiter`](crate::Limiter) runs it in a compare-and-swap loop; because it is
//! pure, the same function can run behind a mutex, in a table or in a test.
//!
//! [`Algorithm`] is what a limiter needs of a rule together with its shared state. Every `Rule` is
//! one, its state a single word. What must change the whole state at once ([`Weighted`]) is for
//! those whose state one atomic step can change.

mod adjustable;
mod both;
mod fixed_window;
mod one_word;
mod sliding_window;
mod token_bucket;

pub(crate) use adjustable::Live;
pub use adjustable::{Adjust, Adjustable};
pub use both::Both;
pub use fixed_window::FixedWindow;
pub use sliding_window::{Heap, SlidingWindow};
pub use token_bucket::TokenBucket;

use crate::cell::Attempt;
use crate::decision::{Admitted, Denied, Snapshot};
use crate::lease::Term;
use crate::timestamp::Timestamp;
use crate::word::Word;
use core::fmt::DebugStruct;
use core::time::Duration;

/// A rule whose whole state is one [`Word`]: pure functions, without the shared memory.
///
/// A word is [`Word::default`] or what the same rule made of one. Sealed: its methods may grow with
/// the crate.
///
/// ```
/// use casgate::algorithm::{Rule, TokenBucket};
/// use casgate::word::Word;
/// use casgate::{Quota, Timestamp};
///
/// let rule = TokenBucket::new(Quota::per_second(2));
/// let now = Timestamp::ZERO;
/// let spent = rule.decide(Word::default(), 2, now).unwrap();
/// assert_eq!(rule.decide(spent, 1, now), None);
/// assert_eq!(rule.denied(spent, 1, now).retry_after().unwrap().as_millis(), 500);
/// assert!(rule.decide(rule.refund(spent, 1), 1, now).is_some());
/// ```
pub trait Rule: Sealed + Copy {
    /// The word after `n` permits, at least 1, are spent at `now`, or `None` if they don't fit and
    /// the word must stay. Constant time.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let full = rule.decide(Word::default(), 2, Timestamp::ZERO).unwrap();
    /// assert_eq!(rule.decide(full, 1, Timestamp::ZERO), None);
    /// ```
    #[must_use]
    fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word>;

    /// The numbers of an admission at `now` that left `word` behind.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let word = rule.decide(Word::default(), 1, Timestamp::ZERO).unwrap();
    /// assert_eq!(rule.admitted(word, Timestamp::ZERO).remaining(), 1);
    /// ```
    #[must_use]
    fn admitted(&self, word: Word, now: Timestamp) -> Admitted;

    /// The numbers of a refusal of `n` permits on `word`.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let denied = rule.denied(Word::default(), 3, Timestamp::ZERO);
    /// assert_eq!(denied.retry_after(), None);
    /// ```
    #[must_use]
    fn denied(&self, word: Word, n: u32, now: Timestamp) -> Denied;

    /// What is left at `now`.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// assert_eq!(rule.snapshot(Word::default(), Timestamp::ZERO).remaining(), 2);
    /// ```
    #[must_use]
    fn snapshot(&self, word: Word, now: Timestamp) -> Snapshot;

    /// The word with all permits given back.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let full = rule.decide(Word::default(), 2, Timestamp::ZERO).unwrap();
    /// assert!(rule.decide(rule.reset(full), 2, Timestamp::ZERO).is_some());
    /// ```
    #[must_use]
    fn reset(&self, word: Word) -> Word;

    /// The word with `n` permits given back, or all if fewer are spent.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let full = rule.decide(Word::default(), 2, Timestamp::ZERO).unwrap();
    /// assert!(rule.decide(rule.refund(full, 1), 1, Timestamp::ZERO).is_some());
    /// ```
    #[must_use]
    fn refund(&self, word: Word, n: u32) -> Word;

    /// Whether the state shows that it has seen a timestamp later than `now`. A caller with such a
    /// timestamp is late: it took it, was stopped, and others moved on.
    ///
    /// A state that reaches into the future for another reason counts too. That costs the caller a
    /// second timestamp and changes no decision.
    #[doc(hidden)]
    #[must_use]
    fn is_late(&self, word: Word, now: Timestamp) -> bool;

    /// Whether the denied request would be admitted within `lag`.
    #[doc(hidden)]
    #[inline]
    fn is_due_within(&self, word: Word, n: u32, now: Timestamp, lag: Duration) -> bool {
        self.denied(word, n, now).is_within(lag)
    }

    /// Takes permits to be spent later: an eighth of what is left, at least 1 and at most `most`.
    #[doc(hidden)]
    fn lease(&self, word: Word, most: u32, now: Timestamp) -> Option<Term>;

    /// The word with `n` permits of the lease that left `taken` behind given back, if it still can.
    #[doc(hidden)]
    fn end_lease(&self, word: Word, taken: Word, n: u32) -> Option<Word>;

    #[doc(hidden)]
    fn describe(&self, word: Word, out: &mut DebugStruct<'_, '_>);
}

/// How many permits a lease takes of those that are left.
fn share(left: u32, most: u32) -> u32 {
    (left / 8).clamp(1, most)
}

/// A rule together with the shared state it decides on: what a [`Limiter`](crate::Limiter) needs.
///
/// Sealed: its methods may grow with the crate.
///
/// ```
/// use casgate::{Limiter, Timestamp, algorithm::Algorithm};
///
/// fn drain<A: Algorithm>(limiter: &Limiter<A>, now: Timestamp) -> usize {
///     std::iter::from_fn(|| limiter.check_at(now).ok()).count()
/// }
/// # let limiter = Limiter::fixed_window(casgate::Quota::per_second(3));
/// # assert_eq!(drain(&limiter, Timestamp::ZERO), 3);
/// ```
pub trait Algorithm: Sealed {
    /// What callers share.
    #[doc(hidden)]
    type State;

    /// What a decision was made on: all that the numbers of its answer are computed from.
    #[doc(hidden)]
    type Seen: Copy;

    #[doc(hidden)]
    fn is_lock_free() -> bool;

    /// The state as it is.
    #[doc(hidden)]
    fn look(&self, state: &Self::State) -> Self::Seen;

    /// Admits (`Ok`) or denies `n` permits: one, or any number above zero if [`Weighted`].
    #[doc(hidden)]
    fn decide(&self, state: &Self::State, n: u32, now: Timestamp)
    -> Result<Self::Seen, Self::Seen>;

    /// One turn of [`decide`](Self::decide), for a caller in a hurry. What was [lost](Attempt::Lost) it
    /// passes to [`decide_after`](Self::decide_after), from a cold function of its own: the path that
    /// wins at once then saves no register for the other.
    #[doc(hidden)]
    #[inline]
    fn attempt(&self, state: &Self::State, n: u32, now: Timestamp) -> Attempt<Self::Seen> {
        match self.decide(state, n, now) {
            Ok(seen) => Attempt::Won(seen),
            Err(seen) => Attempt::Declined(seen),
        }
    }

    #[doc(hidden)]
    fn decide_after(
        &self,
        state: &Self::State,
        _lost_to: Self::Seen,
        n: u32,
        now: Timestamp,
    ) -> Result<Self::Seen, Self::Seen> {
        self.decide(state, n, now)
    }

    #[doc(hidden)]
    fn admitted(&self, state: &Self::State, seen: Self::Seen, now: Timestamp) -> Admitted;

    #[doc(hidden)]
    fn denied(&self, state: &Self::State, seen: Self::Seen, n: u32, now: Timestamp) -> Denied;

    #[doc(hidden)]
    fn is_late(&self, state: &Self::State, seen: Self::Seen, now: Timestamp) -> bool;

    #[doc(hidden)]
    fn is_due_within(
        &self,
        state: &Self::State,
        seen: Self::Seen,
        n: u32,
        now: Timestamp,
        lag: Duration,
    ) -> bool;

    #[doc(hidden)]
    fn snapshot(&self, state: &Self::State, seen: Self::Seen, now: Timestamp) -> Snapshot;

    #[doc(hidden)]
    fn describe(&self, state: &Self::State, out: &mut DebugStruct<'_, '_>);
}

/// An algorithm whose whole state changes in one atomic step, so that it can decide on `n` permits
/// together, take them back, and be reset.
///
/// Sealed: its methods may grow with the crate.
///
/// ```
/// use casgate::{Limiter, Timestamp, algorithm::Weighted};
///
/// fn upload<A: Weighted>(budget: &Limiter<A>, kilobytes: u32, now: Timestamp) -> bool {
///     budget.check_n_at(kilobytes, now).is_ok()
/// }
/// # let budget = Limiter::token_bucket(casgate::Quota::per_second(64));
/// # assert!(upload(&budget, 40, Timestamp::ZERO) && !upload(&budget, 40, Timestamp::ZERO));
/// ```
pub trait Weighted: Algorithm {
    #[doc(hidden)]
    fn reset(&self, state: &Self::State);

    #[doc(hidden)]
    fn refund(&self, state: &Self::State, n: u32);
}

mod sealed {
    /// Keeps the traits to this crate: public, but out of reach.
    pub trait Sealed {}
}
use sealed::Sealed;
