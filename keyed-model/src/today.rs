//! A protocol with one word a slot and no stamp. It seats a key twice, and the search must find that.
//!
//! Names are those of the table's own protocol.

use crate::ghost::{Fault, Ghost};
use crate::memory::SLOTS;
use crate::op::Op;
use crate::rule::Rule;
use explorer::{Model, Property};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Slot {
    tag: u8,
    state: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Record {
    count: u8,
    slot: u8,
    tag: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum At {
    Idle,
    Find { i: u8 },
    Exchange { slot: u8, seen: Slot },
    LoadRecord,
    Complete { record: Record, own: bool, step: Step },
    Scan { record: Record, i: u8, best: Option<(u8, u8)> },
    Verify { record: Record },
    Announce { record: Record, next: Record },
}

/// A step of completing a record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Step {
    Load,
    StillLast { seen: Slot },
    Raise { seen: Slot },
    HandOn { seen: Slot },
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Caller {
    at: At,
    op: Op,
    left: u8,
    answer: Option<bool>,
}

impl Caller {
    fn idle(left: u8) -> Self {
        Self { at: At::Idle, op: Op::Clear, left, answer: None }
    }

    fn done(&mut self, answer: bool) {
        self.at = At::Idle;
        self.answer = Some(answer);
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    slots: [Slot; SLOTS],
    record: Record,
    watermark: u8,
    callers: Vec<Caller>,
    ghost: Ghost,
}

#[derive(Clone, Debug)]
pub(crate) struct Today {
    pub(crate) rule: Rule,
    /// For each caller, how many operations it may begin, and which.
    pub(crate) programs: Vec<(u8, Vec<Op>)>,
}

impl Today {
    fn step(&self, s: &mut State, me: usize) {
        let mut c = s.callers[me].clone();
        let k = c.op.key();
        match c.at {
            At::Idle => unreachable!("an idle caller has no step"),
            At::Find { i } => {
                let slot = (k + i) % SLOTS as u8;
                let seen = s.slots[slot as usize];
                if seen.tag == k {
                    self.decide(&mut c, slot, seen);
                } else if i as usize + 1 < SLOTS && seen.tag != 0 {
                    c.at = At::Find { i: i + 1 };
                } else if let Op::Reset { .. } = c.op {
                    c.done(true);
                } else {
                    c.at = At::LoadRecord;
                }
            }
            At::Exchange { slot, seen } => {
                let found = s.slots[slot as usize];
                if found == seen {
                    s.slots[slot as usize].state = self.exchange(s, c.op, seen);
                    c.done(true);
                } else if found.tag == k {
                    self.decide(&mut c, slot, found);
                } else if let Op::Reset { .. } = c.op {
                    c.done(true);
                } else {
                    c.at = At::LoadRecord;
                }
            }
            At::LoadRecord => {
                let record = s.record;
                c.at = if record.count == 0 {
                    At::Scan { record, i: 0, best: None }
                } else {
                    At::Complete { record, own: false, step: Step::Load }
                };
            }
            At::Complete { record, own, step } => c.at = Self::complete(s, record, own, step),
            At::Scan { record, i, best } => self.scan(s, &mut c, record, i, best),
            At::Verify { record } => {
                if s.record == record {
                    c.done(false);
                } else {
                    c.at = At::Find { i: 0 };
                }
            }
            At::Announce { record, next } => {
                c.at = At::Find { i: 0 };
                if s.record == record {
                    s.record = next;
                    c.at = At::Complete { record: next, own: true, step: Step::Load };
                }
            }
        }
        s.callers[me] = c;
    }

    fn decide(&self, c: &mut Caller, slot: u8, seen: Slot) {
        let (n, at) = c.op.asks();
        match c.op {
            Op::Check { .. } if self.rule.decide(seen.state, n, at).is_none() => c.done(false),
            _ => c.at = At::Exchange { slot, seen },
        }
    }

    fn exchange(&self, s: &mut State, op: Op, seen: Slot) -> u8 {
        let (n, at) = op.asks();
        if let Op::Check { k, .. } = op {
            s.ghost.admit(k, self.rule, n, at);
            return self.rule.charge(seen.state, n, at);
        }
        *s.ghost.owed(op.key()) = 0;
        self.rule.refund(seen.state, u8::MAX / 8).max(s.watermark)
    }

    fn complete(s: &mut State, record: Record, own: bool, step: Step) -> At {
        let go = |step| At::Complete { record, own, step };
        let completed = if own { At::Find { i: 0 } } else { At::Scan { record, i: 0, best: None } };
        let found = s.slots[record.slot as usize];
        match step {
            Step::Load => go(Step::StillLast { seen: found }),
            Step::StillLast { seen } if seen.tag == record.tag || s.record != record => completed,
            Step::StillLast { seen } if seen.tag != 0 => go(Step::Raise { seen }),
            Step::StillLast { seen } => go(Step::HandOn { seen }),
            Step::Raise { seen } => {
                s.watermark = s.watermark.max(seen.state + 1);
                go(Step::HandOn { seen })
            }
            // Loads the watermark and exchanges the slot in one step: fewer interleavings than there are.
            Step::HandOn { seen } if found == seen => {
                s.slots[record.slot as usize] = Slot { tag: record.tag, state: s.watermark };
                completed
            }
            Step::HandOn { .. } => go(Step::StillLast { seen: found }),
        }
    }

    fn scan(&self, s: &State, c: &mut Caller, record: Record, i: u8, best: Option<(u8, u8)>) {
        let k = c.op.key();
        let slot = (k + i) % SLOTS as u8;
        let seen = s.slots[slot as usize];
        if seen.tag == k {
            c.at = At::Find { i: 0 };
            return;
        }
        let this = (if seen.tag == 0 { 0 } else { seen.state + 1 }, slot);
        let best = best.filter(|best| best.0 <= this.0).unwrap_or(this);
        if seen.tag != 0 && i as usize + 1 < SLOTS {
            c.at = At::Scan { record, i: i + 1, best: Some(best) };
            return;
        }
        let (n, at) = c.op.asks();
        let (owed, slot) = best;
        c.at = if self.rule.decide(s.watermark.max(owed), n, at).is_none() {
            At::Verify { record }
        } else {
            At::Announce { record, next: Record { count: record.count + 1, slot, tag: k } }
        };
    }
}

impl Model for Today {
    type State = State;
    type Action = (usize, Option<Op>);

    fn init_states(&self) -> Vec<State> {
        vec![State {
            slots: Default::default(),
            record: Record::default(),
            watermark: 0,
            callers: self.programs.iter().map(|p| Caller::idle(p.0)).collect(),
            ghost: Ghost::default(),
        }]
    }

    fn actions(&self, s: &State, out: &mut Vec<Self::Action>) {
        for (i, c) in s.callers.iter().enumerate() {
            match c.at {
                At::Idle if c.left > 0 => {
                    out.extend(self.programs[i].1.iter().map(|&op| (i, Some(op))));
                }
                At::Idle => {}
                _ => out.push((i, None)),
            }
        }
    }

    fn next_state(&self, s: &State, (i, op): Self::Action) -> Option<State> {
        let mut s = s.clone();
        if let Some(op) = op {
            let c = &mut s.callers[i];
            *c = Caller { at: At::Find { i: 0 }, op, ..Caller::idle(c.left - 1) };
        }
        self.step(&mut s, i);
        if s.callers[i].at == At::Idle {
            s.callers[i] = Caller::idle(s.callers[i].left);
        }
        Some(s)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a sound", |_, s: &State| s.ghost.fault != Some(Fault::OverAdmission)),
            Property::always("b one slot a key", |_, s: &State| {
                s.slots[0].tag == 0 || s.slots[0].tag != s.slots[1].tag
            }),
        ]
    }
}
