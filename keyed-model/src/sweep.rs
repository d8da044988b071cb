//! `clear` and `set_quota`: announced like an insertion, completed like one.

use crate::caller::{At, Caller, Then};
use crate::memory::{Id, Kind, Record, SLOTS};
use crate::op::Op;
use crate::table::{State, Table};
use crate::wrong::Wrong;

impl Table {
    pub(crate) fn sweep(&self, s: &mut State, c: &mut Caller) {
        match c.at {
            At::ClearWatermark { record } => {
                let epoch = s.memory.set.watermark.epoch + 1;
                let next = record.next(Kind::Clear { epoch });
                c.at = At::Announce { record, next, then: Then::Cleared };
            }
            At::ResetFind { record, i } => {
                let (k, slot) = (c.op.key(), Self::slot(c.op.key(), i));
                if s.memory.set.owners[slot as usize].tag == k {
                    c.at = At::ResetOwner { record, slot };
                } else if i as usize + 1 < SLOTS {
                    c.at = At::ResetFind { record, i: i + 1 };
                } else {
                    self.absent(s, c);
                }
            }
            At::ResetOwner { record, slot } => {
                let owner = s.memory.set.owners[slot as usize];
                c.at = if owner.tag == c.op.key() {
                    let next = record.next(Kind::Reset { slot, owner });
                    At::Announce { record, next, then: Then::WasReset }
                } else {
                    At::LoadRecord { then: Then::Reset }
                };
            }
            At::LoadMark => {
                let watermark = s.memory.set.watermark;
                let old = Id { parity: 1 - c.id().parity, ..c.id() };
                c.at = if watermark.id == old {
                    At::ConvertMark { watermark }
                } else {
                    At::LoadRecord { then: Then::Convert { slot: 0 } }
                };
            }
            At::ConvertMark { watermark } => {
                c.at = At::LoadMark;
                if s.memory.set.watermark == watermark {
                    let (from, to) = (s.memory.rule(watermark.id), s.memory.rule(c.id()));
                    let state = self.floor(watermark, from, to);
                    s.memory.set.watermark =
                        crate::memory::Watermark { state, id: c.id(), ..watermark };
                    s.ghost.most = s.ghost.most.max(self.rule(to).time(state));
                    c.at = At::LoadRecord { then: Then::Convert { slot: 0 } };
                }
            }
            At::WriteRule => {
                let Op::SetQuota { t, rule, at } = c.op else { unreachable!("not a set_quota") };
                let tier = &mut s.memory.tiers[t as usize];
                c.version = tier.version + 1;
                tier.busy = true;
                tier.rules[(c.version & 1) as usize] = rule;
                tier.since = at;
                c.at = At::WriteVersion;
            }
            At::WriteVersion => {
                s.memory.tiers[c.id().tier as usize].version = c.version;
                let then = match self.wrong {
                    Wrong::NoBump => Then::Convert { slot: 0 },
                    _ => Then::Bump,
                };
                c.at = At::LoadRecord { then };
            }
            At::ConvertOwner { record, slot } => {
                if c.op == Op::Clear {
                    return Self::clear_without_record(s, c, slot as usize);
                }
                let owner = s.memory.set.owners[slot as usize];
                let old = Id { parity: 1 - c.id().parity, ..c.id() };
                if owner.tag != 0 && owner.id == old {
                    let at = c.op.asks().1;
                    let kind = Kind::Retier { slot, tag: owner.tag, id: c.id(), at };
                    let then = Then::Converted { slot };
                    c.at = At::Announce { record, next: record.next(kind), then };
                } else {
                    Self::converted(s, c, slot);
                }
            }
            _ => unreachable!("not a step of clear or set_quota"),
        }
    }

    /// The slot has no owner with the old id.
    pub(crate) fn converted(s: &mut State, c: &mut Caller, slot: u8) {
        if (slot as usize) + 1 < SLOTS {
            c.at = At::LoadRecord { then: Then::Convert { slot: slot + 1 } };
        } else {
            let tier = &mut s.memory.tiers[c.id().tier as usize];
            tier.busy = false;
            tier.settled = tier.settled.max(c.version);
            c.done(true);
        }
    }

    /// For `Wrong::ClearWithoutRecord`.
    fn clear_without_record(s: &mut State, c: &mut Caller, slot: usize) {
        let set = &mut s.memory.set;
        if slot == SLOTS {
            set.watermark.state = 0;
            return c.done(true);
        }
        set.words[slot].state = 0;
        if !set.in_transit(slot) {
            *s.ghost.owed(set.owners[slot].tag) = 0;
        }
        c.at = At::ConvertOwner { record: Record::default(), slot: slot as u8 + 1 };
    }
}
