//! How a key comes into the table, and everything else that changes who owns a slot.
//!
//! The protocol, with its picture and why it is right, is in [`inside`](super::inside). To bring a
//! key in, a thread
//!
//! 1. loads the set's record and completes it;
//! 2. looks at every slot of the set. The key's own ends the search. Otherwise the key gets the
//!    first unused slot, or else that of the *victim*, the key whose debt is repaid first;
//! 3. denies the request if the key could not pay it with what it would start with. It was judged
//!    as absent, so that holds only if the record is still the same;
//! 4. exchanges the record for its own, which fails if anything else has changed in the set since;
//! 5. completes it, as anybody else may, and decides in the slot.

use super::WhenFull;
use super::owner::{Id, Owner, Stage};
use super::pace::{Ask, Pace};
use super::record::{Change, Watermark};
use super::slot::Word;
use super::table::{Answer, Asker, Decided, GROUPS, SLOTS, Table, WAYS};
use crate::Timestamp;

/// How a search through all slots of a set ended.
pub(super) enum Found {
    /// The key has this slot.
    Key { way: usize, owner: Owner },
    /// It has none and would get this one.
    Victim { way: usize, owner: Owner, word: Word },
}

impl Table {
    /// Decides on a key that has not been found, and returns the pace of the answer's numbers.
    /// `None` if the tier has changed.
    pub(super) fn ask_absent(
        &self,
        asker: Asker,
        pace: &Pace,
        ask: Ask,
        now: Timestamp,
    ) -> Option<Answer> {
        let (set, tag, id) = (asker.at.set(), asker.at.tag(), asker.own.id());
        let head = &self.heads[set];
        let mut was_carried = false;
        loop {
            let record = head.record();
            self.complete(set, record);
            // Before the record is exchanged, so that after a tier has changed and a set's record has moved on
            // nobody brings in a key by the old quota.
            if !self.is_current(asker) {
                return None;
            }
            let way = match self.scan(asker) {
                Found::Key { way, owner } if owner.id() == id => {
                    self.mark(set, way, tag);
                    way
                }
                // Two callers that ask for one key in different tiers would carry it to and fro without end.
                Found::Key { way, .. } if was_carried => {
                    if let Some(answer) = self.ask_as_found(asker, way, ask, now) {
                        return Some(answer);
                    }
                    continue;
                }
                Found::Key { way, owner } => {
                    let at = self.carried_at(owner.id(), id, now);
                    if !self.change(set, record, Change::Retier { tag, id, at }) {
                        continue;
                    }
                    was_carried = true;
                    way
                }
                Found::Victim { way, owner, word } => {
                    let start = self.start(owner, word, head.watermark(), pace, id);
                    let owes = owner.tag() != 0 && self.pace_of(owner.id()).owes(word.state(), now);
                    let denied = if owes && self.full == WhenFull::DenyNewKeys {
                        let its = self.pace_of(owner.id());
                        let free = its.full_at(word.state());
                        // What the key starts with may be due later still.
                        let until = pace.due_for(ask, start).filter(|_| its.can_tell(free));
                        let until = until.map_or(Timestamp::MAX, |due| due.max(free));
                        Some(Decided::Full { until, free })
                    } else if pace.step(ask, start, now).is_none() {
                        Some(Decided::Denied(start))
                    } else {
                        None
                    };
                    if let Some(denied) = denied {
                        if head.record() != record {
                            continue;
                        }
                        if let Decided::Full { .. } = denied {
                            self.denied_full.add(1);
                        }
                        return Some(Answer { decided: denied, pace: *pace, id, way });
                    }
                    if !self.change(set, record, Change::Seat { slot: way, tag, id }) {
                        continue;
                    }
                    head.seated.add(owes);
                    way
                }
            };
            if let Some(decided) = self.decide_in(self.slot(set, way), asker, pace, ask, now) {
                return Some(Answer { decided, pace: *pace, id, way });
            }
        }
    }

