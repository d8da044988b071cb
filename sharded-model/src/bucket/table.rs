//! A limiter and its callers, and what they share.

use super::caller::{At, Caller};
use super::ghost::{Fault, Ghost};
use super::memory::{Memory, take};
use super::wrong::Wrong;

/// What a search begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Start {
    /// A limiter that nobody has asked: all cells are full.
    Fresh,
    /// Every state that checks make, one after another.
    AtRest,
}

#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) cells: u8,
    /// The permits of a lease.
    pub(crate) lease: u8,
    /// The burst of the parent.
    pub(crate) burst: u8,
    /// For each caller, how many checks it makes, at which timestamps.
    pub(crate) programs: Vec<(u8, Vec<u8>)>,
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

    /// What all cells can hold.
    pub(crate) fn most_held(&self) -> u8 {
        self.cells * self.lease
    }

    /// The burst of the whole.
    pub(crate) fn whole(&self) -> u8 {
        self.burst + self.most_held()
    }

    pub(crate) fn take(&self, word: u8, n: u8, now: u8) -> Option<u8> {
        let burst = if self.is(Wrong::WholeBurst) { self.whole() } else { self.burst };
        take(word, n, now, burst)
    }

    /// Whether a caller at `now` has nothing to hope for: no permit that it may spend is in a cell or on its way to one,
    /// and the parent has none. A cell with a lease at a later timestamp counts as late.
    pub(crate) fn is_dry(&self, s: &State, now: u8) -> bool {
        let cells = s.memory.cells.iter().zip(s.ghost.way);
        let mut held = cells.filter(|(cell, way)| cell.since <= now && cell.held.permits + way > 0);
        held.next().is_none() && self.take(s.memory.parent.word, 1, now).is_none()
    }

    /// What every caller in a call learns of this instant.
    pub(crate) fn observe(&self, s: &mut State) {
        for i in 0..s.callers.len() {
            let c = s.callers[i];
            if c.at != At::Idle && !c.is_justified {
                s.callers[i].is_justified = self.is_dry(s, c.now);
            }
        }
    }

    pub(crate) fn enter(&self, s: &mut State, i: usize, now: u8, home: u8) {
        let left = s.callers[i].left.saturating_sub(1);
        s.callers[i] = Caller::begin(now, left, home, At::Held);
        self.observe(s);
    }

    /// One step of caller `i`. An answer leaves it idle.
    pub(crate) fn step(&self, s: &mut State, i: usize) {
        let mut c = s.callers[i];
        self.check(s, &mut c);
        s.callers[i] = c;
        self.observe(s);
        if c.at == At::Idle {
            s.callers[i] = Caller::idle(c.left);
        }
    }

    /// The end of a check that denies.
    pub(crate) fn deny(&self, s: &mut State, c: &mut Caller, is_late: bool) {
        if is_late {
            if s.memory.cells.iter().all(|cell| cell.since <= c.now) {
                s.ghost.fail(Fault::NotLate);
            }
        } else if !c.is_justified && !self.is_dry(s, c.now) {
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
