//! Beside a map of plain limiters, one for each key: the same decisions and the same numbers where nothing is
//! rounded.

use crate::given::{CASES, Kind, at, quotas};
use casgate::{Admitted, Denied, FixedWindow, Limiter, Quota, TokenBucket};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use std::collections::HashMap;
use std::time::Duration;

/// What is asked, as far as plain limiters can do it.
#[derive(Clone, Copy, Debug)]
enum Op {
    Check(u32),
    Refund(u32),
    /// Of the key's last admission.
    RefundLast,
    Reset,
    /// The longest wait in 64ths of the period, and whether it is kept.
    Reserve(u32, u32, bool),
}

fn traces() -> impl Strategy<Value = Vec<(u64, Op, i64)>> {
    let n = || prop_oneof![4 => Just(1u32), 4 => 1..9u32, 1 => 1..=u32::MAX];
    let op = prop_oneof![
        9 => n().prop_map(Op::Check),
        2 => n().prop_map(Op::Refund),
        2 => Just(Op::RefundLast),
        1 => Just(Op::Reset),
        2 => (1..9u32, 0..99u32, any::<bool>()).prop_map(|(n, wait, keep)| Op::Reserve(n, wait, keep)),
    ];
    // In 64ths of a permit's time.
    let step = prop_oneof![4 => Just(0i64), 4 => 0..200i64, 1 => -200..0i64, 1 => 0..20_000i64];
    prop::collection::vec((0..40u64, op, step), 1..200)
}

type Answer = Result<Admitted, Denied>;

/// All numbers but the ticket, which counts in other units.
fn numbers(answer: Answer) -> Result<(u32, u32, Duration), Denied> {
    answer.map(|admitted| (admitted.limit(), admitted.remaining(), admitted.reset_after()))
}

/// On, or back, by so many 64ths of a permit's time.
fn on(quota: Quota, now: u64, parts: i64) -> u64 {
    let permit = quota.period().as_nanos() as i128 / i128::from(quota.permits());
    (i128::from(now) + permit * i128::from(parts) / 64).clamp(0, 1 << 60) as u64
}

/// How many nanoseconds are a whole number of the units of a bucket with this rate, if each permit is: the units
/// are halves, thirds or quarters of whole nanoseconds at the finest.
fn lattice(quota: Quota) -> Option<u64> {
    let (mut q, mut p) = (quota.period().as_nanos() as u64, u64::from(quota.permits()));
    let (mut a, mut b) = (q, p);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    (q, p) = (q / a, p / a);
    (1..=4 / p).find_map(|k| (500 * p * k..=(1_000 * p * k).min(2_047)).find(|d| k * q % d == 0))
}

