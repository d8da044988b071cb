//! The atomics of one set, and the tiers that all sets share.

pub(crate) const SLOTS: usize = 2;
pub(crate) const KEYS: usize = 3;
pub(crate) const TIERS: usize = 2;

/// A tier and the parity of its version: which of the tier's two rules a state is measured by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Id {
    pub(crate) tier: u8,
    pub(crate) parity: u8,
}

/// Who a slot belongs to, while its word has the same stamp. Tag 0: nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Owner {
    pub(crate) tag: u8,
    pub(crate) id: Id,
    pub(crate) stamp: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Word {
    pub(crate) state: u8,
    /// Whether the owner has spent nothing since it was given the slot.
    pub(crate) unspent: bool,
    pub(crate) stamp: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) enum Kind {
    #[default]
    None,
    /// The slot goes to `tag`.
    Seat { slot: u8, tag: u8, id: Id },
    /// The slot stays with `tag`, whose state is carried to the rule of `id` as of `at`.
    Retier { slot: u8, tag: u8, id: Id, at: u8 },
    /// That owner loses its debt and keeps its slot, with the next stamp.
    Reset { slot: u8, owner: Owner },
    /// Every slot goes to nobody and the watermark to 0.
    Clear { epoch: u8 },
}

/// The last change of the set's owners.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) count: u8,
}

impl Record {
    pub(crate) fn next(self, kind: Kind) -> Self {
        Self { kind, count: self.count + 1 }
    }
}

/// No key without a slot has more outstanding: a state, and the id whose units it is counted in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Watermark {
    pub(crate) state: u8,
    pub(crate) id: Id,
    pub(crate) epoch: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Set {
    pub(crate) owners: [Owner; SLOTS],
    pub(crate) words: [Word; SLOTS],
    pub(crate) record: Record,
    pub(crate) watermark: Watermark,
}

impl Set {
    /// Whether the slot's owner and word disagree.
    pub(crate) fn in_transit(&self, slot: usize) -> bool {
        self.owners[slot].stamp != self.words[slot].stamp
    }

    /// Whether key `k` has a slot that neither an insertion nor a clear is taking from it.
    pub(crate) fn holds(&self, k: u8) -> bool {
        let stays = |slot| match self.record.kind {
            Kind::Clear { .. } => false,
            Kind::Retier { .. } | Kind::Reset { .. } => true,
            Kind::None | Kind::Seat { .. } => !self.in_transit(slot),
        };
        (0..SLOTS).any(|slot| self.owners[slot].tag == k && stays(slot))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Tier {
    pub(crate) version: u8,
    /// The rules of even and of odd versions, as indices.
    pub(crate) rules: [u8; 2],
    /// The instant of the last change.
    pub(crate) since: u8,
    /// Whether a `set_quota` is on its way. The next one waits for it.
    pub(crate) busy: bool,
    /// The version of the last `set_quota` that has returned. No thread reads it.
    pub(crate) settled: u8,
}

impl Tier {
    pub(crate) fn parity(self) -> u8 {
        self.version & 1
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) set: Set,
    pub(crate) tiers: [Tier; TIERS],
}

impl Memory {
    /// The index of the rule that an id stands for now.
    pub(crate) fn rule(&self, id: Id) -> u8 {
        self.tiers[id.tier as usize].rules[id.parity as usize]
    }
}
