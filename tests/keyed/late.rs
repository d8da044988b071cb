//! Each key as in exact arithmetic: never early, and late by less than a microsecond.

use crate::beside::Beside;
use crate::given::{CASES, Kind, TOLD, at, kinds, quotas, steps};
use crate::interval::broken;
use crate::ops::calls;
use casgate::Quota;
use proptest::prelude::*;

fn kind_and_quota() -> impl Strategy<Value = (Kind, Quota)> {
    kinds().prop_flat_map(|kind| (Just(kind), quotas(kind)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4 * CASES))]

    /// Every operation, and every number of every answer, for every quota that there can be.
    #[test]
    fn a_key_is_never_early_and_late_by_less_than_a_microsecond(
        (kind, quota) in kind_and_quota(), calls in calls(3, 1, 60), begin in 0..TOLD / 2,
        begins in any::<bool>(),
    ) {
        let mut beside = Beside::new(kind.keyed(quota, 100), kind, &[quota]);
        let mut now = if begins { begin } else { 0 };
        for call in calls {
            beside.call(call, &mut now)?;
        }
        prop_assert_eq!(beside.keyed.stats().evicted, 0);
    }

    /// Timestamps from both ends, in any order: the bound in exact integers.
    #[test]
    fn no_interval_has_more_than_the_quota_at_any_timestamps(
        (kind, quota) in kind_and_quota(),
        trace in prop::collection::vec((0..9u32, steps(u64::MAX)), 1..120), from_the_end in any::<bool>(),
    ) {
        let keyed = kind.keyed(quota, 100);
        let (mut now, mut due) = (if from_the_end { u64::MAX } else { 0 }, None);
        let mut log = Vec::new();
        for (n, step) in trace {
            now = step.follow(quota, now, due);
            match keyed.check_n_at("a", n, at(now)) {
                Ok(_) => log.push((now, n)),
                Err(denied) => due = denied.retry_after().map(|wait| (at(now) + wait).as_nanos()),
            }
        }
        prop_assert_eq!(broken(kind, quota, &log, 0), None);
    }

    /// After a denial there is nothing else to wait for.
    #[test]
    fn what_is_denied_is_admitted_when_it_is_due_and_not_before(
        (kind, quota) in kind_and_quota(), begin in 0..TOLD / 2, spent in 1..=u32::MAX, n in 1..9u32,
    ) {
        let keyed = kind.keyed(quota, 100);
        let limit = if kind == Kind::Bucket { quota.burst() } else { quota.permits() };
        let (spent, n) = (spent % limit + 1, n.min(limit));
        prop_assert!(keyed.check_n_at("a", spent, at(begin)).is_ok());
        let mut denials = 0;
        for _ in 0..5 {
            match keyed.check_n_at("a", n, at(begin)) {
                Ok(_) => continue,
                Err(denied) => {
                    let due = at(begin) + denied.retry_after().unwrap();
                    let before = at(due.as_nanos() - 1);
                    prop_assert!(keyed.check_n_at("a", n, before).is_err(), "1 ns early");
                    prop_assert!(keyed.check_n_at("a", n, due).is_ok(), "not at {due:?}");
                    denials += 1;
                }
            }
        }
        prop_assert!(denials > 0 || u64::from(limit) > u64::from(spent) + 5 * u64::from(n) - 1);
    }
}
