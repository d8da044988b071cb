//! Wrong tables: a set of two slots that follows the protocol of the keyed limiter, but for one step.

use super::keyed_rule::Rule;
use crate::explore::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use crate::scenarios::{Action, Effect, Keyed, Rules, Step};
use casgate::WhenFull;

/// What is wrong with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyedBug {
    /// Nothing.
    None,
    /// A hit does not compare the stamps of owner and word.
    NoStamp,
    /// Nobody looks again whether the quota is still the one that was read.
    NoSecondVersion,
    /// The word that is handed on keeps its stamp, and so does the owner.
    SameStamp,
    /// A caller that completes a change loads the owner before the word.
    OwnerFirst,
    /// The watermark is not raised.
    NoWatermark,
    /// The watermark is raised before the word is passed.
    EarlyWatermark,
    /// A caller that completes a change does not look whether it is still the last.
    LateHelp,
    /// A change is announced by a store.
    RecordStored,
    /// A clear lowers the watermark without an epoch.
    NoEpoch,
    /// A hit does not release, so that a caller that completes a change may find its word and an
    /// older owner.
    RelaxedHit,
    /// A new key is denied though the set has changed since the scan.
    NoSecondRecord,
    /// A change of the quota does not move the record on.
    NoBump,
}

/// A table with the bug of that number in [`KeyedBug`].
#[derive(Debug)]
pub struct WrongTable<const BUG: u8> {
    slots: [[AtomicU64; 2]; 2],
    record: AtomicU64,
    watermark: AtomicU64,
    version: AtomicU64,
    limits: [AtomicU64; 2],
    full: WhenFull,
}

/// An owner is: tag 8 | odd 1 | stamp 16. A word: state | stamp 16.
const STAMP: u64 = 0xffff;

/// A change: count | epoch 8 | tag 8 | odd 1 | slot 1 | kind 2
const SEAT: u64 = 1;
const RETIER: u64 = 2;
const CLEAR: u64 = 3;

#[derive(Clone, Copy)]
struct Change {
    kind: u64,
    slot: usize,
    odd: u64,
    tag: u64,
    epoch: u64,
}

impl Change {
    const NOTHING: Self = Self { kind: 0, slot: 0, odd: 0, tag: 0, epoch: 0 };

    const fn of(record: u64) -> Self {
        Self {
            kind: record & 3,
            slot: (record >> 2 & 1) as usize,
            odd: record >> 3 & 1,
            tag: record >> 4 & 0xff,
            epoch: record >> 12 & 0xff,
        }
    }

    const fn after(self, record: u64) -> u64 {
        let rest = self.epoch << 12 | self.tag << 4 | self.odd << 3 | (self.slot as u64) << 2;
        ((record >> 20) + 1) << 20 | rest | self.kind
    }
}

impl<const BUG: u8> WrongTable<BUG> {
    const fn has(bug: KeyedBug) -> bool {
        BUG == bug as u8
    }

    fn rule(&self, odd: u64) -> Rule {
        Rule::new(self.limits[odd as usize & 1].load(Acquire))
    }

    fn start(&self, owner: u64, word: u64, watermark: u64, odd: u64) -> u64 {
        let (rule, its) = (self.rule(odd), self.rule(owner >> 16 & 1));
        let least = rule.state_at(watermark >> 8);
        if owner >> 17 == 0 {
            return least;
        }
        let state = word >> 16;
        let state = if owner >> 16 & 1 == odd { state } else { rule.state_at(its.time(state)) };
        if state == least { state + 1 } else { state.max(least) }
    }

    fn raise(&self, seen: u64, time: u64) {
        if seen >> 8 < time {
            let _ =
                self.watermark.compare_exchange(seen, time << 8 | seen & 0xff, Release, Relaxed);
        }
    }

    fn hand_on(&self, slot: usize, record: u64) {
        let change = Change::of(record);
        let target = if change.kind == CLEAR { 0 } else { change.tag << 1 | change.odd };
        let [owner_at, word_at] = &self.slots[slot];
        loop {
            let early = Self::has(KeyedBug::OwnerFirst).then(|| owner_at.load(Acquire));
            let word = word_at.load(Acquire);
            let owner = early.unwrap_or_else(|| owner_at.load(Acquire));
            let watermark = self.watermark.load(Acquire);
            if owner >> 16 == target {
                return;
            }
            let state = match change.kind {
                SEAT => self.start(owner, word, watermark, change.odd),
                RETIER => self.rule(owner >> 16 & 1).carry(word >> 16, self.rule(change.odd)),
                _ => 0,
            };
            let (is, next) = (owner & STAMP, (owner + 1) & STAMP);
            let next = if Self::has(KeyedBug::SameStamp) { is } else { next };
            let is_late = self.record.load(Acquire) != record;
            if is_late && !Self::has(KeyedBug::LateHelp) {
                return;
            }
            let mut passed = word;
            if word & STAMP == is {
                passed = state << 16 | next;
                if Self::has(KeyedBug::EarlyWatermark) && change.kind == SEAT {
                    self.raise(watermark, self.rule(change.odd).time(state));
                }
                if word_at.compare_exchange(word, passed, Release, Relaxed).is_err() {
                    continue;
                }
            } else if word & STAMP != next {
                continue;
            }
            if change.kind == SEAT && !Self::has(KeyedBug::NoWatermark) {
                self.raise(watermark, self.rule(change.odd).time(passed >> 16));
            }
            let _ = owner_at.compare_exchange(owner, target << 16 | next, Release, Relaxed);
            return;
        }
    }

