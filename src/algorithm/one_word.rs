//! Every rule as an algorithm: its state is a word in a [`Cell`].

use super::{Algorithm, Rule, Weighted};
use crate::cell::{Attempt, Cell};
use crate::decision::{Admitted, Denied, Snapshot};
use crate::sync;
use crate::timestamp::Timestamp;
use crate::word::Word;
use core::fmt::DebugStruct;
use core::time::Duration;

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
    fn decide(&self, state: &Cell, n: u32, now: Timestamp) -> Result<Word, Word> {
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
    fn admitted(&self, _: &Cell, word: Word, now: Timestamp) -> Admitted {
        Rule::admitted(self, word, now)
    }

    #[inline(always)]
    fn denied(&self, _: &Cell, word: Word, n: u32, now: Timestamp) -> Denied {
        Rule::denied(self, word, n, now)
    }

    #[inline(always)]
    fn is_late(&self, _: &Cell, word: Word, now: Timestamp) -> bool {
        Rule::is_late(self, word, now)
    }

    #[inline(always)]
    fn is_due_within(&self, _: &Cell, word: Word, n: u32, now: Timestamp, lag: Duration) -> bool {
        Rule::is_due_within(self, word, n, now, lag)
    }

    #[inline]
    fn snapshot(&self, _: &Cell, word: Word, now: Timestamp) -> Snapshot {
        Rule::snapshot(self, word, now)
    }

    fn describe(&self, state: &Cell, out: &mut DebugStruct<'_, '_>) {
        Rule::describe(self, self.look(state), out);
    }
}

impl<R: Rule> Weighted for R {
    fn reset(&self, state: &Cell) {
        give_back(state, |word| Rule::reset(self, word));
    }

    fn refund(&self, state: &Cell, n: u32) {
        give_back(state, |word| Rule::refund(self, word, n));
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

/// Replaces the word, unless it stays the same: a reset of an idle limiter is a read.
fn give_back(state: &Cell, step: impl Fn(Word) -> Word + Copy) {
    let _ = state.update(move |bits| {
        let next = step(Word::from_bits(bits)).bits();
        (next != bits).then_some(next)
    });
}
