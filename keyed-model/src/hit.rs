//! A key that has a slot, and the way there.

use crate::caller::{Answers, At, Caller, Then};
use crate::ghost::Fault;
use crate::memory::{Id, Owner, SLOTS, Word};
use crate::op::Op;
use crate::table::{State, Table};
use crate::wrong::Wrong;

impl Table {
    pub(crate) fn hit(&self, s: &mut State, c: &mut Caller) {
        let k = c.op.key();
        match c.at {
            At::Resolve => {
                self.resolve(s, c);
                c.carried = false;
                c.at = At::Find { i: 0 };
            }
            At::Find { i } => {
                if !self.quotas_change {
                    self.resolve(s, c);
                }
                let slot = Self::slot(k, i);
                let owner = s.memory.set.owners[slot as usize];
                if owner.tag == k && (c.op.tier().is_none() || owner.id == c.id()) {
                    c.at = At::LoadWord { slot, owner, rule: None };
                } else if i as usize + 1 == SLOTS {
                    self.absent(s, c);
                } else {
                    c.at = At::Find { i: i + 1 };
                }
            }
            At::LoadOwner { slot, as_found } => {
                let owner = s.memory.set.owners[slot as usize];
                let rule = as_found.then(|| s.memory.rule(owner.id));
                c.at = if owner.tag != k || !(as_found || owner.id == c.id()) {
                    At::LoadRecord { then: Then::Scan }
                } else if as_found && self.quotas_change && self.wrong != Wrong::RuleAfterWord {
                    At::ReadRule { slot, owner }
                } else {
                    At::LoadWord { slot, owner, rule }
                };
            }
            At::ReadRule { slot, owner } => {
                // Before the word: while the slot is the owner's, nobody writes over the rule.
                c.at = At::LoadWord { slot, owner, rule: Some(s.memory.rule(owner.id)) };
            }
            At::LoadWord { slot, owner, rule } => {
                let word = s.memory.set.words[slot as usize];
                let was = s.memory.rule(owner.id);
                let late = match rule {
                    Some(_) => self.wrong == Wrong::RuleAfterWord,
                    // A refund or reset exchanges the word in any case, which fails if the slot was handed on.
                    None => c.op.tier().is_none(),
                };
                if word.stamp != owner.stamp && self.wrong != Wrong::HitWithoutStamps {
                    self.in_transit(s, c);
                } else if late && self.quotas_change {
                    c.at = At::ReadRuleLate { slot, owner, word, was };
                } else if let Some(rule) = rule.or(late.then_some(was)) {
                    // Decided in another tier than was asked for.
                    c.could_be = Answers { yes: true, no: true };
                    Self::note_stale_in(s, c, owner.id, rule);
                    self.decide(s, c, slot, owner, word, rule);
                } else {
                    Self::note_stale(s, c);
                    if self.quotas_change && self.wrong != Wrong::HitLooksOnce {
                        c.at = At::SecondLook { slot, owner, word };
                    } else {
                        self.decide(s, c, slot, owner, word, c.rule);
                    }
                }
            }
            At::SecondLook { slot, owner, word } => {
                if s.memory.tiers[c.id().tier as usize].version == c.version {
                    self.decide(s, c, slot, owner, word, c.rule);
                } else {
                    c.at = At::Resolve;
                }
            }
            At::ReadRuleLate { slot, owner, word, was } => {
                let rule = s.memory.rule(owner.id);
                let (n, at) = c.op.asks();
                let fits = |rule| self.rule(rule).decide(word.state, n, at).is_some();
                if c.op.tier().is_some() && fits(was) && !fits(rule) {
                    s.ghost.fail(Fault::MixedRules);
                }
                self.decide(s, c, slot, owner, word, rule);
            }
            At::Exchange { slot, owner, word, rule } => {
                let found = s.memory.set.words[slot as usize];
                if found == word {
                    self.exchange(s, c, slot, owner, word, rule);
                } else if found.stamp != owner.stamp && self.wrong != Wrong::HitWithoutStamps {
                    self.in_transit(s, c);
                } else {
                    // The version needs no third look: while the stamp stays, so does the id.
                    Self::note_stale_in(s, c, owner.id, rule);
                    self.decide(s, c, slot, owner, found, rule);
                }
            }
            At::CancelFind { i, left, rule } => {
                let slot = Self::slot(k, i);
                if s.memory.set.owners[slot as usize].tag == k {
                    c.at = At::Cancel { slot, left, rule };
                } else if i as usize + 1 == SLOTS {
                    c.done(true);
                } else {
                    c.at = At::CancelFind { i: i + 1, left, rule };
                }
            }
            At::Cancel { slot, left, rule } => {
                self.cancel(s, c, slot, left, rule);
            }
            _ => unreachable!("not a hit's step"),
        }
    }

