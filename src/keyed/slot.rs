//! A slot of the table: two neighbouring words, who owns it and what that key's state is.
//!
//! ```text
//!         63                          0
//! owner:  | tag 35 | tier 17 | 0 | stamp 11 |      tag 0: nobody
//! word:   | state 52         | u | stamp 11 |      u: the owner has spent nothing yet
//! ```
//!
//! A slot is its owner's only while both stamps are equal. To hand it on, one thread after the
//! other changes the word, whose stamp is then one ahead, and the owner, whose stamp follows. An
//! exchange of the word compares its stamp, so a caller that found the slot before fails: see
//! [`seat`](super::seat).

use super::owner::{Owner, STAMP, UNSPENT, next};
use super::pace::{Ask, Pace};
use super::table::Decided;
use crate::Timestamp;
use crate::cell::{Atom, Attempt, Cell};
use crate::sync::{AtomicU64, Ordering, order};
use core::fmt;

/// A key's state.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(u64);

impl Word {
    pub(crate) const fn of_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// Where it stands, the lower bits 0.
    pub(crate) const fn state(self) -> u64 {
        self.0 & !(UNSPENT | STAMP)
    }

    /// Whether the owner has spent nothing since it was given the slot.
    pub(crate) const fn is_unspent(self) -> bool {
        self.0 & UNSPENT != 0
    }

    pub(crate) const fn stamp(self) -> u64 {
        self.0 & STAMP
    }

    /// Another state of the same owner, that has now spent.
    pub(crate) const fn with(self, state: u64) -> Self {
        Self(state | self.stamp())
    }

    /// The state of the next owner, that has spent nothing yet if `unspent`.
    pub(crate) const fn hand_on(self, state: u64, unspent: bool) -> Self {
        Self(state | if unspent { UNSPENT } else { 0 } | next(self.stamp()))
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, stamp) = (self.state(), self.stamp());
        f.debug_struct("Word").field("state", &state).field("stamp", &stamp).finish()
    }
}

/// The state as a [`Cell`](crate::cell::Cell): what a hit exchanges. A load is `Relaxed`: who owns
/// the slot was read before, with `Acquire`, and the exchange fails if that is over.
#[derive(Debug)]
pub(crate) struct State(AtomicU64);

impl Atom for State {
    type Bits = u64;

