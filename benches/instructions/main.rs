//! How many instructions each path takes, counted by callgrind: a number that does not drift with the
//! machine's load. `.ci/instructions` compares it with the table in docs/instructions.txt.
//!
//! Each benchmark makes one call, at a time that is given; what it counts includes the call of the
//! benchmark itself, a handful of instructions.

#![allow(missing_docs)] // of the modules that the macros make

use casgate::algorithm::{Adjustable, Algorithm, Both, Private, Sharded};
use casgate::clock::{CachedClock, SystemClock};
use casgate::wait::Queue;
use casgate::{
    AdjustableLimiter, FixedWindow, FixedWindowLimiter, KeyedLimiter, Lease, Limiter, Place, Quota,
    SlidingWindow, Timestamp, TokenBucket,
};
use gungraun::{library_benchmark, library_benchmark_group, main};
use std::future::Future;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_secs(9);

/// Ratios that take every step of the arithmetic.
const QUOTA: Quota = Quota::per_second(7);

/// Kept for good, so that the call gets it by reference.
fn leaked<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// The limiter after that many permits.
fn used<A: Algorithm>(limiter: Limiter<A>, permits: usize) -> &'static Limiter<A> {
    let admitted = (0..permits).filter(|_| limiter.is_allowed_at(NOW)).count();
    assert_eq!(admitted, permits);
    leaked(limiter)
}

fn window(permits: usize) -> &'static Limiter<FixedWindow> {
    used(Limiter::fixed_window(QUOTA), permits)
}

fn bucket(permits: usize) -> &'static Limiter<TokenBucket> {
    used(Limiter::token_bucket(QUOTA), permits)
}

type Two = Both<TokenBucket, FixedWindow>;

fn both(permits: usize) -> &'static Limiter<Two> {
    used(Limiter::both(TokenBucket::new(QUOTA), FixedWindow::new(QUOTA)), permits)
}

fn live_bucket(permits: usize) -> &'static AdjustableLimiter {
    used(Limiter::adjustable_token_bucket(QUOTA), permits)
}

type LiveWindow = Limiter<Adjustable<FixedWindow>>;

fn live_window(permits: usize) -> &'static LiveWindow {
    used(Limiter::adjustable_fixed_window(QUOTA), permits)
}

fn sliding(permits: usize) -> &'static Limiter<SlidingWindow> {
    used(Limiter::sliding_window(QUOTA), permits)
}

/// Of two cells, with four permits and three.
type ShardedWindow = Limiter<Sharded<FixedWindow>>;

fn sharded_window(permits: usize) -> &'static ShardedWindow {
    let limiter = Limiter::sharded_fixed_window(QUOTA).with_cells(2);
    let limiter = used(limiter, permits);
    // So that the parent knows it.
    assert_eq!(limiter.is_allowed_at(NOW), permits < 7);
    limiter
}

type PrivateWindow = Limiter<Private>;

/// The thread keeps some.
fn private_window() -> &'static PrivateWindow {
    used(Limiter::sharded_fixed_window(Quota::per_second(1_000)).with_cells(2).private(16), 3)
}

type ShardedBucket = Limiter<Sharded<TokenBucket>>;

/// Of two cells that hold four permits each.
fn sharded_bucket(permits: usize) -> &'static ShardedBucket {
    let quota = Quota::per_second(7).with_burst(64);
    let limiter = used(Limiter::sharded_token_bucket(quota).with_cells(2), permits);
    assert_eq!(limiter.is_allowed_at(NOW), permits < 64);
    limiter
}

type OnACachedClock = Limiter<TokenBucket, CachedClock>;

fn cached(permits: usize) -> &'static OnACachedClock {
    let limiter = Limiter::token_bucket(QUOTA).with_clock(CachedClock::new(SystemClock));
    assert_eq!((0..permits).filter(|_| limiter.is_allowed()).count(), permits);
    leaked(limiter)
}

type Leased = Lease<&'static Limiter<FixedWindow>>;

fn lease(permits: usize) -> &'static Leased {
    let limiter: &'static FixedWindowLimiter =
        leaked(Limiter::fixed_window(Quota::per_second(1_000)));
    let lease = limiter.lease(64);
    assert_eq!((0..permits).filter(|_| lease.is_allowed_at(NOW)).count(), permits);
    leaked(lease)
}

#[library_benchmark]
#[bench::admit(window(1))]
#[bench::deny(window(7))]
#[bench::first_of_a_window(window(0))]
fn fixed_window(limiter: &'static Limiter<FixedWindow>) -> bool {
    limiter.is_allowed_at(black_box(NOW))
}

#[library_benchmark]
#[bench::admit(bucket(1))]
#[bench::deny(bucket(7))]
fn token_bucket(limiter: &'static Limiter<TokenBucket>) -> bool {
    limiter.is_allowed_at(black_box(NOW))
}

#[library_benchmark]
#[bench::admit(sharded_window(1))]
#[bench::deny(sharded_window(7))]
fn sharded_fixed_window(limiter: &'static ShardedWindow) -> bool {
    limiter.is_allowed_at(black_box(NOW))
}

