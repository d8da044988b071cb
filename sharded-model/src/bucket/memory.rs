//! The shared words, and the rule of the parent.

/// Cells at most.
pub(crate) const CELLS: usize = 2;

/// The parent's word, and the lease that led to it or to one before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Parent {
    pub(crate) word: u8,
    pub(crate) lease: Lease,
}

/// The cell that got it, and the stamp that the cell had then.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Lease {
    pub(crate) at: u8,
    pub(crate) stamp: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Held {
    pub(crate) stamp: u8,
    pub(crate) permits: u8,
}

/// Three words: what the cell holds, at least the timestamp of its last lease, and at least those at which it was spent
/// from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Stock {
    pub(crate) held: Held,
    pub(crate) since: u8,
    pub(crate) until: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) parent: Parent,
    pub(crate) cells: [Stock; CELLS],
    /// A lease that is complete.
    pub(crate) done: Lease,
    /// A word of the parent at which nothing was left.
    pub(crate) dry: u8,
}

/// The word after `n` permits are taken at `now` from a bucket that refills by one a tick: when it will be full again.
pub(crate) fn take(word: u8, n: u8, now: u8, burst: u8) -> Option<u8> {
    let next = word.max(now) + n;
    (next <= now + burst).then_some(next)
}
