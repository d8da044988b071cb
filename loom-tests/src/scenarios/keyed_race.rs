//! Races of the calls of a keyed table, and what must hold after each: every key's bound, that nobody is denied
//! too early, and that the table is whole when all callers are done.

use super::keyed::{Action, Effect, Keyed, Kind, PERIOD, Rules, Step, step};
use crate::explore::atomic::{AtomicU64, Ordering::Relaxed};
use crate::explore::thread;
use casgate::WhenFull;
use std::collections::BTreeSet;
use std::sync::Arc;

/// More than any limit.
const ALL: u32 = 99;

/// Keys of which each has a slot, under the model checker and elsewhere.
const FIT: usize = 2;

/// What has been done to the keys of a table.
#[derive(Debug, Default)]
struct Log(Vec<(Step, Effect)>);

impl Log {
    fn run<T: Keyed>(&mut self, table: &T, steps: &[Step]) {
        self.0.extend(steps.iter().map(|&step| (step, table.perform(step))));
    }

    fn keys(&self) -> BTreeSet<usize> {
        self.0.iter().map(|(step, _)| step.key).collect()
    }

    /// Whether everything was asked at 0.
    fn is_frozen(&self) -> bool {
        self.0.iter().all(|(step, effect)| step.now == 0 && effect.at == 0)
    }

    fn fits(&self) -> bool {
        self.keys().len() <= FIT
    }

    fn of(&self, key: usize) -> impl Iterator<Item = &(Step, Effect)> {
        self.0.iter().filter(move |(step, _)| {
            step.key == key || matches!(step.action, Action::Clear | Action::SetQuota(_))
        })
    }

    fn limits(&self, rules: Rules) -> (u32, u32) {
        let set = self.0.iter().filter_map(|(step, _)| match step.action {
            Action::SetQuota(limit) => Some(limit),
            _ => None,
        });
        let in_tier_1 = self.0.iter().any(|(step, _)| step.action == Action::InTier1);
        let tiers = if in_tier_1 { &rules.limits[..] } else { &rules.limits[..1] };
        let all: Vec<u32> = tiers.iter().copied().chain(set).collect();
        let [least, most] =
            [all.iter().min(), all.iter().max()].map(|limit| *limit.expect("a tier"));
        (least, most)
    }

    /// Permits that the key may have been given beyond its limit.
    fn credits(&self, rules: Rules, key: usize) -> u32 {
        let (least, most) = self.limits(rules);
        self.of(key)
            .map(|(step, effect)| match step.action {
                _ if effect.forgiven => most,
                // What was spent is kept up to the burst, and of a key that is evicted as time.
                Action::SetQuota(_) | Action::InTier1 if self.fits() => most - least,
                Action::SetQuota(_) | Action::InTier1 => most,
                _ => effect.back,
            })
            .sum()
    }

    /// No key has been given more than its limit in a window, or than its bucket refills between two
    /// timestamps, whatever the order in which the calls took effect.
    fn assert_bounds(&self, rules: Rules) {
        for key in self.keys() {
            let credits = self.credits(rules, key);
            let given = || self.of(key).map(|(_, effect)| (effect.at, effect.admitted));
            let (_, limit) = self.limits(rules);
            for (from, _) in given() {
                for (to, _) in given().filter(|&(to, _)| to >= from) {
                    let within = |&(at, _): &(u64, u32)| match rules.kind {
                        Kind::Window => at / PERIOD == from / PERIOD,
                        Kind::Bucket => (from..=to).contains(&at),
                    };
                    let admitted: u32 = given().filter(within).map(|(_, n)| n).sum();
                    let refilled = match rules.kind {
                        Kind::Window => 0,
                        Kind::Bucket => ((to - from) * u64::from(limit) / PERIOD) as u32,
                    };
                    assert!(
                        admitted <= limit + refilled + credits,
                        "key {key}: {admitted} admitted of {limit} in [{from}, {to}], \
                         and {credits} given back\n{self:#?}"
                    );
                }
            }
        }
    }

    /// A request is admitted if all that was ever asked, by any key whose debt it may have inherited, is within its limit.
    fn assert_dues(&self, rules: Rules) {
        // A timestamp older than one that the key has seen may be denied.
        if !self.is_frozen() {
            return;
        }
        let (least, _) = self.limits(rules);
        let asked = |step: &Step| match step.action {
            Action::Check | Action::IsAllowed | Action::InTier1 => 1,
            Action::CheckMany => 2,
            Action::CheckN(n) | Action::TakeUpTo(n) | Action::Charge(n) => n,
            Action::Reserve(n, _)
            | Action::ReserveAndCancel(n, _)
            | Action::ReserveAndDrop(n, _) => n,
            _ => 0,
        };
        let all = |key: usize| -> u32 {
            let counts = |step: &&Step| !self.fits() || step.key == key;
            self.0.iter().map(|(step, _)| step).filter(counts).map(asked).sum()
        };
        // One that was evicted unspent starts a unit later, which at one instant costs a bucket a permit.
        let late = u32::from(rules.kind == Kind::Bucket && !self.fits());
        for (step, effect) in &self.0 {
            let spends = !matches!(
                step.action,
                Action::Charge(_) | Action::ReserveAndCancel(..) | Action::ReserveAndDrop(..)
            );
            if spends
                && (self.fits() || rules.full == WhenFull::EvictLeastDebt)
                && all(step.key) + late <= least
            {
                let n = asked(step);
                assert!(
                    effect.admitted == n,
                    "{step:?}: {} admitted of {n}\n{self:#?}",
                    effect.admitted
                );
            }
        }
    }

