//! The limiter as a graph of states, and what must hold in each.

use super::caller::{At, Caller};
use super::ghost::{Fault, Ghost};
use super::memory::{Held, Memory, Stock};
use super::table::{Start, State, Table};
use explorer::{Model, Property};
use std::collections::HashSet;

/// Which caller takes a step, and the timestamp and the cell if it begins a check.
pub(crate) type Action = (usize, Option<(u8, u8)>);

impl Model for Table {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let callers = self.programs.iter().map(|program| Caller::idle(program.0)).collect();
        let (mut memory, mut ghost) = (Memory::default(), Ghost::default());
        let full = Held { stamp: 1, permits: self.lease };
        memory.cells[..self.cells as usize].fill(Stock { held: full, since: 0, until: 0 });
        ghost.leased = self.most_held();
        let fresh = State { memory, callers, ghost };
        match self.start {
            Start::Fresh => vec![fresh],
            Start::AtRest => self.at_rest(fresh),
        }
    }

    fn actions(&self, s: &State, out: &mut Vec<Action>) {
        for (i, c) in s.callers.iter().enumerate() {
            match c.at {
                At::Idle if c.left > 0 => {
                    out.extend(self.beginnings(i).map(|begin| (i, Some(begin))));
                }
                At::Idle => {}
                _ => out.push((i, None)),
            }
        }
    }

    fn next_state(&self, s: &State, (i, begin): Action) -> Option<State> {
        if s.ghost.fault.is_some() {
            return None;
        }
        let mut s = s.clone();
        if let Some((now, home)) = begin {
            self.enter(&mut s, i, now, home);
        }
        self.step(&mut s, i);
        // Which of several callers with the same program is which makes no difference.
        let mut from = 0;
        for group in self.programs.chunk_by(|a, b| a.1 == b.1) {
            s.callers[from..from + group.len()].sort_unstable();
            from += group.len();
        }
        Some(s)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let all = vec![
            Property::always("a bound", |_, s: &State| s.ghost.fault != Some(Fault::OverAdmission)),
            Property::always("b denials", |_, s: &State| s.ghost.fault != Some(Fault::Unjustified)),
            Property::always("c late", |_, s: &State| s.ghost.fault != Some(Fault::NotLate)),
            Property::always("d ends alone", |m: &Self, s: &State| {
                (0..s.callers.len()).all(|i| m.alone(s, i).is_some())
            }),
            Property::always("g conservation", Self::conserves),
        ];
        let is_looked_at =
            |property: &Property<Self>| self.only.is_none_or(|only| only == property.name);
        all.into_iter().filter(is_looked_at).collect()
    }
}

impl Table {
    /// What caller `i` can begin with.
    fn beginnings(&self, i: usize) -> impl Iterator<Item = (u8, u8)> {
        let times = self.programs[i].1.iter();
        times.flat_map(|&now| (0..self.cells).map(move |home| (now, home)))
    }

    /// Every state that the checks make, one after another.
    fn at_rest(&self, fresh: State) -> Vec<State> {
        let (mut seen, mut all) = (HashSet::from([fresh.clone()]), vec![fresh]);
        let mut next = 0;
        while let Some(s) = all.get(next).cloned() {
            next += 1;
            for i in 0..self.programs.len() {
                for (now, home) in self.beginnings(i) {
                    let (mut begun, left) = (s.clone(), s.callers[i].left);
                    self.enter(&mut begun, i, now, home);
                    let Some(mut ended) = self.alone(&begun, i) else { continue };
                    ended.callers[i] = Caller::idle(left);
                    if ended.ghost.fault.is_none() && seen.insert(ended.clone()) {
                        all.push(ended);
                    }
                }
            }
        }
        all
    }

    /// What was leased and not spent is in a cell or on its way, and the parent names the way. No cell has more than a
    /// lease, with what is on its way to it.
    fn conserves(&self, s: &State) -> bool {
        let (memory, ghost) = (&s.memory, &s.ghost);
        let lease = memory.parent.lease;
        let mut cells = memory.cells.iter().zip(ghost.way).enumerate();
        let sum: u8 = memory.cells.iter().map(|cell| cell.held.permits).sum();
        sum + ghost.way.iter().sum::<u8>() == ghost.leased
            && cells.all(|(at, (cell, way))| {
                let is_named = at == lease.at as usize && cell.held.stamp == lease.stamp;
                cell.held.permits + way <= self.lease && way == u8::from(is_named) * self.lease
            })
    }
}
