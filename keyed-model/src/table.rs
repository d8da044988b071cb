//! The keyed table's protocol: an owner next to a state, handed on by the set's insertion record.
//!
//! The steps stand in `hit.rs`, `new_key.rs`, `complete.rs` and `sweep.rs`. Each touches one atomic.

use crate::caller::{At, Caller};
use crate::ghost::Ghost;
use crate::memory::{Memory, Record, SLOTS};
use crate::op::Op;
use crate::rule::Rule;
use crate::wrong::Wrong;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    pub(crate) memory: Memory,
    pub(crate) callers: Vec<Caller>,
    pub(crate) ghost: Ghost,
}

/// Which set a run begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    Empty,
    /// The key, tier and state of each slot.
    With([(u8, u8, u8); SLOTS]),
    /// Every set at rest with states and watermark up to this: so few operations cover any history.
    AtRest(u8),
}

#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The rules. Tier `t` begins with `rules[t]`; `set_quota` names others.
    pub(crate) rules: Vec<Rule>,
    /// How many tiers are in use.
    pub(crate) tiers: u8,
    /// Whether a new key is denied in a full set whose keys all have something outstanding.
    pub(crate) deny_new_keys: bool,
    /// Stamps are kept modulo this.
    pub(crate) stamps: u16,
    pub(crate) wrong: Wrong,
    /// For each caller, how many operations it may begin, and which.
    pub(crate) programs: Vec<(u8, Vec<Op>)>,
    /// The timestamps for which a peek is compared with a check; none: it is not.
    pub(crate) compared: Vec<u8>,
    pub(crate) from: Start,
    /// Whether each denial and each peek must have been right at some instant of the call.
    pub(crate) justified: bool,
    /// Whether every caller must end alone from every state.
    pub(crate) ends_alone: bool,
    /// The most insertion records of a run.
    pub(crate) records: u8,
    /// Whether any program changes a quota. If not, rules and versions are constants, whose loads are no steps.
    pub(crate) quotas_change: bool,
}

/// More steps than any operation takes alone.
const ALONE: usize = 200;

impl Table {
    pub(crate) fn after(&self, stamp: u8) -> u8 {
        ((u16::from(stamp) + 1) % self.stamps) as u8
    }

    pub(crate) fn rule(&self, index: u8) -> Rule {
        self.rules[index as usize]
    }

    /// The slot that a key looks at `i`th.
    pub(crate) fn slot(k: u8, i: u8) -> u8 {
        (k + i) % SLOTS as u8
    }

    pub(crate) fn step(&self, s: &mut State, me: usize) {
        let mut c = s.callers[me];
        match c.at {
            At::Idle => unreachable!("an idle caller has no step"),
            At::Resolve
            | At::Find { .. }
            | At::LoadOwner { .. }
            | At::ReadRule { .. }
            | At::LoadWord { .. }
            | At::SecondLook { .. }
            | At::ReadRuleLate { .. }
            | At::Exchange { .. }
            | At::CancelFind { .. }
            | At::Cancel { .. } => self.hit(s, &mut c),
            At::LoadRecord { .. } | At::Complete { .. } => self.complete(s, &mut c),
            At::NewKeySecondLook { .. }
            | At::Scan { .. }
            | At::ScanWord { .. }
            | At::ScanWatermark { .. }
            | At::PeekSecondLook { .. }
            | At::Verify { .. }
            | At::Announce { .. } => self.new_key(s, &mut c),
            At::ClearWatermark { .. }
            | At::ResetFind { .. }
            | At::ResetOwner { .. }
            | At::LoadMark
            | At::ConvertMark { .. }
            | At::WriteRule
            | At::WriteVersion
            | At::ConvertOwner { .. } => self.sweep(s, &mut c),
        }
        // A step that completes a clear has excused the others' state of it already.
        c.excused |= s.callers[me].excused;
        s.callers[me] = c;
        self.excuse(s);
    }

    /// A refund or reset may return without effect if its key was absent at some time.
    fn excuse(&self, s: &mut State) {
        let State { memory, callers, .. } = s;
        for c in callers {
            if matches!(c.op, Op::Refund { .. } | Op::Reset { .. }) && c.at != At::Idle {
                c.excused |= !memory.set.holds(c.op.key());
            }
        }
    }

    /// Notes what each caller could be answered now.
    pub(crate) fn justify(&self, s: &mut State) {
        for i in 0..s.callers.len() {
            let c = s.callers[i];
            let asks = matches!(c.op, Op::Check { .. } | Op::Reserve { .. } | Op::Peek { .. });
            if self.justified && asks && c.at != At::Idle {
                match self.ask(s, c.op) {
                    Some(true) => s.callers[i].could_be.yes = true,
                    Some(false) => s.callers[i].could_be.no = true,
                    None => {}
                }
            }
        }
    }

    pub(crate) fn begin(&self, op: Op, left: u8) -> Caller {
        let mut c = Caller::begin(op, left, self.quotas_change);
        if op == Op::Clear && self.wrong == Wrong::ClearWithoutRecord {
            c.at = At::ConvertOwner { record: Record::default(), slot: 0 };
        }
        c
    }

    /// What the caller answers if from now on nobody else moves; `None` if it does not end.
    pub(crate) fn alone(&self, s: &State, me: usize) -> Option<bool> {
        let mut s = s.clone();
        for _ in 0..ALONE {
            if s.callers[me].at == At::Idle {
                return Some(s.callers[me].answer.unwrap_or(true));
            }
            self.step(&mut s, me);
        }
        None
    }

    /// What another caller would be answered, alone.
    pub(crate) fn ask(&self, s: &State, op: Op) -> Option<bool> {
        let mut s = s.clone();
        s.callers.push(self.begin(op, 0));
        self.alone(&s, s.callers.len() - 1)
    }
}