    /// Decides in the slot by whichever tier its key is in; `None` if it is the key's no more.
    fn ask_as_found(&self, asker: Asker, way: usize, ask: Ask, now: Timestamp) -> Option<Answer> {
        let slot = self.slot(asker.at.set(), way);
        let (owner, seen, pace) = self.tenancy(slot);
        if owner.tag() != asker.at.tag() || owner.stage(seen) != Stage::Owned {
            return None;
        }
        if pace.is_unlimited() {
            return Some(Answer { decided: Decided::Unlimited, pace, id: owner.id(), way });
        }
        slot.decide(seen, &pace, ask, now).map(|decided| Answer {
            decided,
            pace,
            id: owner.id(),
            way,
        })
    }

    /// The timestamp as of which a key is carried over from one tier to another, or from a tier's
    /// quota to its next.
    pub(super) fn carried_at(&self, from: Id, to: Id, now: Timestamp) -> Timestamp {
        if from.tier() == to.tier() { self.tiers[to.tier()].since() } else { now }
    }

    /// Looks at all slots, of which none is on its way: the record is complete, and if it has moved
    /// on the caller finds out.
    pub(super) fn scan(&self, asker: Asker) -> Found {
        let set = asker.at.set();
        // Without a branch for each slot: where the key is, which state is the least, and what differs in the
        // owners' bits.
        let (mut here, mut least, mut differ) = (WAYS, u64::MAX, Owner::default());
        for (g, group) in self.set(set).iter().enumerate() {
            for (i, slot) in group.0.iter().enumerate() {
                let (way, other) = (g * SLOTS + i, slot.owner().differ(asker.own));
                here = if other.tag() == 0 { way } else { here };
                differ = differ.or(other);
                least = least.min(slot.word().state() | way as u64);
            }
        }
        if here < WAYS {
            return Found::Key { way: here, owner: self.slot(set, here).owner() };
        }
        // An unused slot owes nothing, so there is none if the least state is not 0.
        let unused = if least < WAYS as u64 { self.first_unused(asker) } else { None };
        let way = match unused {
            Some(way) => way,
            None if differ.id() == Id::default() => (least & 0xff) as usize,
            None => self.repaid_first(set),
        };
        let slot = self.slot(set, way);
        Found::Victim { way, owner: slot.owner(), word: slot.word() }
    }

    /// From the home group on, and in the near half of each group first.
    fn first_unused(&self, asker: Asker) -> Option<usize> {
        let from = asker.at.home();
        let ways = (0..WAYS).map(|i| {
            let group = (from + i / SLOTS) % GROUPS;
            group * SLOTS + (asker.at.near() ^ (i % SLOTS))
        });
        ways.into_iter().find(|&way| self.slot(asker.at.set(), way).owner().tag() == 0)
    }

    /// Of keys of several tiers the one that is full first, and of those the one with the least
    /// outstanding.
    fn repaid_first(&self, set: usize) -> usize {
        let key = |&way: &usize| {
            let slot = self.slot(set, way);
            let (owner, state) = (slot.owner(), slot.word().state());
            if owner.tag() == 0 {
                return (Timestamp::ZERO, 0);
            }
            (self.pace_of(owner.id()).full_at(state), self.time_of(owner.id(), state))
        };
        (0..WAYS).min_by_key(key).unwrap_or(0)
    }

