//! A key that has no slot, or has one in another tier.

use crate::caller::{At, Caller, Here, Then, Victim};
use crate::memory::{Id, Kind, Owner, Record, SLOTS, Word};
use crate::op::Op;
use crate::table::{State, Table};
use crate::wrong::Wrong;

impl Table {
    pub(crate) fn new_key(&self, s: &mut State, c: &mut Caller) {
        let k = c.op.key();
        match c.at {
            At::NewKeySecondLook { record } => {
                c.at = if s.memory.tiers[c.id().tier as usize].version == c.version {
                    At::Scan { record, i: 0, here: None, best: None }
                } else {
                    At::Resolve
                };
            }
            At::Scan { record, i, here, best } => {
                if i == 0 {
                    Self::note_stale(s, c);
                }
                let owner = s.memory.set.owners[Self::slot(k, i) as usize];
                c.at = At::ScanWord { record, i, here, best, owner };
            }
            At::ScanWord { record, i, mut here, mut best, owner } => {
                let slot = Self::slot(k, i);
                // No stamps are compared: while the record is the last and complete, no slot is in transit.
                let word = s.memory.set.words[slot as usize];
                let rule = s.memory.rule(owner.id);
                if owner.tag == k {
                    here = Some(Here { slot, id: owner.id, state: word.state, rule });
                    best = None;
                } else if here.is_none() {
                    let this = self.victim(slot, owner, word, rule);
                    best = best.filter(|b| (b.used, b.repaid) <= (this.used, this.repaid));
                    best = Some(best.unwrap_or(this));
                }
                if i as usize + 1 < SLOTS {
                    c.at = At::Scan { record, i: i + 1, here, best };
                } else if let Some(here) = here {
                    self.found(s, c, record, here);
                } else if let Some(best) = best {
                    c.at = At::ScanWatermark { record, best };
                }
            }
            At::ScanWatermark { record, best } => self.judge(s, c, record, best),
            At::PeekSecondLook { record, answer } => {
                let still = s.memory.tiers[c.id().tier as usize].version == c.version;
                c.at = if still { At::Verify { record, answer } } else { At::Resolve };
            }
            At::Verify { record, answer } => {
                if s.memory.set.record == record {
                    self.answer(s, c, answer);
                } else {
                    c.at = At::LoadRecord { then: Then::Scan };
                }
            }
            At::Announce { record, next, then } => self.announce(s, c, record, next, then),
            _ => unreachable!("not a new key's step"),
        }
    }

    fn victim(&self, slot: u8, owner: Owner, word: Word, rule: u8) -> Victim {
        let (used, id, state) = (owner.tag != 0, owner.id, word.state);
        let its = self.rule(rule);
        let repaid = if used { (its.full_at(state), its.time(state)) } else { (0, 0) };
        Victim { used, repaid, slot, state, unspent: word.unspent, id, rule }
    }

    /// Whether the key may have the slot of the victim.
    fn judge(&self, s: &mut State, c: &mut Caller, record: Record, best: Victim) {
        let (n, at) = c.op.asks();
        let word = Word { state: best.state, unspent: best.unspent, stamp: 0 };
        let victim = Owner { tag: u8::from(best.used), id: best.id, stamp: 0 };
        let watermark = s.memory.set.watermark;
        let start = self.start(
            victim,
            word,
            best.rule,
            c.rule,
            self.floor(watermark, s.memory.rule(watermark.id), c.rule),
            best.id == c.id() && watermark.id == c.id(),
        );
        let full = self.deny_new_keys && best.used && self.rule(best.rule).owes(best.state, at);
        let fits = !full && self.rule(c.rule).decide(start, n, at).is_some();
        match c.op {
            Op::Peek { .. } => self.verify(s, c, record, fits),
            Op::Charge { .. } if full => self.verify(s, c, record, false),
            Op::Check { .. } | Op::Reserve { .. } if !fits => self.verify(s, c, record, false),
            _ => {
                let kind = Kind::Seat { slot: best.slot, tag: c.op.key(), id: c.id() };
                let then = Then::Decide { slot: best.slot };
                c.at = At::Announce { record, next: record.next(kind), then };
            }
        }
    }

    /// What was decided of a key without a slot holds if the record is still the last.
    fn verify(&self, s: &mut State, c: &mut Caller, record: Record, answer: bool) {
        match c.op {
            _ if self.wrong == Wrong::DenialUnverified => self.answer(s, c, answer),
            Op::Peek { .. } if self.quotas_change => c.at = At::PeekSecondLook { record, answer },
            _ => c.at = At::Verify { record, answer },
        }
    }

    fn announce(&self, s: &mut State, c: &mut Caller, record: Record, next: Record, then: Then) {
        if s.memory.set.record == record {
            s.memory.set.record = next;
            c.carried |= matches!((then, next.kind), (Then::Decide { .. }, Kind::Retier { .. }));
            self.begin_complete(s, c, next, then);
            return;
        }
        let then = match then {
            Then::Decide { .. } => Then::Scan,
            Then::WasReset => Then::Reset,
            Then::Cleared => Then::Clear,
            Then::Bumped => Then::Bump,
            Then::Converted { slot } => Then::Convert { slot },
            _ => unreachable!("announces nothing"),
        };
        c.at = At::LoadRecord { then };
    }

    /// The scan has found the key.
    fn found(&self, s: &mut State, c: &mut Caller, record: Record, here: Here) {
        let (n, at) = c.op.asks();
        let to = self.rule(c.rule);
        if let Op::Peek { .. } = c.op {
            let state = if here.id == c.id() {
                here.state
            } else {
                self.rule(here.rule).carry(here.state, to, Self::as_of(s, here.id, c.id(), at))
            };
            return self.verify(s, c, record, to.decide(state, n, at).is_some());
        }
        let slot = here.slot;
        c.at = if here.id == c.id() {
            At::LoadOwner { slot, as_found: false }
        } else if c.carried && self.wrong != Wrong::CarriesWithoutEnd {
            At::LoadOwner { slot, as_found: true }
        } else {
            let at = Self::as_of(s, here.id, c.id(), at);
            let kind = Kind::Retier { slot, tag: c.op.key(), id: c.id(), at };
            At::Announce { record, next: record.next(kind), then: Then::Decide { slot } }
        };
    }

    /// The timestamp as of which a key is carried over.
    fn as_of(s: &State, from: Id, to: Id, at: u8) -> u8 {
        if from.tier == to.tier { s.memory.tiers[to.tier as usize].since } else { at }
    }
}
