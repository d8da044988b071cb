//! Completing an insertion record, by anybody.

use crate::caller::{At, Caller, Seen, Step, Then};
use crate::ghost::Fault;
use crate::memory::{Id, Kind, Owner, Record, SLOTS, Watermark};
use crate::op::Op;
use crate::table::{State, Table};
use crate::wrong::Wrong;

impl Record {
    /// What an owner becomes, but for its stamp.
    pub(crate) fn target(self) -> (u8, Id) {
        match self.kind {
            Kind::Seat { tag, id, .. } | Kind::Retier { tag, id, .. } => (tag, id),
            Kind::Reset { owner, .. } => (owner.tag, owner.id),
            Kind::None | Kind::Clear { .. } => (0, Id::default()),
        }
    }

    /// Whether nothing is left to do at a slot with this owner.
    fn is_done(self, owner: Owner) -> bool {
        match self.kind {
            Kind::Clear { .. } => owner.tag == 0,
            Kind::Reset { owner: reset, .. } => owner != reset,
            _ => (owner.tag, owner.id) == self.target(),
        }
    }
}

impl Table {
    pub(crate) fn begin_complete(&self, s: &mut State, c: &mut Caller, record: Record, then: Then) {
        match record.kind {
            Kind::None => self.completed(s, c, record, then),
            Kind::Seat { slot, .. } | Kind::Retier { slot, .. } | Kind::Reset { slot, .. } => {
                c.at = At::Complete { record, then, slot, step: Step::LoadWord };
            }
            Kind::Clear { .. } => {
                c.at = At::Complete { record, then, slot: 0, step: Step::LoadWord };
            }
        }
    }

    fn completed(&self, s: &mut State, c: &mut Caller, record: Record, then: Then) {
        match then {
            Then::Scan => {
                let looks = self.quotas_change && !matches!(c.op, Op::Peek { .. });
                c.at = if looks && self.wrong != Wrong::NewKeyLooksOnce {
                    At::NewKeySecondLook { record }
                } else {
                    At::Scan { record, i: 0, here: None, best: None }
                };
            }
            Then::Decide { slot } => c.at = At::LoadOwner { slot, as_found: false },
            Then::Find => c.at = At::Find { i: 0 },
            Then::Reset => c.at = At::ResetFind { record, i: 0 },
            Then::WasReset => c.done(true),
            Then::Clear => c.at = At::ClearWatermark { record },
            Then::Cleared => {
                if !c.excused {
                    s.ghost.fail(Fault::NotCleared);
                }
                c.done(true);
            }
            Then::Bump => {
                let next = record.next(Kind::None);
                c.at = At::Announce { record, next, then: Then::Bumped };
            }
            Then::Bumped => c.at = At::LoadMark,
            Then::Convert { slot } => c.at = At::ConvertOwner { record, slot },
            Then::Converted { slot } => Self::converted(s, c, slot),
        }
    }

    fn slot_done(&self, s: &mut State, c: &mut Caller, record: Record, then: Then, slot: u8) {
        match record.kind {
            Kind::Clear { .. } if (slot as usize) + 1 < SLOTS => {
                c.at = At::Complete { record, then, slot: slot + 1, step: Step::LoadWord };
            }
            Kind::Clear { .. } => {
                c.at = At::Complete { record, then, slot, step: Step::ClearLoad };
            }
            _ => self.completed(s, c, record, then),
        }
    }

