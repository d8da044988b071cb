//! No decision allocates, whatever it decides.

use allocation_counter::measure;
use casgate::algorithm::{Algorithm, Weighted};
use casgate::{FixedWindow, Limiter, Quota, Timestamp, TokenBucket};
use std::time::Duration;

const QUOTA: Quota = Quota::per_second(3);

fn drain<A: Algorithm>(limiter: &Limiter<A>) {
    for millis in 0..2_000 {
        let now = Timestamp::from_millis(millis);
        let _ = (limiter.check_at(now), limiter.is_allowed(), limiter.peek_at(now));
    }
}

fn weigh<A: Weighted>(limiter: &Limiter<A>) {
    drain(limiter);
    for n in 0..5 {
        let _ = limiter.check_n(n);
        limiter.refund(n);
    }
    limiter.reset();
}

#[test]
fn nothing_allocates_but_the_ring() {
    let sliding = Limiter::sliding_window(QUOTA);
    let allocated = measure(|| {
        drain(&sliding);
        weigh(&Limiter::fixed_window(QUOTA));
        weigh(&Limiter::both(TokenBucket::new(QUOTA), FixedWindow::new(QUOTA)));
        let bucket = Limiter::token_bucket(QUOTA);
        weigh(&bucket);
        let _ = bucket.reserve(2, Duration::MAX).map(casgate::Reservation::cancel);
        let adjustable = Limiter::adjustable_token_bucket(QUOTA);
        weigh(&adjustable);
        adjustable.set_quota(Quota::per_hour(7));
        weigh(&adjustable);
    });
    assert_eq!(allocated.count_total, 0);
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(Limiter::sliding_window(QUOTA))).count_total, 1);
}
