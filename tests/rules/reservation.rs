//! Reservations in any order, some cancelled: what remains keeps the bucket's bound.

use crate::bound::{Bound, Bucket, Spent};
use crate::trace::CASES;
use casgate::{Limiter, Quota, Reservation, Timestamp, TokenBucket};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
enum Op {
    Advance(u64),
    Check(u32),
    /// Permits, and the wait that is put up with.
    Reserve(u32, u64),
    /// One of the reservations that are held.
    Cancel(prop::sample::Index),
    CancelNewest,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        2 => (0..30u64).prop_map(Op::Advance),
        2 => (1..4u32).prop_map(Op::Check),
        4 => (1..4u32, 0..100u64).prop_map(|(n, wait)| Op::Reserve(n, wait)),
        1 => any::<prop::sample::Index>().prop_map(Op::Cancel),
        1 => Just(Op::CancelNewest),
    ];
    prop::collection::vec(op, 1..40)
}

fn quotas() -> impl Strategy<Value = Quota> {
    (1..12u32, 12..30u64, 1..6u32).prop_map(|(permits, period, burst)| {
        Quota::new(permits, Duration::from_nanos(period)).unwrap().with_burst(burst)
    })
}

/// Carries out `ops`, cancelling by `cancel`, and judges what was not given back: permits count at
/// the instants they were ready.
fn judge(
    quota: Quota,
    ops: &[Op],
    cancel: impl Fn(&Limiter<TokenBucket>, Reservation<&Limiter>, u32) -> u32,
) -> Result<(), TestCaseError> {
    let limiter = Limiter::token_bucket(quota);
    let mut now = Timestamp::ZERO;
    let mut spent: Vec<Spent> = Vec::new();
    let mut held: Vec<(Reservation<&Limiter>, u32)> = Vec::new();
    for &op in ops {
        match op {
            Op::Advance(nanos) => now += Duration::from_nanos(nanos),
            Op::Check(n) => {
                let free = limiter.reserve_at(n, Duration::ZERO, now).map(Reservation::cancel);
                let admitted = limiter.check_n_at(n, now);
                prop_assert_eq!(free.is_ok(), admitted.is_ok(), "no wait is a check");
                spent.extend(admitted.is_ok().then_some((now.as_nanos(), n)));
            }
            Op::Reserve(n, wait) => {
                let wait = Duration::from_nanos(wait);
                match limiter.reserve_at(n, wait, now) {
                    Ok(reserved) => {
                        prop_assert!(reserved.delay() <= wait);
                        prop_assert_eq!(now + reserved.delay(), reserved.ready_at());
                        spent.push((reserved.ready_at().as_nanos(), n));
                        held.push((reserved, n));
                    }
                    Err(denied) if n > quota.burst() => {
                        prop_assert_eq!(denied.retry_after(), None);
                    }
                    Err(denied) => {
                        let later = denied.retry_after().expect("it fits some day");
                        let just_before = now + (later - Duration::from_nanos(1));
                        prop_assert!(limiter.reserve_at(n, wait, just_before).is_err());
                        let reserved = limiter.reserve_at(n, wait, now + later);
                        prop_assert_eq!(reserved.unwrap().cancel(), n);
                    }
                }
            }
            Op::Cancel(_) | Op::CancelNewest if held.is_empty() => {}
            Op::Cancel(_) | Op::CancelNewest => {
                let which = match op {
                    Op::Cancel(index) => index.index(held.len()),
                    _ => held.len() - 1,
                };
                let (reserved, n) = held.remove(which);
                let event = (reserved.ready_at().as_nanos(), n);
                let restored = cancel(&limiter, reserved, n);
                prop_assert!(restored == 0 || restored == n);
                if restored > 0 {
                    let index = spent.iter().rposition(|&other| other == event).unwrap();
                    spent.swap_remove(index);
                }
            }
        }
    }
    let bound = Bucket::new(quota);
    for (i, &(at, n)) in spent.iter().enumerate() {
        let mut others = spent.clone();
        others.swap_remove(i);
        // One nanosecond, to which each instant was rounded up.
        prop_assert!(
            !bound.breaks(&others, n, at, 2),
            "two in one place: {n} at {at} in {spent:?}"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn what_is_not_given_back_keeps_the_bound(quota in quotas(), ops in ops()) {
        judge(quota, &ops, |_, reserved, _| reserved.cancel())?;
    }

    /// Cancelled from the latest to the earliest, they have never been.
    #[test]
    fn in_reverse_they_come_back_whole(
        quota in quotas(),
        before in prop::collection::vec((1..4u32, 0..30u64), 0..8),
        reserved in prop::collection::vec(1..6u32, 1..6),
    ) {
        let limiter = Limiter::token_bucket(quota);
        let mut now = Timestamp::ZERO;
        for (n, step) in before {
            let _ = limiter.check_n_at(n, now);
            now += Duration::from_nanos(step);
        }
        let full = limiter.peek_at(now);
        let held: Vec<_> =
            reserved.iter().filter_map(|&n| limiter.reserve_at(n, Duration::MAX, now).ok()).collect();
        for reserved in held.into_iter().rev() {
            prop_assert!(reserved.cancel() > 0);
        }
        prop_assert_eq!(limiter.peek_at(now), full);
    }
}

/// To give back whatever is cancelled is what the proof forbids, and what the judge convicts.
#[test]
fn a_full_refund_of_an_earlier_reservation_is_convicted() {
    let config = Config { cases: 100_000, failure_persistence: None, ..Config::default() };
    let verdict = TestRunner::new(config).run(&(quotas(), ops()), |(quota, ops)| {
        judge(quota, &ops, |limiter, reserved, n| {
            reserved.commit();
            limiter.refund_n(n);
            n
        })
    });
    match verdict {
        Err(TestError::Fail(reason, _)) => assert!(reason.to_string().contains("reservation.rs")),
        other => panic!("the judge finds nothing wrong: {other:?}"),
    }
}

#[test]
fn a_doomed_wait_fails_at_once_and_takes_nothing() {
    let limiter = Limiter::token_bucket(Quota::per_second(1));
    assert!(limiter.check_at(Timestamp::ZERO).is_ok());
    let before = format!("{limiter:?}");
    for max_wait in [Duration::ZERO, Duration::from_nanos(999_999_999)] {
        assert!(limiter.reserve_at(1, max_wait, Timestamp::ZERO).is_err());
    }
    assert_eq!(
        limiter.reserve_at(2, Duration::MAX, Timestamp::ZERO).unwrap_err().retry_after(),
        None
    );
    assert_eq!(format!("{limiter:?}"), before);
}

#[test]
fn committed_it_keeps_its_place_and_dropped_it_does_not() {
    let limiter = Limiter::token_bucket(Quota::per_second(1));
    let reserve = |wait| limiter.reserve_at(1, wait, Timestamp::ZERO).unwrap();
    drop(reserve(Duration::ZERO));
    reserve(Duration::ZERO).commit();
    assert!(limiter.check_at(Timestamp::ZERO).is_err());
    drop(reserve(Duration::MAX));
    reserve(Duration::MAX).commit();
    assert!(limiter.check_at(Timestamp::from_secs(1)).is_err());
    assert!(limiter.check_at(Timestamp::from_secs(2)).is_ok());
}

#[test]
fn an_owned_reservation_is_the_same() {
    let limiter = std::sync::Arc::new(Limiter::token_bucket(Quota::per_second(2)));
    let reserve = |wait| limiter.reserve_owned_at(1, wait, Timestamp::ZERO).unwrap();
    let (first, second) = (reserve(Duration::ZERO), reserve(Duration::ZERO));
    assert_eq!((first.ticket() < second.ticket(), second.delay()), (true, Duration::ZERO));
    assert_eq!(reserve(Duration::MAX).delay(), Duration::from_millis(500));
    second.commit();
    assert_eq!(first.cancel(), 0, "the second was built on it");
    assert_eq!(std::sync::Arc::strong_count(&limiter), 1);
    assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 0);
}

#[test]
fn reservations_end_with_the_clock() {
    let yearly = Quota::new(1, Duration::from_secs(365 * 86_400)).unwrap();
    let limiter = Limiter::token_bucket(yearly);
    let reserved =
        (0..1_000).map_while(|_| limiter.reserve_at(1, Duration::MAX, Timestamp::ZERO).ok());
    let reserved: Vec<_> = reserved.collect();
    assert_eq!(reserved.len(), 584);
    let denied = limiter.reserve_at(1, Duration::MAX, Timestamp::ZERO).unwrap_err();
    assert_eq!(denied.retry_after(), None);
}

#[test]
fn zero_permits_are_free_and_nothing_to_cancel() {
    let limiter = Limiter::token_bucket(Quota::per_second(1));
    assert!(limiter.check_at(Timestamp::ZERO).is_ok());
    let nothing = limiter.reserve_at(0, Duration::ZERO, Timestamp::ZERO).unwrap();
    assert_eq!((nothing.delay(), nothing.cancel()), (Duration::ZERO, 0));
    assert!(limiter.check_at(Timestamp::ZERO).is_err());
}
