//! More keys than slots: no key has more than its bound, and what is seen is what is there.

use crate::given::{CASES, Kind, Step, at, kinds, quotas, small_quotas, steps};
use crate::interval::broken_by_more;
use crate::{WAYS, unhashed};
use casgate::{Quota, WhenFull};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use std::collections::HashMap;

#[derive(Clone, Copy, Debug)]
enum Op {
    Check(u32),
    Take(u32),
    Charge(u32),
    /// Whether it is kept.
    Reserve(u32, bool),
    Refund(u32),
    Reset,
    Clear,
}

fn ops() -> impl Strategy<Value = Op> {
    let n = || 1..5u32;
    prop_oneof![
        20 => n().prop_map(Op::Check),
        4 => n().prop_map(Op::Take),
        2 => n().prop_map(Op::Charge),
        3 => (n(), any::<bool>()).prop_map(|(n, keep)| Op::Reserve(n, keep)),
        2 => n().prop_map(Op::Refund),
        1 => Just(Op::Reset),
    ]
}

/// What a key was admitted, and what it was given back.
#[derive(Default)]
struct Account {
    log: Vec<(u64, u32)>,
    credit: u128,
    /// 1 if there are reservations in it, whose instants are rounded up to whole nanoseconds.
    rounded: u64,
}

fn policies() -> impl Strategy<Value = WhenFull> {
    prop_oneof![Just(WhenFull::EvictLeastDebt), Just(WhenFull::DenyNewKeys)]
}

type Trace = Vec<(u64, Op, Step)>;

fn traces(keys: u64, last: u64) -> impl Strategy<Value = Trace> {
    let op = prop_oneof![400 => ops(), 1 => Just(Op::Clear)];
    // Mostly at the same timestamp, so that the set is soon full.
    let step = prop_oneof![6 => Just(Step::Same), 1 => steps(last)];
    prop::collection::vec((0..keys, op, step), 1..900)
}

/// Follows the trace in one set that is full to begin with, and judges each key by its own tier's quota.
fn follow(
    kind: Kind,
    quotas: &[Quota],
    full: WhenFull,
    begin: u64,
    trace: &Trace,
) -> TestCaseResult {
    let keyed = unhashed(kind.keyed(quotas[0], 1)).when_full(full);
    let keyed = keyed.with_tiers(quotas[1..].iter().copied());
    let tier_of = |key: u64| key as usize % quotas.len();
    let mut accounts = HashMap::<u64, Account>::new();
    let mut now = begin;
    for key in 1_000..1_000 + WAYS {
        let _ = keyed.key(&key).tier(tier_of(key) as u16).charge_at(2, at(now));
    }
    for &(key, op, step) in trace {
        let quota = quotas[tier_of(key)];
        now = step.follow(quota, now, None);
        let view = keyed.key(&key).tier(tier_of(key) as u16);
        let account = accounts.entry(key).or_default();
        looks(&view, now)?;
        let left = view.peek_at(at(now)).remaining();
        match op {
            Op::Check(n) => {
                let admitted = view.check_n_at(n, at(now)).is_ok();
                prop_assert_eq!(admitted, n <= left, "{} of {} by {} at {}", n, left, key, now);
                if admitted {
                    account.log.push((now, n));
                }
            }
            Op::Take(n) => {
                let taken = view.take_up_to_at(n, at(now));
                prop_assert_eq!(taken, n.min(left));
                account.log.push((now, taken));
            }
            // Not judged: into debt. It leaves less for what is.
            Op::Charge(n) => {
                let charged = view.charge_at(n, at(now));
                prop_assert!(charged.is_ok() || full == WhenFull::DenyNewKeys);
            }
            Op::Reserve(n, keep) => {
                if let Ok(reserved) = view.reserve_at(n, quota.period(), at(now)) {
                    let ready = reserved.ready_at().as_nanos();
                    if keep {
                        reserved.commit();
                        account.log.push((ready, n));
                        account.rounded = 1;
                    } else {
                        prop_assert_eq!(reserved.cancel(), n);
                    }
                }
            }
            Op::Refund(n) => {
                view.refund_n(n);
                account.credit += u128::from(n);
            }
            Op::Reset => {
                view.reset();
                let spent: u128 = account.log.iter().map(|&(_, n)| u128::from(n)).sum();
                account.credit = spent;
            }
            Op::Clear => {
                keyed.clear();
                accounts.clear();
                prop_assert_eq!(keyed.len_at(at(now)), 0);
            }
        }
    }
    for (key, Account { log, credit, rounded }) in accounts {
        let seen = broken_by_more(kind, quotas[tier_of(key)], &log, credit, rounded);
        prop_assert_eq!(seen, None, "key {}", key);
    }
    Ok(())
}

