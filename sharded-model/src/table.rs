//! A limiter and its callers, and what they share.

use crate::caller::{At, Caller};
use crate::ghost::{Fault, Ghost};
use crate::memory::{Memory, Share};
use crate::op::Op;
use crate::wrong::Wrong;

/// What a search begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Start {
    /// A limiter that nobody has asked.
    Fresh,
    /// Every state that operations make, one after another.
    AtRest,
}

#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) cells: u8,
    pub(crate) limit: u8,
    /// For each caller, how many operations it takes of which.
    pub(crate) programs: Vec<(u8, Vec<Op>)>,
    pub(crate) start: Start,
    pub(crate) wrong: Wrong,
    /// The one property that is looked at; otherwise all of them.
    pub(crate) only: Option<&'static str>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    pub(crate) memory: Memory,
    pub(crate) callers: Vec<Caller>,
    pub(crate) ghost: Ghost,
}

/// Steps that a caller needs alone, at most.
pub(crate) const ALONE: usize = 60;

impl Table {
    pub(crate) fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    /// The permits that a cell gets in each window.
    pub(crate) fn full(&self, cell: usize) -> u8 {
        self.limit / self.cells + u8::from((cell as u8) < self.limit % self.cells)
    }

    /// The word of a cell with `n` permits spent in window `index`.
    pub(crate) fn take(&self, share: Share, index: u8, n: u8, full: u8) -> Option<Share> {
        let share = match share.index.cmp(&index) {
            std::cmp::Ordering::Less => Share::of(index, full),
            std::cmp::Ordering::Equal => share,
            std::cmp::Ordering::Greater => return None,
        };
        self.minus(share, n)
    }

    pub(crate) fn minus(&self, share: Share, n: u8) -> Option<Share> {
        let may = !share.marked || self.is(Wrong::FrozenIsSpent);
        (may && n <= share.left).then(|| Share { left: share.left - n, ..share })
    }

    /// What a cell has left in window `index`.
    pub(crate) fn left_in(&self, share: Share, index: u8, full: u8) -> u8 {
        match share.index.cmp(&index) {
            std::cmp::Ordering::Less => full,
            std::cmp::Ordering::Equal => share.left,
            std::cmp::Ordering::Greater => 0,
        }
    }

    /// Puts `next` into the parent if that is still `seen`.
    pub(crate) fn replace(&self, memory: &mut Memory, seen: Share, next: Share) -> bool {
        let is_same = memory.parent == seen;
        if is_same {
            memory.parent = next;
        }
        is_same
    }

    pub(crate) fn begin(&self, op: Op, left: u8, home: u8) -> Caller {
        let at = match op {
            Op::Check { .. } => At::Own,
            Op::Refund { .. } if self.is(Wrong::RefundIntoCell) => At::RefundOwn,
            Op::TakeUpTo { .. } | Op::Refund { .. } => At::Change,
            Op::Reset => At::Newest,
            Op::Peek { .. } => At::PeekParent,
        };
        Caller::begin(op, left, home, at)
    }

    /// What every caller in a call learns of this instant.
    pub(crate) fn observe(&self, s: &mut State) {
        for c in s.callers.iter_mut().filter(|c| c.at != At::Idle) {
            let left = s.ghost.left(c.index, self.limit);
            match c.op {
                Op::Check { n, .. } => c.justified |= left < n,
                Op::Peek { .. } => (c.least, c.most) = (c.least.min(left), c.most.max(left)),
                _ => {}
            }
        }
    }

    /// One step of caller `i`. An answer leaves it idle.
    pub(crate) fn step(&self, s: &mut State, i: usize) {
        let mut c = s.callers[i];
        self.advance(s, &mut c);
        s.callers[i] = c;
        self.observe(s);
        if c.at == At::Idle {
            s.callers[i] = Caller::idle(c.left);
        }
    }

    fn advance(&self, s: &mut State, c: &mut Caller) {
        match c.at {
            At::Idle => {}
            At::Own
            | At::OwnExchange
            | At::Deny
            | At::Parent
            | At::Spend
            | At::SpendExchange
            | At::Pass
            | At::PassExchange
            | At::Mark
            | At::WriteSpent => self.check(s, c),
            _ => self.change(s, c),
        }
    }

    /// The end of a check that denies.
    pub(crate) fn deny(&self, s: &mut State, c: &mut Caller, is_late: bool) {
        // The last instant of the call.
        let left = s.ghost.left(c.index, self.limit);
        if is_late {
            if s.memory.newest() <= c.index {
                s.ghost.fail(Fault::NotLate);
            }
        } else if !c.justified && left >= c.op.n() {
            s.ghost.fail(Fault::Unjustified);
        }
        c.at = At::Idle;
    }

    /// Runs a caller until it is idle, if it comes to that.
    pub(crate) fn alone(&self, s: &State, i: usize) -> Option<State> {
        let mut s = s.clone();
        for _ in 0..ALONE {
            if s.callers[i].at == At::Idle {
                return Some(s);
            }
            self.step(&mut s, i);
        }
        None
    }
}
