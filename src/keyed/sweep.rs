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
        // Whoever loads the record after this finds the tier's new version before announcing a change.
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
