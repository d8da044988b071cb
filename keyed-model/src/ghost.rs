//! What each key would have outstanding in a limiter of its own, which forgets nothing.

use crate::memory::KEYS;
use crate::rule::Rule;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Fault {
    /// More was admitted than the quota allows.
    OverAdmission,
    /// A new key is charged for what no key had outstanding when it was evicted.
    ForgivenDebt,
    /// A rule decided after the `set_quota` that replaced it had returned.
    OldRule,
    /// A denial by a rule that the state is not counted in.
    MixedRules,
    /// A denial, or a peek's answer, that was not right at any instant of the call.
    Unjustified,
    /// A clear returned and had not cleared.
    NotCleared,
    /// A refund or reset returned without effect, and its key was in the table all the while.
    NoEffect,
}

/// The state that a key would have alone: by a rule while it has a slot, as an instant while it has none.
///
/// So a key that was evicted and returns in another tier waits for the time until its debt is
/// repaid, by design.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Debt {
    pub(crate) rule: Option<u8>,
    pub(crate) owed: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Ghost {
    pub(crate) debts: [Debt; KEYS + 1],
    /// The latest instant until which any key had something outstanding when it was evicted.
    pub(crate) most: u8,
    pub(crate) fault: Option<Fault>,
}

impl Ghost {
    pub(crate) fn fail(&mut self, fault: Fault) {
        self.fault = self.fault.or(Some(fault));
    }

    pub(crate) fn owed(&mut self, k: u8) -> &mut u8 {
        &mut self.debts[k as usize].owed
    }

    /// Key `k` is admitted `n` permits.
    pub(crate) fn admit(&mut self, k: u8, rule: Rule, n: u8, at: u8) {
        let owed = self.owed(k);
        match rule.decide(*owed, n, at) {
            Some(next) => *owed = next,
            None => self.fail(Fault::OverAdmission),
        }
    }

    /// Key `k` gets a slot.
    pub(crate) fn seat(&mut self, k: u8, rules: &[Rule], to: u8) {
        let debt = &mut self.debts[k as usize];
        if debt.rule.is_none() {
            debt.owed = rules[to as usize].units_of(debt.owed);
        }
        debt.rule = Some(to);
    }

    /// Key `k` loses its slot.
    pub(crate) fn evict(&mut self, k: u8, rules: &[Rule]) {
        let debt = &mut self.debts[k as usize];
        if let Some(rule) = debt.rule.take() {
            debt.owed = rules[rule as usize].time(debt.owed);
        }
    }

    /// Key `k` stays and changes its rule.
    pub(crate) fn carry(&mut self, k: u8, rules: &[Rule], to: u8, at: u8) {
        let debt = &mut self.debts[k as usize];
        if let Some(rule) = debt.rule {
            debt.owed = rules[rule as usize].carry(debt.owed, rules[to as usize], at);
            debt.rule = Some(to);
        }
    }

    /// The debt of key `k` is dropped.
    pub(crate) fn forgive(&mut self, k: u8) {
        self.debts[k as usize] = Debt::default();
    }
}