    pub(crate) fn resolve(&self, s: &State, c: &mut Caller) {
        if let Some(t) = c.op.tier() {
            let tier = s.memory.tiers[t as usize];
            c.version = tier.version;
            c.rule = s.memory.rule(Id { tier: t, parity: tier.parity() });
        }
    }

    /// For the properties: whether the caller decides by the rule of a tier that has changed.
    pub(crate) fn note_stale(s: &State, c: &mut Caller) {
        let tier = c.op.tier().map(|t| s.memory.tiers[t as usize]);
        c.stale = tier.is_some_and(|tier| c.version < tier.settled);
    }

    /// For the properties: whether this is not the rule of the owner's id, or the id is an old one.
    fn note_stale_in(s: &State, c: &mut Caller, id: Id, rule: u8) {
        let tier = s.memory.tiers[id.tier as usize];
        c.stale = rule != s.memory.rule(id) || (!tier.busy && id.parity != tier.parity());
    }

    /// The key was not found, as far as was looked.
    pub(crate) fn absent(&self, s: &mut State, c: &mut Caller) {
        match c.op {
            Op::Refund { .. } | Op::Reset { .. } => {
                if !c.excused && s.memory.set.holds(c.op.key()) {
                    s.ghost.fail(Fault::NoEffect);
                }
                c.done(true);
            }
            _ => c.at = At::LoadRecord { then: Then::Scan },
        }
    }

    /// The key's slot is being handed on, or has been.
    fn in_transit(&self, s: &mut State, c: &mut Caller) {
        match c.op {
            Op::Refund { .. } if self.wrong != Wrong::RefundGivesUp => {
                c.at = At::LoadRecord { then: Then::Find };
            }
            _ => self.absent(s, c),
        }
    }

    fn decide(&self, s: &mut State, c: &mut Caller, slot: u8, owner: Owner, word: Word, rule: u8) {
        let (n, at) = c.op.asks();
        let fits = self.rule(rule).decide(word.state, n, at).is_some();
        match c.op {
            Op::Peek { .. } => self.answer(s, c, fits),
            Op::Check { .. } | Op::Reserve { .. } if !fits => self.answer(s, c, false),
            _ => c.at = At::Exchange { slot, owner, word, rule },
        }
    }

    /// Returns what was decided without an exchange.
    pub(crate) fn answer(&self, s: &mut State, c: &mut Caller, answer: bool) {
        if c.stale {
            s.ghost.fail(Fault::OldRule);
        }
        let could_be = if answer { c.could_be.yes } else { c.could_be.no };
        if self.justified && !could_be {
            s.ghost.fail(Fault::Unjustified);
        }
        c.done(answer);
    }

    fn exchange(
        &self,
        s: &mut State,
        c: &mut Caller,
        slot: u8,
        owner: Owner,
        word: Word,
        rule: u8,
    ) {
        let (k, index) = (c.op.key(), rule);
        let (n, at) = c.op.asks();
        let rule = self.rule(index);
        Self::note_stale_in(s, c, owner.id, index);
        if c.stale {
            s.ghost.fail(Fault::OldRule);
        }
        let owed = s.ghost.owed(k);
        let next = match c.op {
            Op::Check { .. } | Op::Reserve { .. } => {
                s.ghost.admit(k, rule, n, at);
                rule.decide(word.state, n, at).expect("decided before")
            }
            Op::Charge { .. } => {
                *owed = rule.charge(*owed, n, at);
                rule.charge(word.state, n, at)
            }
            Op::Refund { .. } => {
                *owed = rule.refund(*owed, n);
                rule.refund(word.state, n)
            }
            _ => unreachable!("exchanges no word"),
        };
        let left = Word { state: next, unspent: false, ..word };
        s.memory.set.words[slot as usize] = left;
        match c.op {
            Op::Reserve { .. } if self.wrong == Wrong::CancelAnySlot => {
                c.at = At::CancelFind { i: 0, left, rule: index };
            }
            Op::Reserve { .. } => c.at = At::Cancel { slot, left, rule: index },
            _ => c.done(true),
        }
    }

    fn cancel(&self, s: &mut State, c: &mut Caller, slot: u8, left: Word, rule: u8) {
        let word = &mut s.memory.set.words[slot as usize];
        let same = match self.wrong {
            Wrong::CancelWithoutStamp => word.state == left.state,
            _ => *word == left,
        };
        if same {
            let (n, k) = (c.op.asks().0, c.op.key());
            word.state = self.rule(rule).refund(word.state, n);
            word.unspent = false;
            let own = self.rule(s.ghost.debts[k as usize].rule.unwrap_or(rule));
            let owed = s.ghost.owed(k);
            *owed = own.refund(*owed, n);
        }
        c.done(true);
    }
}