    #[inline]
    fn load(&self) -> u64 {
        // Relaxed: see the type.
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    fn exchange(&self, seen: u64, next: u64) -> Result<(), u64> {
        // Release: a thread that finds the word also finds its owner, and does not take the slot for one on its way.
        // Relaxed if lost: as a load.
        self.0.compare_exchange_weak(seen, next, order::WORD_SPENT, Ordering::Relaxed).map(drop)
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Slot {
    owner: AtomicU64,
    word: Cell<State>,
}

impl Slot {
    pub(crate) fn unused() -> Self {
        Self { owner: AtomicU64::new(0), word: Cell::of(State(AtomicU64::new(0))) }
    }

    /// The key's state, while the slot is its own.
    #[inline(always)]
    pub(crate) fn cell(&self) -> &Cell<State> {
        &self.word
    }

    #[inline(always)]
    pub(crate) fn word(&self) -> Word {
        Word(self.word.load())
    }

    #[inline(always)]
    pub(crate) fn owner(&self) -> Owner {
        // Acquire: synchronizes with the exchange that made it the owner, so the word is at least as new.
        Owner(self.owner.load(order::OWNER_LOAD))
    }

    /// Exchanges the word while the slot is its owner's; may fail without cause.
    #[inline(always)]
    pub(crate) fn exchange(&self, seen: Word, next: Word) -> bool {
        self.word.atom().exchange(seen.0, next.0).is_ok()
    }

    /// Decides in the tenancy of `seen`; `None` once it is over.
    pub(crate) fn decide(
        &self,
        seen: Word,
        pace: &Pace,
        ask: Ask,
        now: Timestamp,
    ) -> Option<Decided> {
        let stamp = seen.stamp();
        let mut seen = seen.0;
        loop {
            let step = |bits| {
                let word = Word(bits);
                if word.stamp() != stamp {
                    return None;
                }
                pace.step(ask, word.state(), now).map(|state| word.with(state).0)
            };
            return match self.word.attempt_on(seen, step) {
                Attempt::Won(next) => {
                    let before = Word(seen).state();
                    Some(Decided::Admitted { word: Word(next), before })
                }
                Attempt::Declined(bits) => {
                    let word = Word(bits);
                    (word.stamp() == stamp).then(|| Decided::Denied(word.state()))
                }
                Attempt::Lost(newer) => {
                    seen = newer;
                    continue;
                }
            };
        }
    }

    /// The word, if the slot is this owner's, whose stamp is 0.
    #[inline(always)]
    pub(crate) fn word_of(&self, own: Owner) -> Option<Word> {
        let (owner, word) = (self.owner(), self.word());
        own.has(owner, word).then_some(word)
    }

    /// Asks for the slot's line early. The answer is of no use.
    #[inline(always)]
    pub(crate) fn touch(&self) {
        // Relaxed: nothing is read from it.
        self.owner.load(Ordering::Relaxed);
    }

    /// Word and owner as the thread that hands the slot on must read them: the word first, so that
    /// the owner is at least as new.
    pub(crate) fn both(&self) -> (Word, Owner) {
        // Acquire: synchronizes with the exchange that passed the word.
        let word = Word(self.word.atom().0.load(order::WORD_LOAD));
        (word, self.owner())
    }

    /// The first half of handing on.
    pub(crate) fn pass_word(&self, seen: Word, next: Word) -> bool {
        // Release: a thread that finds the word passed finds what came before. Relaxed if lost: read again.
        let word = &self.word.atom().0;
        word.compare_exchange(seen.0, next.0, order::WORD_PASSED, Ordering::Relaxed).is_ok()
    }

    /// The second half.
    pub(crate) fn pass_owner(&self, seen: Owner, next: Owner) -> bool {
        // Release: a thread that finds the owner finds its word. Relaxed if lost: another has done it.
        self.owner.compare_exchange(seen.0, next.0, order::OWNER_PASSED, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quota;
    use crate::keyed::owner::Id;
    use crate::keyed::pace::Kind;

    const NOW: Timestamp = Timestamp::from_secs(7);
    const ONE: u64 = STAMP + UNSPENT + 1;

    fn pace() -> Pace {
        Pace::new(Kind::FixedWindow, Quota::per_hour(3)).unwrap()
    }

    fn spend(slot: &Slot, seen: Word) -> Option<Decided> {
        slot.decide(seen, &pace(), Ask::Spend(1), NOW)
    }

    /// Decided by the word that is there, if it is the same owner's.
    #[test]
    fn a_word_that_was_changed_meanwhile_is_read_again() {
        let slot = Slot::unused();
        let first = slot.word();
        let mut before = first.state();
        for _ in 0..3 {
            let word = Word::of_bits(pace().spend(before, 1, NOW).unwrap());
            assert_eq!(spend(&slot, first), Some(Decided::Admitted { word, before }));
            before = word.state();
        }
        assert_eq!(spend(&slot, first), Some(Decided::Denied(before)));
        assert_eq!(spend(&slot, slot.word()), Some(Decided::Denied(before)));
    }

    /// A thread that found the slot before it was handed on changes nothing, whether there are
    /// permits or not.
    #[test]
    fn a_tenancy_that_is_over_decides_nothing() {
        let slot = Slot::unused();
        let first = slot.word();
        let owner = Owner::new(1, Id::default());
        for spent in [1, 3] {
            let next = slot.word().hand_on(pace().spend(0, spent, NOW).unwrap(), true);
            assert!(slot.pass_word(slot.word(), next) && next.is_unspent());
            assert_eq!(spend(&slot, first), None);
            assert!(!slot.exchange(first, first.with(ONE)) && !slot.pass_word(first, next));
            assert_eq!(slot.word(), next);
        }
        assert!(slot.pass_owner(Owner::default(), owner.with_stamp(2)));
        assert!(!slot.pass_owner(Owner::default(), owner));
        assert_eq!(slot.word_of(owner), Some(slot.word()));
        assert_eq!(slot.word_of(Owner::new(2, Id::default())), None);
        assert_eq!(slot.word_of(Owner::new(1, Id::new(1, 0))), None);
    }
}
