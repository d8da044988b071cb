//! A window in cells with one bug on purpose.

use super::{AtomicU64, Relaxed};
use crate::explore::thread;
use crate::scenarios::Cells;
use casgate::Timestamp;

/// The bugs, for [`WrongCells`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellBug {
    /// The window is noted as spent when the first cell of a pass is.
    SpentTooEarly,
    /// A frozen cell is spent from.
    FrozenIsSpent,
    /// A cell of an older window is spent from.
    OlderIsSpent,
    /// A refund adds to the caller's cell.
    RefundIntoCell,
    /// A gather adds up what it does not freeze.
    NoFreezing,
    /// None, so that it is the bug that is found.
    None,
}

/// The window's length in the scenarios.
const WINDOW: u64 = 10;

/// A window in cells with the bug of that number in [`CellBug`].
#[derive(Debug)]
pub struct WrongCells<const BUG: u8> {
    limit: u32,
    parent: AtomicU64,
    cells: Vec<AtomicU64>,
}

/// A word: `index << 16 | left << 1 | mark`.
const fn word(index: u64, left: u32) -> u64 {
    index << 16 | (left as u64) << 1
}

const fn left(word: u64) -> u32 {
    (word as u16 >> 1) as u32
}

const fn is_marked(word: u64) -> bool {
    word & 1 == 1
}

const fn index_at(now: Timestamp) -> u64 {
    now.as_nanos() / WINDOW + 1
}

impl<const BUG: u8> WrongCells<BUG> {
    const fn has(bug: CellBug) -> bool {
        BUG == bug as u8
    }

    fn full(&self, at: usize) -> u32 {
        let cells = self.cells.len() as u32;
        self.limit / cells + u32::from((at as u32) < self.limit % cells)
    }

    fn home(&self) -> usize {
        let id = format!("{:?}", thread::current().id());
        let digits = id.chars().filter_map(|c| c.to_digit(10));
        digits.fold(0, |number, digit| number * 10 + digit as usize) % self.cells.len()
    }

    fn minus(seen: u64, n: u32) -> Option<u64> {
        let may = !is_marked(seen) || Self::has(CellBug::FrozenIsSpent);
        (may && left(seen) >= n).then(|| seen - (u64::from(n) << 1))
    }

    fn take(seen: u64, index: u64, n: u32, full: u32) -> Option<u64> {
        match seen >> 16 {
            its if its < index => Self::minus(word(index, full), n),
            its if its == index => Self::minus(seen, n),
            _ => None,
        }
    }

    fn exchange(word: &AtomicU64, seen: u64, next: u64) -> bool {
        word.compare_exchange(seen, next, Relaxed, Relaxed).is_ok()
    }

    /// `None` if a newer window has begun.
    fn gather(&self, index: u64) -> Option<()> {
        let mut sum = 0;
        for (at, cell) in self.cells.iter().enumerate() {
            loop {
                let seen = cell.load(Relaxed);
                let dealt = if seen >> 16 < index { word(index, self.full(at)) } else { seen };
                if dealt >> 16 > index {
                    return None;
                }
                let is_done = seen == dealt | 1 || Self::has(CellBug::NoFreezing);
                if is_done || Self::exchange(cell, seen, dealt | 1) {
                    sum += left(dealt);
                    break;
                }
            }
        }
        Self::exchange(&self.parent, word(index, 0) | 1, word(index, sum));
        Some(())
    }

    fn decide(&self, n: u32, index: u64) -> bool {
        let cell = &self.cells[self.home()];
        let seen = cell.load(Relaxed);
        let is_current = seen >> 16 == index || Self::has(CellBug::OlderIsSpent) && seen != 0;
        let next = if is_current { Self::minus(seen, n) } else { None };
        if next.is_some_and(|next| Self::exchange(cell, seen, next)) {
            return true;
        }
        loop {
            let parent = self.parent.load(Relaxed);
            if parent >> 16 > index {
                return false;
            }
            if parent >> 16 == index {
                if is_marked(parent) {
                    if self.gather(index).is_none() {
                        return false;
                    }
                    continue;
                }
                let Some(next) = Self::take(parent, index, n, 0) else { return false };
                if Self::exchange(&self.parent, parent, next) {
                    return true;
                }
                continue;
            }
            let (mut sum, mut is_lost, mut is_late) = (0, false, false);
            for i in 0..self.cells.len() {
                let at = (self.home() + i) % self.cells.len();
                let seen = self.cells[at].load(Relaxed);
                match Self::take(seen, index, n, self.full(at)) {
                    Some(next) if Self::exchange(&self.cells[at], seen, next) => return true,
                    Some(_) => is_lost = true,
                    None => {
                        let its = seen >> 16;
                        sum += if its < index { self.full(at) } else { left(seen) };
                        is_late |= its > index;
                    }
                }
                if Self::has(CellBug::SpentTooEarly) && sum == 0 {
                    break;
                }
            }
            if is_lost {
                continue;
            }
            if is_late {
                return false;
            }
            if sum >= n {
                Self::exchange(&self.parent, parent, word(index, 0) | 1);
            } else if sum > 0 || Self::exchange(&self.parent, parent, word(index, 0)) {
                return false;
            }
        }
    }

    /// Returns what it had left, and has.
    fn change(&self, index: u64, change: impl Fn(u32) -> u32) -> (u32, u32) {
        loop {
            let parent = self.parent.load(Relaxed);
            if parent >> 16 > index {
                return (0, 0);
            }
            if parent >> 16 < index {
                Self::exchange(&self.parent, parent, word(index, 0) | 1);
            } else if is_marked(parent) {
                if self.gather(index).is_none() {
                    return (0, 0);
                }
            } else {
                let next = change(left(parent));
                if Self::exchange(&self.parent, parent, word(index, next)) {
                    return (left(parent), next);
                }
            }
        }
    }
}

impl<const BUG: u8> Cells for WrongCells<BUG> {
    fn dealt(limit: u32, cells: usize) -> Self {
        let cells = (0..cells).map(|_| AtomicU64::new(0)).collect();
        Self { limit, parent: AtomicU64::new(0), cells }
    }

    fn is_allowed(&self, n: u32, now: Timestamp) -> bool {
        self.decide(n, index_at(now))
    }

    fn take_up_to(&self, n: u32, now: Timestamp) -> u32 {
        let (had, has) = self.change(index_at(now), |left| left - left.min(n));
        had - has
    }

    fn refund(&self, n: u32, now: Timestamp) {
        let index = index_at(now);
        while Self::has(CellBug::RefundIntoCell) {
            let cell = &self.cells[self.home()];
            let seen = cell.load(Relaxed);
            if is_marked(seen) || seen >> 16 != index {
                break;
            }
            if Self::exchange(cell, seen, seen + (u64::from(n) << 1)) {
                return;
            }
        }
        self.change(index, |left| (left + n).min(self.limit));
    }

    fn reset(&self) {
        let words = self.cells.iter().chain([&self.parent]);
        let newest = words.map(|word| word.load(Relaxed) >> 16).max().unwrap_or(0);
        if newest > 0 {
            self.change(newest, |_| self.limit);
        }
    }

    fn left(&self, now: Timestamp) -> u32 {
        let (index, parent) = (index_at(now), self.parent.load(Relaxed));
        if parent >> 16 == index && !is_marked(parent) {
            return left(parent);
        }
        let cells = self.cells.iter().enumerate().map(|(at, cell)| {
            let seen = cell.load(Relaxed);
            match seen >> 16 {
                its if its < index => self.full(at),
                its if its == index => left(seen),
                _ => 0,
            }
        });
        cells.sum()
    }
}
