//! No decision allocates, whatever it decides.

use allocation_counter::measure;
use casgate::algorithm::{Algorithm, Several, Weighted};
use casgate::{
    All, Allowance, FixedWindow, KeyedLimiter, Limiter, Quota, SlidingWindow, Slot, Timestamp,
    TokenBucket, WhenFull,
};
use futures_util::FutureExt;
use std::time::Duration;

const QUOTA: Quota = Quota::per_second(3);

fn drain<A: Algorithm>(limiter: &Limiter<A>) {
    for millis in 0..2_000 {
        let now = Timestamp::from_millis(millis);
        let _ = (limiter.check_at(now), limiter.is_allowed(), limiter.peek_at(now));
    }
}

fn ask_for_several<A: Several>(limiter: &Limiter<A>) {
    drain(limiter);
    for n in 0..5 {
        let _ = limiter.check_n(n).map(|admitted| limiter.refund(&admitted));
        let _ = limiter.take_up_to(n);
    }
    limiter.reset();
}

fn weigh<A: Weighted>(limiter: &Limiter<A>) {
    ask_for_several(limiter);
    for n in 0..5 {
        limiter.refund_n(n);
        limiter.refund(&limiter.charge(n));
        let _ = limiter.drain();
        limiter.restore(limiter.save(), Duration::ZERO);
        limiter.deny_until(Timestamp::from_millis(n.into()));
        let all = All::new([(limiter, n), (limiter, 1)]);
        let _ = all.check().map(|admitted| all.refund(&admitted));
    }
    limiter.reset();
}

#[test]
fn no_operation_of_a_limiter_allocates() {
    let in_place: Limiter<SlidingWindow<[Slot; 3]>> =
        Limiter::sliding_window_array(Duration::from_secs(1));
    let sliding = Limiter::sliding_window(QUOTA);
    let many = Quota::per_second(1_000);
    let windows = Limiter::sharded_fixed_window(many).with_cells(4);
    let buckets = Limiter::sharded_token_bucket(many).with_cells(4);
    let kept = Limiter::sharded_fixed_window(many).with_cells(4).private(7);
    let allocated = measure(|| {
        drain(&in_place);
        drain(&sliding);
        ask_for_several(&windows);
        drain(&buckets);
        drain(&kept);
        weigh(&Limiter::fixed_window(QUOTA));
        weigh(&Limiter::both(TokenBucket::new(QUOTA), FixedWindow::new(QUOTA)));
        let bucket = Limiter::token_bucket(QUOTA);
        weigh(&bucket);
        let _ = bucket.reserve(2, Duration::MAX).map(casgate::Reservation::cancel);
        let _ = bucket.reserve(2, Duration::MAX).map(casgate::Reservation::commit);
        let _ = bucket.lease(3).check();
        let window = Limiter::fixed_window(QUOTA).starting_with(2);
        let _ = window.lease(3).check();
        let adjustable = Limiter::adjustable_token_bucket(QUOTA);
        weigh(&adjustable);
        adjustable.set_quota(Quota::per_hour(7));
        weigh(&adjustable);
        let adjustable = Limiter::adjustable_fixed_window(QUOTA);
        weigh(&adjustable);
        adjustable.set_quota(Quota::per_hour(7));
        weigh(&adjustable);
    });
    assert_eq!(allocated.count_total, 0);
}

#[test]
fn a_wait_that_need_not_wait_allocates_nothing() {
    let queue = casgate::wait::Queue::new(Limiter::token_bucket(Quota::per_hour(1_000)));
    let allocated = measure(|| {
        for _ in 0..100 {
            assert!(
                queue.acquire().permits(2).now_or_never().is_some_and(|outcome| outcome.is_ok())
            );
            assert!(queue.acquire().block().is_ok());
        }
    });
    assert_eq!(allocated.count_total, 0);
}

#[test]
fn no_operation_of_a_keyed_limiter_allocates() {
    let keyed = |full| {
        KeyedLimiter::token_bucket(QUOTA, 1)
            .with_tiers([Allowance::from(Quota::per_hour(7)), Allowance::Blocked])
            .when_full(full)
            .counted()
    };
    let limiters = [keyed(WhenFull::EvictLeastDebt), keyed(WhenFull::DenyNewKeys)];
    let allocated = measure(|| {
        for limiter in &limiters {
            for i in 0..2_000u64 {
                ask_everything(limiter, i % 500, i);
            }
            limiter.clear();
            let _ = (limiter.stats(), limiter.len(), limiter.is_empty());
        }
    });
    assert_eq!(allocated.count_total, 0);
}

fn ask_everything(limiter: &KeyedLimiter, key: u64, i: u64) {
    let now = Timestamp::from_millis(i);
    let view = limiter.at(limiter.locate(&key)).tier((i % 3) as u16);
    let _ = (view.check_at(now), view.check(), view.is_allowed(), view.peek(), view.peek_at(now));
    let _ = (view.check_n(0), view.take_up_to(1), view.charge_at(i as u32 % 2, now));
    let _ = view.reserve(1, Duration::MAX).map(casgate::KeyedReservation::cancel);
    limiter.check_many_at(&[key, key + 1, key], now, |_, _| ());
    view.refund_n(1);
    if i % 10 == 0 {
        view.reset();
        limiter.set_quota_at(1, Quota::per_hour(7 + i as u32 % 3), now).unwrap();
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(Limiter::sliding_window(QUOTA))).count_total, 1);
}
