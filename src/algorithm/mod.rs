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
mod change;
mod fixed_window;
mod sliding_window;
mod token_bucket;

pub(crate) use adjustable::Live;
pub use adjustable::{Adjust, Adjustable};
pub use both::Both;
pub(crate) use change::Change;
use change::take_from;
pub use fixed_window::FixedWindow;
pub(crate) use sliding_window::Ring;
pub use sliding_window::{Heap, SlidingWindow, Slot};
pub use token_bucket::TokenBucket;

use crate::cell::{Attempt, Cell};
use crate::decision::{Admitted, Denied, Snapshot};
use crate::limiter::{Outstanding, Term};
use crate::sync;
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

    /// The numbers of an admission of `n` permits at `now` that left `word` behind.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let word = rule.decide(Word::default(), 1, Timestamp::ZERO).unwrap();
    /// assert_eq!(rule.admitted(word, 1, Timestamp::ZERO).remaining(), 1);
    /// ```
    #[must_use]
    #[inline(always)]
    fn admitted(&self, word: Word, n: u32, now: Timestamp) -> Admitted {
        let after = self.snapshot(word, now);
        Admitted { ticket: word.bits(), permits: n, at: now, after }
    }

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

    /// The word with the permits of an admission given back, if they are still of use.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let old = rule.decide(Word::default(), 2, Timestamp::ZERO).unwrap();
    /// let admitted = rule.admitted(old, 2, Timestamp::ZERO);
    /// let new = rule.decide(old, 1, Timestamp::from_secs(1)).unwrap();
    /// assert_ne!(rule.refund_of(old, &admitted), old);
    /// assert_eq!(rule.refund_of(new, &admitted), new);
    /// ```
    #[must_use]
    fn refund_of(&self, word: Word, admitted: &Admitted) -> Word;

    /// The word after `n` permits are spent at `now`, into debt if need be.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let word = rule.charge(Word::default(), 5, Timestamp::ZERO);
    /// assert_eq!(rule.denied(word, 1, Timestamp::ZERO).retry_after().unwrap().as_secs(), 2);
    /// ```
    #[must_use]
    fn charge(&self, word: Word, n: u32, now: Timestamp) -> Word;

    /// The word on which everything before `until` is denied.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let word = rule.deny_until(Word::default(), Timestamp::from_secs(9));
    /// assert_eq!(rule.denied(word, 1, Timestamp::ZERO).retry_after().unwrap().as_secs(), 9);
    /// ```
    #[must_use]
    fn deny_until(&self, word: Word, until: Timestamp) -> Word;

    /// The word with what was outstanding spent at `now`.
    #[doc(hidden)]
    fn restore(&self, word: Word, part: Outstanding, now: Timestamp) -> Word;

    /// Whether the refused request would be admitted within `lag`.
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

    /// Admits (`Ok`) or denies `n` permits: one, or any number above zero if [`Weighted`]. With `numbers` an
    /// admission is asked for its numbers.
    #[doc(hidden)]
    fn decide(
        &self,
        state: &Self::State,
        n: u32,
        now: Timestamp,
        numbers: bool,
    ) -> Result<Self::Seen, Self::Seen>;

    #[doc(hidden)]
    fn admitted(&self, state: &Self::State, seen: Self::Seen, n: u32, now: Timestamp) -> Admitted;

    #[doc(hidden)]
    fn denied(&self, state: &Self::State, seen: Self::Seen, n: u32, now: Timestamp) -> Denied;

    #[doc(hidden)]
    fn is_due_within(
        &self,
        state: &Self::State,
        seen: Self::Seen,
        n: u32,
        now: Timestamp,
        lag: Duration,
    ) -> bool;

    /// What is left at `now`.
    #[doc(hidden)]
    fn peek(&self, state: &Self::State, now: Timestamp) -> Snapshot;

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
    /// Makes a change that cannot be denied, and returns what it left behind.
    #[doc(hidden)]
    fn change(&self, state: &Self::State, change: Change) -> Self::Seen;

    /// Takes as many permits as there are, up to `n`, and returns how many.
    #[doc(hidden)]
    fn take_up_to(&self, state: &Self::State, n: u32, now: Timestamp) -> u32;

    /// What is outstanding, for each quota.
    #[doc(hidden)]
    fn save(&self, state: &Self::State, now: Timestamp) -> [Outstanding; 2];
}

