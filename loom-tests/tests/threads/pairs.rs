//! Every operation of every limiter next to every other on real threads, and whether the table of operations is
//! complete.

use super::keyed::assert_complete;
use casgate::algorithm::{Adjustable, Both};
use casgate::{FixedWindow, Limiter, SlidingWindow, TokenBucket};
use loom_tests::explore::explore;
use loom_tests::scenarios::pairs::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn every_public_operation_is_in_the_table_of_pairs() {
    let sources = [
        include_str!("../../../src/limiter/mod.rs"),
        include_str!("../../../src/limiter/at.rs"),
        include_str!("../../../src/limiter/now.rs"),
        include_str!("../../../src/limiter/adjust.rs"),
        include_str!("../../../src/limiter/several.rs"),
        include_str!("../../../src/limiter/lease.rs"),
        include_str!("../../../src/limiter/reservation.rs"),
        include_str!("../../../src/limiter/save.rs"),
        include_str!("../../../src/limiter/spend.rs"),
    ];
    let raced = OPERATIONS.iter().flat_map(|operation| operation.methods);
    assert_complete(&sources, raced.chain(NO_OPERATIONS).copied());
}

/// Each run takes the next pair.
fn all<S: Subject>(limiter: &str) {
    let all = Mutex::new(Vec::new());
    pairs::<S>(|_, first, second, later| all.lock().unwrap().push((first, second, later)));
    let (all, next) = (all.into_inner().unwrap(), AtomicUsize::new(0));
    explore(limiter, move || {
        let (first, second, later) = all[next.fetch_add(1, Ordering::Relaxed) % all.len()];
        pair::<S>(first, second, later);
    });
}

#[test]
fn pairs_of_operations() {
    all::<Limiter<FixedWindow>>("fixed window");
    all::<Limiter<TokenBucket>>("token bucket");
    all::<Limiter<Both<TokenBucket, FixedWindow>>>("both");
    all::<Limiter<SlidingWindow>>("sliding window");
    all::<Limiter<Adjustable<TokenBucket>>>("adjustable token bucket");
    all::<Limiter<Adjustable<FixedWindow>>>("adjustable fixed window");
}
