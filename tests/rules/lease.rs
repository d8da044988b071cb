//! Permits leased to several holders and spent later: the bound holds for the readings at which they
//! are spent.

use crate::bound::{Bound, Bucket, PerWindow, Spent};
use crate::judge::slack;
use crate::step::Step;
use crate::trace::{CASES, quotas, steps};
use casgate::algorithm::Rule;
use casgate::{Lease, Limiter, Quota, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use std::cell::Cell;
use std::time::Duration;

/// What holders do: spend at a reading.
trait Holder {
    fn spend(&self, now: Timestamp) -> bool;
}

impl<R: Rule> Holder for Lease<&Limiter<R>> {
    fn spend(&self, now: Timestamp) -> bool {
        let allowed = self.held();
        let outcome = self.check_at(now);
        assert!(outcome.is_ok() || allowed == 0 || self.held() == 0, "refused what it held");
        outcome.is_ok()
    }
}

/// Who asks (0 and 1 the holders of a lease, 2 the limiter itself, 3 a holder that drops it and takes
/// a new one) and at which reading.
fn asks() -> impl Strategy<Value = Vec<(u8, Step)>> {
    prop::collection::vec((0..4u8, steps()), 1..80)
}

/// Bursts that leave an eighth worth taking.
fn roomy() -> impl Strategy<Value = Quota> {
    let fast = (16..200u32, 1..20u64, 16..200u32).prop_map(|(permits, pace, burst)| {
        let period = Duration::from_nanos(u64::from(permits) * pace + pace / 2);
        Quota::new(permits, period).unwrap().with_burst(burst)
    });
    prop_oneof![4 => fast, 1 => quotas()]
}

fn judge<R: Rule, H: Holder, B: Bound>(
    limiter: &Limiter<R>,
    hold: impl Fn() -> H,
    bound: &B,
    quota: Quota,
    asks: &[(u8, Step)],
) -> Result<(), TestCaseError> {
    let mut holders = [hold(), hold()];
    let (mut now, mut spent) = (0, Vec::<Spent>::new());
    for &(who, step) in asks {
        now = step.reading(quota, now, None);
        let at = Timestamp::from_nanos(now);
        let admitted = match who {
            0 | 1 => holders[usize::from(who)].spend(at),
            2 => limiter.is_allowed_at(at),
            _ => {
                holders[0] = hold();
                holders[0].spend(at)
            }
        };
        if admitted {
            let broken = bound.breaks(&spent, 1, now, slack(quota));
            prop_assert!(!broken, "unsound: a permit by {who} at {now}");
            spent.push((now, 1));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES / 2))]

    #[test]
    fn of_a_token_bucket(quota in roomy(), most in 1..40u32, asks in asks()) {
        let limiter = Limiter::token_bucket(quota);
        judge(&limiter, || limiter.lease(most), &Bucket::new(quota), quota, &asks)?;
    }

    #[test]
    fn of_a_fixed_window(quota in roomy(), most in 1..40u32, asks in asks()) {
        let limiter = Limiter::fixed_window(quota);
        judge(&limiter, || limiter.lease(most), &PerWindow::new(quota), quota, &asks)?;
    }

    /// At a frozen clock one holder finds every permit of a window, and of a bucket all but what is
    /// charged in advance; two leave at most what they hold.
    #[test]
    fn the_last_permits_are_found(quota in roomy(), most in 0..40u32, order in any::<u64>()) {
        prop_assume!(quota.permits() < 2_000 && quota.burst() < 2_000);
        let now = Timestamp::from_secs(9);
        let drain = |allows: &dyn Fn() -> bool| {
            std::iter::repeat_with(allows).take_while(|&ok| ok).count() as u32
        };
        let (window, bucket) = (Limiter::fixed_window(quota), Limiter::token_bucket(quota));
        let (one, other) = (window.lease(most), bucket.lease(most));
        prop_assert_eq!(drain(&|| one.is_allowed_at(now)), quota.permits());
        let found = drain(&|| other.is_allowed_at(now));
        let advance = most.min(quota.burst() / 8);
        prop_assert!((quota.burst() - advance..=quota.burst()).contains(&found));

        let limiter = Limiter::fixed_window(quota);
        let leases = [limiter.lease(most), limiter.lease(most)];
        let spent = (0..2 * quota.permits())
            .filter(|i| leases[(order >> (i % 64)) as usize & 1].is_allowed_at(now))
            .count() as u32;
        let held = leases[0].held() + leases[1].held();
        prop_assert!(held <= 2 * most.saturating_sub(1));
        prop_assert_eq!(limiter.peek_at(now).remaining(), quota.permits() - spent - held);
        drop(leases);
        prop_assert_eq!(limiter.peek_at(now).remaining(), quota.permits() - spent);
    }
}

/// Takes several permits at once and spends them whenever it likes: what a lease would be without its
/// end.
struct Endless<'a, R: Rule>(&'a Limiter<R>, Cell<u32>);

impl<R: Rule> Holder for Endless<'_, R> {
    fn spend(&self, now: Timestamp) -> bool {
        if self.1.get() == 0 && self.0.check_n_at(4, now).is_ok() {
            self.1.set(4);
        }
        let held = self.1.get();
        self.1.set(held.saturating_sub(1));
        held > 0
    }
}

fn conviction(check: impl Fn(Quota, &[(u8, Step)]) -> Result<(), TestCaseError>) {
    let config = Config { cases: 100_000, failure_persistence: None, ..Config::default() };
    match TestRunner::new(config).run(&(roomy(), asks()), |(quota, asks)| check(quota, &asks)) {
        Err(TestError::Fail(reason, _)) => assert!(reason.to_string().contains("unsound")),
        other => panic!("the judge finds nothing wrong: {other:?}"),
    }
}

#[test]
fn a_lease_without_an_end_is_convicted() {
    conviction(|quota, asks| {
        let limiter = Limiter::token_bucket(quota);
        let hold = || Endless(&limiter, Cell::new(0));
        judge(&limiter, hold, &Bucket::new(quota), quota, asks)
    });
    conviction(|quota, asks| {
        let limiter = Limiter::fixed_window(quota);
        let hold = || Endless(&limiter, Cell::new(0));
        judge(&limiter, hold, &PerWindow::new(quota), quota, asks)
    });
}
