//! The table as a graph of states, and what must hold in each.

use crate::caller::{At, Caller};
use crate::ghost::{Debt, Fault, Ghost};
use crate::memory::{Id, KEYS, Kind, Memory, Owner, SLOTS};
use crate::op::Op;
use crate::table::{Start, State, Table};
use crate::wrong::Wrong;
use explorer::{Model, Property};

/// Which caller takes a step, and the operation if it begins one.
pub(crate) type Action = (usize, Option<Op>);

impl Model for Table {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut memory = Memory::default();
        for (t, tier) in memory.tiers.iter_mut().enumerate() {
            tier.rules = [t as u8; 2];
        }
        let callers = self.programs.iter().map(|p| Caller::idle(p.0)).collect();
        let empty = State { memory, callers, ghost: Ghost::default() };
        let most = match self.from {
            Start::Empty => return vec![empty],
            Start::With(keys) => {
                let owner = |(tag, tier, _)| Owner { tag, id: Id { tier, parity: 0 }, stamp: 0 };
                return vec![at_rest(&empty, keys.map(owner), keys.map(|key| key.2), 0, 0)];
            }
            Start::AtRest(most) => most,
        };
        let mut all = Vec::new();
        let owners: Vec<Owner> = std::iter::once(Owner::default())
            .chain((1..=KEYS as u8).flat_map(|tag| {
                (0..self.tiers).map(move |tier| Owner { tag, id: Id { tier, parity: 0 }, stamp: 0 })
            }))
            .collect();
        for &a in &owners {
            for &b in &owners {
                // No key passes an unused slot.
                let passed =
                    (b.tag == 0 && a.tag % 2 == 1) || (a.tag == 0 && b.tag != 0 && b.tag % 2 == 0);
                if passed || (a.tag != 0 && a.tag == b.tag) {
                    continue;
                }
                let upto = |owner: Owner| 0..=if owner.tag == 0 { 0 } else { most };
                for instant in 0..=most {
                    for x in upto(a) {
                        for y in upto(b) {
                            for unspent in 0..4 {
                                if (a.tag == 0 && unspent & 1 != 0)
                                    || (b.tag == 0 && unspent & 2 != 0)
                                {
                                    continue;
                                }
                                let mark = self.rule(0).time(instant);
                                let can = |owner: Owner, state: u8| {
                                    let rule = self.rule(owner.id.tier);
                                    let least = rule.units_of(mark);
                                    let one = self.tiers == 1 && !self.quotas_change;
                                    if one { state == least } else { state <= least }
                                };
                                if (unspent & 1 != 0 && !can(a, x))
                                    || (unspent & 2 != 0 && !can(b, y))
                                {
                                    continue;
                                }
                                let mut s = at_rest(
                                    &empty,
                                    [a, b],
                                    [x, y],
                                    instant,
                                    self.rule(0).time(instant),
                                );
                                s.memory.set.words[0].unspent = unspent & 1 != 0;
                                s.memory.set.words[1].unspent = unspent & 2 != 0;
                                all.push(s);
                            }
                        }
                    }
                }
            }
        }
        all
    }

    fn actions(&self, s: &State, out: &mut Vec<Action>) {
        for (i, c) in s.callers.iter().enumerate() {
            match c.at {
                At::Idle if c.left > 0 => {
                    let may = |op: &Op| match *op {
                        Op::SetQuota { t, .. } => {
                            !s.memory.tiers[t as usize].busy
                                || self.wrong == Wrong::QuotaOverwritten
                        }
                        _ => true,
                    };
                    let ops = self.programs[i].1.iter().copied().filter(may);
                    out.extend(ops.map(|op| (i, Some(op))));
                }
                At::Idle => {}
                _ => out.push((i, None)),
            }
        }
    }

    fn next_state(&self, s: &State, (i, op): Action) -> Option<State> {
        if s.ghost.fault.is_some() || s.memory.set.record.count > self.records {
            return None;
        }
        let mut s = s.clone();
        if let Some(op) = op {
            s.callers[i] = self.begin(op, s.callers[i].left - 1);
            self.justify(&mut s);
        }
        self.step(&mut s, i);
        self.justify(&mut s);
        if s.callers[i].at == At::Idle {
            s.callers[i] = Caller::idle(s.callers[i].left);
        }
        // Which of several callers with the same program is which makes no difference.
        let mut from = 0;
        for group in self.programs.chunk_by(|a, b| a.1 == b.1) {
            s.callers[from..from + group.len()].sort_unstable();
            from += group.len();
        }
        Some(s)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a sound", |_, s: &State| s.ghost.fault != Some(Fault::OverAdmission)),
            Property::always("a covered", |m: &Self, s: &State| m.covered(s)),
            Property::always("b one slot a key", |_, s: &State| {
                let [a, b] = s.memory.set.owners;
                a.tag == 0 || a.tag != b.tag
            }),
            Property::always("c ends alone", |m: &Self, s: &State| {
                !m.ends_alone || (0..s.callers.len()).all(|i| m.alone(s, i).is_some())
            }),
            Property::always("c few records", |m: &Self, s: &State| {
                s.memory.set.record.count <= m.records
            }),
            Property::always("d no dropped debt", |m: &Self, s: &State| {
                s.ghost.fault != Some(Fault::ForgivenDebt) && {
                    let w = s.memory.set.watermark;
                    m.rule(s.memory.rule(w.id)).time(w.state) <= s.ghost.most
                }
            }),
            Property::always("e peek agrees with check", |m: &Self, s: &State| {
                m.compared.iter().all(|&at| m.peek_agrees(s, at))
            }),
            Property::always("f no old rule", |_, s: &State| {
                !matches!(s.ghost.fault, Some(Fault::OldRule | Fault::MixedRules)) && no_old_id(s)
            }),
            Property::always("g clear clears", |_, s: &State| {
                s.ghost.fault != Some(Fault::NotCleared)
            }),
            Property::always("i answers are justified", |_, s: &State| {
                s.ghost.fault != Some(Fault::Unjustified)
            }),
            Property::always("h refund and reset have effect", |_, s: &State| {
                s.ghost.fault != Some(Fault::NoEffect)
            }),
        ]
    }
}