    fn complete(&self, record: u64) {
        let change = Change::of(record);
        match change.kind {
            SEAT | RETIER => self.hand_on(change.slot, record),
            CLEAR => {
                self.hand_on(0, record);
                self.hand_on(1, record);
                let seen = self.watermark.load(Acquire);
                let is_done = seen & 0xff == change.epoch && !Self::has(KeyedBug::NoEpoch);
                if !is_done && self.record.load(Acquire) == record {
                    let _ = self.watermark.compare_exchange(seen, change.epoch, Release, Relaxed);
                }
            }
            _ => {}
        }
    }

    fn completed(&self) -> u64 {
        let record = self.record.load(Acquire);
        self.complete(record);
        record
    }

    fn change(&self, record: u64, change: Change) -> bool {
        let next = change.after(record);
        let announced = if Self::has(KeyedBug::RecordStored) {
            self.record.store(next, Release);
            true
        } else {
            self.record.compare_exchange(record, next, Release, Relaxed).is_ok()
        };
        if announced {
            self.complete(next);
        }
        announced
    }

    /// The slot of the tag, its owner and its word.
    fn find(&self, tag: u64) -> Option<(usize, u64, u64)> {
        (0..2).find_map(|slot| {
            let owner = self.slots[slot][0].load(Acquire);
            let word = self.slots[slot][1].load(Relaxed);
            (owner >> 17 == tag).then_some((slot, owner, word))
        })
    }

    /// `Some` if the key has the slot by that version: the state before, and whether it was changed.
    fn hit(
        &self,
        tag: u64,
        version: u64,
        step: impl Fn(u64) -> Option<u64>,
    ) -> Option<Result<u64, u64>> {
        let (slot, owner, word) = self.find(tag)?;
        let stamped = Self::has(KeyedBug::NoStamp) || owner & STAMP == word & STAMP;
        let current = Self::has(KeyedBug::NoSecondVersion) || self.version.load(Acquire) == version;
        if owner >> 16 & 1 != version & 1 || !stamped || !current {
            return None;
        }
        let mut seen = word;
        loop {
            let Some(state) = step(seen >> 16) else { return Some(Err(seen >> 16)) };
            let next = state << 16 | seen & STAMP;
            let release = if Self::has(KeyedBug::RelaxedHit) { Relaxed } else { Release };
            match self.slots[slot][1].compare_exchange(seen, next, release, Relaxed) {
                Ok(_) => return Some(Ok(seen >> 16)),
                Err(newer) if Self::has(KeyedBug::NoStamp) || newer & STAMP == seen & STAMP => {
                    seen = newer;
                }
                Err(_) => return None,
            }
        }
    }

    /// The state that a step was, or was not, taken from. `step` is given the rule.
    fn ask(
        &self,
        tag: u64,
        now: u64,
        step: impl Fn(Rule, u64) -> Option<u64>,
    ) -> (Result<u64, u64>, Rule) {
        loop {
            let version = self.version.load(Acquire);
            let odd = version & 1;
            let rule = self.rule(odd);
            if self.version.load(Acquire) != version {
                continue;
            }
            if let Some(outcome) = self.hit(tag, version, |state| step(rule, state)) {
                return (outcome, rule);
            }
            // If a word was found passed, the record that it was passed for is found.
            fence(Acquire);
            let record = self.completed();
            if !Self::has(KeyedBug::NoSecondVersion) && self.version.load(Acquire) != version {
                continue;
            }
            // The owner is looked at again, as the limiter does it once it knows which slot it is to be.
            let seen = [0, 1].map(|slot: usize| {
                let owner = self.slots[slot][0].load(Acquire);
                (owner, self.slots[slot][1].load(Relaxed))
            });
            if let Some(slot) = seen.iter().position(|(owner, _)| owner >> 17 == tag) {
                if seen[slot].0 >> 16 & 1 != odd {
                    self.change(record, Change { kind: RETIER, slot, odd, tag, epoch: 0 });
                }
                continue;
            }
            let debt = |&slot: &usize| {
                let (owner, word) = seen[slot];
                let used = owner >> 17 != 0 || word >> 16 != 0;
                (used, self.rule(owner >> 16 & 1).time(word >> 16))
            };
            let slot = (0..2).min_by_key(debt).expect("two slots");
            let owner = self.slots[slot][0].load(Acquire);
            let word = self.slots[slot][1].load(Relaxed);
            let start = self.start(owner, word, self.watermark.load(Acquire), odd);
            let owes = owner >> 17 != 0 && self.rule(owner >> 16 & 1).owes(word >> 16, now);
            let is_full = owes && self.full == WhenFull::DenyNewKeys;
            if is_full || step(rule, start).is_none() {
                // With the words comes the record that they were passed for.
                fence(Acquire);
                if !Self::has(KeyedBug::NoSecondRecord) && self.record.load(Acquire) != record {
                    continue;
                }
                return (Err(if is_full { u64::MAX >> 24 } else { start }), rule);
            }
            self.change(record, Change { kind: SEAT, slot, odd, tag, epoch: 0 });
        }
    }

