//! On one thread: what the plain algorithm answers, for timestamps in order; and the bound, for any.

use super::at;
use casgate::{Admitted, Denied, Limiter, Quota, Reason};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Step {
    Check(u32),
    TakeUpTo(u32),
    /// The admission that was made so many before the last.
    Refund(usize),
    Reset,
    Peek,
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Check(1)),
        3 => (1..30u32).prop_map(Step::Check),
        1 => (0..30u32).prop_map(Step::TakeUpTo),
        1 => (0..3usize).prop_map(Step::Refund),
        1 => Just(Step::Reset),
        1 => Just(Step::Peek),
    ]
}

/// What a denial says.
fn said(denied: Denied) -> (Option<Duration>, Duration, u32, u32, Reason) {
    let (wait, reset) = (denied.retry_after(), denied.reset_after());
    (wait, reset, denied.remaining(), denied.limit(), denied.reason())
}

fn quotas() -> impl Strategy<Value = Quota> {
    (1..24u32, 24..2_000u64).prop_map(|(l, w)| Quota::new(l, Duration::from_nanos(w)).unwrap())
}

/// Most steps within a window, some over it.
fn gaps() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0..30u64, 1 => 0..3_000u64]
}

fn cases(release: u32) -> ProptestConfig {
    ProptestConfig::with_cases(if cfg!(debug_assertions) { 500 } else { release })
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn in_order_it_answers_as_the_plain_window(
        quota in quotas(),
        cells in 1..9usize,
        trace in prop::collection::vec((steps(), gaps()), 1..60),
    ) {
        let plain = Limiter::fixed_window(quota);
        let sharded = Limiter::sharded_fixed_window(quota).with_cells(cells);
        let mut admissions: Vec<(Admitted, Admitted)> = Vec::new();
        let mut now = 0;
        for (step, gap) in trace {
            now += gap;
            match step {
                Step::Check(n) => match (plain.check_n_at(n, at(now)), sharded.check_n_at(n, at(now))) {
                    (Ok(one), Ok(other)) => {
                        prop_assert_eq!(one.reset_after(), other.reset_after());
                        prop_assert!(other.remaining() <= one.remaining());
                        prop_assert_eq!((other.permits(), other.ticket()), (n, 0));
                        admissions.push((one, other));
                    }
                    (Err(one), Err(other)) => prop_assert_eq!(said(one), said(other)),
                    (one, other) => prop_assert!(false, "{:?} and {:?}", one, other),
                },
                Step::TakeUpTo(n) => {
                    prop_assert_eq!(plain.take_up_to_at(n, at(now)), sharded.take_up_to_at(n, at(now)));
                }
                Step::Refund(back) if back < admissions.len() => {
                    let (one, other) = admissions.remove(admissions.len() - 1 - back);
                    plain.refund(&one);
                    sharded.refund(&other);
                }
                Step::Refund(_) => {}
                Step::Reset => {
                    plain.reset();
                    sharded.reset();
                    admissions.clear();
                }
                Step::Peek => prop_assert_eq!(plain.peek_at(at(now)), sharded.peek_at(at(now))),
            }
        }
        prop_assert_eq!(plain.peek_at(at(now)), sharded.peek_at(at(now)));
    }

    #[test]
    fn in_any_order_no_window_admits_more_than_its_limit(
        quota in quotas(),
        cells in 1..9usize,
        trace in prop::collection::vec((prop::bool::ANY, 1..12u32, 0..5_000u64), 1..120),
    ) {
        let limiter = Limiter::sharded_fixed_window(quota).with_cells(cells);
        let mut windows = BTreeMap::new();
        for (is_all_or_none, n, now) in trace {
            let taken = match is_all_or_none {
                true => limiter.check_n_at(n, at(now)).map_or(0, |admitted| admitted.permits()),
                false => limiter.take_up_to_at(n, at(now)),
            };
            *windows.entry(now / quota.period().as_nanos() as u64).or_insert(0) += taken;
            prop_assert!(windows.values().all(|&taken| taken <= quota.permits()));
        }
    }

    /// One by one, whatever the number of cells: the limit in each window.
    #[test]
    fn one_by_one_each_window_admits_its_limit(quota in quotas(), cells in 1..70usize) {
        let limiter = Limiter::sharded_fixed_window(quota).with_cells(cells);
        for window in 0..3 {
            let now = at(window * quota.period().as_nanos() as u64);
            let admitted = (0..30).filter(|_| limiter.is_allowed_at(now)).count();
            prop_assert_eq!(admitted as u32, quota.permits());
        }
    }
}
