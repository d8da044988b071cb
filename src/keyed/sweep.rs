//! What changes every set, one after the other.

use super::owner::Id;
use super::pace::Unfit;
use super::record::Change;
use super::table::{Table, WAYS};
use super::tier::Allowance;
use crate::Timestamp;

impl Table {
    /// Empties all sets, one after the other.
    pub(crate) fn clear(&self) {
        for (set, head) in self.heads.iter().enumerate() {
            loop {
                let record = head.record();
                self.complete(set, record);
                let epoch = head.watermark().epoch() + 1;
                if self.change(set, record, Change::Clear { epoch }) {
                    break;
                }
            }
        }
    }

    /// Puts the allowance in force for the tier, as of `now`, and carries its keys over.
    pub(crate) fn set_tier(
        &self,
        tier: u16,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<(), Unfit> {
        let rules = self.tier(tier);
        rules.begin();
        let outcome = rules.publish(self.kind(), allowance, now).map(|changed| {
            if let Some(before) = changed {
                let (old, new) = (Id::new(tier, before), Id::new(tier, before + 1));
                (0..self.heads.len()).for_each(|set| self.carry_over(set, old, new, now));
                rules.settle();
            }
        });
        rules.end();
        outcome
    }

    /// Leaves no key of the set in the units of `old`.
    fn carry_over(&self, set: usize, old: Id, new: Id, at: Timestamp) {
        let head = &self.heads[set];
        let complete = || {
            let record = head.record();
            self.complete(set, record);
            record
        };
        // A thread that loads the record after this finds the tier's new version before announcing a change.
        while !self.change(set, complete(), Change::Nothing) {}
        // Nobody can raise it by the old version any more.
        loop {
            let watermark = head.watermark();
            if watermark.id() != old {
                break;
            }
            let state = self.converted(watermark.state(), old, new, &self.pace_of(new));
            if head.set_watermark(watermark, watermark.at(state, new)) {
                break;
            }
        }
        for way in 0..WAYS {
            loop {
                let record = complete();
                let owner = self.slot(set, way).owner();
                if owner.tag() == 0 || owner.id() != old {
                    break;
                }
                let tag = owner.tag();
                if self.change(set, record, Change::Retier { tag, id: new, at }) {
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quota;
    use crate::keyed::pace::{Ask, Kind};
    use crate::keyed::peek::Looked;

    const NOW: Timestamp = Timestamp::from_secs(90);
    const LATER: Timestamp = Timestamp::from_secs(95);
    /// All but two of the slots are taken.
    const KEYS: u64 = WAYS as u64 - 2;

    /// Two tiers, to the first of which all even keys belong.
    fn table(kind: Kind) -> Table {
        let mut table = Table::new(kind, Quota::per_hour(5), 1).unwrap();
        table.tiers.add(kind, [Quota::per_minute(7).into()].into_iter()).unwrap();
        for key in 0..KEYS {
            let (n, tier) = (1 + key as u32 % 3, key as u16 % 2);
            assert!(table.spend(table.place(key), tier, n, NOW).0.is_admitted());
        }
        // As if a key that owed as much as the first had been evicted.
        let head = &table.heads[0];
        let state = table.slot(0, table.find(table.place(0)).unwrap()).word().state();
        assert!(head.set_watermark(head.watermark(), head.watermark().at(state, Id::new(0, 0))));
        table
    }

    fn perform(table: &Table, op: usize, key: u64) -> String {
        let at = table.place(key);
        match op {
            0 => format!("{:?}", table.spend(at, 0, 1, LATER)),
            1 => format!("{:?}", table.ask(at, 0, Ask::Charge(1), LATER).decided),
            2 => format!("{:?}", table.peek(at, 0, LATER)),
            3 => format!("{:?}", table.spend(at, 1, 2, LATER)),
            4 => format!("{:?}", table.peek(at, 1, LATER)),
            5 => table.len(LATER).to_string(),
            6 => format!("{:?}", table.give_back(at, |pace, state| pace.refund(state, 1))),
            _ => format!("{:?}", table.reset(at)),
        }
    }

    /// What each key has left.
    fn all(table: &Table) -> Vec<u32> {
        let look = |key| match table.peek(table.place(key), key as u16 % 2, LATER) {
            (Looked::State(state), pace) => pace.left(state, LATER),
            (Looked::Full(_), _) => unreachable!("keys are evicted"),
        };
        (0..KEYS + 4).map(look).collect()
    }

    /// As `set_tier`, until that many slots have been looked at.
    fn begin(table: &Table, kind: Kind, allowance: Allowance, slots: usize) {
        let (head, rules) = (&table.heads[0], table.tier(0));
        let (old, new) = (Id::new(0, 0), Id::new(0, 1));
        rules.begin();
        assert_eq!(rules.publish(kind, allowance, NOW), Ok(Some(0)));
        if slots > 0 {
            while !table.change(0, head.record(), Change::Nothing) {}
            let low = head.watermark();
            let state = table.converted(low.state(), old, new, &table.pace_of(new));
            assert!(head.set_watermark(low, low.at(state, new)));
        }
        for owner in (0..slots).map(|way| table.slot(0, way).owner()) {
            if owner.tag() != 0 && owner.id() == old {
                let change = Change::Retier { tag: owner.tag(), id: new, at: NOW };
                while !table.change(0, head.record(), change) {}
            }
        }
    }

    /// A change of a quota stops nobody: each key is decided on by the new one, with what it had.
    #[test]
    fn a_change_of_a_quota_that_stops_holds_for_every_key() {
        for kind in [Kind::TokenBucket, Kind::FixedWindow] {
            for allowance in [Quota::per_hour(9).into(), Allowance::Blocked, Allowance::Unlimited] {
                for slots in [0, 1, 40, WAYS] {
                    for op in 0..8 {
                        // In tier 1 only keys that are there: else it counts when they were carried over.
                        for key in [1, 41, 0, 40, KEYS + 2, KEYS + 3] {
                            if (key % 2 == 0 || key > KEYS) && (op == 3 || op == 4) {
                                continue;
                            }
                            let (stopped, whole) = (table(kind), table(kind));
                            begin(&stopped, kind, allowance, slots);
                            let seen = perform(&stopped, op, key);
                            stopped.carry_over(0, Id::new(0, 0), Id::new(0, 1), NOW);
                            stopped.tier(0).settle();
                            stopped.tier(0).end();
                            whole.set_tier(0, allowance, NOW).unwrap();
                            let at = format!("{kind:?}, {allowance:?}, {slots}: {op} of {key}");
                            assert_eq!(seen, perform(&whole, op, key), "{at}");
                            assert!(all(&stopped) == all(&whole), "{at}");
                            assert_eq!(stopped.heads[0].watermark(), whole.heads[0].watermark());
                        }
                    }
                }
            }
        }
    }
}
