//! What the model checker races: the private parts that threads share, by a face of their own.

use crate::{bell, stock};
use casgate::Timestamp;
use stock::Word;

/// The leases of a limit in this process.
#[derive(Debug)]
pub struct Stock(stock::Stock);

/// Permits that were spent: what the lease has left, the tick in which it ends, and whether it is
/// low by that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Spent {
    pub left: u32,
    pub tick: u64,
    pub is_low: bool,
}

#[allow(clippy::new_without_default, missing_docs)]
impl Stock {
    pub fn new() -> Self {
        Self(stock::Stock::new())
    }

    pub fn spend(&self, permits: u32, now: Timestamp) -> Option<Spent> {
        let stock::Spent { left, tick, is_low } = self.0.spend(permits, now)?;
        Some(Spent { left, tick, is_low })
    }

    pub fn left(&self, now: Timestamp) -> [u32; 2] {
        self.0.left(now)
    }

    pub fn permits(&self) -> u64 {
        self.0.permits()
    }

    /// Returns the permits that lost their place.
    pub fn put(&self, permits: u32, ends: Timestamp, now: Timestamp) -> u32 {
        self.0.put(Word::new(permits, ends), now)
    }

    pub fn take_over(&self, now: Timestamp) -> u32 {
        self.0.take_over(now)
    }

    pub fn drain(&self, permits: u32, now: Timestamp) -> (u32, bool) {
        self.0.drain(permits, now)
    }

    pub fn give_back(&self, permits: u32, tick: u64, now: Timestamp) -> bool {
        self.0.give_back(permits, tick, now)
    }
}

/// How callers wake the refresher.
#[derive(Debug)]
pub struct Bell(bell::Bell);

#[allow(clippy::new_without_default, missing_docs)]
impl Bell {
    pub fn new() -> Self {
        Self(bell::Bell::new())
    }

    pub fn note(&self, permits: u32) {
        self.0.note(permits);
    }

    pub fn hint(&self, permits: u32) {
        self.0.hint(permits);
    }

    #[must_use]
    pub fn ring(&self) -> bool {
        self.0.ring()
    }

    /// The smallest and the largest request that was noted.
    pub fn hear(&self) -> Option<[u32; 2]> {
        self.0.hear().map(|wanted| [wanted.least, wanted.most])
    }
}