    pub(crate) fn complete(&self, s: &mut State, c: &mut Caller) {
        let (record, then, slot, step) = match c.at {
            At::LoadRecord { then } => {
                let record = s.memory.set.record;
                return self.begin_complete(s, c, record, then);
            }
            At::Complete { record, then, slot, step } => (record, then, slot, step),
            _ => unreachable!("not a helper's step"),
        };
        let go = |step| At::Complete { record, then, slot, step };
        let index = slot as usize;
        let last = s.memory.set.record == record || self.wrong == Wrong::RecordNotLast;
        match step {
            Step::LoadWord if self.wrong == Wrong::OwnerBeforeWord => {
                // The word is loaded with the watermark, one step later.
                let seen = Seen { owner: s.memory.set.owners[index], ..Seen::default() };
                c.at = go(Step::LoadWatermark { seen });
                if record.is_done(seen.owner) {
                    self.slot_done(s, c, record, then, slot);
                }
            }
            Step::LoadWord => c.at = go(Step::LoadOwner { word: s.memory.set.words[index] }),
            Step::LoadOwner { word } => {
                let owner = s.memory.set.owners[index];
                if record.is_done(owner) {
                    return self.slot_done(s, c, record, then, slot);
                }
                let seen = Seen { word, owner, ..Seen::default() };
                c.at = match record.kind {
                    Kind::Seat { .. } => go(Step::LoadWatermark { seen }),
                    Kind::Retier { .. } if self.quotas_change => go(Step::ReadRules { seen }),
                    _ => go(Step::StillLast { seen }),
                };
                self.read_constant_rules(s, c);
            }
            Step::LoadWatermark { mut seen } => {
                if self.wrong == Wrong::OwnerBeforeWord {
                    seen.word = s.memory.set.words[index];
                }
                seen.watermark = s.memory.set.watermark;
                c.at = if self.quotas_change {
                    go(Step::ReadRules { seen })
                } else {
                    go(Step::StillLast { seen })
                };
                self.read_constant_rules(s, c);
            }
            Step::ReadRules { mut seen } => {
                seen.from = s.memory.rule(seen.owner.id);
                seen.mark = s.memory.rule(seen.watermark.id);
                seen.to = s.memory.rule(record.target().1);
                c.at = go(Step::StillLast { seen });
            }
            Step::StillLast { .. } if !last => self.completed(s, c, record, then),
            Step::StillLast { seen } => {
                c.at = if seen.word.stamp == seen.owner.stamp {
                    match (self.wrong, record.kind) {
                        (Wrong::WatermarkFirst, Kind::Seat { .. }) => go(Step::Raise { seen }),
                        _ => go(Step::ExchangeWord { seen }),
                    }
                } else if seen.word.stamp == self.after(seen.owner.stamp) {
                    self.word_done(record, then, slot, seen)
                } else {
                    go(Step::LoadWord)
                };
            }
            Step::ExchangeWord { mut seen } => {
                let won = s.memory.set.words[index] == seen.word;
                if won {
                    self.exchange_word(s, c, record, index, seen);
                }
                c.at = if won {
                    seen.word = s.memory.set.words[index];
                    self.word_done(record, then, slot, seen)
                } else {
                    go(Step::LoadWord)
                };
            }
            Step::ReadRuleAgain { mut seen } => {
                seen.to = s.memory.rule(record.target().1);
                seen.mark = s.memory.rule(seen.watermark.id);
                c.at = if self.low(seen) {
                    go(Step::Raise { seen })
                } else {
                    go(Step::ExchangeOwner { seen })
                };
            }
            Step::Raise { seen } => {
                if self.wrong == Wrong::WatermarkFirst {
                    let y = self.start(
                        seen.owner,
                        seen.word,
                        seen.from,
                        seen.to,
                        self.floor(seen.watermark, seen.mark, seen.to),
                        false,
                    );
                    let mark = &mut s.memory.set.watermark;
                    mark.state = mark.state.max(y);
                    c.at = go(Step::ExchangeWord { seen });
                    return;
                }
                // If it is lost, another has raised it, or the record is not the last any more.
                if s.memory.set.watermark == seen.watermark {
                    let (state, id, epoch) =
                        (seen.word.state, record.target().1, seen.watermark.epoch);
                    s.memory.set.watermark = Watermark { state, id, epoch };
                } else if !matches!(self.wrong, Wrong::WatermarkLast | Wrong::RaisedOnce) {
                    c.at = go(Step::LoadWord);
                    return;
                }
                if self.wrong == Wrong::WatermarkLast {
                    self.slot_done(s, c, record, then, slot);
                } else {
                    c.at = go(Step::ExchangeOwner { seen });
                }
            }
            Step::ExchangeOwner { seen } => {
                if s.memory.set.owners[index] == seen.owner {
                    let (tag, id) = record.target();
                    let stamp = self.after(seen.owner.stamp);
                    s.memory.set.owners[index] = Owner { tag, id, stamp };
                    if let Kind::Seat { .. } = record.kind {
                        s.ghost.seat(tag, &self.rules, s.memory.rule(id));
                    }
                }
                match (self.wrong, record.kind) {
                    (Wrong::WatermarkLast, Kind::Seat { .. }) if self.low(seen) => {
                        c.at = go(Step::Raise { seen });
                    }
                    _ => self.slot_done(s, c, record, then, slot),
                }
            }
            Step::ClearLoad => {
                let watermark = s.memory.set.watermark;
                let Kind::Clear { epoch } = record.kind else { unreachable!("not a clear") };
                let done = match self.wrong {
                    Wrong::ClearWithoutEpoch => watermark.state == 0,
                    _ => watermark.epoch == epoch,
                };
                if done {
                    self.completed(s, c, record, then);
                } else {
                    c.at = go(Step::ClearStillLast { watermark });
                }
            }
            Step::ClearStillLast { watermark } => {
                if last {
                    c.at = go(Step::ClearLower { watermark });
                } else {
                    self.completed(s, c, record, then);
                }
            }
            Step::ClearLower { watermark } => {
                if s.memory.set.watermark == watermark {
                    self.lower(s, c, record);
                    self.completed(s, c, record, then);
                } else if self.wrong == Wrong::ClearGivesUp {
                    // Lost to a tier's change.
                    self.completed(s, c, record, then);
                } else {
                    c.at = go(Step::ClearLoad);
                }
            }
        }
    }

    /// Without `set_quota`, the rules are read in the step before.
    fn read_constant_rules(&self, s: &State, c: &mut Caller) {
        let At::Complete { record, step: Step::StillLast { seen }, .. } = &mut c.at else { return };
        if !self.quotas_change && !matches!(record.kind, Kind::Clear { .. }) {
            seen.from = s.memory.rule(seen.owner.id);
            seen.mark = s.memory.rule(seen.watermark.id);
            seen.to = s.memory.rule(record.target().1);
        }
    }

    /// Whether the watermark that was seen is below the new key's state.
    fn low(&self, seen: Seen) -> bool {
        let to = self.rule(seen.to);
        match self.wrong {
            Wrong::RaisedByRounding => {
                self.rule(seen.mark).time(seen.watermark.state) < to.time(seen.word.state)
            }
            _ => self.floor(seen.watermark, seen.mark, seen.to) < seen.word.state,
        }
    }

    /// The word is one ahead of its owner.
    fn word_done(&self, record: Record, then: Then, slot: u8, seen: Seen) -> At {
        if let (Kind::Seat { .. }, Wrong::RuleReadAgain) = (record.kind, self.wrong) {
            return At::Complete { record, then, slot, step: Step::ReadRuleAgain { seen } };
        }
        let raises = match (record.kind, self.wrong) {
            (Kind::Seat { .. }, Wrong::WatermarkFirst | Wrong::WatermarkLast) => false,
            (Kind::Seat { .. }, _) => self.low(seen),
            _ => false,
        };
        let step = if raises { Step::Raise { seen } } else { Step::ExchangeOwner { seen } };
        At::Complete { record, then, slot, step }
    }
}
