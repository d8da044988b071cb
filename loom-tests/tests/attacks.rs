//! Attacks that need a scheduler. With overflow checks, as in a debug build:
//!
//! ```text
//! CASGATE_SCHEDULES=1000000 CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true cargo test --release --package loom-tests --features schedules \
//!     --test attacks --config "build.rustflags=['--cfg', 'casgate_shuttle']" --target-dir target/shuttle
//! ```

#![cfg(casgate_shuttle)]

use casgate::{KeyedLimiter, Quota, Timestamp};
use loom_tests::explore::{explore, thread};
use nohash_hasher::NoHashHasher;
use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::time::Duration;

const YEAR: u64 = 365 * 86_400 * 1_000_000_000;

/// src/limiter/mod.rs: "No input panics". src/keyed/units.rs: "Nothing wraps, unless the pace was written over while it was read:
/// then the caller finds out". It computes with the pace before it finds out: src/keyed/pace.rs, `carry`, multiplies by the
/// window of one pace what was divided by the span of another; so does `full_at`. Found in one of some 30,000 random schedules.
#[test]
fn a_new_quota_does_not_panic_next_to_a_new_key() {
    explore("a new quota next to a new key", || {
        let quota = |nanos| Quota::new(1, Duration::from_nanos(nanos)).unwrap();
        let now = Timestamp::from_nanos(60 * YEAR);
        let limiter = KeyedLimiter::fixed_window(quota(2 * YEAR - 1), 1)
            .with_hasher(BuildHasherDefault::<NoHashHasher<u64>>::default());
        for key in 0..20_u64 {
            let _ = limiter.check_at(&(key * 7 + 1), now);
        }
        let limiter = Arc::new(limiter);
        let other = Arc::clone(&limiter);
        let other = thread::spawn(move || drop(other.check_at(&991_u64, now)));
        limiter.set_quota_at(0, quota(1_000), now).unwrap();
        other.join().unwrap();
    });
}
