//! What takes back: permits of one key that has a slot.

use super::Key;
use super::owner::{Id, Owner, Stage};
use super::pace::Pace;
use super::place::Place;
use super::record::Change;
use super::slot::Word;
use super::table::Table;
use crate::decision::Admitted;

impl Table {
    /// Changes the state of a key that has a slot: `change` is given the pace that the state is
    /// counted in.
    pub(crate) fn give_back(&self, at: Place, change: impl Fn(&Pace, u64) -> u64) {
        while let Some(way) = self.find(at) {
            let slot = self.slot(at.set(), way);
            let (owner, seen, pace) = self.tenancy(slot);
            if owner.tag() == at.tag() && owner.stage(seen) == Stage::Owned {
                let outcome = slot.cell().update(|bits| {
                    let word = Word::of_bits(bits);
                    let next = word.with(change(&pace, word.state()));
                    (word.stamp() == seen.stamp() && next != word).then(|| next.bits())
                });
                // Declined where there is nothing to change; else the slot was handed on meanwhile.
                let (Ok(bits) | Err(bits)) = outcome;
                if Word::of_bits(bits).stamp() == seen.stamp() {
                    return;
                }
            }
            // The key may be on its way to another tier.
            self.complete(at.set(), self.heads[at.set()].record());
        }
    }

    /// Gives a key that has a slot all of its permits back.
    pub(crate) fn reset(&self, at: Place) {
        let head = &self.heads[at.set()];
        loop {
            let record = head.record();
            self.complete(at.set(), record);
            let Some(slot) = self.find(at) else { return };
            let owner = self.slot(at.set(), slot).owner();
            let is_its = owner.tag() == at.tag();
            if is_its && self.change(at.set(), record, Change::Reset { slot, owner }) {
                return;
            }
        }
    }

    /// Puts back the state before a change that led to `taken`, if that is still the word of the
    /// key in that slot and tier.
    pub(crate) fn undo(&self, at: Place, way: usize, id: Id, taken: Word, before: u64) -> bool {
        let slot = self.slot(at.set(), way);
        // If the slot is handed on after this, its word has another stamp.
        let is_same = slot.owner().is_same_key(Owner::new(at.tag(), id));
        let step = |bits| (bits == taken.bits()).then(|| taken.with(before).bits());
        is_same && slot.cell().update(step).is_ok()
    }
}

impl<C, S> Key<'_, C, S> {
    /// Gives the key all of its permits back, as if nothing had been. A key without a slot is left
    /// as it is.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 100);
    /// assert!(limiter.is_allowed("a") && !limiter.is_allowed("a"));
    /// limiter.key("a").reset();
    /// assert!(limiter.is_allowed("a"));
    /// ```
    pub fn reset(&self) {
        self.limiter.table.reset(self.place);
    }

    /// Gives back the permits of an admission of this key whose work was not done: to a window only
    /// while it is still that of the admission. See [`Limiter::refund`](crate::Limiter::refund). A
    /// key without a slot is left as it is. If the key has changed its tier since, what counts is
    /// the window of its present one. An admission by a tier without a limit gives nothing back.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(5), 100);
    /// let admitted = limiter.check_n_at("a", 5, Timestamp::ZERO)?;
    /// limiter.key("a").refund(&admitted);
    /// assert_eq!(limiter.peek_at("a", Timestamp::ZERO).remaining(), 5);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    pub fn refund(&self, admitted: &Admitted) {
        self.limiter.table.give_back(self.place, |pace, state| pace.refund_of(state, admitted));
    }

    /// Gives `n` permits back: to a window those that were spent in it. A key without a slot is
    /// left as it is.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(5), 100);
    /// assert!(limiter.check_n_at("a", 5, Timestamp::ZERO).is_ok());
    /// limiter.key("a").refund_n(2);
    /// assert_eq!(limiter.peek_at("a", Timestamp::ZERO).remaining(), 2);
    /// ```
    pub fn refund_n(&self, n: u32) {
        self.limiter.table.give_back(self.place, |pace, state| pace.refund(state, n));
    }
}
