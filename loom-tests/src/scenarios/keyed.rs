//! What is asked of a keyed table in the scenarios, and the crate's own. A set has two slots under the model
//! checker, and four in random schedules.

use casgate::algorithm::{FixedWindow, Rule};
use casgate::clock::ManualClock;
use casgate::word::Word;
use casgate::{Allowance, Key, KeyedLimiter, Quota, Timestamp, WhenFull};
use nohash_hasher::BuildNoHashHasher;
use std::time::Duration;

/// The window or period of every quota, in milliseconds.
pub(crate) const PERIOD: u64 = 10;

/// Which algorithm a table uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Fixed windows.
    Window,
    /// Token buckets.
    Bucket,
}

/// What a table is made with.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The algorithm.
    pub kind: Kind,
    /// The permits of tiers 0 and 1 in each period.
    pub limits: [u32; 2],
    /// What becomes of a new key in a full set.
    pub full: WhenFull,
}

impl Rules {
    /// Evicts; both tiers have that limit.
    #[must_use]
    pub const fn new(kind: Kind, limit: u32) -> Self {
        Self { kind, limits: [limit; 2], full: WhenFull::EvictLeastDebt }
    }

    /// Denies new keys instead.
    #[must_use]
    pub const fn denying(self) -> Self {
        Self { full: WhenFull::DenyNewKeys, ..self }
    }
}

/// What one step does to its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Spends one permit.
    Check,
    /// Spends so many, or none.
    CheckN(u32),
    /// Spends one permit, and returns whether it could.
    IsAllowed,
    /// Spends what there is, up to so many.
    TakeUpTo(u32),
    /// Spends two permits, one after the other, of a list of keys.
    CheckMany,
    /// Spends one permit in tier 1.
    InTier1,
    /// Spends so many, into debt if need be.
    Charge(u32),
    /// Reserves so many within so many milliseconds, and keeps them.
    Reserve(u32, u64),
    /// Reserves so many within so many milliseconds, and gives them back.
    ReserveAndCancel(u32, u64),
    /// Reserves so many within so many milliseconds, and drops the reservation.
    ReserveAndDrop(u32, u64),
    /// Looks at what is left.
    Peek,
    /// Gives everything back.
    Reset,
    /// Gives so many back.
    Refund(u32),
    /// Empties the table.
    Clear,
    /// Changes the limit of tier 0.
    SetQuota(u32),
    /// Counts the keys.
    Len,
    /// Looks at the counters.
    Stats,
}

/// One call: what it does, to the key of that number, at that millisecond.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// To which key.
    pub key: usize,
    /// When, in milliseconds.
    pub now: u64,
    /// Whether it goes through the method that hashes the key and reads the clock, which stands at 0.
    pub clocked: bool,
}

/// A step, with its timestamp.
#[must_use]
pub const fn step(action: Action, key: usize, now: u64) -> Step {
    Step { action, key, now, clocked: false }
}

/// Spends one permit.
#[must_use]
pub const fn check(key: usize, now: u64) -> Step {
    step(Action::Check, key, now)
}

/// Spends so many permits, or none.
#[must_use]
pub const fn check_n(key: usize, n: u32, now: u64) -> Step {
    step(Action::CheckN(n), key, now)
}

/// Gives the key everything back.
#[must_use]
pub const fn reset(key: usize) -> Step {
    step(Action::Reset, key, 0)
}

/// What a step has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Permits that the caller may use.
    pub admitted: u32,
    /// The millisecond from which it may.
    pub at: u64,
    /// Permits that are spent, and that no caller may use.
    pub lost: u32,
    /// Permits that are spent or not: of a reservation that was dropped.
    pub dropped: u32,
    /// Permits that were given back.
    pub back: u32,
    /// Whether the key was given everything back.
    pub forgiven: bool,
    /// What is left and what the limit is, if the step only looked.
    pub seen: Option<(u32, u32)>,
}