/// Looking is the request for zero permits, and what is left fits and no more does.
fn looks<C: casgate::clock::Clock, S>(view: &casgate::Key<'_, C, S>, now: u64) -> TestCaseResult {
    let seen = view.peek_at(at(now));
    let none = view.check_n_at(0, at(now)).unwrap();
    prop_assert_eq!((none.limit(), none.remaining()), (seen.limit(), seen.remaining()));
    prop_assert_eq!(none.reset_after(), seen.reset_after());
    if let Some(more) = seen.remaining().checked_add(1) {
        let denied = view.check_n_at(more, at(now));
        prop_assert!(denied.is_err(), "{} of {} left", more, seen.remaining());
        let denied = denied.unwrap_err();
        prop_assert_eq!((denied.limit(), denied.remaining()), (seen.limit(), seen.remaining()));
        prop_assert_eq!(denied.reset_after(), seen.reset_after());
        if let Some(wait) = denied.retry_after() {
            let due = at(now) + wait;
            let earlier = at(due.as_nanos() - 1);
            prop_assert!(view.check_n_at(more, earlier).is_err(), "{} are due at {:?}", more, due);
            let there = view.peek_at(due).remaining() >= more;
            prop_assert!(there, "{} are not there at {:?}", more, due);
        }
    }
    prop_assert_eq!(view.peek_at(at(now)), seen, "a denial left something behind");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES / 4))]

    #[test]
    fn no_key_has_more_than_its_bound_in_a_full_set(
        kind in kinds(), quota in small_quotas(), full in policies(), begin in 0..1u64 << 59,
        trace in traces(400, 1 << 59),
    ) {
        follow(kind, &[quota], full, begin, &trace)?;
    }

    /// Likewise whatever the quotas, of three tiers in one set, and the timestamps.
    #[test]
    fn no_key_has_more_than_the_bound_of_its_tier_in_a_full_set(
        (kind, quotas) in kinds().prop_flat_map(|kind| (Just(kind), [quotas(kind), quotas(kind), quotas(kind)])),
        full in policies(), begin in prop_oneof![0..1u64 << 59, Just(u64::MAX), Just(0)],
        trace in traces(400, u64::MAX),
    ) {
        follow(kind, &quotas, full, begin, &trace)?;
    }

    /// A key that nobody has evicted is not disturbed by those that are.
    #[test]
    fn the_keys_that_owe_most_stay(quota in small_quotas(), begin in 0..1u64 << 59, kind in kinds()) {
        let keyed = unhashed(kind.keyed(quota, 1));
        let limit = keyed.peek_at(&0, at(begin)).limit();
        for key in 0..40 {
            prop_assert!(keyed.charge_at(&key, 2 * limit + 1, at(begin)).is_ok());
        }
        let seen: Vec<_> = (0..40).map(|key| keyed.peek_at(&key, at(begin))).collect();
        for key in 1_000..2_000 {
            let _ = keyed.check_at(&key, at(begin));
        }
        let after: Vec<_> = (0..40).map(|key| keyed.peek_at(&key, at(begin))).collect();
        prop_assert_eq!(seen, after);
        let seen = keyed.stats().inserted;
        for key in 0..40 {
            prop_assert!(!keyed.is_allowed_at(&key, at(begin)));
        }
        prop_assert_eq!(keyed.stats().inserted, seen, "a key had been evicted");
    }
}
