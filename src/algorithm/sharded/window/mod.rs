//! A fixed window whose permits lie in several cells.

mod decide;
mod gather;
mod machine;
#[cfg(all(test, not(any(casgate_loom, casgate_shuttle))))]
mod tests;

use super::share::{Layout, Share};
use super::{Sharded, home};
use crate::algorithm::FixedWindow;
use crate::cell::Cell;
use core::cmp::Ordering::{Equal, Greater, Less};
use crossbeam_utils::CachePadded;

/// The parent and the cells of a sharded fixed window.
///
/// The parent's word is of an older window until the cells are spent or gathered. Then it has all that is left, and
/// `left` may rise again. While it is marked the cells are being frozen.
///
/// Every access is `Relaxed`, as [`Cell`] does it. No word says anything about another but this: when the parent is
/// of a window and not marked, all cells are of that window or a later one, and spent or frozen. That was so before
/// the parent's exchange, and stays so.
#[derive(Debug)]
pub struct Windows {
    top: CachePadded<Top>,
    cells: Box<[CachePadded<Cell>]>,
}

/// In one cache line, which is seldom written.
#[derive(Debug)]
struct Top {
    parent: Cell,
    /// The index of the newest window in which a cell has admitted: who is denied by the parent learns from it that the
    /// timestamp was late.
    newest: Cell,
}

impl Windows {
    pub(crate) fn new(limit: u32) -> Self {
        Self::with_cells(home::cells_for(limit, LEAST))
    }

    /// `cells` is a power of two.
    pub(crate) fn with_cells(cells: usize) -> Self {
        Self {
            top: CachePadded::new(Top { parent: Cell::new(0), newest: Cell::new(0) }),
            cells: (0..cells).map(|_| CachePadded::new(Cell::new(0))).collect(),
        }
    }
}

/// Permits that a cell gets in a window at least. Fewer would make threads move on more often than pays.
const LEAST: u32 = 64;

/// What the numbers of an answer are computed from: the window, and what is left of it as far as the decision saw.
/// The mark says that a cell was of a later window.
type Seen = Share;

impl Sharded<FixedWindow> {
    #[inline(always)]
    pub(super) const fn layout(&self) -> Layout {
        Layout::of(&self.rule)
    }

    /// The permits that a cell gets in each window.
    fn full(&self, state: &Windows, at: usize) -> u32 {
        let (limit, cells) = (self.rule.limit(), state.cells.len() as u32);
        limit / cells + u32::from((at as u32) < limit % cells)
    }

    /// The cell's word with `n` permits spent in window `index`.
    fn take(&self, share: Share, index: u64, n: u32, full: u32) -> Option<Share> {
        let layout = self.layout();
        match layout.index(share).cmp(&index) {
            Less => layout.pack(index, full).minus(n, layout),
            Equal => share.minus(n, layout),
            Greater => None,
        }
    }

    /// What a cell has left in window `index`.
    fn left_in(&self, share: Share, index: u64, full: u32) -> u32 {
        match self.layout().index(share).cmp(&index) {
            Less => full,
            Equal => self.layout().left(share),
            Greater => 0,
        }
    }

    /// Puts `next` into the parent if that is still `seen`.
    fn replace(&self, state: &Windows, seen: Share, next: Share) -> bool {
        state.top.parent.update(|bits| (bits == seen.bits()).then_some(next.bits())).is_ok()
    }
}
