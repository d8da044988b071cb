//! What the public traits of the algorithms stand on, out of the reach of other crates.

use super::change::{Change, take_from};
use super::{Line, Rule};
use super::{Outstanding, Term};
use crate::cell::{Attempt, Cell};
use crate::decision::{Admitted, Denied, Snapshot};
use crate::sync;
use crate::timestamp::Timestamp;
use crate::word::Word;
use core::fmt::DebugStruct;
use core::time::Duration;

/// What a [`Rule`] does for the other parts of the crate.
pub trait RuleParts {
    /// Whether the state shows that it has seen a timestamp later than `now`. A caller with such a
    /// timestamp is late: it took it, was stopped, and others moved on.
    ///
    /// A state that reaches into the future for another reason counts too. That costs the caller a
    /// second timestamp and changes no decision.
    fn is_late(&self, word: Word, now: Timestamp) -> bool;

    /// Whether the denied request would be admitted within `lag`.
    fn is_due_within(&self, word: Word, n: u32, now: Timestamp, lag: Duration) -> bool;

    /// As [`Line::first_fit`].
    fn first_fit(&self, word: Word, ahead: u64, n: u32, now: Timestamp) -> Option<Timestamp>;

    /// As [`Line::with_first_fit`].
    fn with_first_fit(&self, word: Word, n: u32, now: Timestamp) -> Option<(Word, Timestamp)>;

    /// Takes permits to be spent later: an eighth of what is left, at least 1 and at most `most`.
    fn lease(&self, word: Word, most: u32, now: Timestamp) -> Option<Term>;

    /// The word with `n` permits of the lease that left `taken` behind given back, if it still can.
    fn end_lease(&self, word: Word, taken: Word, n: u32) -> Option<Word>;

    fn describe(&self, word: Word, out: &mut DebugStruct<'_, '_>);

    /// The word with what was outstanding spent at `now`.
    fn restore(&self, word: Word, part: Outstanding, now: Timestamp) -> Word;
}

/// How many permits a lease takes of those that are left.
pub(super) fn share(left: u32, most: u32) -> u32 {
    (left / 8).clamp(1, most)
}

/// What a limiter needs of an algorithm: the decisions, and the state that they are made on.
pub trait Machine {
    /// What callers share.
    type State;

    /// What a decision was made on: all that the numbers of its answer are computed from.
    type Seen: Copy;

    /// What an exchange was lost to.
    type Newer: Copy;

    fn is_lock_free() -> bool;

    /// The state as it is.
    fn look(&self, state: &Self::State) -> Self::Seen;

    /// Admits (`Ok`) or denies `n` permits: one, or any number above zero if
    /// [`Several`](super::Several). With `numbers` an admission is asked for its numbers.
    fn decide(
        &self,
        state: &Self::State,
        n: u32,
        now: Timestamp,
        numbers: bool,
    ) -> Result<Self::Seen, Self::Seen>;

    /// One turn of [`decide`](Self::decide), for a caller in a hurry who wants no numbers. What was
    /// [lost](Attempt::Lost) it passes to [`decide_after`](Self::decide_after), from a cold
    /// function of its own: the path that wins at once then saves no register for the other.
    fn attempt(
        &self,
        state: &Self::State,
        n: u32,
        now: Timestamp,
    ) -> Attempt<Self::Seen, Self::Newer>;

    fn decide_after(
        &self,
        state: &Self::State,
        lost_to: Self::Newer,
        n: u32,
        now: Timestamp,
    ) -> Result<Self::Seen, Self::Seen>;

    fn admitted(&self, state: &Self::State, seen: Self::Seen, n: u32, now: Timestamp) -> Admitted;

    fn denied(&self, state: &Self::State, seen: Self::Seen, n: u32, now: Timestamp) -> Denied;

    fn is_late(&self, state: &Self::State, seen: Self::Seen, now: Timestamp) -> bool;

    fn is_due_within(
        &self,
        state: &Self::State,
        seen: Self::Seen,
        n: u32,
        now: Timestamp,
        lag: Duration,
    ) -> bool;

    /// What is left at `now`.
    fn peek(&self, state: &Self::State, now: Timestamp) -> Snapshot;

    fn describe(&self, state: &Self::State, out: &mut DebugStruct<'_, '_>);
}

/// What it needs of one that decides on several permits together.
pub trait SeveralMachine: Line {
    /// As [`WeightedMachine::take_up_to`].
    fn take_up_to(&self, state: &Self::State, n: u32, now: Timestamp) -> u32;