/// Rates whose permits are a whole number of units.
fn exact_buckets() -> impl Strategy<Value = Quota> {
    let quota = prop_oneof![
        4 => (1..5u32, (1..2_000_000u64).prop_map(|n| n * 500)),
        2 => (1..5u32, (1..200u64).prop_map(|n| n * 1_000_000_000)),
        2 => (1..5u32, 500..10_000_000u64),
    ];
    (quota, 1..40u32).prop_filter_map("not whole units", |((permits, period), burst)| {
        let quota = Quota::new(permits, Duration::from_nanos(period)).ok()?.with_burst(burst);
        casgate::KeyedLimiter::try_token_bucket(quota, 1).ok()?;
        lattice(quota).map(|_| quota)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_window_for_each_key_is_that_of_a_limiter_of_its_own(
        quota in quotas(Kind::Window), begin in 0..1u64 << 60, trace in traces(),
    ) {
        let keyed = Kind::Window.keyed(quota, 100);
        let mut single = HashMap::<u64, Limiter<FixedWindow>>::new();
        let (mut now, mut last) = (begin, HashMap::new());
        for (key, op, step) in trace {
            now = on(quota, now, step);
            let own = single.entry(key).or_insert_with(|| Limiter::fixed_window(quota));
            prop_assert_eq!(keyed.peek_at(&key, at(now)), own.peek_at(at(now)));
            match op {
                Op::Check(n) | Op::Reserve(n, ..) => {
                    let (seen, expected) =
                        (keyed.check_n_at(&key, n, at(now)), own.check_n_at(n, at(now)));
                    prop_assert_eq!(numbers(seen), numbers(expected));
                    last.extend(seen.ok().zip(expected.ok()).map(|both| (key, both)));
                }
                Op::Refund(n) => {
                    keyed.refund_n(&key, n);
                    own.refund_n(n);
                }
                Op::RefundLast => if let Some((seen, expected)) = last.remove(&key) {
                    keyed.refund(&key, &seen);
                    own.refund(&expected);
                },
                Op::Reset => {
                    keyed.reset(&key);
                    *own = Limiter::fixed_window(quota);
                }
            }
            prop_assert_eq!(keyed.peek_at(&key, at(now)), own.peek_at(at(now)));
        }
        prop_assert_eq!(keyed.stats().evicted, 0);
    }

    /// At timestamps that are a whole number of units.
    #[test]
    fn a_bucket_for_each_key_is_that_of_a_limiter_of_its_own(
        quota in exact_buckets(), begin in 0..1u64 << 60, trace in traces(),
    ) {
        let keyed = Kind::Bucket.keyed(quota, 100);
        let unit = lattice(quota).unwrap();
        let mut single = HashMap::<u64, Limiter<TokenBucket>>::new();
        let mut now = begin / unit * unit;
        // A plain limiter's cancelled reservation leaves the timestamp behind, before which it denies.
        let (mut oldest, mut last) = (0, HashMap::new());
        for (key, op, step) in trace {
            now = (on(quota, now, step) / unit * unit).max(oldest);
            let own = single.entry(key).or_insert_with(|| Limiter::token_bucket(quota));
            match op {
                Op::Check(n) => {
                    let (seen, expected) =
                        (keyed.check_n_at(&key, n, at(now)), own.check_n_at(n, at(now)));
                    prop_assert_eq!(numbers(seen), numbers(expected));
                    last.extend(seen.ok().zip(expected.ok()).map(|both| (key, both)));
                }
                Op::Refund(n) => {
                    keyed.refund_n(&key, n);
                    own.refund_n(n);
                }
                Op::RefundLast => if let Some((seen, expected)) = last.remove(&key) {
                    keyed.refund(&key, &seen);
                    own.refund(&expected);
                },
                Op::Reset => {
                    keyed.reset(&key);
                    own.reset();
                }
                Op::Reserve(n, wait, keep) => {
                    let wait = quota.period() / 64 * wait;
                    let seen = keyed.reserve_at(&key, n, wait, at(now));
                    let expected = own.reserve_at(n, wait, at(now));
                    match (seen, expected) {
                        (Ok(seen), Ok(expected)) => {
                            prop_assert_eq!(seen.ready_at(), expected.ready_at());
                            prop_assert_eq!(seen.delay(), expected.delay());
                            if keep {
                                seen.commit();
                                expected.commit();
                            } else {
                                prop_assert_eq!(seen.cancel(), expected.cancel());
                                oldest = now;
                            }
                        }
                        (seen, expected) => prop_assert_eq!(
                            seen.map(|seen| seen.ready_at()),
                            expected.map(|expected| expected.ready_at())
                        ),
                    }
                }
            }
            prop_assert_eq!(keyed.peek_at(&key, at(now)), own.peek_at(at(now)));
        }
        prop_assert_eq!(keyed.stats().evicted, 0);
    }

    /// All of a burst, one permit after the other: at the origin nothing need be rounded.
    #[test]
    fn a_burst_is_admitted_one_by_one_at_the_origin(quota in quotas(Kind::Bucket)) {
        let keyed = Kind::Bucket.keyed(quota.with_burst(quota.burst().min(50)), 100);
        one_by_one(&keyed, quota.burst().min(50), 0)?;
    }

    /// The same where a timestamp is a whole number of units.
    #[test]
    fn a_burst_is_admitted_one_by_one_at_a_whole_unit(quota in exact_buckets(), units in 0..1u64 << 50) {
        let now = units * lattice(quota).unwrap();
        one_by_one(&Kind::Bucket.keyed(quota, 100), quota.burst(), now)?;
    }
}

fn one_by_one(keyed: &casgate::KeyedLimiter, burst: u32, now: u64) -> TestCaseResult {
    for left in (0..burst).rev() {
        let answer = keyed.check_at("a", at(now)).map(|admitted| admitted.remaining());
        prop_assert_eq!(answer.ok(), Some(left), "of {} at {}", burst, now);
    }
    prop_assert!(!keyed.is_allowed_at("a", at(now)));
    Ok(())
}
