//! The table: where a key can be, and how it is decided on. How keys are found is explained in
//! [`search`](super::search), how they come in in [`seat`](super::seat).
//!
//! A *group* is eight slots in two cache lines. A key has a home group and is kept there if there
//! is room. A *set* is twenty groups: all that a key can be in.

use super::WhenFull;
use super::owner::{Id, Owner};
use super::pace::{Ask, Kind, Pace};
use super::place::Place;
use super::record::Head;
use super::slot::{Slot, Word};
use super::stats::Count;
use super::tier::Tier;
use super::tiers::Tiers;
use super::units::time;
use crate::Timestamp;
use crate::sync::{AtomicU64, fence, order};
use alloc::boxed::Box;
use core::time::Duration;
use crossbeam_utils::CachePadded;

/// Slots of a group, and groups of a set. Few under the model checker and the random scheduler, so
/// that a set is soon full.
pub(crate) const SLOTS: usize = if cfg!(any(casgate_loom, casgate_shuttle)) { 2 } else { 8 };
pub(crate) const GROUPS: usize = if cfg!(casgate_loom) {
    1
} else if cfg!(casgate_shuttle) {
    2
} else {
    20
};
/// Slots of a set.
pub(crate) const WAYS: usize = SLOTS * GROUPS;

#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Group(pub(crate) [Slot; SLOTS]);

/// What became of a request. One enum, and not a `Result` of one, so that it is returned in
/// registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decided {
    /// The key's word is now this; its state was that before.
    Admitted { word: Word, before: u64 },
    /// The quota denies it, the key's state being this.
    Denied(u64),
    /// There is no slot for it before `free`, and nothing for it before `until`, which may be
    /// never.
    Full { until: Timestamp, free: Timestamp },
    /// The tier has no limit.
    Unlimited,
}

impl Decided {
    #[inline(always)]
    pub(crate) const fn is_admitted(self) -> bool {
        matches!(self, Self::Admitted { .. } | Self::Unlimited)
    }

    /// Whether a request that was denied might be admitted within `lag`.
    #[inline(always)]
    pub(crate) fn is_due_within(self, pace: &Pace, n: u32, now: Timestamp, lag: Duration) -> bool {
        match self {
            Self::Admitted { .. } | Self::Unlimited => false,
            Self::Denied(state) => pace.is_due_within(state, n, now, lag),
            Self::Full { until, .. } => until <= now + lag,
        }
    }
}

/// What became of a request, the pace of its numbers, and the tier and the slot in which it was
/// decided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) decided: Decided,
    pub(crate) pace: Pace,
    pub(crate) id: Id,
    pub(crate) way: usize,
}

#[derive(Debug)]
pub(crate) struct Table {
    /// Explained in [`search`](super::search).
    pub(super) marks: Box<[AtomicU64]>,
    pub(super) groups: Box<[Group]>,
    pub(super) heads: Box<[Head]>,
    pub(super) tiers: Tiers,
    pub(super) kind: Kind,
    pub(super) full: WhenFull,
    /// Apart from what every decision reads.
    pub(super) denied_full: CachePadded<Count>,
}