    /// Gives back the permits of an admission, if they are still of use.
    fn refund(&self, state: &Self::State, admitted: &Admitted);

    /// Gives back all that was spent.
    fn reset(&self, state: &Self::State);
}

impl<A: WeightedMachine> SeveralMachine for A {
    fn take_up_to(&self, state: &Self::State, n: u32, now: Timestamp) -> u32 {
        WeightedMachine::take_up_to(self, state, n, now)
    }

    fn refund(&self, state: &Self::State, admitted: &Admitted) {
        self.change(state, Change::RefundOf(*admitted));
    }

    fn reset(&self, state: &Self::State) {
        self.change(state, Change::Reset);
    }
}

/// What it needs of one whose whole state changes in one step.
pub trait WeightedMachine: Line {
    /// Makes a change that cannot be denied, and returns what it left behind.
    fn change(&self, state: &Self::State, change: Change) -> Self::Seen;

    /// Takes as many permits as there are, up to `n`, and returns how many.
    fn take_up_to(&self, state: &Self::State, n: u32, now: Timestamp) -> u32;

    /// What is outstanding, for each quota.
    fn save(&self, state: &Self::State, now: Timestamp) -> [Outstanding; 2];
}

impl<R: Rule> Machine for R {
    type State = Cell;
    type Seen = Word;
    type Newer = Word;

    fn is_lock_free() -> bool {
        sync::is_word_lock_free()
    }

    #[inline]
    fn look(&self, state: &Cell) -> Word {
        Word::from_bits(state.load())
    }

    #[inline(always)]
    fn decide(&self, state: &Cell, n: u32, now: Timestamp, _: bool) -> Result<Word, Word> {
        match self.attempt(state, n, now) {
            Attempt::Won(next) => Ok(next),
            Attempt::Declined(seen) => Err(seen),
            Attempt::Lost(newer) => decide_after(self, state, newer, n, now),
        }
    }

    #[inline(always)]
    fn attempt(&self, state: &Cell, n: u32, now: Timestamp) -> Attempt<Word> {
        match state.attempt(|bits| decide_bits(self, bits, n, now)) {
            Attempt::Won(next) => Attempt::Won(Word::from_bits(next)),
            Attempt::Declined(seen) => Attempt::Declined(Word::from_bits(seen)),
            Attempt::Lost(newer) => Attempt::Lost(Word::from_bits(newer)),
        }
    }

    fn decide_after(
        &self,
        state: &Cell,
        lost_to: Word,
        n: u32,
        now: Timestamp,
    ) -> Result<Word, Word> {
        decide_after(self, state, lost_to, n, now)
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
    fn is_late(&self, _: &Cell, word: Word, now: Timestamp) -> bool {
        RuleParts::is_late(self, word, now)
    }

    #[inline(always)]
    fn is_due_within(&self, _: &Cell, word: Word, n: u32, now: Timestamp, lag: Duration) -> bool {
        RuleParts::is_due_within(self, word, n, now, lag)
    }

    #[inline]
    fn peek(&self, state: &Cell, now: Timestamp) -> Snapshot {
        Rule::snapshot(self, self.look(state), now)
    }

    fn describe(&self, state: &Cell, out: &mut DebugStruct<'_, '_>) {
        RuleParts::describe(self, self.look(state), out);
    }
}

impl<R: Rule> Line for R {
    const BOOKS: bool = true;

    fn first_fit(&self, state: &Cell, ahead: u64, n: u32, now: Timestamp) -> Option<Timestamp> {
        RuleParts::first_fit(self, self.look(state), ahead, n, now)
    }

    fn with_first_fit(&self, word: Word, n: u32, now: Timestamp) -> Option<(Word, Timestamp)> {
        RuleParts::with_first_fit(self, word, n, now)
    }

    fn replace(&self, state: &Cell, step: impl Fn(Word) -> Option<Word>) -> Result<Word, Word> {
        let outcome = state.update(|bits| step(Word::from_bits(bits)).map(Word::bits));
        outcome.map(Word::from_bits).map_err(Word::from_bits)
    }

    fn is_same(one: Word, other: Word) -> bool {
        one == other
    }
}

impl<R: Rule> WeightedMachine for R {
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
        // Written again by each run of the step, of which the last one counts.
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
    newer: Word,
    n: u32,
    now: Timestamp,
) -> Result<Word, Word> {
    let outcome = state.update_after(newer.bits(), |bits| decide_bits(rule, bits, n, now));
    outcome.map(Word::from_bits).map_err(Word::from_bits)
}
