//! Runs of minutes: three callers, and two with more operations.

use super::Run;
use super::ops::{
    BUCKET_OF_2, KEYS, WINDOW_OF_1, WINDOW_OF_2, charges, checks, each_of, peeks, refunds,
    reserves, resets, table,
};
use super::right::{ALONE, RULES, set_quotas};
use crate::op::Op;
use crate::table::{Start, Table};

pub(super) fn runs() -> Vec<Run> {
    let mut runs = Vec::new();
    let mut add = |name: &str, table: Table| runs.push(Run::right(name, table));
    let clear = || vec![Op::Clear];

    let three = |ops: &[Vec<Op>]| each_of(&[1, 1, 1], ops);
    let few = checks(&KEYS, &[0], 0);
    let plain = [few.clone(), resets(&[1])];
    add("three callers, window of 1, 1+1+1", table(&[WINDOW_OF_1], 0, three(&plain)));
    add("three callers, bucket of 2, 1+1+1", table(&[BUCKET_OF_2], 0, three(&plain)));
    let cleared = [few, clear()];
    let reset = [checks(&KEYS, &[0, 4], 0), resets(&[1]), refunds(&[2])];
    add("three callers, from 1, window of 1, 1+1+1", table(&[WINDOW_OF_1], 1, three(&plain)));
    add("three callers, more, window of 1, 1+1+1", table(&[WINDOW_OF_1], 0, three(&reset)));
    let reset = [checks(&KEYS, &[0, 2], 0), resets(&[1]), refunds(&[2])];
    add("three callers, more, bucket of 2, 1+1+1", table(&[BUCKET_OF_2], 0, three(&reset)));
    let programs = each_of(&[1, 1, 2], &plain);
    add("three callers, window of 1, 1+1+2", table(&[WINDOW_OF_1], 0, programs));
    add("three callers, clear, window of 1, 1+1+1", table(&[WINDOW_OF_1], 0, three(&cleared)));
    for (name, rules) in RULES {
        let ops = [checks(&[1, 2], &[0], 0), checks(&[1], &[2], 1)];
        add(&format!("three callers, tiers, {name}, 1+1+1"), table(&rules, 0, three(&ops)));
        let ops = checks(&[1, 2], &[0], 0);
        let programs = vec![(1, ops.clone()), (1, ops), (1, set_quotas())];
        add(&format!("three callers, set_quota, {name}, 1+1+1"), table(&rules, 0, programs));
    }

    let busy = [checks(&KEYS, &[0], 0), clear()].concat();
    let programs = vec![(1, checks(&[1], &[0], 0)), (5, busy)];
    let t = table(&[WINDOW_OF_2], 0, programs);
    add("one stops and one clears, window of 2, 1+5", Table { from: Start::Empty, ..t });
    for (name, rules) in RULES {
        let ops = [
            checks(&[1, 2], &[0], 0),
            checks(&[1], &[2], 1),
            peeks(&[1], &[2], 0),
            resets(&[1]),
            refunds(&[1]),
            clear(),
        ];
        let t = table(&rules, 1, vec![(1, ops.concat()), (2, set_quotas())]);
        add(&format!("set_quota twice, all else, {name}, 1+2"), t);
        let ops = [checks(&KEYS, &[0], 0), checks(&[1], &[2], 1), resets(&[1]), clear()];
        add(&format!("tiers, {name}, 1+2"), table(&rules, 0, each_of(&[1, 2], &ops)));
    }
    for (name, rule, from, later) in ALONE {
        let ats = [0, later];
        let ops = [checks(&KEYS, &ats, 0), refunds(&KEYS), resets(&KEYS)];
        add(&format!("{name}, 1+2"), table(&[rule], from, each_of(&[1, 2], &ops)));
        let ops = [
            charges(&KEYS, &ats, 0),
            reserves(&KEYS, &ats, 0),
            peeks(&KEYS, &ats, 0),
            checks(&KEYS, &ats, 0),
            clear(),
        ];
        add(&format!("{name}, everything, 1+1"), table(&[rule], from, each_of(&[1, 1], &ops)));
    }
    runs
}
