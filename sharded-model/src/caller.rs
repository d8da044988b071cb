//! A caller in the middle of an operation.

use crate::memory::Share;
use crate::op::Op;

/// What a caller does next: each is one access of a shared word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum At {
    Idle,

    /// A check: loads its own cell.
    Own,
    /// Exchanges it.
    OwnExchange,
    /// Loads the parent, which may deny.
    Deny,
    /// Loads the parent, to decide by all words.
    Parent,
    /// Loads it again, to spend from it.
    Spend,
    /// Exchanges it.
    SpendExchange,
    /// Loads a cell.
    Pass,
    /// Exchanges it.
    PassExchange,
    /// Exchanges the parent for a marked one.
    Mark,
    /// Exchanges it for one that says that the window is spent.
    WriteSpent,

    /// Loads a cell that is to be frozen.
    Freeze,
    /// Exchanges it.
    FreezeExchange,
    /// Exchanges the parent for one with what the cells have left.
    Gathered,

    /// A refund, a reset or a taking of what there is: loads the parent.
    Change,
    /// Exchanges it for a marked one.
    ChangeMark,
    /// Exchanges it for one that is changed.
    ChangeExchange,

    /// A reset: loads a word, to find the newest window.
    Newest,
    /// A peek: loads the parent.
    PeekParent,
    /// Loads a cell.
    PeekCell,

    /// Faults: a refund loads its cell, and exchanges it.
    RefundOwn,
    RefundExchange,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Caller {
    /// Operations that it has yet to begin.
    pub(crate) left: u8,
    pub(crate) at: At,
    pub(crate) op: Op,
    /// The window of the operation.
    pub(crate) index: u8,
    /// Its cell.
    pub(crate) home: u8,
    /// The word that it read last and exchanges next.
    pub(crate) seen: Share,
    /// The parent that it read.
    pub(crate) parent: Share,
    /// Cells that it went through.
    pub(crate) i: u8,
    /// What they have left.
    pub(crate) sum: u8,
    /// One was of a later window.
    pub(crate) late: bool,
    /// An exchange was lost.
    pub(crate) lost: bool,

    /// The ghost's: at some instant of the call fewer permits were left than are asked for.
    pub(crate) justified: bool,
    /// The least and the most that was left at an instant of the call.
    pub(crate) least: u8,
    pub(crate) most: u8,
    /// The newest window when the call began.
    pub(crate) newest: u8,
}

impl Caller {
    pub(crate) fn idle(left: u8) -> Self {
        Self::begin(Op::Reset, left, 0, At::Idle)
    }

    pub(crate) fn begin(op: Op, left: u8, home: u8, at: At) -> Self {
        Self {
            left,
            at,
            op,
            index: op.at(),
            home,
            seen: Share::default(),
            parent: Share::default(),
            i: 0,
            sum: 0,
            late: false,
            lost: false,
            justified: false,
            least: 0,
            most: 0,
            newest: 0,
        }
    }

    /// Goes through the cells from the first on.
    pub(crate) fn go_through(&mut self, at: At) {
        (self.at, self.i, self.sum, self.late, self.lost) = (at, 0, 0, false, false);
    }
}
