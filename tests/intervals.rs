//! Many threads on the real clock, every admission written down with its reading: afterwards one sorted
//! pass holds the rule to its bound over *every* interval between two of them.
//!
//! Between reading the clock and asking, threads give up their turn now and then, so that readings come
//! late.

use casgate::algorithm::Algorithm;
use casgate::clock::{Clock, SystemClock};
use casgate::testing::race_within;
use casgate::{Limiter, Quota, Timestamp};
use std::sync::Arc;
use std::time::Duration;

const THREADS: usize = 4;
const CALLS: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

/// Ascending readings of what was admitted, and how many calls were refused.
fn storm<A>(limiter: Limiter<A>) -> (Vec<u64>, usize, Arc<Limiter<A>>)
where
    A: Algorithm + Send + Sync + 'static,
    A::State: Send + Sync,
{
    let limiter = Arc::new(limiter);
    let shared = Arc::clone(&limiter);
    let threads = race_within(Duration::from_secs(300), THREADS, move |thread| {
        let mut admitted = Vec::new();
        let mut dice = 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(thread as u64 + 1);
        for _ in 0..CALLS {
            let now = SystemClock.now();
            // xorshift: any cheap irregularity will do.
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            if dice % 64 == 0 {
                std::thread::yield_now();
            }
            if shared.is_allowed_at(now) {
                admitted.push(now.as_nanos());
            }
        }
        admitted
    });
    let mut readings: Vec<u64> =
        threads.into_iter().flat_map(|thread| thread.expect("no thread fails")).collect();
    readings.sort_unstable();
    let refused = THREADS * CALLS - readings.len();
    (readings, refused, limiter)
}

/// The most that the admissions of any interval [s, e] exceed ⌊(e − s)·L/W⌋, which is to be no more than
/// the burst.
fn most_beyond_the_pace(readings: &[u64], permits: u64, period: u64) -> i128 {
    // N ≤ b + ⌊x⌋ if and only if N − x ≤ b. In W-ths of a permit, with running sums: the most of
    // (what came up to e) − (what came before s), each less its time's worth.
    let worth = |t: u64| i128::from(t) * i128::from(permits);
    let (mut lowest, mut most) = (i128::MAX, i128::MIN);
    for (before, &t) in (0i128..).zip(readings) {
        lowest = lowest.min(before * i128::from(period) - worth(t));
        most = most.max((before + 1) * i128::from(period) - worth(t) - lowest);
    }
    most.div_euclid(i128::from(period)) + i128::from(most.rem_euclid(i128::from(period)) > 0)
}

/// The most admissions in any half-open interval of length `period`.
fn most_in_any(readings: &[u64], period: u64) -> usize {
    let mut from = 0;
    let counts = readings.iter().enumerate().map(|(to, &t)| {
        while t - readings[from] >= period {
            from += 1;
        }
        to + 1 - from
    });
    counts.max().unwrap_or(0)
}

/// The most admissions in any window k·W ≤ t < (k+1)·W.
fn most_in_a_window(readings: &[u64], period: u64) -> usize {
    readings.chunk_by(|a, b| a / period == b / period).map(<[u64]>::len).max().unwrap_or(0)
}

/// Enough of both for the run to mean something.
fn assert_mixed(readings: &[u64], refused: usize) {
    let calls = THREADS * CALLS;
    assert!(readings.len() > 1_000 && refused > calls / 100, "{} of {calls}", readings.len());
}

const PERIOD: u64 = 50_000;

fn quota(permits: u32) -> Quota {
    Quota::new(permits, Duration::from_nanos(PERIOD)).unwrap()
}

#[test]
fn a_token_bucket() {
    let (readings, refused, limiter) = storm(Limiter::token_bucket(quota(64).with_burst(50)));
    assert_mixed(&readings, refused);
    assert_eq!(most_beyond_the_pace(&readings, 64, PERIOD), 50, "the bound, and it is reached");
    maximal(&limiter, readings.last().copied().unwrap_or(0), |spent, now| {
        let all: Vec<u64> = readings.iter().chain(spent).copied().chain([now]).collect();
        most_beyond_the_pace(&all, 64, PERIOD) <= 50
    });
}

