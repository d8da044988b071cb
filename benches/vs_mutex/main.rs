//! What the lock-free word buys: the same pure rule, `FixedWindow::decide`, behind a mutex and in
//! a [`Limiter`], next to what bare atomics and clock readings cost, and to the other rules.
//!
//! First criterion, on one thread and with given times; then a [`table`] over thread counts. Callers
//! read no more of an answer than whether it admits.
//!
//! `cargo bench` runs it; `cargo bench -- none` prints the table alone.

#[path = "../table/mod.rs"]
mod table;

use casgate::algorithm::{FixedWindow, Rule};
use casgate::clock::{Clock, SystemClock};
use casgate::word::Word;
use casgate::{Limiter, Quota, Timestamp, TokenBucket};
use criterion::Criterion;
use portable_atomic::AtomicU128;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use table::{BASE_NANOS, Path, Variant};

/// One permit at `now` from the word, by the same rule that the limiter runs.
fn spend(rule: FixedWindow, word: &mut Word, now: Timestamp) -> bool {
    let next = rule.decide(*word, 1, now);
    if let Some(next) = next {
        *word = next;
    }
    next.is_some()
}

fn floors() -> [Variant; 7] {
    let counter = |_| AtomicU64::new(0);
    let pair = |_| AtomicU128::new(0);
    [
        Variant::new(Path::Floor, "AtomicU64::fetch_add", counter, |counter, _| {
            black_box(counter.fetch_add(1, Relaxed)) < u64::MAX
        }),
        Variant::new(Path::Floor, "AtomicU64::load", counter, |word, _| {
            black_box(word.load(Relaxed)) == 0
        }),
        // What is exchanged stays the same, so that no thread loses.
        Variant::new(Path::Floor, "AtomicU64 exchange", counter, |word, _| {
            word.compare_exchange(0, black_box(0), Relaxed, Relaxed).is_ok()
        }),
        Variant::new(Path::Floor, "AtomicU128 exchange", pair, |pair, _| {
            pair.compare_exchange(0, black_box(0), Relaxed, Relaxed).is_ok()
        }),
        Variant::new(Path::Floor, "AtomicU128::load", pair, |pair, _| {
            black_box(pair.load(Relaxed)) == 0
        }),
        Variant::new(
            Path::Floor,
            "SystemClock.recent()",
            |_| (),
            |(), _| black_box(SystemClock.recent()) > Timestamp::ZERO,
        ),
        Variant::new(
            Path::Floor,
            "SystemClock.now()",
            |_| (),
            |(), _| black_box(SystemClock.now()) > Timestamp::ZERO,
        ),
    ]
}

/// A thousand slots, or one on the deny path. Admitting, each call comes a microsecond after the
/// last, when the oldest slot is just free.
fn sliding_window(path: Path) -> Variant {
    let new = |path| {
        Limiter::sliding_window(match path {
            Path::Deny => Quota::per_hour(1),
            _ => Quota::new(1_000, Duration::from_millis(1)).expect("a valid quota"),
        })
    };
    let variant = Variant::new(path, "sliding window", new, |limiter, now| {
        limiter.is_allowed_at(Timestamp::from_nanos((now.as_nanos() - BASE_NANOS) * 1_000))
    });
    variant.alone()
}

/// `fetch_add` first: it is the unit of the ratios.
fn variants() -> Vec<Variant> {
    let mut all: Vec<Variant> = floors().into();
    for path in [Path::Admit, Path::Deny] {
        let rule = |path: Path| FixedWindow::new(path.quota());
        all.push(Variant::new(
            path,
            "std::sync::Mutex",
            move |path| (rule(path), std::sync::Mutex::new(Word::default())),
            |(rule, word), now| spend(*rule, &mut word.lock().expect("not poisoned"), now),
        ));
        all.push(Variant::new(
            path,
            "parking_lot::Mutex",
            move |path| (rule(path), parking_lot::Mutex::new(Word::default())),
            |(rule, word), now| spend(*rule, &mut word.lock(), now),
        ));
        let window = |path: Path| Limiter::fixed_window(path.quota());
        let bucket = |path: Path| Limiter::token_bucket(path.quota());
        let both = |path: Path| {
            Limiter::both(TokenBucket::new(path.quota()), FixedWindow::new(path.quota()))
        };
        let adjustable = |path: Path| Limiter::adjustable_token_bucket(path.quota());
        all.push(Variant::new(path, "fixed window", window, |l, now| l.check_at(now).is_ok()));
        all.push(Variant::new(path, "fixed window (+clock)", window, |l, _| l.check().is_ok()));
        all.push(Variant::new(path, "token bucket", bucket, |l, now| l.check_at(now).is_ok()));
        all.push(sliding_window(path));
        all.push(Variant::new(path, "both", both, |l, now| l.check_at(now).is_ok()));
        all.push(Variant::new(path, "adjustable bucket", adjustable, |l, now| {
            l.check_at(now).is_ok()
        }));
    }
    all
}

fn run_criterion(criterion: &mut Criterion, variants: &[Variant]) {
    for path in [Path::Floor, Path::Admit, Path::Deny] {
        let mut group = criterion.benchmark_group(path.name());
        group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
        for variant in variants.iter().filter(|variant| variant.path == path) {
            group.bench_function(variant.name, |bencher| {
                bencher.iter_custom(|iterations| variant.time(iterations));
            });
        }
        group.finish();
    }
}

fn main() {
    let variants = variants();
    let mut criterion = Criterion::default().configure_from_args();
    run_criterion(&mut criterion, &variants);
    criterion.final_summary();
    if !std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        table::print(&variants, 0);
    }
}
