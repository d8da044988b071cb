//! How a known key is found.
//!
//! The eight slots of a group have *marks*, a byte of each owner's tag, in one word apart. A search compares
//! eight marks at once and looks at the slot that they point at. Marks are hints. They are written after
//! the owner, by the thread that made it the owner: what they point at is compared with the owner, and a key is
//! never said to be absent because it has no mark.

use super::place::Place;
use super::slot::{Slot, Word};
use super::table::{Asker, GROUPS, SLOTS, Table, WAYS};
use crate::sync::{Ordering, order};

impl Table {
    /// The first slot of the home group with the key's mark, if it is the key's.
    #[inline(always)]
    pub(super) fn look(&self, Asker { at, own, .. }: Asker) -> Option<(&Slot, Word)> {
        let group = self.groups.get(at.home())?;
        group.0[at.near()].touch();
        let found = equal(self.marks_of(at.home())?, at.mark());
        let slot = &group.0[found.trailing_zeros() as usize / 8 % SLOTS];
        slot.word_of(own).map(|word| (slot, word))
    }

    #[inline(always)]
    fn marks_of(&self, group: usize) -> Option<u64> {
        // Acquire: synchronizes with `mark`. Not needed, since marks are hints; but then the owner that a mark
        // points at is nearly always there.
        Some(self.marks.get(group)?.load(order::MARKS_LOAD))
    }

    /// Asks for the memory in which the key is likely to be.
    #[inline(always)]
    pub(crate) fn touch(&self, at: Place) {
        if let (Some(group), Some(marks)) = (self.groups.get(at.home()), self.marks.get(at.home()))
        {
            group.0[at.near()].touch();
            // Relaxed: nothing is read from it.
            marks.load(Ordering::Relaxed);
        }
    }

    /// The key's slot, if its mark leads there: any with the mark in the home group and the three after it, as
    /// far as the first that has an unused slot. Not to be found proves nothing.
    #[inline(always)]
    pub(super) fn search<T>(
        &self,
        at: Place,
        take: impl Fn(&Slot) -> Option<T>,
    ) -> Option<(usize, T)> {
        let first = at.set() * GROUPS;
        for i in 0..GROUPS.min(4) {
            let group = first + (at.home() - first + i) % GROUPS;
            let marks = self.marks_of(group)?;
            let mut found = equal(marks, at.mark());
            while found != 0 {
                let i = found.trailing_zeros() as usize / 8 % SLOTS;
                if let Some(taken) = take(&self.groups[group].0[i]) {
                    return Some(((group - first) * SLOTS + i, taken));
                }
                found &= found - 1;
            }
            if equal(marks, 0).trailing_zeros() < 8 * SLOTS as u32 {
                return None;
            }
        }
        None
    }

    /// The key's slot, in whichever tier it is.
    pub(super) fn find(&self, at: Place) -> Option<usize> {
        let is_it = |slot: &Slot| slot.owner().tag() == at.tag();
        let found = self.search(at, |slot| is_it(slot).then_some(())).map(|(way, ())| way);
        found.or_else(|| (0..WAYS).find(|&way| is_it(self.slot(at.set(), way))))
    }

    /// Writes the mark of the slot's owner: by the thread that gave the slot to it, or by one that found it
    /// without. A late one hides another key until that comes again.
    pub(super) fn mark(&self, set: usize, way: usize, tag: u64) {
        let (marks, shift) = (&self.marks[set * GROUPS + way / SLOTS], way % SLOTS * 8);
        let mut seen = marks.load(Ordering::Relaxed);
        while seen >> shift & 0xff != tag & 0xff {
            let next = seen & !(0xff << shift) | (tag & 0xff) << shift;
            // Release: see `marks_of`. Relaxed if lost: tried again.
            match marks.compare_exchange(seen, next, order::MARKS_WON, Ordering::Relaxed) {
                Ok(_) => return,
                Err(newer) => seen = newer,
            }
        }
    }
}

/// The highest bit of each byte of `marks` that is `mark`. Above the first such bit there may be
/// wrong ones.
#[inline(always)]
const fn equal(marks: u64, mark: u8) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let differ = marks ^ (mark as u64 * LOW);
    differ.wrapping_sub(LOW) & !differ & HIGH
}
