//! Every public operation of the keyed limiter with every other.

use super::Table;
use super::keyed::{Action, Kind, Rules, Step, check_n, step};
use super::keyed_race::keys_race;

/// One operation: its name, the methods that it stands for, and what it does to a key.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// What it is called in the output.
    pub name: &'static str,
    /// The public methods that are called.
    pub methods: &'static [&'static str],
    action: Action,
    /// Whether another operation of the table takes the same steps in shared memory, or if it only looks.
    pub alike: bool,
}

impl Operation {
    /// Whether it changes the quota.
    #[must_use]
    pub const fn changes_the_quota(&self) -> bool {
        matches!(self.action, Action::SetQuota(_))
    }
}

const fn operation(
    name: &'static str,
    methods: &'static [&'static str],
    action: Action,
) -> Operation {
    Operation { name, methods, action, alike: false }
}

const fn alike(name: &'static str, methods: &'static [&'static str], action: Action) -> Operation {
    Operation { name, methods, action, alike: true }
}

/// All operations. A test compares the methods with those of the source.
pub const OPERATIONS: [Operation; 17] = [
    operation("check", &["check", "check_at"], Action::Check),
    alike("check_n", &["check_n", "check_n_at"], Action::CheckN(2)),
    alike("is_allowed", &["is_allowed", "is_allowed_at"], Action::IsAllowed),
    operation("take_up_to", &["take_up_to", "take_up_to_at"], Action::TakeUpTo(2)),
    alike("check_many", &["check_many", "check_many_at"], Action::CheckMany),
    operation("tier", &["tier", "get_tier"], Action::InTier1),
    operation("charge", &["charge", "charge_at"], Action::Charge(2)),
    operation("reserve, commit", &["reserve", "reserve_at", "commit"], Action::Reserve(1, 0)),
    operation("reserve, cancel", &["cancel"], Action::ReserveAndCancel(1, 0)),
    alike("reserve, drop", &[], Action::ReserveAndDrop(2, 0)),
    operation("peek", &["peek", "peek_at"], Action::Peek),
    operation("reset", &["reset"], Action::Reset),
    operation("refund", &["refund", "refund_n"], Action::Refund(1)),
    operation("clear", &["clear"], Action::Clear),
    operation("set_quota", &["set_quota", "set_quota_at"], Action::SetQuota(6)),
    alike("len", &["len", "len_at", "is_empty"], Action::Len),
    alike("stats", &["stats"], Action::Stats),
];

/// Public methods that ask nothing of a key: constructors, builders and accessors.
pub const NO_OPERATIONS: &[&str] = &["key", "locate", "at", "delay", "ready_at"];

/// On which keys a pair runs. The set has two slots, which keys 1 and 2 have; key 3 is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Both on key 1.
    OneKnown,
    /// One on key 1, one on key 2.
    TwoKnown,
    /// Both on key 3.
    OneNew,
    /// The first on key 2, which has the least debt, the second on key 3, which evicts it.
    VictimAndNew,
    /// The first on key 3, the second on key 2.
    NewAndVictim,
}

impl Keys {
    /// Whether a key is evicted.
    #[must_use]
    pub const fn evict(self) -> bool {
        matches!(self, Self::OneNew | Self::VictimAndNew | Self::NewAndVictim)
    }

    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::OneKnown, Self::TwoKnown, Self::OneNew, Self::VictimAndNew, Self::NewAndVictim];

    const fn numbers(self) -> [usize; 2] {
        match self {
            Self::OneKnown => [1, 1],
            Self::TwoKnown => [1, 2],
            Self::OneNew => [3, 3],
            Self::VictimAndNew => [2, 3],
            Self::NewAndVictim => [3, 2],
        }
    }
}

/// Both operations at once, on a full set in which key 1 has spent 2 of 4 and key 2 has spent 1.
///
/// # Panics
///
/// If what must hold after every race does not.
pub fn pair(kind: Kind, keys: Keys, first: Operation, second: Operation) {
    let [first_key, second_key] = keys.numbers();
    let clocked = matches!(keys, Keys::TwoKnown | Keys::OneNew);
    let of = |operation: Operation, key| Step { clocked, ..step(operation.action, key, 0) };
    let rules = Rules { limits: [4, 5], ..Rules::new(kind, 4) };
    keys_race::<Table>(
        rules,
        &[check_n(1, 2, 0), check_n(2, 1, 0)],
        &[&[of(first, first_key)], &[of(second, second_key)]],
    );
}
