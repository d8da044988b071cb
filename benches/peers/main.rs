//! casgate beside the crates that people would otherwise pick, each in its best configuration, each
//! asserted to admit, or deny, every call it is timed for.
//!
//! `cargo bench --bench peers` prints a table; with `-- --chart FILE` it also draws the columns of one
//! and two threads. A relative FILE is one in the repository, wherever the command is given.

#[path = "../ticking/mod.rs"]
mod ticking;

#[path = "../table/mod.rs"]
#[allow(dead_code)] // the other bench uses the rest
mod table;

mod chart;

use better_bucket::{Bucket, BucketConfig};
use casgate::algorithm::{FixedWindow, Rule};
use casgate::clock::{Precise, SystemClock};
use casgate::word::Word;
use casgate::{Limiter, Quota, Timestamp};
use governor::clock::{DefaultClock, QuantaUpkeepClock};
use governor::state::{InMemoryState, NotKeyed};
use rate_net::{Algorithm, DirectLimiter};
use ratelimit::Ratelimiter;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::path::Path as FilePath;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use table::{Path, Variant};
use ticking::{COARSE, Ticking, UPKEEP};

const HOUR: Duration = Duration::from_secs(3_600);

fn governor_quota(path: Path) -> governor::Quota {
    match path {
        Path::Deny => governor::Quota::per_hour(NonZeroU32::MIN),
        _ => governor::Quota::per_second(NonZeroU32::new(1_000_000_000).expect("not zero"))
            .allow_burst(NonZeroU32::MAX),
    }
}

type Governor<C> = governor::RateLimiter<NotKeyed, InMemoryState, C>;

fn rate_net(path: Path, algorithm: Algorithm) -> rate_net::Builder {
    let permits = if path == Path::Deny { 1 } else { 1_000_000_000 };
    rate_net::RateLimiter::builder().algorithm(algorithm).quota(permits, HOUR)
}

fn ours(path: Path, cached: Ticking) -> Vec<Variant> {
    let window = |path: Path| Limiter::fixed_window(path.quota());
    let bucket = |path: Path| Limiter::token_bucket(path.quota());
    vec![
        Variant::new(path, "casgate window", window, |l, _| l.is_allowed()),
        Variant::new(path, "casgate bucket", bucket, |l, _| l.is_allowed()),
        Variant::new(
            path,
            "casgate window, cached clock",
            move |path| window(path).with_clock(cached),
            |l, _| l.is_allowed(),
        ),
        Variant::new(
            path,
            "casgate bucket, cached clock",
            move |path| bucket(path).with_clock(cached),
            |l, _| l.is_allowed(),
        ),
        Variant::new(path, "casgate window, time given", window, |l, now| l.is_allowed_at(now)),
        Variant::new(path, "casgate bucket, time given", bucket, |l, now| l.is_allowed_at(now)),
        Variant::with_handles(
            path,
            "casgate window, lease of 64, time given",
            window,
            |limiter| limiter.lease(64),
            |lease, now| lease.is_allowed_at(now),
        ),
        Variant::with_handles(
            path,
            "casgate window, lease of 1024, time given",
            window,
            |limiter| limiter.lease(1024),
            |lease, now| lease.is_allowed_at(now),
        ),
        Variant::with_handles(
            path,
            "casgate bucket, lease of 1024, time given",
            bucket,
            |limiter| limiter.lease(1024),
            |lease, now| lease.is_allowed_at(now),
        ),
        Variant::new(
            path,
            "casgate sliding window of 1000, precise clock",
            |path| {
                let quota = match path {
                    Path::Deny => path.quota(),
                    _ => Quota::new(1_000, Duration::from_micros(1)).expect("a valid quota"),
                };
                Limiter::sliding_window(quota).with_clock(Precise(SystemClock))
            },
            |l, _| l.is_allowed(),
        )
        // A thread that is stopped for a thousand calls of others comes late, and is denied.
        .alone(),
    ]
}

