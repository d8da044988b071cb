//! A caller in the middle of a check.

use super::memory::{Held, Lease, Parent};

/// What a caller does next: each is one access of a shared word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum At {
    Idle,

    /// Loads what a cell holds.
    Held,
    /// Loads the cell's `since`.
    Since,
    /// Loads its `until`.
    Until,
    /// Raises that.
    Raise,
    /// Exchanges what the cell holds.
    Exchange,
    /// Loads the word at which nothing was left.
    Dry,

    /// Loads the parent.
    Parent,
    /// Loads the lease that is complete.
    Done,
    /// Loads what the cell of a lease holds.
    Complete,
    /// Exchanges it.
    CompleteExchange,
    /// Stores that it is complete.
    StoreDone,
    /// Before a lease: loads the cell's `until`.
    Prepare,
    /// Raises `since`.
    PrepareRaise,
    /// Exchanges the parent.
    Replace,
    /// Loads the parent again, after a pass.
    Confirm,
    /// Raises the word at which nothing was left.
    RaiseDry,

    /// Fault: raises `until` once the permit is taken, or `since` once the parent is exchanged.
    RaiseLate,
}

/// Why it asks a cell, or completes a lease.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum For {
    /// Its own cell, alone.
    Alone,
    /// Its own cell, once the parent is loaded; or the lease that the parent names.
    Own,
    /// All cells, one after another.
    Pass,
    /// Its own lease.
    Lease,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Caller {
    /// Checks that it has yet to begin.
    pub(crate) left: u8,
    pub(crate) at: At,
    pub(crate) why: For,
    /// The timestamp.
    pub(crate) now: u8,
    /// Its cell.
    pub(crate) home: u8,
    /// Cells that a pass went through.
    pub(crate) i: u8,
    /// What a cell held.
    pub(crate) seen: Held,
    /// The parent that it loaded.
    pub(crate) parent: Parent,
    /// The parent that it wants.
    pub(crate) next: Parent,
    /// The lease that it completes.
    pub(crate) lease: Lease,
    /// A cell has a lease at a later timestamp.
    pub(crate) is_late: bool,

    /// Fault: the stamp at which its own cell was empty before it loaded the parent.
    pub(crate) empty_at: Option<u8>,

    /// The ghost's: at some instant of the call nothing was left.
    pub(crate) is_justified: bool,
}

impl Caller {
    pub(crate) fn idle(left: u8) -> Self {
        Self::begin(0, left, 0, At::Idle)
    }

    pub(crate) fn begin(now: u8, left: u8, home: u8, at: At) -> Self {
        Self {
            left,
            at,
            why: For::Alone,
            now,
            home,
            i: 0,
            seen: Held::default(),
            parent: Parent::default(),
            next: Parent::default(),
            lease: Lease::default(),
            is_late: false,
            empty_at: None,
            is_justified: false,
        }
    }

    /// Decides by all words, from the start. What it learned so far is of no use.
    pub(crate) fn begin_again(&mut self) {
        let Self { now, left, home, empty_at, is_justified, .. } = *self;
        *self = Self { empty_at, is_justified, ..Self::begin(now, left, home, At::Parent) };
    }
}
