//! A limiter that is saved and restored, next to one that went on all the while.

use casgate::algorithm::Weighted;
use casgate::clock::ManualClock;
use casgate::{FixedWindow, Limiter, Quota, Saved, Timestamp, TokenBucket};
use proptest::prelude::*;
use std::time::Duration;

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn quotas() -> impl Strategy<Value = Quota> {
    (1..40u32, 1..200u64, 1..40u32).prop_filter_map("a quota", |(l, w, b)| {
        Some(Quota::new(l, Duration::from_nanos(w)).ok()?.with_burst(b))
    })
}

/// What was spent and when: a check, or a charge into debt.
fn traces() -> impl Strategy<Value = Vec<(bool, u32, u64)>> {
    prop::collection::vec((prop::bool::weighted(0.2), 1..30u32, 0..150u64), 1..12)
}

/// Both limiters, and the instants from which they go on: the same one for the user.
struct Twins<A: Weighted> {
    went_on: (Limiter<A>, u64),
    restored: (Limiter<A>, u64),
}

fn twins<A: Weighted>(
    new: impl Fn() -> Limiter<A>,
    trace: &[(bool, u32, u64)],
    elapsed: u64,
    origin: u64,
) -> Twins<A> {
    let (went_on, restored) = (new(), new());
    let mut now = 0;
    for &(is_charge, n, step) in trace {
        now += step;
        if is_charge {
            went_on.charge_at(n, at(now));
        } else {
            let _ = went_on.check_n_at(n, at(now));
        }
    }
    let saved = Saved::from_words(went_on.save_at(at(now)).to_words());
    restored.restore_at(saved, Duration::from_nanos(elapsed), at(origin));
    Twins { went_on: (went_on, now + elapsed), restored: (restored, origin) }
}

impl<A: Weighted> Twins<A> {
    /// What is left to the one that went on and to the one that was restored, so much later.
    fn left(&self, later: u64) -> [u32; 2] {
        [&self.went_on, &self.restored]
            .map(|(limiter, from)| limiter.peek_at(at(from + later)).remaining())
    }
}

proptest! {
    #[test]
    fn a_restored_bucket_is_never_early_and_late_by_less_than_two_nanoseconds(
        quota in quotas(), trace in traces(), elapsed in 0..400u64, origin in 0..1u64 << 50,
    ) {
        let twins = twins(|| Limiter::token_bucket(quota), &trace, elapsed, origin);
        for later in 0..200 {
            let [went_on, restored] = twins.left(later);
            prop_assert!(restored <= went_on, "{restored} of {went_on} after {later}");
            let [_, soon] = twins.left(later + 2);
            prop_assert!(soon >= went_on, "{soon} of {went_on} after {later} + 2");
        }
    }

    #[test]
    fn a_restored_window_is_never_early_on_a_clock_of_the_same_phase(
        quota in quotas(), trace in traces(), elapsed in 0..400u64, origin in 0..1u64 << 50,
    ) {
        let period = quota.period().as_nanos() as u64;
        let phase = (trace.iter().map(|&(_, _, step)| step).sum::<u64>() + elapsed) % period;
        let origin = origin / period * period + phase;
        let twins = twins(|| Limiter::fixed_window(quota), &trace, elapsed, origin);
        // When the one that went on is full.
        let full = twins.went_on.0.peek_at(at(twins.went_on.1)).reset_after().as_nanos() as u64;
        for later in 0..full {
            let [went_on, restored] = twins.left(later);
            prop_assert!(restored <= went_on, "{restored} of {went_on} after {later}");
        }
        // It is full one window later at the latest.
        let [_, restored] = twins.left(full + period);
        prop_assert_eq!(restored, quota.permits());
    }

    #[test]
    fn a_restored_window_has_at_once_what_was_left_on_any_clock(
        quota in quotas(), trace in traces(), elapsed in 0..400u64, origin in 0..1u64 << 50,
    ) {
        let twins = twins(|| Limiter::fixed_window(quota), &trace, elapsed, origin);
        let [went_on, restored] = twins.left(0);
        prop_assert!(restored <= went_on, "{restored} of {went_on}");
    }

    #[test]
    fn of_two_quotas_each_is_restored(
        one in quotas(), other in quotas(), trace in traces(), elapsed in 0..400u64,
    ) {
        let new = || Limiter::both(TokenBucket::new(one), FixedWindow::new(other));
        let period = other.period().as_nanos() as u64;
        let phase = (trace.iter().map(|&(_, _, step)| step).sum::<u64>() + elapsed) % period;
        let both = twins(new, &trace, elapsed, phase);
        let full = both.went_on.0.peek_at(at(both.went_on.1)).reset_after().as_nanos() as u64;
        for later in 0..full {
            let [went_on, restored] = both.left(later);
            prop_assert!(restored <= went_on, "{restored} of {went_on} after {later}");
        }
    }
}

