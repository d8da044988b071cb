//! Gathering, and what gathers: `window/gather.rs`, step by step; and a peek.

use crate::caller::{At, Caller};
use crate::ghost::Fault;
use crate::memory::Share;
use crate::op::Op;
use crate::table::{State, Table};
use crate::wrong::Wrong;
use std::cmp::Ordering::{Equal, Greater, Less};

impl Table {
    pub(crate) fn change(&self, s: &mut State, c: &mut Caller) {
        let (index, at) = (c.index, c.i as usize);
        match c.at {
            At::Freeze => {
                c.seen = s.memory.cells[at];
                self.freeze(s, c);
            }
            At::FreezeExchange => {
                let next = self.frozen(c.seen, index, at).expect("it was seen");
                let cell = &mut s.memory.cells[at];
                if *cell == c.seen {
                    *cell = next;
                    self.froze(c, next);
                } else {
                    c.seen = *cell;
                    self.freeze(s, c);
                }
            }
            At::Gathered => {
                let next = Share::of(index, c.sum);
                match self.wrong {
                    Wrong::HelpsHalf => {}
                    Wrong::SumStored => s.memory.parent = next,
                    _ => {
                        self.replace(&mut s.memory, Share::of(index, 0).marked(), next);
                    }
                }
                self.after_gather(c);
            }

            At::Change => {
                c.parent = s.memory.parent;
                match c.parent.index.cmp(&index) {
                    Less => c.at = At::ChangeMark,
                    Equal if c.parent.marked => match self.wrong {
                        Wrong::Waits => {}
                        Wrong::MarkIgnored => c.at = At::ChangeExchange,
                        _ => c.go_through(At::Freeze),
                    },
                    Equal if self.changed(c) == c.parent.left => self.took_effect(s, c),
                    Equal => c.at = At::ChangeExchange,
                    Greater => self.without_effect(s, c),
                }
            }
            At::ChangeMark => {
                if self.is(Wrong::ResetOfParent) && c.op == Op::Reset {
                    c.at = At::ChangeExchange;
                } else {
                    self.replace(&mut s.memory, c.parent, Share::of(index, 0).marked());
                    c.at = At::Change;
                }
            }
            At::ChangeExchange => {
                let next = Share::of(index, self.changed(c));
                if self.replace(&mut s.memory, c.parent, next) {
                    self.took_effect(s, c);
                } else if self.is(Wrong::RefundGivesUp) {
                    self.without_effect(s, c);
                } else {
                    c.at = At::Change;
                }
            }

            At::Newest => {
                let share = if c.i < self.cells { s.memory.cells[at] } else { s.memory.parent };
                c.index = c.index.max(share.index);
                c.i += 1;
                if c.i > self.cells {
                    if c.index < c.newest {
                        s.ghost.fail(Fault::NoEffect);
                    }
                    c.i = 0;
                    c.at = if c.index == 0 { At::Idle } else { At::Change };
                }
            }

            At::PeekParent => {
                let parent = s.memory.parent;
                match parent.index.cmp(&index) {
                    Equal if !parent.marked => self.peeked(s, c, parent.left),
                    Less | Equal => c.go_through(At::PeekCell),
                    Greater => self.peeked(s, c, 0),
                }
            }
            At::PeekCell => {
                c.sum += self.left_in(s.memory.cells[at], index, self.full(at));
                c.i += 1;
                if c.i == self.cells {
                    self.peeked(s, c, c.sum);
                }
            }

            At::RefundOwn => {
                c.seen = s.memory.cells[c.home as usize];
                if c.seen.index == index && !c.seen.marked {
                    c.at = At::RefundExchange;
                } else {
                    c.at = At::Change;
                }
            }
            At::RefundExchange => {
                let cell = &mut s.memory.cells[c.home as usize];
                if *cell == c.seen {
                    cell.left = (cell.left + c.op.n()).min(self.limit);
                    s.ghost.refund(index, c.op.n());
                    c.at = At::Idle;
                } else {
                    c.at = At::RefundOwn;
                }
            }
            at => unreachable!("{at:?} is no step of a change"),
        }
    }

    /// The cell, frozen; `None` if there is nothing to do.
    fn frozen(&self, share: Share, index: u8, at: usize) -> Option<Share> {
        if self.is(Wrong::NoFreezing) {
            return None;
        }
        match share.index.cmp(&index) {
            Less => Some(Share::of(index, self.full(at)).marked()),
            Equal if !share.marked => Some(share.marked()),
            Equal | Greater => None,
        }
    }

    /// Decides on the cell that was seen.
    fn freeze(&self, s: &mut State, c: &mut Caller) {
        if c.seen.index > c.index && !self.is(Wrong::GathersPastLater) {
            // The window is over.
            if matches!(c.op, Op::Check { .. }) {
                self.deny(s, c, true);
            } else {
                self.without_effect(s, c);
            }
        } else if self.frozen(c.seen, c.index, c.i as usize).is_some() {
            c.at = At::FreezeExchange;
        } else {
            self.froze(c, c.seen);
        }
    }

    /// After each cell that is frozen.
    fn froze(&self, c: &mut Caller, share: Share) {
        let missed = self.is(Wrong::SumMissesCell) && c.i + 1 == self.cells;
        if !missed {
            c.sum += self.left_in(share, c.index, self.full(c.i as usize));
        }
        c.i += 1;
        c.at = if c.i == self.cells { At::Gathered } else { At::Freeze };
    }

    fn after_gather(&self, c: &mut Caller) {
        c.i = 0;
        c.at = if matches!(c.op, Op::Check { .. }) { At::Parent } else { At::Change };
    }

    /// What the parent that was seen is to have left.
    fn changed(&self, c: &Caller) -> u8 {
        let left = c.parent.left;
        match c.op {
            Op::TakeUpTo { n, .. } => left - left.min(n),
            Op::Refund { n, .. } => (left + n).min(self.limit),
            _ => self.limit,
        }
    }

    /// The instant at which the change counts.
    fn took_effect(&self, s: &mut State, c: &mut Caller) {
        match c.op {
            Op::TakeUpTo { n, .. } => {
                let taken = c.parent.left.min(n);
                let there = s.ghost.left(c.index, self.limit).min(n);
                if taken < there {
                    s.ghost.fail(Fault::Unjustified);
                }
                s.ghost.admit(c.index, taken, self.limit);
            }
            Op::Refund { n, .. } => s.ghost.refund(c.index, n),
            _ => s.ghost.reset(c.index),
        }
        c.at = At::Idle;
    }

    /// The end of a change whose window is over.
    fn without_effect(&self, s: &mut State, c: &mut Caller) {
        if s.memory.newest() <= c.index {
            s.ghost.fail(Fault::NoEffect);
        }
        c.at = At::Idle;
    }

    fn peeked(&self, s: &mut State, c: &mut Caller, left: u8) {
        let now = s.ghost.left(c.index, self.limit);
        let (least, most) = (c.least.min(now), c.most.max(now));
        // Of a window that is over, less can be had than was left.
        let least = if s.memory.newest() > c.index { 0 } else { least };
        if !(least..=most).contains(&left) {
            s.ghost.fail(Fault::Peek);
        }
        c.at = At::Idle;
    }
}
