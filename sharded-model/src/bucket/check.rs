//! A check: `bucket/decide.rs` and `stock.rs`, step by step.

use super::caller::{At, Caller, For};
use super::memory::{Held, Lease, Parent};
use super::table::{State, Table};
use super::wrong::Wrong;

impl Table {
    pub(crate) fn check(&self, s: &mut State, c: &mut Caller) {
        let at = self.asked(c);
        let cell = &mut s.memory.cells[at];
        match c.at {
            At::Idle => {}
            At::Held => {
                c.seen = cell.held;
                if c.seen.permits == 0 {
                    self.found_empty(s, c);
                } else {
                    c.at = At::Since;
                }
            }
            At::Since => {
                if c.now < cell.since && !self.is(Wrong::OlderIsSpent) {
                    self.found_late(s, c);
                } else {
                    c.at = At::Until;
                }
            }
            At::Until => {
                if c.now < cell.until && self.is(Wrong::LateByUntil) {
                    self.found_late(s, c);
                    return;
                }
                let skips = match self.wrong {
                    Wrong::SpentThenRaised => true,
                    Wrong::NearIsSkipped => c.now <= cell.until + 2,
                    _ => false,
                };
                c.at = if cell.until < c.now && !skips { At::Raise } else { At::Exchange };
            }
            At::Raise => {
                if cell.until < c.now {
                    let is_short = c.now < cell.until + c.seen.permits;
                    cell.until = c.now + if is_short { c.seen.permits - 1 } else { 0 };
                } else if self.is(Wrong::Stored) {
                    cell.until = c.now;
                }
                c.at = At::Exchange;
            }
            At::Exchange => {
                if cell.held == c.seen {
                    cell.held.permits -= 1;
                    s.ghost.leased -= 1;
                    s.ghost.admit(c.now, self.whole());
                    let raises = self.is(Wrong::SpentThenRaised);
                    (c.lease.at, c.at) = (at as u8, if raises { At::RaiseLate } else { At::Idle });
                } else {
                    self.lost(s, c);
                }
            }
            At::Dry => {
                if self.take(s.memory.dry, 1, c.now).is_none() {
                    self.deny(s, c, false);
                } else {
                    c.begin_again();
                }
            }
            At::Parent => {
                c.parent = s.memory.parent;
                let stranger = self.is(Wrong::NoHelp) || self.is(Wrong::Unnamed);
                if stranger {
                    self.settled(c);
                } else {
                    (c.lease, c.why, c.at) = (c.parent.lease, For::Own, At::Done);
                }
            }
            At::Done => {
                if s.memory.done == c.lease {
                    self.completed(c);
                } else {
                    if self.is(Wrong::DoneEarly) {
                        s.memory.done = c.lease;
                    }
                    c.at = At::Complete;
                }
            }
            At::Complete | At::CompleteExchange => self.complete(s, c),
            At::StoreDone => {
                s.memory.done = c.lease;
                self.completed(c);
            }
            At::Prepare => {
                if cell.until <= c.now {
                    let raises = !self.is(Wrong::LeasedThenRaised);
                    c.at = if raises { At::PrepareRaise } else { At::Replace };
                } else {
                    self.without_lease(c);
                }
            }
            At::PrepareRaise => {
                if cell.since <= c.now {
                    cell.since = c.now;
                    c.at = At::Replace;
                } else {
                    self.without_lease(c);
                }
            }
            At::Replace => self.replace(s, c),
            At::Confirm => {
                if s.memory.parent != c.parent {
                    c.begin_again();
                } else {
                    self.passed(s, c);
                }
            }
            At::RaiseDry => {
                s.memory.dry = s.memory.dry.max(c.parent.word);
                self.deny(s, c, false);
            }
            At::RaiseLate => {
                let cell = &mut s.memory.cells[c.lease.at as usize];
                let goes_on = self.is(Wrong::LeasedThenRaised);
                let late = if goes_on { &mut cell.since } else { &mut cell.until };
                *late = (*late).max(c.now);
                (c.why, c.at) = (For::Lease, if goes_on { At::Done } else { At::Idle });
            }
        }
    }

    /// The cell that it asks.
    fn asked(&self, c: &Caller) -> usize {
        let on = if c.why == For::Pass { c.i } else { 0 };
        ((c.home + on) % self.cells) as usize
    }

    fn found_empty(&self, s: &mut State, c: &mut Caller) {
        match c.why {
            For::Alone => {
                c.empty_at = self.is(Wrong::CellBeforeParent).then_some(c.seen.stamp);
                c.at = At::Dry;
            }
            For::Pass => self.pass_on(s, c),
            _ => self.by_parent(c, true),
        }
    }

