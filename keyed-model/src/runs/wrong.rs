//! The protocol with a fault, which must be found.

use super::ops::{
    BUCKET_OF_2, COARSE_BUCKET, COARSER_BUCKET, KEYS, SLOW_BUCKET, WINDOW_OF_1, WINDOW_OF_2,
    checks, each_of, refunds, reserves, resets, table,
};
use super::{Run, Subject};
use crate::op::Op;
use crate::rule::Rule;
use crate::table::{Start, Table};
use crate::today::Today;
use crate::wrong::Wrong;
use explorer::Expected;

pub(super) fn runs() -> Vec<Run> {
    let mut runs = vec![row_1()];
    let mut add = |wrong: Wrong, table: Table| {
        runs.push(Run::wrong(format!("wrong, {wrong:?}"), Table { wrong, ..table }));
    };
    let clear = || vec![Op::Clear];
    let window = |left: &[u8], ops: &[Vec<Op>]| table(&[WINDOW_OF_1], 1, each_of(left, ops));
    let busy = [checks(&KEYS, &[0], 0), resets(&[1])];

    add(Wrong::UnspentLeavesNoTrace, window(&[1, 1], &[checks(&[1, 2], &[0], 0)]));
    add(Wrong::WatermarkFirst, window(&[1, 1], &busy));
    add(Wrong::WatermarkLast, window(&[1, 1], &busy));
    add(Wrong::OwnerBeforeWord, window(&[1, 2], &busy));
    add(Wrong::RecordNotLast, window(&[1, 2], &busy));
    add(Wrong::WatermarkForgotten, window(&[1], &busy));
    add(Wrong::HitWithoutStamps, window(&[1, 1], &busy));
    add(Wrong::ClearWithoutEpoch, window(&[1, 2], &[checks(&KEYS, &[0], 0), clear()]));
    add(Wrong::ClearWithoutRecord, window(&[1, 1], &[checks(&KEYS, &[0], 0), clear()]));
    let t = window(&[1, 1], &[busy.concat(), refunds(&[1])]);
    add(Wrong::DenialUnverified, Table { justified: true, ..t });

    let rules = [BUCKET_OF_2, COARSE_BUCKET, SLOW_BUCKET, BUCKET_OF_2];
    let set = |rule| vec![Op::SetQuota { t: 0, rule, at: 1 }];
    let ops = checks(&[1, 2], &[0], 0);
    let tier_1 = checks(&[1], &[2], 1);
    let quota = |n: u8, sets: u8| {
        table(&rules, 1, vec![(n, ops.clone()), (sets, [set(2), set(3)].concat())])
    };
    add(Wrong::HitLooksOnce, quota(1, 2));
    add(Wrong::NewKeyLooksOnce, quota(1, 1));
    add(Wrong::NoBump, quota(1, 1));
    add(Wrong::QuotaOverwritten, table(&rules, 1, each_of(&[1, 1], &[set(2), set(3)])));
    let two = |left: &[u8], ops: &[Vec<Op>]| table(&rules, 1, each_of(left, ops));
    add(Wrong::HelpersTimestamp, two(&[1, 1], &[ops.clone(), tier_1.clone()]));
    let programs = vec![(1, checks(&[1], &[0], 0)), (1, checks(&[1], &[0], 1))];
    add(Wrong::CarriesWithoutEnd, table(&rules, 1, programs));
    let programs = vec![(1, checks(&KEYS, &[0], 0)), (1, checks(&KEYS, &[0], 1))];
    add(Wrong::RaisedByRounding, table(&[COARSE_BUCKET, COARSER_BUCKET], 2, programs));
    add(Wrong::RefundGivesUp, table(&rules, 1, vec![(1, tier_1.clone()), (1, refunds(&[1]))]));

    let units = [COARSE_BUCKET, COARSER_BUCKET];
    let programs = each_of(&[1, 1], &[checks(&KEYS, &[0], 0), checks(&KEYS, &[0], 1)]);
    add(Wrong::RoundedLeavesNoTrace, table(&units, 2, programs));
    add(Wrong::RaisedOnce, quota(1, 1));
    add(Wrong::ClearGivesUp, table(&rules, 1, vec![(1, clear()), (1, set(2))]));

    let programs =
        vec![(1, reserves(&[1], &[0], 0)), (3, [checks(&[2, 3], &[0], 0), resets(&[2])].concat())];
    add(Wrong::CancelWithoutStamp, table(&[BUCKET_OF_2], 1, programs));
    let busy = [checks(&[3], &[0], 0), checks(&[1], &[0], 1), refunds(&[1])].concat();
    let programs = vec![(1, reserves(&[1], &[0], 0)), (4, busy)];
    let rules =
        [Rule::Bucket { burst: 2, cost: 3, unit: 1 }, Rule::Bucket { burst: 5, cost: 1, unit: 1 }];
    let from = Start::With([(2, 1, 3), (1, 1, 0)]);
    add(Wrong::CancelAnySlot, Table { from, ..table(&rules, 0, programs) });
    // The first rule of tier 1 admits what the third of it does not.
    let small = Rule::Bucket { burst: 1, cost: 1, unit: 1 };
    let programs = vec![
        (1, checks(&[1], &[0], 0)),
        (1, checks(&[1], &[0], 1)),
        (2, vec![Op::SetQuota { t: 1, rule: 2, at: 0 }]),
    ];
    let t = table(&[BUCKET_OF_2, BUCKET_OF_2, small], 0, programs);
    add(Wrong::RuleAfterWord, Table { from: Start::With([(2, 0, 0), (1, 1, 0)]), ..t });

    let set = Op::SetQuota { t: 0, rule: 2, at: 0 };
    let programs = vec![(1, checks(&[1], &[1], 0)), (2, vec![set])];
    let t = table(&[BUCKET_OF_2, BUCKET_OF_2, COARSER_BUCKET], 2, programs);
    add(Wrong::RuleReadAgain, t);

    // Stamps that wrap: one caller stops in the middle of a check, and the other does the rest.
    for (stamps, ops) in [(2, 4), (4, 7)] {
        let busy = [checks(&KEYS, &[0], 0), vec![Op::Clear]].concat();
        let programs = vec![(1, checks(&[1], &[0], 0)), (ops, busy)];
        let t = Table { stamps, from: Start::Empty, ..table(&[WINDOW_OF_2], 0, programs) };
        runs.push(Run::wrong(format!("wrong, {stamps} stamps"), t));
    }
    runs
}

/// A caller has chosen the slot of key 2 for key 1 and stops; another caller does the rest.
fn row_1() -> Run {
    let check = |k, n, at| Op::Check { k, n, at, t: 0 };
    let busy = vec![
        check(2, 1, 0),
        check(2, 4, 0),
        check(3, 5, 0),
        check(1, 1, 0),
        check(1, 5, 6),
        Op::Reset { k: 2 },
        Op::Reset { k: 3 },
    ];
    let today = Today {
        rule: Rule::Window { limit: 5, fine: 1, unit: 1 },
        programs: vec![(1, vec![check(1, 1, 0)]), (8, busy)],
    };
    Run {
        name: "wrong, one word a slot".to_owned(),
        subject: Subject::Today(today),
        expected: Expected::Fails,
    }
}
