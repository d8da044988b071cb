//! The scenarios on real threads, with the timings that this machine happens to have.

#![cfg(not(any(casgate_loom, casgate_shuttle)))]

#[path = "threads/keyed.rs"]
mod keyed;
#[path = "threads/pairs.rs"]
mod pairs;
#[path = "threads/queue.rs"]
mod queue;
#[path = "threads/sharded.rs"]
mod sharded;

use casgate::algorithm::{Adjustable, Both};
use casgate::{FixedWindow, FixedWindowLimiter, Limiter, SlidingWindow, TokenBucket};
use loom_tests::explore::explore;
use loom_tests::scenarios::*;

#[test]
fn frozen_clock() {
    for (limit, callers, calls) in [(1, 2, 1), (2, 4, 1), (1, 3, 2), (2, 3, 2), (7, 4, 3)] {
        let name = format!("{callers} callers, {calls} calls each, limit {limit}");
        explore(&name, move || frozen::<FixedWindowLimiter>(limit, callers, calls));
    }
}

#[test]
fn window_roll() {
    explore("roll, a late caller", || {
        roll::<FixedWindowLimiter>(&[&[(1, 9)], &[(1, 10)], &[(1, 5)]])
    });
    explore("roll, crossing callers", || {
        roll::<FixedWindowLimiter>(&[&[(1, 9), (1, 10)], &[(1, 10), (1, 9)]]);
    });
    explore("roll, three together", || roll_together::<FixedWindowLimiter>(2, 3));
    explore("add races roll", add_races_roll::<FixedWindowLimiter>);
}

#[test]
fn weights_reset_and_peek() {
    explore("mixed weights", mixed_weights::<FixedWindowLimiter>);
    explore("reset", reset_races::<FixedWindowLimiter>);
    explore("peek", peek_races::<FixedWindowLimiter>);
}

#[test]
fn token_bucket() {
    type Bucket = Limiter<TokenBucket>;
    explore("bucket, 4 callers", || frozen::<Bucket>(2, 4, 1));
    explore("bucket, mixed weights", mixed_weights::<Bucket>);
    explore("refill, 3 callers around it", || {
        refill::<Bucket>(&[&[(1, 9)], &[(1, 10)], &[(1, 10)]], 1..=1);
    });
    explore("refund", refund_races::<Bucket>);
    explore("cancel", cancel_races::<Bucket>);
}

#[test]
fn sliding_window() {
    type Sliding = Limiter<SlidingWindow>;
    for (limit, callers, calls) in [(1, 2, 1), (2, 4, 1), (3, 3, 3), (7, 4, 3)] {
        let name = format!("sliding, {callers} callers, {calls} calls each, limit {limit}");
        explore(&name, move || frozen::<Sliding>(limit, callers, calls));
    }
    explore("slide, across laps", || {
        slide::<Sliding>(2, &[&[(1, 10), (1, 10), (1, 20)], &[(1, 20)], &[(1, 9)]], 2..=4);
    });
}

#[test]
fn two_quotas_in_one_decision() {
    type Two = Limiter<Both<TokenBucket, FixedWindow>>;
    explore("both, 4 callers", || frozen::<Two>(2, 4, 1));
    explore("both, mixed weights", mixed_weights::<Two>);
    explore("both or neither", both_or_neither::<Two>);
    explore("both, what is left", what_is_left_is_admitted::<Two>);
}

#[test]
fn a_quota_that_changes() {
    type Window = Limiter<Adjustable<FixedWindow>>;
    type Bucket = Limiter<Adjustable<TokenBucket>>;
    explore("adjustable, 4 callers", || frozen::<Bucket>(2, 4, 1));
    explore("cut", cut_races::<Window>);
    explore("raise", raise_races::<Bucket>);
    explore("look", || looks_see_one_quota::<Bucket>(40));
    explore("changes", || changes_race::<Window>(2));
}

#[test]
fn leases() {
    for check in [1, 12, 13, 14] {
        explore("leases", move || leases_race::<Limiter<FixedWindow>>(check, true));
        explore("leases, bucket", move || leases_race::<Limiter<TokenBucket>>(check, false));
    }
    explore("a lease ends", a_lease_ends_with_its_window::<Limiter<FixedWindow>>);
}