    /// The permits of keys that fit add up, when all callers are done.
    fn assert_counted<T: Keyed>(&self, rules: Rules, table: &T) {
        if !self.fits() || !self.is_frozen() {
            return;
        }
        for key in self.keys() {
            let (left, limit) = look(table, key, 0);
            let spent: u32 = self.of(key).map(|(_, effect)| effect.admitted + effect.lost).sum();
            let back: u32 = self.of(key).map(|(_, effect)| effect.back).sum();
            let forgiven = self.of(key).any(|(_, effect)| effect.forgiven);
            let dropped: u32 = self.of(key).map(|(_, effect)| effect.dropped).sum();
            let (least, _) = self.limits(rules);
            let most = spent + dropped;
            let exact = most <= least && !forgiven;
            let expected = if exact { spent.saturating_sub(back)..=most - back } else { 0..=most };
            assert!(
                expected.contains(&(limit - left)),
                "key {key}: {left} left of {limit}, {spent} spent and {back} given back\n{self:#?}"
            );
        }
    }
}

/// What the key has left, and its limit.
pub(super) fn look<T: Keyed>(table: &T, key: usize, now: u64) -> (u32, u32) {
    table.perform(step(Action::Peek, key, now)).seen.expect("a peek sees")
}

/// First the steps of `before`, alone; then the scripts, one caller each; then what must hold.
///
/// # Panics
///
/// If it does not.
pub fn keys_race<T: Keyed>(rules: Rules, before: &[Step], scripts: &[&[Step]]) {
    let table = Arc::new(T::with_rules(rules));
    let mut log = Log::default();
    log.run(&*table, before);
    for effects in spread(&table, scripts) {
        log.0.extend(effects);
    }
    log.assert_bounds(rules);
    log.assert_dues(rules);
    log.assert_counted(rules, &*table);
    settle(rules, &*table, log);
}

/// Each script is one caller's.
///
/// The model checker remembers of each atomic only the last access: a load by one thread hides from it that
/// an exchange by the same thread races with an earlier load by another. So each step begins with an exchange
/// on an atomic of its own, which orders no other memory: every order of the steps is then looked at, and within
/// them loads find older values as well.
///
/// # Panics
///
/// If a caller does.
pub fn spread<T: Keyed>(table: &Arc<T>, scripts: &[&[Step]]) -> Vec<Vec<(Step, Effect)>> {
    let turn = Arc::new(AtomicU64::new(0));
    let threads: Vec<_> = scripts
        .iter()
        .map(|script| {
            let (table, turn, script) = (Arc::clone(table), Arc::clone(&turn), script.to_vec());
            thread::spawn(move || {
                let perform = |step| {
                    turn.fetch_add(1, Relaxed);
                    (step, table.perform(step))
                };
                script.into_iter().map(perform).collect()
            })
        })
        .collect();
    let effects =
        threads.into_iter().map(|thread| thread.join().expect("no caller panics")).collect();
    table.assert_whole();
    effects
}

/// Alone: each key takes all that it is said to have left, twice over, and is still within its bound. Later, when
/// every debt is repaid, each has all of its permits.
fn settle<T: Keyed>(rules: Rules, table: &T, mut log: Log) {
    let end = log.0.iter().map(|(step, effect)| step.now.max(effect.at)).max().unwrap_or(0);
    let keys: Vec<usize> = log.keys().into_iter().collect();
    for &key in &keys {
        let (left, _) = look(table, key, end);
        log.run(table, &[step(Action::TakeUpTo(ALL), key, end)]);
        let taken = log.0.last().map_or(0, |(_, effect)| effect.admitted);
        assert!(taken == left, "key {key}: {left} left by a peek, {taken} taken\n{log:#?}");
    }
    let again: Vec<Step> =
        keys.iter().rev().map(|&key| step(Action::TakeUpTo(ALL), key, end)).collect();
    log.run(table, &again);
    log.assert_bounds(rules);
    for (i, &key) in keys.iter().enumerate() {
        let later = end + 20 * PERIOD + 2 * PERIOD * i as u64;
        let (left, limit) = look(table, key, later);
        assert!(left == limit, "key {key}: {left} of {limit} left long after\n{log:#?}");
        let taken = table.perform(step(Action::CheckN(limit), key, later)).admitted;
        assert!(taken == limit, "key {key}: {taken} taken of {limit} long after\n{log:#?}");
    }
}