    fn set_quota(&self, limit: u64) {
        let version = self.version.load(Acquire);
        if Rule::new(limit) == self.rule(version & 1) {
            return;
        }
        let odd = (version + 1) & 1;
        self.limits[odd as usize].store(limit, Release);
        self.version.store(version + 1, Release);
        if !Self::has(KeyedBug::NoBump) {
            while !self.change(self.completed(), Change::NOTHING) {}
        }
        for slot in 0..2 {
            loop {
                let record = self.completed();
                let owner = self.slots[slot][0].load(Acquire);
                let tag = owner >> 17;
                let is_done = tag == 0 || owner >> 16 & 1 == odd;
                let change = Change { kind: RETIER, slot, odd, tag, epoch: 0 };
                if is_done || self.change(record, change) {
                    break;
                }
            }
        }
    }

    fn clear(&self) {
        loop {
            let record = self.completed();
            let epoch = (self.watermark.load(Acquire) + 1) & 0xff;
            let epoch = if Self::has(KeyedBug::NoEpoch) { 0 } else { epoch };
            if self.change(record, Change { kind: CLEAR, epoch, ..Change::NOTHING }) {
                return;
            }
        }
    }

    /// The permits that were spent: all, or with `up_to` what there is.
    fn spend(&self, tag: u64, n: u64, up_to: bool, now: u64) -> u64 {
        loop {
            let n = if up_to { n.min(self.left(tag, now).0) } else { n };
            if n == 0 || self.ask(tag, now, |rule, state| rule.spend(state, n, now)).0.is_ok() {
                return n;
            }
            if !up_to {
                return 0;
            }
        }
    }

    fn left(&self, tag: u64, now: u64) -> (u64, u64) {
        let (Ok(state) | Err(state), rule) = self.ask(tag, now, |_, _| None);
        (rule.left(state, now), rule.limit())
    }

    /// While nobody changes the quota, no key is counted by the one before.
    fn assert_current(&self) {
        let odd = self.version.load(Acquire) & 1;
        for [owner, _] in &self.slots {
            let owner = owner.load(Acquire) >> 16;
            assert!(owner >> 1 == 0 || owner & 1 == odd, "a key of a quota that is over");
        }
    }
}

impl<const BUG: u8> Keyed for WrongTable<BUG> {
    fn assert_whole(&self) {
        let [first, second] = self.slots.each_ref().map(|[owner, _]| owner.load(Acquire) >> 17);
        assert!(first == 0 || first != second, "key {first} has two slots");
    }

    fn with_rules(rules: Rules) -> Self {
        let zero = || AtomicU64::new(0);
        let limit = || AtomicU64::new(Rule::of(rules).limit());
        Self {
            slots: [[zero(), zero()], [zero(), zero()]],
            record: zero(),
            watermark: zero(),
            version: zero(),
            limits: [limit(), limit()],
            full: rules.full,
        }
    }

    fn perform(&self, step: Step) -> Effect {
        let (tag, now) = (step.key as u64, step.now);
        let nothing = Effect { at: now, ..Effect::default() };
        let spend = |n: u32, up_to| {
            let admitted = self.spend(tag, n.into(), up_to, now) as u32;
            Effect { admitted, ..nothing }
        };
        match step.action {
            Action::Check => spend(1, false),
            Action::CheckN(n) => spend(n, false),
            Action::TakeUpTo(n) => spend(n, true),
            Action::Peek => {
                let (left, limit) = self.left(tag, now);
                Effect { seen: Some((left as u32, limit as u32)), ..nothing }
            }
            Action::Reset => {
                if let Some((slot, owner, word)) = self.find(tag) {
                    let mut seen = word;
                    while owner & STAMP == seen & STAMP {
                        match self.slots[slot][1].compare_exchange(
                            seen,
                            seen & STAMP,
                            Release,
                            Relaxed,
                        ) {
                            Ok(_) => break,
                            Err(newer) => seen = newer,
                        }
                    }
                }
                Effect { forgiven: true, ..nothing }
            }
            Action::Clear => {
                self.clear();
                Effect { forgiven: true, ..nothing }
            }
            Action::SetQuota(limit) => {
                self.set_quota(limit.into());
                nothing
            }
            Action::Stats => {
                self.assert_current();
                nothing
            }
            other => unreachable!("the wrong tables do not know {other:?}"),
        }
    }
}