impl Table {
    pub(crate) fn slots(&self) -> usize {
        self.groups.len() * SLOTS
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Any 64-bit hash will do: of its product with an odd constant (2⁶⁴ over the golden ratio, as
    /// Knuth proposes in *The Art of Computer Programming*, volume 3, 6.4) the low half chooses the
    /// home group, and both halves the tag.
    #[inline(always)]
    pub(crate) fn place(&self, hash: u64) -> Place {
        let product = u128::from(hash) * 0x9e37_79b9_7f4a_7c15;
        let (high, low) = ((product >> 64) as u64, product as u64);
        let home = (u128::from(low) * self.groups.len() as u128) >> 64;
        Place { home: home as u32, mix: high ^ low }
    }

    /// The place, if it is one of this table's; else some place of this table.
    pub(crate) fn own(&self, place: Place) -> Place {
        Place { home: (place.home() % self.groups.len()) as u32, ..place }
    }

    #[inline(always)]
    pub(crate) fn tier(&self, tier: u16) -> &Tier {
        &self.tiers[usize::from(tier)]
    }

    pub(super) fn set(&self, set: usize) -> &[Group] {
        &self.groups[set * GROUPS..][..GROUPS]
    }

    pub(super) fn slot(&self, set: usize, way: usize) -> &Slot {
        &self.groups[set * GROUPS + way / SLOTS].0[way % SLOTS]
    }

    /// Spends `n` permits as in a limiter of the key's own. The pace is that of the answer's
    /// numbers.
    #[inline(always)]
    pub(crate) fn spend(&self, at: Place, tier: u16, n: u32, now: Timestamp) -> (Decided, Pace) {
        let rules = self.tier(tier);
        let version = rules.version();
        if let Some(pace) = rules.settled_pace(version) {
            let asker = Asker::new(at, tier, version);
            if let Some(decided) = Self::spend_in(rules, self.look(asker), asker, &pace, n, now) {
                return (decided, pace);
            }
        }
        // Taken apart, so that in the case above nothing need be in memory.
        let (decided, pace) = self.spend_elsewhere(at, tier, n, now);
        (decided, pace)
    }

    /// One key of twenty: its mark is not the first that is equal, or its home group was full.
    #[cold]
    #[inline(never)]
    fn spend_elsewhere(&self, at: Place, tier: u16, n: u32, now: Timestamp) -> (Decided, Pace) {
        let (asker, pace) = self.asker(at, tier);
        let found = self.search(at, |slot| slot.word_of(asker.own));
        let found = found.map(|(way, word)| (self.slot(at.set(), way), word));
        if let Some(decided) = Self::spend_in(self.tier(tier), found, asker, &pace, n, now) {
            return (decided, pace);
        }
        let Answer { decided, pace, .. } = self.ask_slowly(at, tier, Ask::Spend(n), now);
        (decided, pace)
    }

    /// One attempt in the slot that was found; `None` if there is none, its exchange is lost, or
    /// the tier has changed or has no quota.
    #[inline(always)]
    fn spend_in(
        rules: &Tier,
        found: Option<(&Slot, Word)>,
        asker: Asker,
        pace: &Pace,
        n: u32,
        now: Timestamp,
    ) -> Option<Decided> {
        let (slot, seen) = found?;
        if !rules.is_still(asker.version) {
            return None;
        }
        match pace.spend(seen.state(), n, now) {
            Some(state) => {
                let next = seen.with(state);
                let admitted = Decided::Admitted { word: next, before: seen.state() };
                slot.exchange(seen, next).then_some(admitted)
            }
            None => pace.has_permits().then_some(Decided::Denied(seen.state())),
        }
    }

    /// Whatever is asked.
    pub(crate) fn ask(&self, at: Place, tier: u16, ask: Ask, now: Timestamp) -> Answer {
        let (asker, pace) = self.asker(at, tier);
        let found = self.search(at, |slot| slot.word_of(asker.own));
        let decided = found.and_then(|(way, _)| {
            let decided = self.decide_in(self.slot(at.set(), way), asker, &pace, ask, now)?;
            Some(Answer { decided, pace, id: asker.own.id(), way })
        });
        decided.unwrap_or_else(|| self.ask_slowly(at, tier, ask, now))
    }

    /// Of a key that was not found by its mark.
    fn ask_slowly(&self, at: Place, tier: u16, ask: Ask, now: Timestamp) -> Answer {
        loop {
            let (asker, pace) = self.asker(at, tier);
            let answer = |decided| Answer { decided, pace, id: asker.own.id(), way: 0 };
            if pace.is_unlimited() {
                return answer(Decided::Unlimited);
            }
            // A blocked key can be charged, and is not given a slot for less.
            if !pace.has_permits() && !matches!(ask, Ask::Charge(_)) {
                return answer(Decided::Denied(0));
            }
            if let Some(answer) = self.ask_absent(asker, &pace, ask, now) {
                return answer;
            }
        }
    }

    /// Decides in that slot; `None` if it is not the key's, or the tier has changed.
    pub(super) fn decide_in(
        &self,
        slot: &Slot,
        asker: Asker,
        pace: &Pace,
        ask: Ask,
        now: Timestamp,
    ) -> Option<Decided> {
        let seen = slot.word_of(asker.own).filter(|_| self.is_current(asker))?;
        if pace.is_unlimited() {
            return Some(Decided::Unlimited);
        }
        slot.decide(seen, pace, ask, now)
    }

    /// A caller that asks about the key in that tier, and the tier's pace.
    pub(super) fn asker(&self, at: Place, tier: u16) -> (Asker, Pace) {
        let rules = self.tier(tier);
        loop {
            let version = rules.version();
            let (pace, _) = rules.pace(version);
            if rules.is_still(version) {
                return (Asker::new(at, tier, version), pace);
            }
        }
    }

    /// Whether the tier is as the asker found it.
    pub(super) fn is_current(&self, asker: Asker) -> bool {
        self.tiers[asker.own.id().tier()].is_still(asker.version)
    }

    /// How many keys have permits outstanding at `now`.
    pub(crate) fn len(&self, now: Timestamp) -> usize {
        let slots = self.groups.iter().flat_map(|group| &group.0);
        let owes = |slot: &&Slot| {
            let owner = slot.owner();
            owner.tag() != 0 && self.pace_of(owner.id()).owes(slot.word().state(), now)
        };
        slots.filter(owes).count()
    }

    /// The state as an instant that those of other tiers can be compared with.
    pub(super) fn time_of(&self, id: Id, state: u64) -> u64 {
        time(state, self.pace_and_unit(id).1)
    }

    /// Who owns a slot, its word, and the pace that this is counted in. If the pace is written
    /// over, the slot was handed on before: an exchange of the word then fails.
    pub(super) fn tenancy(&self, slot: &Slot) -> (Owner, Word, Pace) {
        let owner = slot.owner();
        // Before the word: a thread that sleeps here over two changes of the quota finds another stamp.
        let pace = self.pace_of(owner.id());
        (owner, slot.word(), pace)
    }

    /// The pace that a state is counted in.
    pub(super) fn pace_of(&self, id: Id) -> Pace {
        self.pace_and_unit(id).0
    }

    fn pace_and_unit(&self, id: Id) -> (Pace, u64) {
        let read = self.tiers[id.tier()].pace_of(id);
        // Acquire: whatever is read after this is no older than the pace.
        fence(order::PACE_FENCE);
        read
    }
}

/// A caller that asks about a key: where it is looked for, for which owner, and the version of its
/// tier.
#[derive(Clone, Copy)]
pub(super) struct Asker {
    pub(super) at: Place,
    pub(super) own: Owner,
    pub(super) version: u64,
}

impl Asker {
    #[inline(always)]
    fn new(at: Place, tier: u16, version: u64) -> Self {
        Self { at, own: Owner::new(at.tag(), Id::new(tier, version)), version }
    }
}

#[cfg(test)]
mod tests;
