//! The protocol as it is meant.

use super::ops::{
    BUCKET_OF_2, COARSE_BUCKET, KEYS, LONG_WINDOW, SLOW_BUCKET, WINDOW_OF_1, WINDOW_OF_2, charges,
    checks, each_of, peeks, refunds, reserves, resets, table,
};
use super::{Expected, Run, Subject};
use crate::op::Op;
use crate::rule::Rule;
use crate::table::Table;

/// Sets of rules: of the two tiers, and those that `set_quota` puts in force.
pub(super) const RULES: [(&str, [Rule; 4]); 3] = [
    ("buckets", [BUCKET_OF_2, COARSE_BUCKET, SLOW_BUCKET, BUCKET_OF_2]),
    ("windows", [WINDOW_OF_1, LONG_WINDOW, WINDOW_OF_2, WINDOW_OF_1]),
    ("both", [WINDOW_OF_1, COARSE_BUCKET, BUCKET_OF_2, WINDOW_OF_2]),
];

/// Rules with the largest state of a set at rest, and a timestamp at which an unspent quota is full again.
pub(super) const ALONE: [(&str, Rule, u8, u8); 3] = [
    ("window of 1", WINDOW_OF_1, 3, 4),
    ("window of 2", WINDOW_OF_2, 3, 6),
    ("bucket of 2", BUCKET_OF_2, 3, 2),
];

pub(super) fn runs() -> Vec<Run> {
    let mut runs = Vec::new();
    let mut add = |name: &str, deny_new_keys: bool, table: Table| {
        let name = format!("{name}{}", if deny_new_keys { ", deny new keys" } else { "" });
        runs.push(Run::right(name, Table { deny_new_keys, ..table }));
    };
    for (name, rule, from, later) in ALONE {
        let ats = [0, later];
        let ops = [checks(&KEYS, &ats, 0), refunds(&KEYS), resets(&KEYS)];
        let t = table(&[rule], from, each_of(&[1, 1], &ops));
        let t = Table { compared: ats.to_vec(), ends_alone: true, justified: true, ..t };
        add(&format!("{name}, 1+1"), name == "window of 1", t);
        for deny in [false, true] {
            let ops = [
                charges(&KEYS, &[0], 0),
                reserves(&KEYS, &[0], 0),
                peeks(&KEYS, &[0], 0),
                checks(&[1], &[later], 0),
                vec![Op::Clear],
            ];
            let t = table(&[rule], 1, each_of(&[1, 1], &ops));
            let t = Table { compared: ats.to_vec(), ends_alone: true, ..t };
            add(&format!("{name}, charge, reserve, peek, clear, 1+1"), deny, t);
        }
    }
    for (name, rules) in RULES {
        let ops = [
            checks(&KEYS, &[0], 0),
            checks(&[1, 2], &[2], 1),
            resets(&[1]),
            refunds(&[1]),
            vec![Op::Clear],
        ];
        let t = table(&rules, 1, each_of(&[1, 1], &ops));
        let t = Table { compared: vec![2], ends_alone: true, ..t };
        add(&format!("tiers, {name}, 1+1"), name == "windows", t);
        let ops = [checks(&[1, 2], &[0], 0), checks(&[1], &[2], 1), resets(&[1])];
        let t = table(&rules, 0, vec![(1, ops.concat()), (2, set_quotas())]);
        let t = Table { ends_alone: true, ..t };
        add(&format!("set_quota twice, {name}, 1+2"), name == "buckets", t);
    }
    let ops = [checks(&KEYS, &[0], 0), checks(&[1], &[2], 1), resets(&[1])];
    runs.push(Run {
        name: "no cycle, tiers, buckets, 1+1".to_owned(),
        subject: Subject::Ends(table(&RULES[0].1, 1, each_of(&[1, 1], &ops))),
        expected: Expected::Holds,
    });
    runs
}

/// Tier 0 gets other rules.
pub(super) fn set_quotas() -> Vec<Op> {
    vec![Op::SetQuota { t: 0, rule: 2, at: 1 }, Op::SetQuota { t: 0, rule: 3, at: 3 }]
}