/// A limit for each key in one set of slots, right or wrong.
pub trait Keyed: Send + Sync + 'static {
    /// One that nobody has asked yet.
    fn with_rules(rules: Rules) -> Self;

    /// Does what the step says.
    fn perform(&self, step: Step) -> Effect;

    /// When all callers are done, no key has two slots: of tables that let it be seen.
    fn assert_whole(&self) {}
}

/// The crate's table, in the wrapper that makes its quotas.
#[derive(Debug)]
pub struct Table {
    limiter: KeyedLimiter<ManualClock, BuildNoHashHasher<u64>>,
}

fn quota(limit: u32) -> Quota {
    Quota::new(limit, Duration::from_millis(PERIOD)).expect("a limit above zero")
}

/// The hash of the key of that number, which is the key itself: hashes whose tags under the model checker, of
/// eight bits, are not zero and differ from each other.
///
/// # Panics
///
/// If there are not as many.
#[must_use]
pub fn hash_of(key: usize) -> u64 {
    let tag = |hash: u64| {
        let product = u128::from(hash) * 0x9e37_79b9_7f4a_7c15;
        ((product >> 64) ^ product) as u8
    };
    let mut taken = [false; 256];
    taken[0] = true;
    let mut hashes =
        (1..).filter(|&hash| !std::mem::replace(&mut taken[usize::from(tag(hash))], true));
    assert!(key < 255, "tags of eight bits");
    hashes.nth(key).expect("endless")
}

impl Table {
    fn key(&self, step: Step) -> Key<'_, ManualClock, BuildNoHashHasher<u64>> {
        let place = self.limiter.locate(&hash_of(step.key));
        self.limiter.at(place)
    }

    fn spend(&self, step: Step) -> u32 {
        let (key, now) = (self.key(step), Timestamp::from_millis(step.now));
        match step.action {
            Action::Check => u32::from(key.check_at(now).is_ok()),
            Action::CheckN(n) => key.check_n_at(n, now).map_or(0, |_| n),
            Action::IsAllowed => u32::from(key.is_allowed_at(now)),
            Action::TakeUpTo(n) => key.take_up_to_at(n, now),
            Action::InTier1 => u32::from(key.tier(1).check_at(now).is_ok()),
            Action::CheckMany => {
                let mut passed = 0;
                let count = |_, answer: Result<_, _>| passed += u32::from(answer.is_ok());
                self.limiter.check_many_at(&[hash_of(step.key); 2], now, count);
                passed
            }
            other => unreachable!("{other:?} spends nothing"),
        }
    }

    fn spend_by_clock(&self, step: Step) -> u32 {
        let (limiter, key) = (&self.limiter, &hash_of(step.key));
        match step.action {
            Action::Check => u32::from(limiter.check(key).is_ok()),
            Action::CheckN(n) => limiter.check_n(key, n).map_or(0, |_| n),
            Action::IsAllowed => u32::from(limiter.is_allowed(key)),
            Action::TakeUpTo(n) => limiter.take_up_to(key, n),
            Action::InTier1 => u32::from(limiter.key(key).tier(1).check().is_ok()),
            Action::CheckMany => {
                let mut passed = 0;
                limiter.check_many(&[*key; 2], |_, answer| passed += u32::from(answer.is_ok()));
                passed
            }
            other => unreachable!("{other:?} spends nothing"),
        }
    }

    fn reserve(&self, step: Step, n: u32, wait: u64) -> Effect {
        let (now, wait) = (Timestamp::from_millis(step.now), Duration::from_millis(wait));
        let reserved = if step.clocked {
            self.limiter.reserve(&hash_of(step.key), n, wait)
        } else {
            self.key(step).reserve_at(n, wait, now)
        };
        let Ok(reserved) = reserved else { return Effect::default() };
        let at = reserved.ready_at().as_nanos().div_ceil(1_000_000);
        match step.action {
            Action::ReserveAndCancel(..) => {
                Effect { lost: n - reserved.cancel(), ..Effect::default() }
            }
            Action::ReserveAndDrop(..) => {
                drop(reserved);
                Effect { dropped: n, ..Effect::default() }
            }
            _ => {
                reserved.commit();
                Effect { admitted: n, at, ..Effect::default() }
            }
        }
    }
}

