//! The protocol as it is meant.

use super::ops::{
    BUCKET_OF_2, COARSE_BUCKET, COARSER_BUCKET, KEYS, LONG_WINDOW, WINDOW_OF_1, WINDOW_OF_2,
    charges, checks, each_of, peeks, refunds, reserves, resets, table,
};
use super::{Run, Subject};
use crate::op::Op;
use crate::rule::Rule;
use crate::table::Table;
use explorer::Expected;

/// Sets of rules: of the two tiers, and those that `set_quota` puts in force.
pub(super) const RULES: [(&str, [Rule; 4]); 3] = [
    ("buckets", [BUCKET_OF_2, COARSE_BUCKET, COARSER_BUCKET, BUCKET_OF_2]),
    ("windows", [WINDOW_OF_1, LONG_WINDOW, WINDOW_OF_2, WINDOW_OF_1]),
    ("both", [WINDOW_OF_1, COARSE_BUCKET, BUCKET_OF_2, WINDOW_OF_2]),
];

/// Rules with the largest state of a set at rest, and a timestamp at which an unspent quota is full again.
pub(super) const ALONE: [(&str, Rule, u8, u8); 3] = [
    ("window of 1", WINDOW_OF_1, 3, 4),
    ("window of 2", WINDOW_OF_2, 3, 6),
    ("bucket of 2", BUCKET_OF_2, 3, 2),
];

/// With every property, from sets at rest with nothing outstanding.
pub(super) fn runs() -> Vec<Run> {
    let mut runs = searched(false);
    let ops = [checks(&KEYS, &[0], 0), checks(&[1], &[2], 1), resets(&[1])];
    runs.push(Run {
        name: "no cycle, tiers, buckets, 1+1".to_owned(),
        subject: Subject::Ends(table(&RULES[0].1, 0, each_of(&[1, 1], &ops))),
        expected: Expected::Holds,
    });
    runs
}

/// From more sets and with more changes of quotas, but without the properties that run each caller alone.
pub(super) fn long() -> Vec<Run> {
    searched(true)
}

fn searched(long: bool) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut add = |name: &str, deny_new_keys: bool, table: Table| {
        let more = if long { ", more sets" } else { "" };
        let deny = if deny_new_keys { ", deny new keys" } else { "" };
        let mut table = Table { deny_new_keys, ..table };
        if long {
            (table.compared, table.justified, table.ends_alone) = (vec![], false, false);
        }
        runs.push(Run::right(format!("{name}{more}{deny}"), table));
    };
    let from = u8::from(long);
    for (name, rule, most, later) in ALONE {
        let ats = [0, later];
        let ops = [checks(&KEYS, &ats, 0), refunds(&KEYS), resets(&KEYS)];
        let t = table(&[rule], most * from, each_of(&[1, 1], &ops));
        let t = Table { compared: ats.to_vec(), ends_alone: true, justified: true, ..t };
        add(&format!("{name}, 1+1"), name == "window of 1", t);
        let ops = [
            charges(&KEYS, &[0], 0),
            reserves(&KEYS, &[0], 0),
            peeks(&KEYS, &[0], 0),
            checks(&[1], &[later], 0),
            vec![Op::Clear],
        ];
        let t = table(&[rule], from, each_of(&[1, 1], &ops));
        let t = Table { compared: ats.to_vec(), ends_alone: true, ..t };
        add(&format!("{name}, charge, reserve, peek, clear, 1+1"), name == "bucket of 2", t);
    }
    for (name, rules) in RULES {
        let ops = [
            checks(&KEYS, &[0], 0),
            checks(&[1, 2], &[2], 1),
            resets(&[1]),
            refunds(&[1]),
            vec![Op::Clear],
        ];
        let t = table(&rules, from, each_of(&[1, 1], &ops));
        add(&format!("tiers, {name}, 1+1"), name == "windows", t);
        let ops = [checks(&[1, 2], &[0], 0), checks(&[1], &[2], 1), resets(&[1])];
        let t = table(&rules, 0, vec![(1, ops.concat()), (1 + from, set_quotas())]);
        let times = if long { "set_quota twice" } else { "set_quota" };
        add(&format!("{times}, {name}, 1+{}", 1 + from), name == "buckets", t);
    }
    runs
}

/// Tier 0 gets other rules.
pub(super) fn set_quotas() -> Vec<Op> {
    vec![Op::SetQuota { t: 0, rule: 2, at: 1 }, Op::SetQuota { t: 0, rule: 3, at: 3 }]
}