    /// What a key without a slot starts with in that one.
    pub(super) fn start(
        &self,
        owner: Owner,
        word: Word,
        watermark: Watermark,
        pace: &Pace,
        id: Id,
    ) -> u64 {
        let least = self.converted(watermark.state(), watermark.id(), id, pace);
        if owner.tag() == 0 {
            return least;
        }
        let state = self.converted(word.state(), owner.id(), id, pace);
        // A victim that has spent nothing leaves no trace otherwise; and where units differ, two that are rounded
        // to the same may be a part of a unit apart.
        let is_blurred = word.is_unspent() || owner.id() != id || watermark.id() != id;
        if state == least && is_blurred { pace.next(state) } else { state.max(least) }
    }
    /// The state of another tier as one of `id`, whose pace it is: repaid at the same instant, or
    /// less than a unit later.
    pub(super) fn converted(&self, state: u64, from: Id, id: Id, pace: &Pace) -> u64 {
        if from == id || state == 0 { state } else { pace.state_at(self.time_of(from, state)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyed::pace::Kind;
    use crate::{Allowance, Quota};

    const NOW: Timestamp = Timestamp::from_secs(50);

    /// Three tiers, and a key in each that has spent one permit of ten.
    fn table() -> Table {
        let mut table = Table::new(Kind::TokenBucket, Quota::per_hour(10), 1).unwrap();
        let more = [Quota::per_hour(10).into(), Allowance::Unlimited];
        table.tiers.add(Kind::TokenBucket, more.into_iter()).unwrap();
        for key in 0..2 {
            assert!(table.spend(table.place(key), key as u16, 1, NOW).0.is_admitted());
        }
        table
    }

    /// Who loses a race for a key's tier is decided on by the tier that it is in.
    #[test]
    fn a_key_that_is_in_another_tier_is_decided_on_there() {
        let table = table();
        let (at, ask) = (table.place(1), Ask::Spend(4));
        let (asker, _) = table.asker(at, 0);
        let way = table.find(at).unwrap();
        let answer = table.ask_as_found(asker, way, ask, NOW).expect("it is there");
        assert_eq!((answer.id.tier(), answer.way), (1, way));
        let Decided::Admitted { word, .. } = answer.decided else { panic!("{answer:?}") };
        assert_eq!(answer.pace.left(word.state(), NOW), 5);
        assert_eq!(table.slot(0, way).word(), word);
        let denied = table.ask_as_found(asker, way, Ask::Spend(6), NOW).unwrap();
        assert_eq!(denied.decided, Decided::Denied(word.state()));

        // In a slot of another key, or of nobody, nothing is decided.
        let other = table.find(table.place(0)).unwrap();
        let nobody = (0..WAYS).find(|&way| table.slot(0, way).owner().tag() == 0).unwrap();
        for way in [other, nobody] {
            let before = table.slot(0, way).both();
            assert!(table.ask_as_found(asker, way, ask, NOW).is_none());
            assert_eq!(table.slot(0, way).both(), before);
        }
        // Nor in one that is on its way.
        let (slot, seen) = (table.slot(0, way), table.slot(0, way).word());
        assert!(slot.pass_word(seen, seen.hand_on(seen.state(), false)));
        assert!(table.ask_as_found(asker, way, ask, NOW).is_none());
    }

    #[test]
    fn a_key_that_is_in_an_unlimited_tier_is_admitted_there() {
        let table = table();
        let (asker, _) = table.asker(table.place(1), 0);
        let (tag, way) = (table.place(1).tag(), table.find(table.place(1)).unwrap());
        let id = table.asker(table.place(1), 2).0.own.id();
        while !table.change(0, table.heads[0].record(), Change::Retier { tag, id, at: NOW }) {}
        let answer = table.ask_as_found(asker, way, Ask::Spend(99), NOW).unwrap();
        assert_eq!((answer.decided, answer.id.tier()), (Decided::Unlimited, 2));
    }

    /// A debt that is as large as the watermark is distinguished from it by a unit, unless both are
    /// known to be exact and the key has spent since it came.
    #[test]
    fn what_may_be_rounded_to_the_same_starts_a_unit_later() {
        let table = table();
        let id = |key: u64| table.asker(table.place(key), key as u16).0.own.id();
        let (own, other, pace) = (id(0), id(1), table.pace_of(id(0)));
        let there = 7 * pace.cost + 3 * pace.next(0);
        let here = table.converted(there, other, own, &pace);
        let low = table.heads[0].watermark();
        let unspent = |state| Word::of_bits(0).hand_on(state, true);
        let spent = |state| unspent(state).with(state);
        let start = |owner, word, low| table.start(Owner::new(1, owner), word, low, &pace, own);
        assert_eq!(start(own, spent(here), low.at(here, own)), here);
        for later in [
            start(own, unspent(here), low.at(here, own)),
            start(other, spent(there), low.at(here, own)),
            start(own, spent(here), low.at(there, other)),
        ] {
            assert_eq!(later, pace.next(here));
        }
        // The larger of two that differ is what it starts with.
        let (less, more) = (here - pace.cost, here + pace.cost);
        assert_eq!(start(own, unspent(here), low.at(less, own)), here);
        assert_eq!(start(own, unspent(here), low.at(more, own)), more);
        // And where nobody has been, the watermark.
        assert_eq!(table.start(Owner::default(), spent(0), low.at(here, own), &pace, own), here);
    }
}
