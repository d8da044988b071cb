//! The limiter as a graph of states, and what must hold in each.

use crate::caller::{At, Caller};
use crate::ghost::{Fault, Ghost};
use crate::memory::Memory;
use crate::op::Op;
use crate::table::{Start, State, Table};
use explorer::{Model, Property};
use std::collections::HashSet;

/// Which caller takes a step, and the operation and its cell if it begins one.
pub(crate) type Action = (usize, Option<(Op, u8)>);

impl Model for Table {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let callers = self.programs.iter().map(|program| Caller::idle(program.0)).collect();
        let fresh = State { memory: Memory::default(), callers, ghost: Ghost::default() };
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
        if let Some((op, home)) = begin {
            self.enter(&mut s, i, op, home);
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
            Property::always("e effect", |_, s: &State| s.ghost.fault != Some(Fault::NoEffect)),
            Property::always("f peek", |_, s: &State| s.ghost.fault != Some(Fault::Peek)),
            Property::always("g conservation", Self::conserves),
        ];
        let is_looked_at =
            |property: &Property<Self>| self.only.is_none_or(|only| only == property.name);
        all.into_iter().filter(is_looked_at).collect()
    }
}

impl Table {
    /// What caller `i` can begin with.
    fn beginnings(&self, i: usize) -> impl Iterator<Item = (Op, u8)> {
        self.programs[i].1.iter().flat_map(move |&op| {
            let homes = if op.begins_at_a_cell() { self.cells } else { 1 };
            (0..homes).map(move |home| (op, home))
        })
    }

    fn enter(&self, s: &mut State, i: usize, op: Op, home: u8) {
        let mut c = self.begin(op, s.callers[i].left.saturating_sub(1), home);
        (c.least, c.newest) = (self.limit, s.memory.newest());
        s.callers[i] = c;
        self.observe(s);
    }

    /// Every state that the operations make, one after another.
    fn at_rest(&self, fresh: State) -> Vec<State> {
        let (mut seen, mut all) = (HashSet::from([fresh.clone()]), vec![fresh]);
        let mut next = 0;
        while let Some(s) = all.get(next).cloned() {
            next += 1;
            for i in 0..self.programs.len() {
                for (op, home) in self.beginnings(i) {
                    let (mut begun, left) = (s.clone(), s.callers[i].left);
                    self.enter(&mut begun, i, op, home);
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

    /// What is left of the newest window, in the cells or in the parent, is the limit less what was spent.
    fn conserves(&self, s: &State) -> bool {
        let (memory, index) = (&s.memory, s.memory.newest());
        let in_words = if memory.parent.index == index && !memory.parent.marked {
            memory.parent.left
        } else {
            let cells = memory.cells[..self.cells as usize].iter().enumerate();
            cells.map(|(at, &cell)| self.left_in(cell, index, self.full(at))).sum()
        };
        index == 0 || in_words == s.ghost.left(index, self.limit)
    }
}
