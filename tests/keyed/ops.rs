//! What can be done with one key, and traces of it.

use crate::given::{Step, TOLD, steps};
use proptest::prelude::*;

/// What is done with one key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Check(u32),
    Take(u32),
    Charge(u32),
    /// The longest wait in 64ths of the period, and whether it is kept.
    Reserve(u32, u64, bool),
    Refund(u32),
    Reset,
    Peek,
}

pub(crate) fn ops() -> impl Strategy<Value = Op> {
    let n = || prop_oneof![5 => Just(1u32), 4 => 0..9u32, 1 => any::<u32>()];
    prop_oneof![
        8 => n().prop_map(Op::Check),
        2 => n().prop_map(Op::Take),
        1 => (0..20u32).prop_map(Op::Charge),
        2 => (0..9u32, 0..200u64, any::<bool>()).prop_map(|(n, wait, keep)| Op::Reserve(n, wait, keep)),
        1 => n().prop_map(Op::Refund),
        1 => Just(Op::Reset),
        1 => Just(Op::Peek),
    ]
}

/// Key, tier, operation and step.
pub(crate) type Call = (u64, u16, Op, Step);

pub(crate) fn calls(keys: u64, tiers: u16, most: usize) -> impl Strategy<Value = Vec<Call>> {
    prop::collection::vec((0..keys, 0..tiers, ops(), steps(TOLD / 2)), 1..most)
}
