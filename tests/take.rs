//! What is taken up to a number, and what is decided by the limiter's own clock.

use casgate::algorithm::Weighted;
use casgate::clock::ManualClock;
use casgate::{All, FixedWindow, Limiter, Quota, Timestamp, TokenBucket};
use proptest::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn quotas() -> impl Strategy<Value = Quota> {
    (1..30u32, 30..200u64, 1..30u32)
        .prop_map(|(l, w, b)| Quota::new(l, Duration::from_nanos(w)).unwrap().with_burst(b))
}

fn judge<A: Weighted>(limiter: &Limiter<A>, trace: &[(u32, u64)]) -> Result<(), TestCaseError> {
    let mut now = 0;
    for &(n, step) in trace {
        now += step;
        let left = limiter.peek_at(at(now)).remaining();
        let taken =
            if n == 0 { limiter.drain_at(at(now)) } else { limiter.take_up_to_at(n, at(now)) };
        prop_assert_eq!(taken, if n == 0 { left } else { n.min(left) });
        prop_assert_eq!(limiter.peek_at(at(now)).remaining(), left - taken);
    }
    Ok(())
}

proptest! {
    #[test]
    fn as_many_are_taken_as_there_are(
        one in quotas(), other in quotas(), trace in prop::collection::vec((0..9u32, 0..90u64), 1..40),
    ) {
        judge(&Limiter::token_bucket(one), &trace)?;
        judge(&Limiter::fixed_window(one), &trace)?;
        judge(&Limiter::both(TokenBucket::new(one), FixedWindow::new(other)), &trace)?;
        judge(&Limiter::adjustable_token_bucket(one), &trace)?;
        judge(&Limiter::adjustable_fixed_window(one), &trace)?;
    }
}

#[test]
fn by_the_clock_it_is_the_same() {
    let limiter = Limiter::token_bucket(Quota::per_hour(9)).with_clock(ManualClock::new());
    assert_eq!((limiter.take_up_to(4), limiter.take_up_to(0), limiter.drain()), (4, 0, 5));
    assert_eq!((limiter.take_up_to(4), limiter.drain()), (0, 0));
}

#[test]
fn all_by_their_clocks_name_the_one_that_denies_for_longest() {
    let new = |quota| Limiter::token_bucket(quota).with_clock(ManualClock::new());
    let (soon, late) = (new(Quota::per_second(2)), new(Quota::per_hour(2)));
    assert!(All::new([(&soon, 2), (&late, 2)]).check().is_ok());
    for (parts, index) in [([(&soon, 1), (&late, 1)], 1), ([(&late, 1), (&soon, 1)], 0)] {
        let [(a, n), (b, m)] = parts;
        let denied = All::new([(a, n), (b, m)]).check().unwrap_err();
        assert_eq!(denied.index(), index);
        assert!(denied.to_string().starts_with(&format!("limit {index}: ")), "{denied}");
    }
    soon.reset();
    assert_eq!(All::new([(&soon, 2), (&late, 1)]).check().unwrap_err().index(), 1);
    assert_eq!(soon.peek().remaining(), 2);
}

/// Four threads at a clock that stands still, with permits for half of their calls.
fn contend<A: Weighted + Sync>(limiter: &Limiter<A, ManualClock>, ask: impl Fn() -> u32 + Sync)
where
    A::State: Sync,
{
    let taken = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    taken.fetch_add(ask(), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(taken.into_inner(), 40_000);
    assert_eq!(limiter.peek().remaining(), 0);
}

#[test]
fn threads_take_all_permits_and_no_more() {
    let bucket = || Limiter::token_bucket(Quota::per_hour(40_000)).with_clock(ManualClock::new());
    let limiter = bucket();
    contend(&limiter, || u32::from(limiter.is_allowed()));
    let limiter = bucket();
    contend(&limiter, || limiter.take_up_to(3));
    let limiter = Limiter::fixed_window(Quota::per_hour(40_000)).with_clock(ManualClock::new());
    contend(&limiter, || u32::from(limiter.is_allowed()));
}

#[test]
fn a_reservation_says_how_many_permits_come_back() {
    let limiter = Limiter::token_bucket(Quota::per_second(5));
    let reserve = |n| limiter.reserve_at(n, Duration::from_secs(1), Timestamp::ZERO).unwrap();
    assert_eq!(reserve(3).cancel(), 3);
    let (first, second) = (reserve(3), reserve(4));
    assert_eq!((second.delay().as_millis(), first.cancel()), (400, 0));
    drop(second);
    assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 2);
}