#[test]
fn a_sliding_window() {
    let (readings, refused, limiter) = storm(Limiter::sliding_window(quota(64)));
    assert_mixed(&readings, refused);
    assert_eq!(most_in_any(&readings, PERIOD), 64, "the bound, and it is reached");
    maximal(&limiter, readings.last().copied().unwrap_or(0), |spent, now| {
        let all: Vec<u64> = readings.iter().chain(spent).copied().chain([now]).collect();
        most_in_any(&all, PERIOD) <= 64
    });
}

#[test]
fn a_fixed_window() {
    let (readings, refused, limiter) = storm(Limiter::fixed_window(quota(64)));
    assert_mixed(&readings, refused);
    assert_eq!(most_in_a_window(&readings, PERIOD), 64, "the bound, and it is reached");
    maximal(&limiter, readings.last().copied().unwrap_or(0), |spent, now| {
        let all: Vec<u64> = readings.iter().chain(spent).copied().chain([now]).collect();
        most_in_a_window(&all, PERIOD) <= 64
    });
}

/// Not maximal: after a pause with empty cells a burst finds less.
#[test]
fn a_sharded_token_bucket() {
    // So slow that some are denied where a decision takes long, as in a debug build for 32 bits.
    let quota = quota(16).with_burst(200);
    let (readings, refused, _) = storm(Limiter::sharded_token_bucket(quota).with_cells(4));
    assert_mixed(&readings, refused);
    let most = most_beyond_the_pace(&readings, 16, PERIOD);
    // Of the cells, six each.
    assert!((200 - 24..=200).contains(&most), "{most}");
}

#[test]
fn a_sharded_fixed_window() {
    let (readings, refused, _) = storm(Limiter::sharded_fixed_window(quota(64)).with_cells(4));
    assert_mixed(&readings, refused);
    assert_eq!(most_in_a_window(&readings, PERIOD), 64, "the bound, and it is reached");
}

#[test]
fn a_private_fixed_window() {
    let window = Limiter::sharded_fixed_window(quota(64)).with_cells(4);
    let (readings, refused, _) = storm(window.private(8));
    assert_mixed(&readings, refused);
    let most = most_in_a_window(&readings, PERIOD);
    assert!((64 - THREADS * 7..=64).contains(&most), "{most}");
}

/// After the storm, where nothing is late any more: what is refused would break the bound. Readings may
/// have been refused late before, so an oldest slot or a word may lie a little ahead: it is asked from
/// a period later on.
fn maximal<A: Algorithm>(limiter: &Limiter<A>, last: u64, keeps: impl Fn(&[u64], u64) -> bool) {
    let mut spent = Vec::new();
    for step in 0..40 {
        let now = last + PERIOD + step * PERIOD / 16;
        for _ in 0..12 {
            if limiter.is_allowed_at(Timestamp::from_nanos(now)) {
                spent.push(now);
            } else {
                assert!(!keeps(&spent, now), "refused although it keeps the bound");
            }
        }
    }
    assert!(spent.len() > 100);
}

/// One admission too many is found.
#[test]
fn the_passes_convict() {
    let even: Vec<u64> = (0..1_000).map(|i| i * 100).collect();
    assert_eq!(most_beyond_the_pace(&even, 1, 100), 1);
    assert_eq!(most_in_any(&even, 1_000), 10);
    assert_eq!(most_in_a_window(&even, 1_000), 10);
    let mut one_more = even.clone();
    one_more.insert(500, 49_950);
    assert_eq!(most_beyond_the_pace(&one_more, 1, 100), 2);
    assert_eq!(most_in_any(&one_more, 1_000), 11);
    assert_eq!(most_in_a_window(&one_more, 1_000), 11);
}