    fn found_late(&self, s: &mut State, c: &mut Caller) {
        match c.why {
            For::Alone => c.at = At::Parent,
            For::Pass => {
                c.is_late = true;
                self.pass_on(s, c);
            }
            _ if self.is(Wrong::LateIsEmpty) => self.by_parent(c, true),
            _ => {
                self.move_on(c);
                self.by_parent(c, false);
            }
        }
    }

    /// To the next cell.
    fn move_on(&self, c: &mut Caller) {
        c.home = (c.home + 1) % self.cells;
    }

    fn lost(&self, s: &mut State, c: &mut Caller) {
        if c.why == For::Pass && self.is(Wrong::LostIsEmpty) {
            return self.pass_on(s, c);
        }
        if c.why == For::Own {
            self.move_on(c);
        }
        c.begin_again();
    }

    /// The parent was loaded, and its lease is complete.
    fn settled(&self, c: &mut Caller) {
        c.why = For::Own;
        match c.empty_at.take() {
            Some(stamp) => {
                c.seen = Held { stamp, permits: 0 };
                self.by_parent(c, true);
            }
            None => c.at = At::Held,
        }
    }

    /// Its own cell has nothing for it. It may lease if that was empty.
    fn by_parent(&self, c: &mut Caller, was_empty: bool) {
        let Some(word) = self.take(c.parent.word, 1, c.now) else {
            (c.why, c.i, c.is_late, c.at) = (For::Pass, 0, false, At::Held);
            return;
        };
        match self.take(word, self.lease, c.now).filter(|_| was_empty) {
            Some(word) => {
                let lease = Lease { at: c.home, stamp: c.seen.stamp };
                c.next = Parent { word, lease };
                let looks = !self.is(Wrong::Unprepared);
                c.at = if looks { At::Prepare } else { At::PrepareRaise };
            }
            None => {
                c.next = Parent { word, ..c.parent };
                c.at = At::Replace;
            }
        }
    }

    /// The cell gets no lease.
    fn without_lease(&self, c: &mut Caller) {
        self.move_on(c);
        c.next.lease = c.parent.lease;
        c.next.word = self.take(c.parent.word, 1, c.now).expect("it was had");
        c.at = At::Replace;
    }

    fn replace(&self, s: &mut State, c: &mut Caller) {
        if s.memory.parent != c.parent {
            c.begin_again();
            return;
        }
        // The word tells: with a lease it grows by more.
        let leases = self.take(c.parent.word, 1, c.now) != Some(c.next.word);
        s.memory.parent = c.next;
        if self.is(Wrong::Unnamed) {
            s.memory.parent.lease = c.parent.lease;
        }
        s.ghost.admit(c.now, self.whole());
        c.lease = c.next.lease;
        if leases {
            s.ghost.leased += self.lease;
            s.ghost.way[c.lease.at as usize] += self.lease;
        }
        let raises = leases && self.is(Wrong::LeasedThenRaised);
        (c.why, c.at) = (For::Lease, if raises { At::RaiseLate } else { At::Done });
    }

    /// Puts the lease into its cell, unless somebody has.
    fn complete(&self, s: &mut State, c: &mut Caller) {
        let cell = &mut s.memory.cells[c.lease.at as usize];
        if c.at == At::Complete {
            c.seen = cell.held;
            let is_same = match self.wrong {
                Wrong::StampUncompared => c.seen.permits == 0,
                _ => c.seen.stamp == c.lease.stamp,
            };
            if is_same && self.is(Wrong::Waits) && c.why == For::Own {
                c.begin_again();
                return;
            }
            if is_same {
                c.at = At::CompleteExchange;
                return;
            }
        } else if cell.held == c.seen {
            let stamp = c.seen.stamp + 1;
            let stamp = if self.is(Wrong::StampOfOneBit) { stamp % 2 } else { stamp };
            cell.held = Held { stamp, permits: self.lease };
            s.ghost.way[c.lease.at as usize] = 0;
        } else {
            c.at = At::Complete;
            return;
        }
        c.at = At::StoreDone;
    }

    /// The lease is complete.
    fn completed(&self, c: &mut Caller) {
        if c.why == For::Lease {
            c.at = At::Idle;
        } else {
            self.settled(c);
        }
    }

    /// To the next cell of a pass.
    fn pass_on(&self, s: &mut State, c: &mut Caller) {
        c.i += 1;
        c.at = if c.i < self.cells - u8::from(self.is(Wrong::DryUnseen)) {
            At::Held
        } else if self.is(Wrong::Unconfirmed) {
            return self.passed(s, c);
        } else {
            At::Confirm
        };
    }

    fn passed(&self, s: &mut State, c: &mut Caller) {
        if c.is_late && !self.is(Wrong::DryThoughLate) {
            self.deny(s, c, true);
        } else {
            c.at = At::RaiseDry;
        }
    }
}
