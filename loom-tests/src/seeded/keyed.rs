//! Wrong tables: sets of two slots with one step done wrong.

use super::{AtomicU64, Word};
use crate::explore::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::scenarios::Keyed;
use casgate::algorithm::{FixedWindow, Rule};
use casgate::{Quota, Timestamp, WhenFull};

/// What is wrong with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyedBug {
    /// A slot is claimed by an exchange of its own, whoever has been inserted since the scan.
    NoTurn,
    /// A newcomer starts with nothing spent, whoever it is.
    ForgetsDebts,
    /// Who completes an insertion does not look whether it is still the last.
    LateHelp,
    /// A thread decides on the slot that it found, whoever has it by then.
    AnyonesSlot,
}

/// A table with the bug of that number in [`KeyedBug`].
#[derive(Debug)]
pub struct WrongTable<const BUG: u8> {
    rule: FixedWindow,
    ways: [AtomicU64; 2],
    turn: AtomicU64,
    floor: AtomicU64,
}

const fn tag_of(bits: u64) -> u64 {
    bits >> 40
}

fn word_of(bits: u64) -> Word {
    Word::from_bits(bits & ((1 << 40) - 1))
}

impl<const BUG: u8> WrongTable<BUG> {
    const fn has(bug: KeyedBug) -> bool {
        BUG == bug as u8
    }

    fn newcomer(&self) -> u64 {
        if Self::has(KeyedBug::ForgetsDebts) { 0 } else { self.floor.load(Relaxed) }
    }

    fn find(&self, tag: u64) -> Option<&AtomicU64> {
        self.ways.iter().find(|way| tag_of(way.load(Acquire)) == tag)
    }

    fn take(&self, way: &AtomicU64, seen: u64, tag: u64) -> bool {
        if seen != 0 {
            self.floor.fetch_max(self.rule.word_from(word_of(seen).bits() + 1).bits(), Relaxed);
        }
        let next = tag << 40 | self.newcomer();
        way.compare_exchange(seen, next, Release, Acquire).is_ok()
    }

    fn complete(&self, turn: u64) {
        let (way, tag) = (&self.ways[(turn >> 24) as usize & 1], turn & 0xff_ffff);
        loop {
            let seen = way.load(Acquire);
            if turn == 0 || tag_of(seen) == tag {
                return;
            }
            if !Self::has(KeyedBug::LateHelp) && self.turn.load(Relaxed) != turn {
                return;
            }
            if self.take(way, seen, tag) {
                return;
            }
        }
    }

    /// In the first way if it owes nothing, else in the one that owes less.
    fn insert(&self, tag: u64, now: Timestamp) {
        let last = self.turn.load(Acquire);
        self.complete(last);
        let seen = [0, 1].map(|way: usize| self.ways[way].load(Acquire));
        if seen.iter().any(|&bits| tag_of(bits) == tag) {
            return;
        }
        let first_is_free = word_of(seen[0]) <= self.rule.fresh(now);
        let way = usize::from(!first_is_free && word_of(seen[1]) < word_of(seen[0]));
        if Self::has(KeyedBug::NoTurn) {
            self.take(&self.ways[way], seen[way], tag);
            return;
        }
        let next = ((last >> 25) + 1) << 25 | (way as u64) << 24 | tag;
        if self.turn.compare_exchange(last, next, Release, Relaxed).is_ok() {
            self.complete(next);
        }
    }
}

impl<const BUG: u8> Keyed for WrongTable<BUG> {
    fn with_quota(quota: Quota, _: WhenFull) -> Self {
        let rule = FixedWindow::new(quota);
        let zero = || AtomicU64::new(0);
        Self { rule, ways: [zero(), zero()], turn: zero(), floor: zero() }
    }

    fn allows(&self, tag: u64, now: Timestamp) -> bool {
        loop {
            let Some(way) = self.find(tag) else {
                if self.rule.decide(Word::from_bits(self.newcomer()), 1, now).is_none() {
                    return false;
                }
                self.insert(tag, now);
                continue;
            };
            let mut seen = way.load(Acquire);
            while Self::has(KeyedBug::AnyonesSlot) || tag_of(seen) == tag {
                let Some(next) = self.rule.decide(word_of(seen), 1, now) else { return false };
                let next = tag_of(seen) << 40 | next.bits();
                match way.compare_exchange(seen, next, Release, Acquire) {
                    Ok(_) => return true,
                    Err(newer) => seen = newer,
                }
            }
        }
    }
}