impl Table {
    /// A reservation that is cancelled after the table was emptied, when its key has spent as much in
    /// another slot, gives nothing back.
    pub(super) fn assert_cancel_after_clear(&self, other: usize) {
        let now = Timestamp::ZERO;
        let reserved =
            self.key(check(1, 0)).reserve_at(1, Duration::ZERO, now).expect("it is full");
        self.limiter.clear();
        for key in [other, 1] {
            assert_eq!(self.perform(check(key, 0)).admitted, 1, "key {key} is full");
        }
        assert_eq!(reserved.cancel(), 0, "given back twice: by the clear and by the cancel");
        assert_eq!(self.perform(step(Action::TakeUpTo(9), 1, 0)).admitted, 1, "one is spent");
    }
}

impl Keyed for Table {
    fn with_rules(Rules { kind, limits, full }: Rules) -> Self {
        let limiter = match kind {
            Kind::Window => KeyedLimiter::fixed_window(quota(limits[0]), 1),
            Kind::Bucket => KeyedLimiter::token_bucket(quota(limits[0]), 1),
        };
        let limiter = limiter.with_tiers([quota(limits[1])]).when_full(full).counted();
        let limiter = limiter.with_clock(ManualClock::new()).with_hasher(BuildNoHashHasher::new());
        Self { limiter }
    }

    fn perform(&self, step: Step) -> Effect {
        let (limiter, hash, now) =
            (&self.limiter, &hash_of(step.key), Timestamp::from_millis(step.now));
        let nothing = Effect { at: step.now, ..Effect::default() };
        match step.action {
            Action::Reserve(n, wait)
            | Action::ReserveAndCancel(n, wait)
            | Action::ReserveAndDrop(n, wait) => self.reserve(step, n, wait),
            Action::Charge(n) => {
                let key = self.key(step);
                let charged =
                    if step.clocked { limiter.charge(hash, n) } else { key.charge_at(n, now) };
                Effect { lost: charged.map_or(0, |_| n), ..nothing }
            }
            Action::Peek => {
                let left =
                    if step.clocked { limiter.peek(hash) } else { self.key(step).peek_at(now) };
                Effect { seen: Some((left.remaining(), left.limit())), ..nothing }
            }
            Action::Reset => {
                limiter.reset(hash);
                Effect { forgiven: true, ..nothing }
            }
            Action::Refund(n) => {
                if step.clocked {
                    // As if these were admitted now. With a ticket: what has none is not given back.
                    let rule = FixedWindow::new(quota(n));
                    limiter.refund(hash, &rule.admitted(Word::from_bits(1), n, now));
                } else {
                    limiter.refund_n(hash, n);
                }
                Effect { back: n, ..nothing }
            }
            Action::Clear => {
                limiter.clear();
                Effect { forgiven: true, ..nothing }
            }
            Action::SetQuota(limit) => {
                let allowance = Allowance::from(quota(limit));
                let set = if step.clocked {
                    limiter.set_quota(0, allowance)
                } else {
                    limiter.set_quota_at(0, allowance, now)
                };
                set.expect("the quota fits");
                nothing
            }
            Action::Len => {
                let len = if step.clocked { limiter.len() } else { limiter.len_at(now) };
                assert!(len <= 160, "more keys than slots");
                nothing
            }
            Action::Stats => {
                assert!(limiter.stats().admitted.is_some());
                nothing
            }
            _ => {
                let spend = if step.clocked { Self::spend_by_clock } else { Self::spend };
                Effect { admitted: spend(self, step), ..nothing }
            }
        }
    }
}
