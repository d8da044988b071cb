//! A token bucket with one cell, with one bug on purpose.

use super::{AtomicU64, Relaxed};
use crate::explore::atomic::Ordering::{AcqRel, Acquire};
use crate::scenarios::{Learned, Stepped, StockStep, Stocked, TICK};
use casgate::Timestamp;

/// The bugs, for [`WrongOneCell`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneCellBug {
    /// The timestamp of a lease is noted after the parent is exchanged.
    LeasedThenRaised,
    /// A timestamp that is newer by a few permits' time is not noted when a permit is spent.
    NearIsSkipped,
    /// The lease is put into the cell by the caller alone that took it.
    Unnamed,
    /// What the cell holds is read and exchanged without an order.
    Relaxed,
    /// A peek reads the parent and then the cell, and so counts a lease in between twice.
    CountsTwice,
    /// A place is taken if a peek sees one.
    LooksFirst,
    /// None, so that it is the bug that is found.
    None,
}

/// A bucket with the bug of that number in [`OneCellBug`]. The cell holds one permit.
#[derive(Debug)]
pub struct WrongOneCell<const BUG: u8> {
    burst: u32,
    /// `word << 32 | stamp of the lease`.
    parent: AtomicU64,
    /// `stamp << 8 | permits`.
    held: AtomicU64,
    since: AtomicU64,
    until: AtomicU64,
}

impl<const BUG: u8> WrongOneCell<BUG> {
    const fn has(bug: OneCellBug) -> bool {
        BUG == bug as u8
    }

    fn held(&self) -> u64 {
        self.held.load(if Self::has(OneCellBug::Relaxed) { Relaxed } else { Acquire })
    }

    fn exchange(&self, seen: u64, next: u64) -> bool {
        let order = if Self::has(OneCellBug::Relaxed) { Relaxed } else { AcqRel };
        self.held.compare_exchange(seen, next, order, Relaxed).is_ok()
    }

    fn complete(&self, stamp: u64) {
        let empty = stamp << 8;
        if self.held() == empty {
            self.exchange(empty, (stamp + 1) << 8 | 1);
        }
    }

    /// `n` permits more than `word`.
    fn take(&self, word: u64, n: u64, now: u64) -> Option<u64> {
        let next = word.max(now) + n * TICK;
        (next <= now + u64::from(self.burst - 1) * TICK).then_some(next)
    }

    /// Whether a permit was spent from the cell; otherwise its stamp if it was empty.
    fn spend(&self, now: u64) -> Result<(), Option<u64>> {
        loop {
            let seen = self.held();
            if seen & 255 == 0 {
                return Err(Some(seen >> 8));
            }
            if now < self.since.load(Relaxed) {
                return Err(None);
            }
            let is_near = now <= self.until.load(Relaxed) + 2 * TICK;
            if !(Self::has(OneCellBug::NearIsSkipped) && is_near) {
                self.until.fetch_max(now, Relaxed);
            }
            if self.exchange(seen, seen - 1) {
                return Ok(());
            }
        }
    }

    fn decide(&self, now: u64) -> bool {
        if self.spend(now).is_ok() {
            return true;
        }
        loop {
            let parent = self.parent.load(Acquire);
            let (word, named) = (parent >> 32, parent & u64::from(u32::MAX));
            if !Self::has(OneCellBug::Unnamed) {
                self.complete(named);
            }
            let Err(empty_at) = self.spend(now) else { return true };
            let Some(one) = self.take(word, 1, now) else {
                if self.parent.compare_exchange(parent, parent, AcqRel, Relaxed).is_ok() {
                    return false;
                }
                continue;
            };
            let two = self.take(one, 1, now);
            let may = now >= self.until.load(Relaxed);
            let lease = two.zip(empty_at).filter(|_| may);
            if lease.is_some() && !Self::has(OneCellBug::LeasedThenRaised) {
                self.since.fetch_max(now, Relaxed);
            }
            let (word, stamp) = lease.unwrap_or((one, named));
            let next = word << 32 | stamp;
            if self.parent.compare_exchange(parent, next, AcqRel, Relaxed).is_ok() {
                if lease.is_some() {
                    self.since.fetch_max(now, Relaxed);
                    self.complete(stamp);
                }
                return true;
            }
        }
    }
}

impl<const BUG: u8> Stocked for WrongOneCell<BUG> {
    fn stocked(burst: u32, _: usize) -> Self {
        let [parent, since, until] = [0; 3].map(AtomicU64::new);
        Self { burst, parent, held: AtomicU64::new(1 << 8 | 1), since, until }
    }

    fn is_allowed(&self, now: Timestamp) -> bool {
        self.decide(now.as_nanos())
    }

    fn left(&self, now: Timestamp) -> u32 {
        let now = now.as_nanos();
        let parent = || {
            let parent = self.parent.load(Acquire);
            self.complete(parent & u64::from(u32::MAX));
            (now + u64::from(self.burst - 1) * TICK).saturating_sub((parent >> 32).max(now)) / TICK
        };
        let held = || {
            let seen = self.held() & 255;
            if self.since.load(Relaxed) <= now { seen } else { 0 }
        };
        let left = if Self::has(OneCellBug::CountsTwice) {
            parent() + held()
        } else {
            parent();
            held() + parent()
        };
        left as u32
    }
}

impl<const BUG: u8> Stepped for WrongOneCell<BUG> {
    fn step(&self, step: StockStep, now: Timestamp) -> Learned {
        match step {
            StockStep::Check | StockStep::CheckByClock | StockStep::IsAllowed => {
                Learned::Decided(self.is_allowed(now))
            }
            StockStep::Place if Self::has(OneCellBug::LooksFirst) => {
                let is_there = self.left(now) > 0;
                if is_there {
                    self.is_allowed(now);
                }
                Learned::Place(is_there)
            }
            StockStep::Place => Learned::Place(self.is_allowed(now)),
            StockStep::Peek => Learned::Left(self.left(now)),
            StockStep::Describe => Learned::Nothing,
        }
    }
}