#[test]
fn what_has_expired_is_not_restored() {
    let quota = Quota::per_second(3);
    for elapsed in [Duration::from_secs(2), Duration::MAX] {
        let twins = twins(|| Limiter::fixed_window(quota), &[(true, 3, 0)], 0, 0);
        let saved = twins.went_on.0.save_at(at(0));
        let fresh = Limiter::fixed_window(quota);
        fresh.restore_at(saved, elapsed, at(0));
        assert_eq!(fresh.peek_at(at(0)).remaining(), 3);
    }
}

/// What was stored may come from anywhere.
#[test]
fn too_many_permits_count_as_the_most() {
    let most = u64::from(u32::MAX);
    let kept = |permits| Saved::from_words([permits, 7, permits, u64::MAX]).to_words();
    for permits in [0, 1, most - 1, most] {
        assert_eq!(kept(permits), [permits, 7, permits, u64::MAX]);
    }
    for permits in [most + 1, most + 6, u64::MAX] {
        assert_eq!(kept(permits), [most, 7, most, u64::MAX]);
    }
}

#[test]
fn by_the_clock_it_is_the_same() {
    let new = || Limiter::token_bucket(Quota::per_minute(60)).with_clock(ManualClock::new());
    let (old, restored) = (new(), new());
    assert!(old.check_n(50).is_ok());
    assert_eq!(old.save(), old.save_at(Timestamp::ZERO));
    restored.restore(old.save(), Duration::from_secs(20));
    assert_eq!((old.peek().remaining(), restored.peek().remaining()), (10, 30));
}

#[test]
fn an_adjustable_limiter_is_saved_as_a_plain_one() {
    fn outstanding<A: Weighted>(limiter: &Limiter<A>) -> Saved {
        assert!(limiter.check_n_at(7, at(40)).is_ok());
        limiter.save_at(at(60))
    }
    let quota = Quota::new(10, Duration::from_nanos(100)).unwrap();
    let (bucket, window) = (Limiter::token_bucket(quota), Limiter::fixed_window(quota));
    let adjustable = Limiter::adjustable_token_bucket(quota);
    assert_eq!(outstanding(&adjustable), outstanding(&bucket));
    let adjustable = Limiter::adjustable_fixed_window(quota);
    assert_eq!(outstanding(&adjustable), outstanding(&window));
    assert_ne!(outstanding(&Limiter::adjustable_fixed_window(quota)), Saved::default());
}

/// Where the windows of both clocks begin at the same times.
#[test]
fn a_windows_debt_is_repaid_when_it_would_have_been() {
    let new = || Limiter::fixed_window(Quota::new(10, Duration::from_nanos(100)).unwrap());
    let (old, restored) = (new(), new());
    old.charge_at(25, at(0));
    restored.restore_at(old.save_at(at(0)), Duration::ZERO, at(0));
    let left =
        |limiter: &Limiter<FixedWindow>| [299, 300].map(|now| limiter.peek_at(at(now)).remaining());
    assert_eq!((left(&old), left(&restored)), ([5, 10], [0, 10]));
}