fn theirs(path: Path) -> Vec<Variant> {
    vec![
        Variant::new(
            path,
            "governor",
            |path| -> Governor<DefaultClock> {
                governor::RateLimiter::direct(governor_quota(path))
            },
            |l, _| l.check().is_ok(),
        ),
        Variant::new(
            path,
            "governor, upkeep clock",
            |path| -> Governor<QuantaUpkeepClock> {
                governor::RateLimiter::direct_with_clock(governor_quota(path), UPKEEP.clone())
            },
            |l, _| l.check().is_ok(),
        ),
        Variant::new(
            path,
            "rate-net",
            |path| -> DirectLimiter { rate_net(path, Algorithm::TokenBucket).build_direct() },
            |l, _| l.check().is_allow(),
        ),
        Variant::new(
            path,
            "rate-net, coarse clock",
            move |path| rate_net(path, Algorithm::TokenBucket).clock(COARSE.clone()).build_direct(),
            |l, _| l.check().is_allow(),
        ),
        Variant::new(
            path,
            "rate-net window, coarse clock",
            move |path| rate_net(path, Algorithm::FixedWindow).clock(COARSE.clone()).build_direct(),
            |l, _| l.check().is_allow(),
        ),
        Variant::new(
            path,
            "rate-net sliding log of 1000",
            |path| -> DirectLimiter {
                let builder = rate_net(path, Algorithm::SlidingWindowLog);
                match path {
                    Path::Deny => builder,
                    _ => builder.quota(1_000, Duration::from_micros(1)),
                }
                .build_direct()
            },
            |l, _| l.check().is_allow(),
        )
        .alone(),
        Variant::new(path, "better-bucket", better_bucket, |l, _| l.try_acquire(1)),
        Variant::new(
            path,
            "better-bucket, time given",
            |path| (better_bucket(path), clock_lib::Monotonic::now()),
            |(l, now), _| l.try_acquire_at(1, *now),
        ),
        Variant::new(
            path,
            "ratelimit",
            |path| {
                let permits = if path == Path::Deny { 1 } else { u64::from(u32::MAX) };
                let builder = Ratelimiter::builder(permits).period(HOUR);
                builder.max_tokens(permits).initial_available(permits).build().expect("valid")
            },
            |l, _| l.try_wait().is_ok(),
        ),
        Variant::new(
            path,
            "leaky-bucket",
            |path| {
                let permits = if path == Path::Deny { 1 } else { u32::MAX as usize };
                let mut builder = leaky_bucket::RateLimiter::builder();
                builder.max(permits).initial(permits).refill(permits).interval(HOUR).build()
            },
            |l, _| l.try_acquire(1),
        ),
        Variant::new(
            path,
            "std::sync::Mutex, time given",
            |path| (FixedWindow::new(path.quota()), std::sync::Mutex::new(Word::default())),
            |(rule, word), now| spend(*rule, &mut word.lock().expect("not poisoned"), now),
        ),
        Variant::new(
            path,
            "parking_lot::Mutex, time given",
            |path| (FixedWindow::new(path.quota()), parking_lot::Mutex::new(Word::default())),
            |(rule, word), now| spend(*rule, &mut word.lock(), now),
        ),
    ]
}

fn better_bucket(path: Path) -> Bucket {
    let permits = if path == Path::Deny { 1 } else { u32::MAX };
    Bucket::from_config(BucketConfig::new(permits, permits, HOUR, permits).expect("valid"))
}

fn spend(rule: FixedWindow, word: &mut Word, now: Timestamp) -> bool {
    let next = rule.decide(*word, 1, now);
    if let Some(next) = next {
        *word = next;
    }
    next.is_some()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|arg| arg == "--test" || arg == "--list") {
        return;
    }
    let cached = Ticking::start();
    let mut variants = vec![
        Variant::new(
            Path::Floor,
            "AtomicU64::fetch_add",
            |_| AtomicU64::new(0),
            |counter, _| black_box(counter.fetch_add(1, Relaxed)) < u64::MAX,
        ),
        Variant::new(
            Path::Floor,
            "AtomicU64::load",
            |_| AtomicU64::new(0),
            |word, _| black_box(word.load(Relaxed)) == 0,
        ),
    ];
    for path in [Path::Admit, Path::Deny] {
        variants.extend(ours(path, cached));
        variants.extend(theirs(path));
    }
    let unit = 2; // our own default, admitting
    let columns = table::print(&variants, unit);
    if let Some(i) = arguments.iter().position(|arg| arg == "--chart") {
        let file = arguments.get(i + 1).expect("--chart FILE");
        // Cargo runs a bench in its package's directory.
        let file = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        chart::draw(&file, &variants, &columns).expect("drawn");
    }
}