impl<R: Rule> Algorithm for R {
    type State = Cell;
    type Seen = Word;

    fn is_lock_free() -> bool {
        sync::is_word_lock_free()
    }

    #[inline]
    fn look(&self, state: &Cell) -> Word {
        Word::from_bits(state.load())
    }

    #[inline(always)]
    fn decide(&self, state: &Cell, n: u32, now: Timestamp, _: bool) -> Result<Word, Word> {
        match state.attempt(|bits| decide_bits(self, bits, n, now)) {
            Attempt::Won(next) => Ok(Word::from_bits(next)),
            Attempt::Declined(seen) => Err(Word::from_bits(seen)),
            Attempt::Lost(newer) => decide_after(self, state, newer, n, now),
        }
    }

    #[inline(always)]
    fn admitted(&self, _: &Cell, word: Word, n: u32, now: Timestamp) -> Admitted {
        Rule::admitted(self, word, n, now)
    }

    #[inline(always)]
    fn denied(&self, _: &Cell, word: Word, n: u32, now: Timestamp) -> Denied {
        Rule::denied(self, word, n, now)
    }

    #[inline(always)]
    fn is_due_within(&self, _: &Cell, word: Word, n: u32, now: Timestamp, lag: Duration) -> bool {
        Rule::is_due_within(self, word, n, now, lag)
    }

    #[inline]
    fn peek(&self, state: &Cell, now: Timestamp) -> Snapshot {
        Rule::snapshot(self, self.look(state), now)
    }

    fn describe(&self, state: &Cell, out: &mut DebugStruct<'_, '_>) {
        Rule::describe(self, self.look(state), out);
    }
}

impl<R: Rule> Weighted for R {
    fn change(&self, state: &Cell, change: Change) -> Word {
        let outcome = state.update(|bits| {
            let next = change.apply(self, 0, Word::from_bits(bits)).bits();
            // What stays the same is not written: a reset of an idle limiter is a read.
            (next != bits).then_some(next)
        });
        let (Ok(bits) | Err(bits)) = outcome;
        Word::from_bits(bits)
    }

    fn take_up_to(&self, state: &Cell, n: u32, now: Timestamp) -> u32 {
        // Written anew by each run of the step, of which the last one counts.
        let taken = core::cell::Cell::new(0);
        let outcome = state.update(|bits| {
            let (n, next) = take_from(self, Word::from_bits(bits), n, now)?;
            taken.set(n);
            Some(next.bits())
        });
        outcome.map_or(0, |_| taken.get())
    }

    fn save(&self, state: &Cell, now: Timestamp) -> [Outstanding; 2] {
        let snapshot = Rule::snapshot(self, self.look(state), now);
        [Outstanding::of(snapshot), Outstanding::default()]
    }
}

#[inline(always)]
fn decide_bits<R: Rule>(rule: &R, bits: u64, n: u32, now: Timestamp) -> Option<u64> {
    Rule::decide(rule, Word::from_bits(bits), n, now).map(Word::bits)
}

/// The rest of a decision that lost its first exchange. All it needs comes in registers.
#[cold]
#[inline(never)]
fn decide_after<R: Rule>(
    rule: &R,
    state: &Cell,
    newer: u64,
    n: u32,
    now: Timestamp,
) -> Result<Word, Word> {
    let outcome = state.update_after(newer, |bits| decide_bits(rule, bits, n, now));
    outcome.map(Word::from_bits).map_err(Word::from_bits)
}

mod sealed {
    /// Keeps the traits to this crate: public, but out of reach.
    pub trait Sealed {}
}
use sealed::Sealed;
