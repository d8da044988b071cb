//! A token bucket with permits in several cells.

mod decide;
mod machine;
mod stock;
#[cfg(all(test, not(any(casgate_loom, casgate_shuttle))))]
mod tests;

use super::home;
use crate::cell::Cell;
use crate::sync::{AtomicPair, AtomicU64};
use crate::word::Word;
use crossbeam_utils::CachePadded;
use stock::{Held, Stock};

/// The parent and the cells of a sharded token bucket.
#[derive(Debug)]
pub struct Buckets {
    top: CachePadded<Top>,
    /// A word of the bucket at which all cells were empty, and no lease was on its way.
    dry: CachePadded<Cell>,
    cells: Box<[CachePadded<Stock>]>,
    /// The permits of a lease.
    lease: u32,
    /// The permits of the bucket and the cells together.
    burst: u32,
}

/// In one cache line, for they are written together.
#[derive(Debug)]
struct Top {
    /// The word of the bucket, and the [`Lease`] that led to it or to one before it.
    parent: Cell<AtomicPair>,
    /// The newest word of the bucket once more, or one shortly before it. A denial reads it to learn whether the timestamp
    /// was late: half of a pair cannot be read, and the whole costs more.
    newest: Cell,
    /// The bits of the last lease that was completed, or of one before it. It spares others a look at the cell, whose line
    /// the next call there would have to fetch again.
    done: AtomicU64,
}

impl Buckets {
    pub(crate) fn new(burst: u32) -> Self {
        Self::with_cells(burst, home::cells_for(burst, LEAST))
    }

    /// `cells` is a power of two.
    pub(crate) fn with_cells(burst: u32, cells: usize) -> Self {
        let lease = (burst / 8 / cells as u32).min(Held::MOST);
        Self {
            top: CachePadded::new(Top {
                parent: Cell::pair([0, 0]),
                newest: Cell::new(0),
                done: AtomicU64::new(0),
            }),
            dry: CachePadded::new(Cell::new(0)),
            cells: (0..cells).map(|_| CachePadded::new(Stock::new(lease))).collect(),
            lease,
            burst,
        }
    }

    pub(crate) fn burst(&self) -> u32 {
        self.burst
    }

    /// The burst of the parent: without what the cells may hold.
    pub(crate) fn burst_of_parent(&self) -> u32 {
        self.burst - self.lease * self.cells.len() as u32
    }
}

/// Permits of the burst for each cell at least, an eighth of which it may hold.
const LEAST: u32 = 64;

/// Which cell got a lease, and the stamp that the cell had then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lease(u64);

impl Lease {
    const CELL_BITS: u32 = 8;

    const fn new(at: usize, stamp: u64) -> Self {
        Self(stamp << Self::CELL_BITS | at as u64)
    }

    const fn at(self) -> usize {
        (self.0 & !(u64::MAX << Self::CELL_BITS)) as usize
    }

    const fn stamp(self) -> u64 {
        self.0 >> Self::CELL_BITS
    }
}

/// What the parent was: compared as a whole, and never the same again once it was exchanged, for the word grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parent {
    word: Word,
    lease: Lease,
}

impl Parent {
    const fn from_bits([word, lease]: [u64; 2]) -> Self {
        Self { word: Word::from_bits(word), lease: Lease(lease) }
    }

    const fn bits(self) -> [u64; 2] {
        [self.word.bits(), self.lease.0]
    }
}

/// What the numbers of an answer are computed from.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    bits: u64,
    of: Of,
}

/// What `bits` are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// The permits left in a cell.
    Cell,
    /// The word of the bucket.
    Parent,
    /// The same, and a cell may have a lease at a later timestamp.
    Late,
}
