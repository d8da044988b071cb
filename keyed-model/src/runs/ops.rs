//! Sets of operations, and models that use them.

use crate::op::Op;
use crate::rule::Rule;
use crate::table::{Start, Table};
use crate::wrong::Wrong;

pub(crate) const WINDOW_OF_1: Rule = Rule::Window { limit: 1, fine: 2, unit: 1 };
pub(crate) const WINDOW_OF_2: Rule = Rule::Window { limit: 2, fine: 2, unit: 1 };
/// In units of two instants.
pub(crate) const LONG_WINDOW: Rule = Rule::Window { limit: 1, fine: 2, unit: 2 };
pub(crate) const BUCKET_OF_2: Rule = Rule::Bucket { burst: 2, cost: 1, unit: 1 };
pub(crate) const SLOW_BUCKET: Rule = Rule::Bucket { burst: 1, cost: 3, unit: 1 };
/// In units of two instants, and of three.
pub(crate) const COARSE_BUCKET: Rule = Rule::Bucket { burst: 1, cost: 2, unit: 2 };
pub(crate) const COARSER_BUCKET: Rule = Rule::Bucket { burst: 2, cost: 1, unit: 3 };

/// A key for each of two slots and one more.
pub(crate) const KEYS: [u8; 3] = [1, 2, 3];

fn each(keys: &[u8], ats: &[u8], op: impl Fn(u8, u8) -> Op) -> Vec<Op> {
    keys.iter().flat_map(|&k| ats.iter().map(move |&at| (k, at))).map(|(k, at)| op(k, at)).collect()
}

/// Checks of one permit in tier `t`.
pub(crate) fn checks(keys: &[u8], ats: &[u8], t: u8) -> Vec<Op> {
    each(keys, ats, |k, at| Op::Check { k, n: 1, at, t })
}

pub(crate) fn charges(keys: &[u8], ats: &[u8], t: u8) -> Vec<Op> {
    each(keys, ats, |k, at| Op::Charge { k, n: 1, at, t })
}

pub(crate) fn reserves(keys: &[u8], ats: &[u8], t: u8) -> Vec<Op> {
    each(keys, ats, |k, at| Op::Reserve { k, n: 1, at, t })
}

pub(crate) fn peeks(keys: &[u8], ats: &[u8], t: u8) -> Vec<Op> {
    each(keys, ats, |k, at| Op::Peek { k, at, t })
}

pub(crate) fn refunds(keys: &[u8]) -> Vec<Op> {
    each(keys, &[0], |k, _| Op::Refund { k, n: 1 })
}

pub(crate) fn resets(keys: &[u8]) -> Vec<Op> {
    each(keys, &[0], |k, _| Op::Reset { k })
}

/// Callers that each begin so many of the same operations.
pub(crate) fn each_of(left: &[u8], ops: &[Vec<Op>]) -> Vec<(u8, Vec<Op>)> {
    left.iter().map(|&n| (n, ops.concat())).collect()
}

/// The protocol as it is meant, from every set at rest with states and watermark up to `from`.
pub(crate) fn table(rules: &[Rule], from: u8, programs: Vec<(u8, Vec<Op>)>) -> Table {
    let changes = |op: &Op| matches!(op, Op::SetQuota { .. });
    let quotas_change = programs.iter().flat_map(|p| &p.1).any(changes);
    let tiers = programs.iter().flat_map(|p| &p.1).filter_map(|op| op.tier()).max();
    let rules = if rules.len() == 1 { vec![rules[0]; 2] } else { rules.to_vec() };
    Table {
        rules,
        tiers: tiers.unwrap_or(0) + 1,
        deny_new_keys: false,
        stamps: 256,
        wrong: Wrong::Nothing,
        programs,
        compared: vec![],
        justified: false,
        from: Start::AtRest(from),
        ends_alone: false,
        records: 24,
        quotas_change,
    }
}
