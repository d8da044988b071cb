//! A check: `window/decide.rs`, step by step.

use crate::caller::{At, Caller};
use crate::memory::Share;
use crate::table::{State, Table};
use crate::wrong::Wrong;
use std::cmp::Ordering::{Equal, Greater, Less};

impl Table {
    pub(crate) fn check(&self, s: &mut State, c: &mut Caller) {
        let (n, index, home) = (c.op.n(), c.index, c.home as usize);
        let at = (home + c.i as usize) % self.cells as usize;
        match c.at {
            At::Own => {
                let share = s.memory.cells[home];
                let is_current = match self.wrong {
                    Wrong::OlderIsSpent => share.index != 0 && share.index <= index,
                    Wrong::IndexOfOneBit => share.index != 0 && share.index % 2 == index % 2,
                    _ => share.index == index,
                };
                let can = is_current && self.minus(share, n).is_some();
                (c.seen, c.at) = (share, if can { At::OwnExchange } else { At::Deny });
            }
            At::OwnExchange => {
                let cell = &mut s.memory.cells[home];
                if *cell == c.seen {
                    cell.left -= n;
                    self.admit(s, c);
                } else {
                    c.home = (c.home + 1) % self.cells;
                    c.at = At::Parent;
                }
            }
            At::Deny => {
                let parent = s.memory.parent;
                let denies = parent.index == index
                    && (!parent.marked || self.is(Wrong::MarkIgnored))
                    && parent.left < n;
                let unseen = self.is(Wrong::NoPass) && n > 1 && parent.index < index;
                if denies || unseen { self.deny(s, c, false) } else { c.at = At::Parent }
            }
            At::Parent => {
                c.parent = s.memory.parent;
                match c.parent.index.cmp(&index) {
                    Less => c.go_through(At::Pass),
                    Equal if c.parent.marked => match self.wrong {
                        Wrong::MarkIgnored => self.deny(s, c, false),
                        Wrong::Waits => {}
                        _ => c.go_through(At::Freeze),
                    },
                    Equal => c.at = At::Spend,
                    Greater => self.deny(s, c, true),
                }
            }
            At::Spend => {
                c.seen = s.memory.parent;
                self.spend(s, c);
            }
            At::SpendExchange => {
                let next = self.take(c.seen, index, n, 0).expect("it was seen");
                if self.replace(&mut s.memory, c.seen, next) {
                    self.admit(s, c);
                } else {
                    c.seen = s.memory.parent;
                    self.spend(s, c);
                }
            }
            At::Pass => {
                let (share, full) = (s.memory.cells[at], self.full(at));
                if self.take(share, index, n, full).is_some() {
                    (c.seen, c.at) = (share, At::PassExchange);
                } else {
                    c.sum += self.left_in(share, index, full);
                    c.late |= share.index > index;
                    self.passed(s, c);
                }
            }
            At::PassExchange => {
                let next = self.take(c.seen, index, n, self.full(at)).expect("it was seen");
                let cell = &mut s.memory.cells[at];
                if *cell == c.seen {
                    *cell = next;
                    self.admit(s, c);
                } else {
                    c.lost |= !self.is(Wrong::LostIsSpent);
                    self.passed(s, c);
                }
            }
            At::Mark => {
                self.replace(&mut s.memory, c.parent, Share::of(index, 0).marked());
                c.at = At::Parent;
            }
            At::WriteSpent => {
                if self.is(Wrong::SpentUncompared) {
                    s.memory.parent = Share::of(index, 0);
                    self.deny(s, c, false);
                } else if self.replace(&mut s.memory, c.parent, Share::of(index, 0)) {
                    self.deny(s, c, false);
                } else {
                    c.at = At::Parent;
                }
            }
            at => unreachable!("{at:?} is no step of a check"),
        }
    }

    fn admit(&self, s: &mut State, c: &mut Caller) {
        s.ghost.admit(c.index, c.op.n(), self.limit);
        c.at = At::Idle;
    }

    /// Decides by the parent that was seen.
    fn spend(&self, s: &mut State, c: &mut Caller) {
        if self.take(c.seen, c.index, c.op.n(), 0).is_some() {
            c.at = At::SpendExchange;
        } else {
            self.deny(s, c, c.seen.index != c.index);
        }
    }

    /// After each cell of a pass.
    fn passed(&self, s: &mut State, c: &mut Caller) {
        c.i += 1;
        if c.i < self.cells - u8::from(self.is(Wrong::SpentUnseen)) {
            c.at = At::Pass;
        } else if c.lost {
            c.go_through(At::Pass);
        } else if c.late && !matches!(self.wrong, Wrong::SpentThoughLate | Wrong::GathersPastLater)
        {
            self.deny(s, c, true);
        } else if c.sum >= c.op.n() {
            c.at = At::Mark;
        } else if c.late && self.is(Wrong::GathersPastLater) {
            self.deny(s, c, true);
        } else if c.sum > 0 {
            self.deny(s, c, false);
        } else {
            c.at = At::WriteSpent;
        }
    }
}