/// A set in which every key has as much outstanding as the table lets it: a key with less is only
/// safer.
fn at_rest(
    empty: &State,
    owners: [Owner; SLOTS],
    states: [u8; SLOTS],
    mark: u8,
    instant: u8,
) -> State {
    let mut s = empty.clone();
    s.memory.set.watermark.state = mark;
    s.ghost.most = instant;
    for k in 1..=KEYS {
        s.ghost.debts[k] = Debt { rule: None, owed: instant };
    }
    for (slot, (owner, state)) in owners.into_iter().zip(states).enumerate() {
        s.memory.set.owners[slot] = owner;
        s.memory.set.words[slot].state = state;
        if owner.tag != 0 {
            let rule = Some(s.memory.rule(owner.id));
            s.ghost.debts[owner.tag as usize] = Debt { rule, owed: state };
        }
    }
    s
}

/// After `set_quota` has returned, no owner is measured by the old rule.
fn no_old_id(s: &State) -> bool {
    s.memory.set.owners.iter().all(|owner| {
        let tier = s.memory.tiers[owner.id.tier as usize];
        owner.tag == 0 || tier.busy || owner.id.parity == tier.parity()
    })
}

impl Table {
    /// Every key has at least as much outstanding as it would alone.
    fn covered(&self, s: &State) -> bool {
        let set = &s.memory.set;
        let frozen = match set.record.kind {
            Kind::Seat { slot, id, .. } if set.in_transit(slot as usize) => {
                self.rule(s.memory.rule(id)).time(set.words[slot as usize].state)
            }
            _ => 0,
        };
        (1..=KEYS as u8).all(|k| {
            let debt = s.ghost.debts[k as usize];
            match debt.rule {
                None => {
                    debt.owed
                        <= self
                            .rule(s.memory.rule(set.watermark.id))
                            .time(set.watermark.state)
                            .max(frozen)
                }
                Some(_) => {
                    (0..SLOTS).any(|i| set.owners[i].tag == k && debt.owed <= set.words[i].state)
                }
            }
        })
    }

    fn peek_agrees(&self, s: &State, at: u8) -> bool {
        (1..=KEYS as u8).all(|k| {
            (0..self.tiers).all(|t| {
                self.ask(s, Op::Peek { k, at, t }) == self.ask(s, Op::Check { k, n: 1, at, t })
            })
        })
    }
}
