//! How a slot is handed on: the part of the [protocol](super::seat) that anybody can complete.

use super::owner::{Owner, Stage};
use super::record::{Change, Record, Watermark};
use super::slot::Word;
use super::table::{Table, WAYS};

impl Table {
    /// Announces a change and completes it.
    pub(super) fn change(&self, set: usize, record: Record, change: Change) -> bool {
        let next = record.next(change);
        let announced = self.heads[set].announce(record, next);
        if announced {
            self.complete(set, next);
        }
        announced
    }

    /// Does what is left to do of a change. Anybody may.
    pub(super) fn complete(&self, set: usize, record: Record) {
        match record.change() {
            Change::Nothing => {}
            Change::Seat { slot, .. } | Change::Reset { slot, .. } => {
                self.hand_on(set, slot, record);
            }
            Change::Retier { tag, .. } => {
                // Where the key is, and stays until the record has moved on.
                let way = (0..WAYS).find(|&way| self.slot(set, way).owner().tag() == tag);
                way.into_iter().for_each(|way| self.hand_on(set, way, record));
            }
            Change::Clear { epoch } => {
                (0..WAYS).for_each(|slot| self.hand_on(set, slot, record));
                let head = &self.heads[set];
                loop {
                    let watermark = head.watermark();
                    if watermark.epoch() == epoch || head.record() != record {
                        break;
                    }
                    // Lost to another that has done it, or to a tier's change, which keeps the epoch.
                    if head.set_watermark(watermark, Watermark::lowered(epoch)) {
                        break;
                    }
                }
            }
        }
    }

    /// Gives the slot to whom the record says.
    fn hand_on(&self, set: usize, way: usize, record: Record) {
        let (head, slot) = (&self.heads[set], self.slot(set, way));
        let change = record.change();
        let next = match change {
            Change::Seat { tag, id, .. } | Change::Retier { tag, id, .. } => Owner::new(tag, id),
            Change::Reset { owner, .. } => Owner::new(owner.tag(), owner.id()),
            Change::Clear { .. } | Change::Nothing => Owner::of_bits(0),
        };
        loop {
            let (word, owner) = slot.both();
            let is_over = match change {
                Change::Reset { owner: reset, .. } => owner != reset,
                _ => owner.is_same_key(next),
            };
            if is_over {
                return;
            }
            let watermark = head.watermark();
            let stage = owner.stage(word);
            let passed = match stage {
                Stage::Owned => {
                    let unspent = match change {
                        Change::Seat { .. } => true,
                        Change::Retier { .. } => word.is_unspent(),
                        _ => false,
                    };
                    word.hand_on(self.passed(change, owner, word, watermark), unspent)
                }
                Stage::Passing | Stage::Torn => word,
            };
            let raised = self.raised(change, passed, watermark);
            // Whatever was computed was computed from what was there while the change was not over.
            if head.record() != record {
                return;
            }
            if stage == Stage::Torn || (passed != word && !slot.pass_word(word, passed)) {
                continue;
            }
            if raised.is_some_and(|raised| !head.set_watermark(watermark, raised)) {
                continue;
            }
            if slot.pass_owner(owner, next.after(owner)) {
                self.mark(set, way, next.tag());
            }
            return;
        }
    }

    /// The watermark that must be before the slot's next owner begins with that word, if it is not.
    fn raised(&self, change: Change, passed: Word, watermark: Watermark) -> Option<Watermark> {
        let Change::Seat { id, .. } = change else { return None };
        // Compared in the key's units: what is due to rounding is no reason to raise it.
        let least = self.converted(watermark.state(), watermark.id(), id, &self.pace_of(id));
        (least < passed.state()).then(|| watermark.at(passed.state(), id))
    }

    /// The state that the slot's next owner begins with.
    fn passed(&self, change: Change, owner: Owner, word: Word, watermark: Watermark) -> u64 {
        match change {
            Change::Seat { id, .. } => self.start(owner, word, watermark, &self.pace_of(id), id),
            Change::Retier { id, at, .. } => {
                self.pace_of(owner.id()).carry(word.state(), &self.pace_of(id), at)
            }
            Change::Clear { .. } | Change::Reset { .. } | Change::Nothing => 0,
        }
    }
}

#[cfg(test)]
mod tests;
