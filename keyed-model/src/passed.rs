//! What handing a slot on does to its state, and to the ghost.

use crate::caller::{At, Caller, Seen};
use crate::ghost::Fault;
use crate::memory::{Kind, Owner, Record, SLOTS, Watermark, Word};
use crate::op::Op;
use crate::table::{State, Table};
use crate::wrong::Wrong;

impl Table {
    /// What a key with rule `to` starts with in the place of `owner`, whose state by rule `from` is `x`.
    pub(crate) fn start(
        &self,
        owner: Owner,
        word: Word,
        from: u8,
        to: u8,
        floor: u8,
        same: bool,
    ) -> u8 {
        let (from, to, x) = (self.rule(from), self.rule(to), word.state);
        if owner.tag == 0 {
            return floor;
        }
        let x = if from.unit() == to.unit() { x } else { to.units_of(from.time(x)) };
        match self.wrong {
            Wrong::WatermarkForgotten => x,
            Wrong::UnspentLeavesNoTrace => x.max(floor),
            Wrong::RoundedLeavesNoTrace if !word.unspent => x.max(floor),
            _ if x == floor && (word.unspent || !same) => x + 1,
            _ => x.max(floor),
        }
    }

    /// The watermark in the units of `to`.
    pub(crate) fn floor(&self, watermark: Watermark, from: u8, to: u8) -> u8 {
        let (from, to) = (self.rule(from), self.rule(to));
        if from == to { watermark.state } else { to.units_of(from.time(watermark.state)) }
    }

    pub(crate) fn exchange_word(
        &self,
        s: &mut State,
        c: &Caller,
        record: Record,
        index: usize,
        seen: Seen,
    ) {
        let (tag, x) = (seen.owner.tag, seen.word.state);
        let unspent = match record.kind {
            Kind::Seat { .. } => true,
            Kind::Retier { .. } => seen.word.unspent,
            _ => false,
        };
        let state = match record.kind {
            Kind::Seat { .. } => {
                let id = record.target().1;
                let same = seen.owner.id == id && seen.watermark.id == id;
                let y = self.start(
                    seen.owner,
                    seen.word,
                    seen.from,
                    seen.to,
                    self.floor(seen.watermark, seen.mark, seen.to),
                    same,
                );
                let (from, to) = (self.rule(seen.from), self.rule(seen.to));
                if tag != 0 {
                    // The most that may be charged to new keys from now on.
                    let (owed, floor) =
                        (to.units_of(from.time(x)), self.floor(seen.watermark, seen.mark, seen.to));
                    if owed >= floor {
                        let owed = owed + u8::from(owed == floor && (seen.word.unspent || !same));
                        s.ghost.most = s.ghost.most.max(to.time(owed));
                    }
                    s.ghost.evict(tag, &self.rules);
                }
                if y > to.units_of(s.ghost.most) {
                    s.ghost.fail(Fault::ForgivenDebt);
                }
                y
            }
            Kind::Retier { at, .. } => {
                s.ghost.carry(tag, &self.rules, seen.to, at);
                let at = match self.wrong {
                    Wrong::HelpersTimestamp => c.op.asks().1,
                    _ => at,
                };
                self.rule(seen.from).carry(x, self.rule(seen.to), at)
            }
            Kind::Reset { .. } => {
                *s.ghost.owed(tag) = 0;
                0
            }
            Kind::Clear { .. } | Kind::None => {
                s.ghost.forgive(tag);
                0
            }
        };
        s.memory.set.words[index] = Word { state, unspent, stamp: self.after(seen.word.stamp) };
    }

    /// The end of a clear.
    pub(crate) fn lower(&self, s: &mut State, c: &mut Caller, record: Record) {
        let Kind::Clear { epoch } = record.kind else { unreachable!("not a clear") };
        let epoch = match self.wrong {
            Wrong::ClearWithoutEpoch => 0,
            _ => epoch,
        };
        s.memory.set.watermark = Watermark { state: 0, id: Default::default(), epoch };
        if s.memory.set.record != record {
            return;
        }
        let set = &s.memory.set;
        let empty = (0..SLOTS).all(|i| {
            let (owner, word) = (set.owners[i], set.words[i]);
            owner.tag == 0 && owner.stamp == word.stamp && word.state == 0
        });
        if !empty {
            s.ghost.fail(Fault::NotCleared);
        }
        s.ghost.debts = Default::default();
        s.ghost.most = 0;
        c.excused |= c.op == Op::Clear;
        for other in &mut s.callers {
            other.excused |= other.op == Op::Clear && other.at != At::Idle;
        }
    }
}
