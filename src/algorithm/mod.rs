//! The algorithms that decide.
//!
//! A [`Rule`] is a pure function from a state word, a request and a timestamp to the next word or a
//! denial. [`Limiter`](crate::Limiter) runs it in a compare-and-swap loop. Because it is pure, the
//! same function can run behind a mutex, in a table or in a test. `tests/laws` has the
//! laws that each of them must pass, and says how to add one.
//!
//! An [`Algorithm`] is a rule together with its shared state. Every `Rule` is one, and its state is
//! a single word. [`Several`] is for requests for several permits, refunds and resets. A
//! [`Weighted`] algorithm can change its whole state in one atomic step, which debts need.

mod adjust;
mod adjustable;
mod both;
mod change;
mod fixed_window;
mod line;
mod live;
mod machine;
mod outstanding;
#[cfg(feature = "std")]
mod sharded;
mod sliding_window;
mod term;
mod token_bucket;

pub use adjust::Adjust;
use adjust::FIELDS;
pub use adjustable::Adjustable;
pub use both::Both;
pub(crate) use change::Change;
use change::take_from;
pub use fixed_window::FixedWindow;
pub(crate) use line::Line;
#[cfg(feature = "std")]
pub(crate) use line::Place;
#[cfg(test)]
pub(crate) use live::InForce;
pub(crate) use live::Live;
use machine::share;
pub(crate) use machine::{Machine, RuleParts, SeveralMachine, WeightedMachine};
pub(crate) use outstanding::Outstanding;
#[cfg(feature = "std")]
pub(crate) use sharded::{Buckets, Windows};
#[cfg(feature = "std")]
pub use sharded::{Private, Sharded};
pub(crate) use sliding_window::Ring;
pub use sliding_window::{Heap, SlidingWindow, Slot};
pub(crate) use term::Term;
pub use token_bucket::TokenBucket;

use crate::decision::{Admitted, Denied, Snapshot};
use crate::timestamp::Timestamp;
use crate::word::Word;

/// An algorithm whose whole state is one [`Word`]: pure functions, without the shared memory.
///
/// Pass it [`Word::default`], or a word that the same rule has returned. The trait is sealed, so
/// later versions can add methods.
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
pub trait Rule: RuleParts + Copy {
    /// Returns the word after `n` permits, at least 1, are spent at `now`. Returns `None` if they
    /// don't fit: then the word must stay. Takes constant time.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let full = rule.decide(Word::default(), 2, Timestamp::ZERO).unwrap();
    /// assert_eq!(rule.decide(full, 1, Timestamp::ZERO), None);
    /// ```
    #[must_use]
    fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word>;

    /// Returns the numbers of an admission of `n` permits at `now` that left `word` behind.
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

    /// Returns the numbers of a denial of `n` permits at `now` on `word`.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let denied = rule.denied(Word::default(), 3, Timestamp::ZERO);
    /// assert_eq!(denied.retry_after(), None);
    /// ```
    #[must_use]
    fn denied(&self, word: Word, n: u32, now: Timestamp) -> Denied;

    /// Returns what is left at `now`.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// assert_eq!(rule.snapshot(Word::default(), Timestamp::ZERO).remaining(), 2);
    /// ```
    #[must_use]
    fn snapshot(&self, word: Word, now: Timestamp) -> Snapshot;

    /// Returns the word with `n` permits given back, or all if fewer are spent.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let full = rule.decide(Word::default(), 2, Timestamp::ZERO).unwrap();
    /// assert!(rule.decide(rule.refund(full, 1), 1, Timestamp::ZERO).is_some());
    /// ```
    #[must_use]
    fn refund(&self, word: Word, n: u32) -> Word;

    /// Returns the word with the permits of an admission given back, if they are still of use.
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

    /// Returns the word after `n` permits are spent at `now`, into debt if need be. Zero permits
    /// change no answer at `now` or later.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let word = rule.charge(Word::default(), 5, Timestamp::ZERO);
    /// assert_eq!(rule.denied(word, 1, Timestamp::ZERO).retry_after().unwrap().as_secs(), 2);
    /// ```
    #[must_use]
    fn charge(&self, word: Word, n: u32, now: Timestamp) -> Word;

    /// Returns the word on which everything before `until` is denied.
    ///
    /// ```
    /// # use casgate::{Quota, Timestamp, algorithm::{FixedWindow, Rule}, word::Word};
    /// let rule = FixedWindow::new(Quota::per_second(2));
    /// let word = rule.deny_until(Word::default(), Timestamp::from_secs(9));
    /// assert_eq!(rule.denied(word, 1, Timestamp::ZERO).retry_after().unwrap().as_secs(), 9);
    /// ```
    #[must_use]
    fn deny_until(&self, word: Word, until: Timestamp) -> Word;
}

/// An algorithm together with the shared state it decides on: what a [`Limiter`](crate::Limiter)
/// needs.
///
/// The trait is sealed, so later versions can add methods.
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
pub trait Algorithm: Line {}

impl<A: Line> Algorithm for A {}

/// An algorithm that decides on several permits together, takes them back, and can be reset. All but
/// the sliding window, the sharded token bucket and [`Private`] are.
///
/// The trait is sealed, so later versions can add methods.
///
/// ```
/// use casgate::{Limiter, Quota, Timestamp, algorithm::Several};
///
/// fn upload<A: Several>(budget: &Limiter<A>, kilobytes: u32, now: Timestamp) -> bool {
///     budget.check_n_at(kilobytes, now).is_ok()
/// }
/// let budget = Limiter::fixed_window(Quota::per_second(64));
/// assert!(upload(&budget, 40, Timestamp::ZERO) && !upload(&budget, 40, Timestamp::ZERO));
/// ```
pub trait Several: Algorithm + SeveralMachine {}

impl<A: SeveralMachine> Several for A {}

/// An algorithm whose whole state changes in one atomic step. So it can also spend into debt, and
/// save its state. All but the sliding window and the sharded ones are.
///
/// The trait is sealed, so later versions can add methods.
///
/// ```
/// use casgate::{Limiter, Timestamp, algorithm::Weighted};
///
/// fn settle<A: Weighted>(budget: &Limiter<A>, cost: u32, now: Timestamp) -> u32 {
///     budget.charge_at(cost, now).remaining()
/// }
/// # let budget = Limiter::token_bucket(casgate::Quota::per_second(64));
/// # assert_eq!(settle(&budget, 40, Timestamp::ZERO), 24);
/// ```
pub trait Weighted: Several + WeightedMachine {}

impl<A: WeightedMachine> Weighted for A {}
