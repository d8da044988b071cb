//! Who owns a slot. The picture is in [`slot`](super::slot).

use super::slot::Word;
use core::fmt;

/// What is below a state: whether its owner has spent nothing yet, and the stamp.
pub(crate) const BELOW_BITS: u32 = 12;
pub(super) const UNSPENT: u64 = 1 << (BELOW_BITS - 1);
pub(super) const STAMP: u64 = UNSPENT - 1;
/// Sixteen bits of a tier's index, and one for its pace. Few under the model checker, which must
/// fit two fields and two more into 32 bits.
pub(crate) const ID_BITS: u32 = if cfg!(casgate_loom) { 3 } else { 17 };
/// Few under the model checker, for the same reason.
pub(crate) const TAG_BITS: u32 =
    if cfg!(casgate_loom) { 9 } else { u64::BITS - ID_BITS - BELOW_BITS };

/// A tier and which of two paces: what a slot's state is counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Id(u64);

impl Id {
    /// A pace has two versions, of which the second is even.
    #[inline(always)]
    pub(crate) const fn new(tier: u16, version: u64) -> Self {
        Self((tier as u64) << 1 | ((version + 1) >> 1) & 1)
    }

    pub(crate) const fn of_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    pub(crate) const fn tier(self) -> usize {
        (self.0 >> 1) as usize
    }
}

/// Who owns a slot.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Owner(pub(super) u64);

impl Owner {
    /// Of the stamp 0.
    #[inline(always)]
    pub(crate) const fn new(tag: u64, id: Id) -> Self {
        Self((tag << ID_BITS | id.0) << BELOW_BITS)
    }

    pub(crate) const fn of_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Zero if nobody owns the slot.
    pub(crate) const fn tag(self) -> u64 {
        self.0 >> (ID_BITS + BELOW_BITS)
    }

    pub(crate) const fn id(self) -> Id {
        Id(self.0 >> BELOW_BITS & ((1 << ID_BITS) - 1))
    }

    pub(crate) const fn stamp(self) -> u64 {
        self.0 & STAMP
    }

    /// The bits in which the two differ, where they stand.
    pub(crate) const fn differ(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether tag and tier are those of `other`, whatever the stamps.
    pub(crate) const fn is_same_key(self, other: Self) -> bool {
        (self.0 ^ other.0) >> BELOW_BITS == 0
    }

    /// Whether the slot is that of this owner, whose stamp is 0, if that is what was found in it.
    /// One comparison: if tag and tier agree, the stamp is what remains.
    #[inline(always)]
    pub(super) const fn has(self, found: Self, word: Word) -> bool {
        found.0 ^ self.0 == word.stamp()
    }

    pub(super) const fn with_stamp(self, stamp: u64) -> Self {
        Self(self.0 | stamp)
    }

    /// The stamp of `before`, and one more.
    pub(crate) const fn after(self, before: Self) -> Self {
        Self(self.0 | next(before.stamp()))
    }

    /// Where a slot stands that has this owner and that word.
    pub(crate) const fn stage(self, word: Word) -> Stage {
        if word.stamp() == self.stamp() {
            Stage::Owned
        } else if word.stamp() == next(self.stamp()) {
            Stage::Passing
        } else {
            Stage::Torn
        }
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tag, id, stamp) = (self.tag(), self.id(), self.stamp());
        f.debug_struct("Owner").field("tag", &tag).field("id", &id).field("stamp", &stamp).finish()
    }
}

/// How far a slot has been handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not at all: word and owner belong together.
    Owned,
    /// The word is the next owner's. Nobody can change it.
    Passing,
    /// The two were not read at one time.
    Torn,
}

pub(super) const fn next(stamp: u64) -> u64 {
    (stamp + 1) & STAMP
}
