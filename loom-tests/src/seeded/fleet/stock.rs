use crate::explore::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use crate::scenarios::fleet::Leases;
use casgate::Timestamp;
use casgate_redis::model::Spent;

/// What is wrong with a [`WrongStock`].
#[derive(Debug)]
#[repr(u8)]
pub enum StockBug {
    /// Spends in two steps: a load and a store.
    TwoStepClaim,
    /// Puts a lease by a store, whatever the place has by then.
    OverwriteWithoutCompare,
    /// Adds a lease to the one that is there, with the later deadline for both.
    MergedDeadlines,
    /// Looks at the deadline of the lease that ends first only.
    Overdue,
    /// Takes what is over in two steps.
    TwoStepTake,
    /// Gives permits back to any lease.
    GiveBackToAny,
    /// Sets the low mark after the lease can be spent.
    LowAfterwards,
    /// Reports to nobody that a lease is low by a drain.
    SilentDrain,
    /// Orders the low mark with nothing.
    RelaxedLow,
}

/// Two leases, with one bug.
#[derive(Debug)]
pub struct WrongStock<const BUG: u8> {
    words: [AtomicU64; 2],
    low: AtomicU32,
}

const PERMITS: u64 = (1 << 24) - 1;

const fn permits(word: u64) -> u32 {
    (word & PERMITS) as u32
}

const fn tick(word: u64) -> u64 {
    word >> 24
}

const fn tick_of(at: Timestamp) -> u64 {
    at.as_nanos() >> 20
}

const fn left(word: u64, now: Timestamp) -> u32 {
    if tick_of(now) < tick(word) { permits(word) } else { 0 }
}

impl<const BUG: u8> WrongStock<BUG> {
    const fn is(bug: StockBug) -> bool {
        BUG == bug as u8
    }

    fn words(&self) -> [u64; 2] {
        [0, 1].map(|index: usize| self.words[index].load(Relaxed))
    }

    /// As the right stock does, but for the orderings, which are the strongest unless they are the bug.
    fn exchange(&self, index: usize, seen: u64, next: u64) -> bool {
        use crate::explore::atomic::Ordering::AcqRel;
        let order = if Self::is(StockBug::RelaxedLow) { Relaxed } else { AcqRel };
        self.words[index].compare_exchange(seen, next, order, Relaxed).is_ok()
    }

    fn set_low(&self, lease: u32) {
        self.low.store(lease / 2, Relaxed);
    }
}

impl<const BUG: u8> Leases for WrongStock<BUG> {
    fn none() -> Self {
        Self { words: [AtomicU64::new(0), AtomicU64::new(0)], low: AtomicU32::new(0) }
    }

    fn spend(&self, n: u32, now: Timestamp) -> Option<Spent> {
        loop {
            let words = self.words();
            let first = usize::from(words[1] < words[0]);
            let lives = |index: usize| {
                let is_trusted = Self::is(StockBug::Overdue) && index != first;
                let word = words[index];
                (is_trusted || tick_of(now) < tick(word)) && permits(word) >= n
            };
            let index = [first, 1 - first].into_iter().find(|&index| lives(index))?;
            let (seen, next) = (words[index], words[index] - u64::from(n));
            if Self::is(StockBug::TwoStepClaim) {
                self.words[index].store(next, Relaxed);
            } else if !self.exchange(index, seen, next) {
                continue;
            }
            let low = self.low.load(Relaxed);
            let is_low = permits(next) <= low && permits(seen) > low;
            return Some(Spent { left: permits(next), tick: tick(next), is_low });
        }
    }

    fn left(&self, now: Timestamp) -> [u32; 2] {
        self.words().map(|word| left(word, now))
    }

    fn permits(&self) -> u64 {
        self.words().iter().map(|&word| u64::from(permits(word))).sum()
    }

    fn put(&self, n: u32, ends: Timestamp, now: Timestamp) -> u32 {
        let lease = tick_of(ends) << 24 | u64::from(n);
        loop {
            let words = self.words();
            if Self::is(StockBug::MergedDeadlines) {
                let merged = lease + u64::from(permits(words[0]));
                self.set_low(n);
                if self.exchange(0, words[0], merged) {
                    return 0;
                }
                continue;
            }
            let index = usize::from(left(words[1], now) < left(words[0], now));
            if left(words[index], now) >= n {
                return n;
            }
            if !Self::is(StockBug::LowAfterwards) {
                self.set_low(n);
            }
            if Self::is(StockBug::OverwriteWithoutCompare) {
                self.words[index].store(lease, Relaxed);
            } else if !self.exchange(index, words[index], lease) {
                continue;
            }
            if Self::is(StockBug::LowAfterwards) {
                self.set_low(n);
            }
            return permits(words[index]);
        }
    }

    fn take_over(&self, now: Timestamp) -> u32 {
        let mut taken = 0;
        for (index, place) in self.words.iter().enumerate() {
            loop {
                let word = place.load(Relaxed);
                if left(word, now) > 0 || permits(word) == 0 {
                    break;
                }
                if Self::is(StockBug::TwoStepTake) {
                    place.store(0, Relaxed);
                } else if !self.exchange(index, word, 0) {
                    continue;
                }
                taken += permits(word);
                break;
            }
        }
        taken
    }

    fn drain(&self, n: u32, now: Timestamp) -> (u32, bool) {
        let (mut taken, mut is_low) = (0, false);
        while taken < n {
            let most = self.left(now).into_iter().max().unwrap_or(0);
            let part = most.min(n - taken);
            if part == 0 {
                break;
            }
            if let Some(spent) = self.spend(part, now) {
                taken += part;
                is_low |= spent.is_low && !Self::is(StockBug::SilentDrain);
            }
        }
        (taken, is_low)
    }

    fn give_back(&self, n: u32, of: u64, now: Timestamp) -> bool {
        for (index, place) in self.words.iter().enumerate() {
            loop {
                let word = place.load(Relaxed);
                let is_it = tick(word) == of || Self::is(StockBug::GiveBackToAny);
                if !is_it || tick_of(now) >= of {
                    break;
                }
                if self.exchange(index, word, word + u64::from(n)) {
                    return true;
                }
            }
        }
        false
    }
}
