//! A keyed limiter beside a map of exact references, one for each key.

use crate::answers::numbers;
use crate::exact::{Exact, State};
use crate::given::{Kind, TOLD, at};
use crate::ops::{Call, Op};
use casgate::clock::Clock;
use casgate::{Allowance, KeyedLimiter};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::time::Duration;

/// A tier, as it is kept: the quota that its units come from, and what is allowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tier {
    pub(crate) exact: Exact,
    pub(crate) allowance: Allowance,
}

/// A keyed limiter in which all keys fit, and what each key must be.
pub(crate) struct Beside<C, S> {
    pub(crate) keyed: KeyedLimiter<C, S>,
    pub(crate) kind: Kind,
    pub(crate) tiers: Vec<Tier>,
    /// Each key's tier and state; `None` once it is out of range.
    pub(crate) keys: HashMap<u64, (u16, Option<State>)>,
    /// When the last denied request was due.
    pub(crate) due: Option<u64>,
}

impl<C: Clock, S: BuildHasher> Beside<C, S> {
    pub(crate) fn new(keyed: KeyedLimiter<C, S>, kind: Kind, quotas: &[casgate::Quota]) -> Self {
        let tier = |&quota| Tier { exact: Exact::new(kind, quota), allowance: quota.into() };
        let tiers = quotas.iter().map(tier).collect();
        Self { keyed, kind, tiers, keys: HashMap::new(), due: None }
    }

    pub(crate) fn quota(&self, tier: u16) -> casgate::Quota {
        self.tiers[usize::from(tier)].exact.quota
    }

    pub(crate) fn clear(&mut self) {
        self.keyed.clear();
        self.keys.clear();
    }

    pub(crate) fn set_quota(&mut self, tier: u16, allowance: Allowance, now: u64) {
        self.keyed.set_quota_at(tier, allowance, at(now)).expect("a quota that fits");
        let own = &mut self.tiers[usize::from(tier)];
        own.allowance = allowance;
        let Allowance::Quota(quota) = allowance else { return };
        let (before, after) = (own.exact, Exact::new(self.kind, quota));
        own.exact = after;
        if before.quota == after.quota {
            return;
        }
        for (_, (its, state)) in self.keys.iter_mut().filter(|(_, (its, _))| *its == tier) {
            let _ = its;
            *state = state.map(|state| before.carry(state, &after, now));
        }
    }

    /// What the key has in that tier, if it came with it now.
    fn carried(&self, key: u64, tier: u16, now: u64) -> Option<State> {
        let exact = self.tiers[usize::from(tier)].exact;
        match self.keys.get(&key) {
            None => Some(exact.full()),
            Some((its, state)) if *its == tier => *state,
            Some((its, state)) => {
                let from = self.tiers[usize::from(*its)].exact;
                state.map(|state| from.carry(state, &exact, now))
            }
        }
    }

    pub(crate) fn call(&mut self, (key, tier, op, step): Call, now: &mut u64) -> TestCaseResult {
        *now = step.follow(self.quota(tier), *now, self.due).min(TOLD / 2);
        self.due = None;
        self.step(key, tier, op, *now)
    }

    pub(crate) fn step(&mut self, key: u64, tier: u16, op: Op, now: u64) -> TestCaseResult {
        let Tier { exact, allowance } = self.tiers[usize::from(tier)];
        let before = self.carried(key, tier, now);
        self.looks(key, tier, before, now)?;
        if !matches!(allowance, Allowance::Quota(_)) {
            return self.step_without_quota(key, tier, op, now);
        }
        let view = self.keyed.key(&key).tier(tier);
        let left = view.peek_at(at(now)).remaining();
        let after = match op {
            Op::Check(0) | Op::Take(0) | Op::Charge(0) | Op::Reserve(0, ..) | Op::Peek => {
                prop_assert!(
                    view.check_n_at(0, at(now)).is_ok() && view.charge_at(0, at(now)).is_ok()
                );
                prop_assert_eq!(view.take_up_to_at(0, at(now)), 0);
                return Ok(());
            }
            Op::Check(n) => match view.check_n_at(n, at(now)) {
                Ok(admitted) => {
                    prop_assert!(n <= left, "{n} admitted, {left} were left");
                    let after = before.map(|before| exact.spend(before, n, now));
                    if let (Some(before), Some(after)) = (before, after) {
                        prop_assert!(
                            exact.fits(before, n, now).0,
                            "early: {n} at {now}, {before:?}"
                        );
                        let seen = (admitted.remaining(), admitted.reset_after());
                        numbers(&exact, after, admitted.limit(), seen, now)?;
                    }
                    after
                }
                Err(denied) => {
                    prop_assert!(n > left, "{n} denied, {left} are left");
                    self.denied(key, tier, before, (n, denied), now)?;
                    // Nobody is inserted to be denied.
                    if !self.keys.contains_key(&key) {
                        return Ok(());
                    }
                    before
                }
            },
            Op::Take(n) => {
                let taken = view.take_up_to_at(n, at(now));
                prop_assert_eq!(taken, left.min(n));
                if taken == 0 {
                    return Ok(());
                }
                before.map(|before| exact.spend(before, taken, now))
            }
            Op::Charge(n) => {
                let charged = view.charge_at(n, at(now)).expect("there is a slot");
                let after = before.map(|before| exact.spend(before, n, now));
                if let Some(after) = after {
                    let seen = (charged.remaining(), charged.reset_after());
                    numbers(&exact, after, charged.limit(), seen, now)?;
                }
                after
            }
            Op::Reserve(n, wait, keep) => {
                let after = self.reserve(key, tier, before, (n, wait, keep), now)?;
                if after == before && !self.keys.contains_key(&key) {
                    return Ok(());
                }
                after
            }
            Op::Refund(n) => {
                return self.give_back(
                    key,
                    |keyed| keyed.refund_n(&key, n),
                    |own, state| own.refund(state, n),
                );
            }
            Op::Reset => {
                return self.give_back(key, |keyed| keyed.reset(&key), |own, _| own.full());
            }
        };
        let in_range = |state: &State| exact.full_at(*state).1 < TOLD;
        self.keys.insert(key, (tier, after.filter(in_range)));
        let after = self.carried(key, tier, now);
        self.looks(key, tier, after, now)
    }

    fn give_back(
        &mut self,
        key: u64,
        ask: impl Fn(&KeyedLimiter<C, S>),
        change: impl Fn(&Exact, State) -> State,
    ) -> TestCaseResult {
        ask(&self.keyed);
        if let Some((tier, state)) = self.keys.get_mut(&key) {
            let own = self.tiers[usize::from(*tier)].exact;
            *state = state.map(|state| change(&own, state));
        }
        Ok(())
    }

    /// A blocked key can be charged; with no limit nothing is counted.
    fn step_without_quota(&mut self, key: u64, tier: u16, op: Op, now: u64) -> TestCaseResult {
        let view = self.keyed.key(&key).tier(tier);
        let unlimited = self.tiers[usize::from(tier)].allowance == Allowance::Unlimited;
        match op {
            Op::Check(n) if n > 0 => prop_assert_eq!(view.is_allowed_at(at(now)), unlimited),
            Op::Take(n) => {
                prop_assert_eq!(view.take_up_to_at(n, at(now)), if unlimited { n } else { 0 })
            }
            Op::Reserve(n, ..) if n > 0 => {
                prop_assert_eq!(view.reserve_at(n, Duration::MAX, at(now)).is_ok(), unlimited);
            }
            _ => {}
        }
        Ok(())
    }
}
