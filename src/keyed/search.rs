//! How a known key is found.
//!
//! The eight slots of a group have *marks*, a byte of each owner's tag, in one word apart. A search
//! compares eight marks at once and looks at the slot that they point at. Marks are hints. They are
//! written after the owner, by the thread that made it the owner: what they point at is compared
//! with the owner, and a key is never said to be absent because it has no mark.

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

    /// The key's slot, if its mark leads there: any with the mark in the home group and the three
    /// after it, as far as the first that has an unused slot. Not to be found proves nothing.
    #[inline(always)]
    pub(super) fn search<T>(
        &self,
        at: Place,
        take: impl Fn(&Slot) -> Option<T>,
    ) -> Option<(usize, T)> {
        let first = at.set() * GROUPS;
        for i in 0..GROUPS.min(4) {
            let group = first + (at.home() + i) % GROUPS;
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

    /// Writes the mark of the slot's owner: by the thread that gave the slot to it, or by one that
    /// found it without. A late one hides another key until that comes again.
    pub(super) fn mark(&self, set: usize, way: usize, tag: u64) {
        let (marks, shift) = (&self.marks[set * GROUPS + way / SLOTS], way % SLOTS * 8);
        let mark = u64::from(tag as u8);
        let mut seen = marks.load(Ordering::Relaxed);
        while seen >> shift & 0xff != mark {
            let next = seen & !(0xff << shift) | mark << shift;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyed::pace::Kind;
    use crate::{Quota, Timestamp};

    /// One set, in which that many keys have spent a permit.
    fn table(keys: u64) -> Table {
        let table = Table::new(Kind::TokenBucket, Quota::per_hour(5), 1).unwrap();
        for key in 0..keys {
            assert!(table.spend(table.place(key), 0, 1, Timestamp::ZERO).0.is_admitted());
        }
        table
    }

    fn way_of(table: &Table, at: Place) -> Option<usize> {
        (0..WAYS).find(|&way| table.slot(0, way).owner().tag() == at.tag())
    }

    /// Up to the first, above which there may be wrong ones.
    #[test]
    fn the_first_equal_byte_is_found() {
        for marks in
            [0, u64::MAX, 0x0100_0000_0000_0001, 0x8081_7f80_0001_80ff, 0x1234_5678_9abc_de00]
        {
            for mark in 0..=u8::MAX {
                let first = marks.to_le_bytes().iter().position(|&byte| byte == mark);
                let found = equal(marks, mark);
                assert_eq!(found & !0x8080_8080_8080_8080, 0, "bits between: {marks:x}, {mark:x}");
                let seen = (found != 0).then(|| found.trailing_zeros() as usize / 8);
                assert_eq!(seen, first, "{mark:x} in {marks:x}");
            }
        }
    }

    #[test]
    fn a_mark_is_written_in_its_own_byte() {
        let table = table(0);
        for way in 0..WAYS {
            table.mark(0, way, 0x1_0000 + way as u64);
        }
        let bytes = |group: usize| table.marks[group].load(Ordering::Relaxed).to_le_bytes();
        let all: Vec<u8> = (0..GROUPS).flat_map(bytes).collect();
        assert_eq!(all, (0..WAYS).map(|way| way as u8).collect::<Vec<_>>());
        table.mark(0, 9, 0x1_0000);
        assert_eq!(bytes(1), [8, 0, 10, 11, 12, 13, 14, 15]);
    }

    /// A new key takes the first unused slot from its home group on, in the near half of each group
    /// first.
    #[test]
    fn a_new_key_takes_the_slot_that_is_nearest() {
        let table = table(0);
        for key in 0..WAYS as u64 {
            let at = table.place(key);
            let near = |way: usize| {
                let group = (way / SLOTS + GROUPS - at.home()) % GROUPS;
                (group, (way % SLOTS + SLOTS - at.near()) % SLOTS)
            };
            let unused = (0..WAYS).filter(|&way| table.slot(0, way).owner().tag() == 0);
            let expected = unused.min_by_key(|&way| near(way));
            assert!(table.spend(at, 0, 1, Timestamp::ZERO).0.is_admitted());
            assert_eq!(way_of(&table, at), expected, "key {key}");
        }
    }

    #[test]
    fn both_lines_of_a_group_are_near_to_half_of_the_keys() {
        let table = table(0);
        let near: Vec<_> = (0..1_000).map(|key| table.place(key).near()).collect();
        assert!(near.iter().all(|&near| near == 0 || near == SLOTS / 2));
        let first = near.iter().filter(|&&near| near == 0).count();
        assert!((400..600).contains(&first), "{first} of 1,000");
    }

    /// Numbers one after the other: of each bit that tells keys apart about half are set.
    #[test]
    fn every_bit_of_a_place_tells_keys_apart() {
        let table = table(0);
        for bit in 0..u64::BITS {
            let set = (0..1_000).filter(|&key| table.place(key).mix >> bit & 1 == 1).count();
            assert!((400..600).contains(&set), "bit {bit} is set in {set} of 1,000");
        }
    }

    /// In a set that is a third full nearly all keys are in their home group, with a mark of their
    /// own.
    #[test]
    fn a_known_key_is_found_by_its_mark() {
        const KEYS: u64 = WAYS as u64 / 3;
        let table = table(KEYS);
        let mut at_once = 0;
        for key in 0..KEYS {
            let at = table.place(key);
            let (asker, _) = table.asker(at, 0);
            let way = way_of(&table, at).unwrap();
            let alike =
                |other: &usize| table.slot(0, *other).owner().tag() & 0xff == at.tag() & 0xff;
            let first = (way / SLOTS * SLOTS..).find(alike) == Some(way);
            let looked = table.look(asker);
            assert_eq!(looked.is_some(), first && way / SLOTS == at.home(), "key {key}");
            if let Some((slot, word)) = looked {
                assert!(core::ptr::eq(slot, table.slot(0, way)) && word == slot.word());
                at_once += 1;
            }
            let found = table.search(at, |slot| slot.word_of(asker.own));
            assert_eq!(found, Some((way, table.slot(0, way).word())), "key {key}");
        }
        assert!(at_once * 10 > KEYS * 8, "{at_once} of {KEYS}");
    }

    /// The first group with an unused slot, whichever of its slots that is.
    #[test]
    fn a_search_ends_where_there_was_room() {
        let table = table(0);
        let at = (0..).map(|key| table.place(key)).find(|at| at.mark() == 0x5a).unwrap();
        let put = |i: usize, bytes: [u8; 8]| {
            let group = (at.home() + i) % GROUPS;
            table.marks[group].store(u64::from_le_bytes(bytes), Ordering::Relaxed);
            group
        };
        let next = put(1, [1, 2, 3, 0x5a, 5, 6, 7, 8]) * SLOTS + 3;
        let found = || table.search(at, |_| Some(())).map(|(way, ())| way);
        put(0, [9; 8]);
        assert_eq!(found(), Some(next));
        for way in 0..SLOTS {
            let mut home = [9; 8];
            home[way] = 0;
            put(0, home);
            assert_eq!(found(), None, "slot {way} is unused");
        }
        // Marks that lead to slots of others are passed over, the others of the group included.
        put(0, [0x5a; 8]);
        let tried = core::cell::Cell::new(0);
        let third = table.search(at, |_| {
            tried.set(tried.get() + 1);
            (tried.get() == 3).then_some(())
        });
        assert_eq!(third, Some((at.home() * SLOTS + 2, ())));
    }

    /// In whichever set it is.
    #[test]
    fn a_key_of_any_set_is_searched_for_there() {
        let table = Table::new(Kind::TokenBucket, Quota::per_hour(5), 3_000).unwrap();
        for key in 0..1_000 {
            let at = table.place(key);
            assert!(table.spend(at, 0, 1, Timestamp::ZERO).0.is_admitted());
            let seen = table.search(at, |slot| (slot.owner().tag() == at.tag()).then_some(()));
            let Some((way, ())) = seen else { panic!("key {key} of set {} is hidden", at.set()) };
            assert_eq!(table.slot(at.set(), way).owner().tag(), at.tag(), "key {key}");
        }
    }

    /// In a full set a key is searched for in four groups, and has a slot even if it is in none of
    /// them.
    #[test]
    fn a_key_is_searched_for_in_four_groups() {
        let table = table(WAYS as u64);
        let mut found = 0;
        for key in 0..WAYS as u64 {
            let at = table.place(key);
            let way = way_of(&table, at).unwrap();
            let away = (way / SLOTS + GROUPS - at.home()) % GROUPS;
            // A mark that is 0 looks like that of an unused slot, at which the search ends.
            let ends = (0..away).map(|i| (at.home() + i) % GROUPS).any(|group| {
                (0..SLOTS).any(|i| table.slot(0, group * SLOTS + i).owner().tag() & 0xff == 0)
            });
            let is_near = away < 4 && !ends;
            let seen = table.search(at, |slot| (slot.owner().tag() == at.tag()).then_some(()));
            assert_eq!(seen, is_near.then_some((way, ())), "key {key}");
            assert_eq!(table.find(at), Some(way), "key {key}");
            found += usize::from(is_near);
        }
        assert!((WAYS / 2..WAYS).contains(&found), "{found} of {WAYS}");
        assert_eq!(table.find(table.place(1_000)), None);
    }

    /// A mark that was written late hides a key until it comes again: that takes time and changes
    /// nothing else.
    #[test]
    fn a_key_without_a_mark_is_found_where_it_is() {
        let table = table(WAYS as u64);
        let stamps = || (0..WAYS).map(|way| table.slot(0, way).owner()).collect::<Vec<_>>();
        let before = stamps();
        for key in 0..WAYS as u64 {
            let at = table.place(key);
            table.marks.iter().for_each(|marks| marks.store(0, Ordering::Relaxed));
            assert!(table.spend(at, 0, 1, Timestamp::ZERO).0.is_admitted());
            let way = way_of(&table, at).unwrap();
            let marks = table.marks[way / SLOTS].load(Ordering::Relaxed).to_le_bytes();
            // Where no mark is equal a look goes to the first slot of the home group.
            let is_marked = marks[way % SLOTS] == at.mark();
            assert!(is_marked || way == at.home() * SLOTS, "key {key} has no mark again");
        }
        assert!(stamps() == before, "a key was given its slot once more");
    }
}