#[library_benchmark]
#[bench::spend(private_window())]
fn private_fixed_window(limiter: &'static PrivateWindow) -> bool {
    limiter.is_allowed_at(black_box(NOW))
}

#[library_benchmark]
#[bench::admit(sharded_bucket(1))]
#[bench::deny(sharded_bucket(64))]
fn sharded_token_bucket(limiter: &'static ShardedBucket) -> bool {
    limiter.is_allowed_at(black_box(NOW))
}

#[library_benchmark]
#[bench::deny(bucket(7))]
fn token_bucket_and_its_wait(limiter: &'static Limiter<TokenBucket>) -> Option<Duration> {
    limiter.check_at(black_box(NOW)).err().and_then(|denied| denied.retry_after())
}

#[library_benchmark]
#[bench::admit(cached(1))]
#[bench::deny(cached(7))]
fn token_bucket_on_a_cached_clock(limiter: &'static OnACachedClock) -> bool {
    limiter.is_allowed()
}

type OnAQueue = Queue<TokenBucket, CachedClock>;

fn queue() -> &'static OnAQueue {
    let limiter = Limiter::token_bucket(QUOTA).with_clock(CachedClock::new(SystemClock));
    leaked(Queue::new(limiter))
}

#[library_benchmark]
#[bench::at_once(queue())]
fn acquire(queue: &'static OnAQueue) -> bool {
    pin!(queue.acquire()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[library_benchmark]
#[bench::admit(sliding(1))]
#[bench::deny(sliding(7))]
fn sliding_window(limiter: &'static Limiter<SlidingWindow>) -> bool {
    limiter.is_allowed_at(black_box(NOW))
}

#[library_benchmark]
#[bench::spend(lease(1))]
#[bench::renew(lease(0))]
fn leased(lease: &'static Leased) -> bool {
    lease.is_allowed_at(black_box(NOW))
}

#[library_benchmark]
#[bench::admit(both(1))]
#[bench::deny(both(7))]
fn both_in_one(limiter: &'static Limiter<Two>) -> bool {
    limiter.is_allowed_at(black_box(NOW))
}

#[library_benchmark]
#[bench::admit(live_bucket(1))]
#[bench::deny(live_bucket(7))]
fn adjustable_token_bucket(limiter: &'static AdjustableLimiter) -> bool {
    limiter.is_allowed_at(black_box(NOW))
}

#[library_benchmark]
#[bench::admit(live_window(1))]
#[bench::deny(live_window(7))]
fn adjustable_fixed_window(limiter: &'static LiveWindow) -> bool {
    limiter.is_allowed_at(black_box(NOW))
}

type Keyed = KeyedLimiter<SystemClock, BuildHasherDefault<DefaultHasher>>;

/// The key 1 after that many permits. The hash is the same each time.
fn keyed(permits: u32) -> Keyed {
    let keyed = KeyedLimiter::token_bucket(QUOTA, 100).with_hasher(BuildHasherDefault::default());
    assert!(keyed.check_n_at(&1, permits, NOW).is_ok());
    keyed
}

/// The same with fixed windows.
fn keyed_window(permits: u32) -> Keyed {
    let keyed = KeyedLimiter::fixed_window(QUOTA, 100).with_hasher(BuildHasherDefault::default());
    assert!(keyed.check_n_at(&1, permits, NOW).is_ok());
    keyed
}

#[library_benchmark]
#[bench::new_key(leaked(keyed(0)))]
#[bench::admit(leaked(keyed(1)))]
#[bench::admit_counted(leaked(keyed(1).counted()))]
#[bench::deny(leaked(keyed(7)))]
fn keyed_token_bucket(keyed: &'static Keyed) -> bool {
    keyed.is_allowed_at(&black_box(1), black_box(NOW))
}

#[library_benchmark]
#[bench::admit(leaked(keyed(1)), leaked(keyed(1)).locate(&1))]
#[bench::deny(leaked(keyed(7)), leaked(keyed(7)).locate(&1))]
fn keyed_at_a_place(keyed: &'static Keyed, place: Place) -> bool {
    keyed.at(black_box(place)).is_allowed_at(black_box(NOW))
}

#[library_benchmark]
#[bench::admit(leaked(keyed_window(1)))]
#[bench::deny(leaked(keyed_window(7)))]
fn keyed_fixed_window(keyed: &'static Keyed) -> bool {
    keyed.is_allowed_at(&black_box(1), black_box(NOW))
}

library_benchmark_group!(
    name = rules,
    benchmarks = [
        fixed_window,
        token_bucket,
        sharded_fixed_window,
        private_fixed_window,
        sharded_token_bucket,
        token_bucket_and_its_wait,
        token_bucket_on_a_cached_clock,
        acquire,
        sliding_window,
        both_in_one,
        adjustable_token_bucket,
        adjustable_fixed_window,
        leased,
        keyed_token_bucket,
        keyed_at_a_place,
        keyed_fixed_window
    ]
);

main!(library_benchmark_groups = rules);
