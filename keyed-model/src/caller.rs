//! A caller: its operation, and the atomic that it touches next.

use crate::memory::{Id, Owner, Record, Watermark, Word};
use crate::op::Op;

/// What a caller does once the record is complete.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Then {
    /// Look at every slot.
    Scan,
    /// Decide in the slot that the key was given.
    Decide { slot: u8 },
    /// Look for the key again.
    Find,
    /// Look for the key that is to be reset.
    Reset,
    /// The reset was its own: return.
    WasReset,
    /// Announce a clear.
    Clear,
    /// The clear was its own: return.
    Cleared,
    /// Announce nothing, so that nobody announces the old id any more.
    Bump,
    /// It has announced nothing.
    Bumped,
    /// Convert the owner of a slot, if it has the old id.
    Convert { slot: u8 },
    /// The owner of that slot is converted.
    Converted { slot: u8 },
}

/// A step of completing a record at one slot, and with what was seen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Step {
    LoadWord,
    LoadOwner {
        word: Word,
    },
    LoadWatermark {
        seen: Seen,
    },
    ReadRules {
        seen: Seen,
    },
    StillLast {
        seen: Seen,
    },
    ExchangeWord {
        seen: Seen,
    },
    /// For `Wrong::RuleReadAgain`.
    ReadRuleAgain {
        seen: Seen,
    },
    Raise {
        seen: Seen,
    },
    ExchangeOwner {
        seen: Seen,
    },
    ClearLoad,
    ClearStillLast {
        watermark: Watermark,
    },
    ClearLower {
        watermark: Watermark,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) word: Word,
    pub(crate) owner: Owner,
    pub(crate) watermark: Watermark,
    /// The rules of the owner's id and of the record's.
    pub(crate) from: u8,
    pub(crate) to: u8,
    /// The rule of the watermark's id.
    pub(crate) mark: u8,
}

/// The slot whose debt is repaid first, as far as was scanned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Victim {
    pub(crate) used: bool,
    /// When it has all permits again, and the instant of its state.
    pub(crate) repaid: (u8, u8),
    pub(crate) slot: u8,
    pub(crate) state: u8,
    pub(crate) unspent: bool,
    pub(crate) id: Id,
    pub(crate) rule: u8,
}

/// Where a scan has found the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Here {
    pub(crate) slot: u8,
    pub(crate) id: Id,
    pub(crate) state: u8,
    pub(crate) rule: u8,
}

/// The next step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum At {
    Idle,
    Resolve,
    Find { i: u8 },
    LoadOwner { slot: u8, as_found: bool },
    ReadRule { slot: u8, owner: Owner },
    LoadWord { slot: u8, owner: Owner, rule: Option<u8> },
    SecondLook { slot: u8, owner: Owner, word: Word },
    ReadRuleLate { slot: u8, owner: Owner, word: Word, was: u8 },
    Exchange { slot: u8, owner: Owner, word: Word, rule: u8 },
    CancelFind { i: u8, left: Word, rule: u8 },
    Cancel { slot: u8, left: Word, rule: u8 },
    LoadRecord { then: Then },
    Complete { record: Record, then: Then, slot: u8, step: Step },
    NewKeySecondLook { record: Record },
    Scan { record: Record, i: u8, here: Option<Here>, best: Option<Victim> },
    ScanWord { record: Record, i: u8, here: Option<Here>, best: Option<Victim>, owner: Owner },
    ScanWatermark { record: Record, best: Victim },
    PeekSecondLook { record: Record, answer: bool },
    Verify { record: Record, answer: bool },
    Announce { record: Record, next: Record, then: Then },
    ClearWatermark { record: Record },
    ResetFind { record: Record, i: u8 },
    ResetOwner { record: Record, slot: u8 },
    LoadMark,
    ConvertMark { watermark: Watermark },
    WriteRule,
    WriteVersion,
    ConvertOwner { record: Record, slot: u8 },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Caller {
    pub(crate) at: At,
    pub(crate) op: Op,
    /// How many operations it may still begin.
    pub(crate) left: u8,
    pub(crate) answer: Option<bool>,
    /// The tier as it was resolved.
    pub(crate) version: u8,
    pub(crate) rule: u8,
    /// Whether it has carried its key to its tier. It does so once, or two callers could do so in turn without end.
    pub(crate) carried: bool,
    /// For the properties: whether the last look came after a `set_quota` that it had missed.
    pub(crate) stale: bool,
    /// For the properties: whether a refund or reset may have no effect, or a clear has happened.
    pub(crate) excused: bool,
    /// For the properties: what another caller would have been answered, alone, at some instant of the call.
    pub(crate) could_be: Answers,
}

/// Which answers a caller can justify.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Answers {
    pub(crate) yes: bool,
    pub(crate) no: bool,
}

impl Caller {
    pub(crate) fn idle(left: u8) -> Self {
        Self {
            at: At::Idle,
            op: Op::Clear,
            left,
            answer: None,
            version: 0,
            rule: 0,
            carried: false,
            stale: false,
            excused: false,
            could_be: Answers::default(),
        }
    }

    pub(crate) fn begin(op: Op, left: u8, quotas_change: bool) -> Self {
        let at = match op {
            Op::Clear => At::LoadRecord { then: Then::Clear },
            Op::Reset { .. } => At::LoadRecord { then: Then::Reset },
            Op::SetQuota { .. } => At::WriteRule,
            Op::Refund { .. } => At::Find { i: 0 },
            _ if quotas_change => At::Resolve,
            _ => At::Find { i: 0 },
        };
        Self { at, op, ..Self::idle(left) }
    }

    pub(crate) fn done(&mut self, answer: bool) {
        self.at = At::Idle;
        self.answer = Some(answer);
    }

    /// The tier's id as it was resolved.
    pub(crate) fn id(&self) -> Id {
        Id { tier: self.op.tier().unwrap_or(0), parity: self.version & 1 }
    }
}
