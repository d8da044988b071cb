//! What the lock-free word buys: the same pure rule, [`FixedWindow::decide`], behind a mutex and in
//! a [`Limiter`], next to what bare atomics and clock readings cost, and to the other rules.
//!
//! First criterion, on one thread and with given times. Then a table over thread counts, in which
//! the variants take turns within each round, so that a slow moment of the machine hits them all.
//! Its ns/call is wall time per call of *all* threads together: perfect scaling would divide it by
//! the number of cores, and contention raises it. Every run asserts that all its calls were
//! admitted, or none. Callers read no more of an
//! answer than whether it admits.
//!
//! `cargo bench --bench vs_mutex -- none` prints the table alone.

use casgate::algorithm::{FixedWindow, Rule};
use casgate::clock::{Clock, SystemClock};
use casgate::word::Word;
use casgate::{Limiter, Quota, Timestamp, TokenBucket};
use criterion::Criterion;
use crossbeam_utils::CachePadded;
use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

const BATCH: u64 = 64;
const ROUNDS: usize = 9;
const RUN: Duration = Duration::from_millis(10);
const THREADS: [usize; 4] = [1, 2, 4, 8];
const BASE_NANOS: u64 = 1_000_000_000;

/// Makes `BATCH` calls at times from the given nanosecond on, and counts the admitted.
type Batch = Box<dyn Fn(u64) -> u64 + Send + Sync>;

fn batch(call: impl Fn(Timestamp) -> bool + Send + Sync + 'static) -> Batch {
    Box::new(move |base| {
        let base = black_box(base);
        (0..BATCH).map(|i| u64::from(call(Timestamp::from_nanos(base + i)))).sum()
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Path {
    /// No decision; each call counts as admitted.
    Floor,
    Admit,
    Deny,
}

impl Path {
    fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Admit => "admit",
            Self::Deny => "deny",
        }
    }

    /// For `Admit`, more than one run can spend; for `Deny`, one permit, which `settled` spends.
    fn quota(self) -> Quota {
        match self {
            Self::Deny => Quota::per_hour(1),
            _ => Quota::new(u32::MAX, Duration::from_secs(3600)).expect("a valid quota"),
        }
    }

    /// `call`, with the only permit already spent on the deny path.
    fn settled(self, call: impl Fn(Timestamp) -> bool + Send + Sync + 'static) -> Batch {
        if self == Self::Deny {
            assert!(call(Timestamp::from_nanos(BASE_NANOS)), "the only permit is there");
        }
        batch(call)
    }

    fn assert_all(self, admitted: u64, calls: u64, name: &str) {
        let expected = if self == Self::Deny { 0 } else { calls };
        assert_eq!(admitted, expected, "{} {name}: of {calls} calls", self.name());
    }
}

struct Variant {
    path: Path,
    name: &'static str,
    given_time: bool,
    /// Whether threads must share one time for all to be admitted: then it is measured alone.
    alone: bool,
    /// Builds the shared state anew.
    fresh: fn(Path) -> Batch,
}

fn fetch_add(path: Path) -> Batch {
    let counter = CachePadded::new(AtomicU64::new(0));
    path.settled(move |_| black_box(counter.fetch_add(1, Relaxed)) < u64::MAX)
}

fn load(path: Path) -> Batch {
    let word = CachePadded::new(AtomicU64::new(0));
    path.settled(move |_| black_box(word.load(Relaxed)) == 0)
}

fn clock_recent(path: Path) -> Batch {
    path.settled(|_| black_box(SystemClock.recent()) > Timestamp::ZERO)
}

fn clock_now(path: Path) -> Batch {
    path.settled(|_| black_box(SystemClock.now()) > Timestamp::ZERO)
}

/// One permit at `now` from the word, by the same rule that the limiter runs.
fn spend(rule: FixedWindow, word: &mut Word, now: Timestamp) -> bool {
    let next = rule.decide(*word, 1, now);
    if let Some(next) = next {
        *word = next;
    }
    next.is_some()
}

fn std_mutex(path: Path) -> Batch {
    let rule = FixedWindow::new(path.quota());
    let word = CachePadded::new(std::sync::Mutex::new(Word::default()));
    path.settled(move |now| spend(rule, &mut word.lock().expect("not poisoned"), now))
}

fn parking_lot_mutex(path: Path) -> Batch {
    let rule = FixedWindow::new(path.quota());
    let word = CachePadded::new(parking_lot::Mutex::new(Word::default()));
    path.settled(move |now| spend(rule, &mut word.lock(), now))
}

fn check_at(path: Path) -> Batch {
    let limiter = CachePadded::new(Limiter::fixed_window(path.quota()));
    path.settled(move |now| limiter.check_at(now).is_ok())
}

fn token_bucket(path: Path) -> Batch {
    let limiter = CachePadded::new(Limiter::token_bucket(path.quota()));
    path.settled(move |now| limiter.check_at(now).is_ok())
}

/// A thousand slots, or one on the deny path. Admitting, each call comes a microsecond after the
/// last, when the oldest slot is just free.
fn sliding_window(path: Path) -> Batch {
    let quota = match path {
        Path::Deny => path.quota(),
        _ => Quota::new(1_000, Duration::from_millis(1)).expect("a valid quota"),
    };
    let limiter = CachePadded::new(Limiter::sliding_window(quota));
    path.settled(move |now| {
        limiter.is_allowed_at(Timestamp::from_nanos((now.as_nanos() - BASE_NANOS) * 1_000))
    })
}

fn both(path: Path) -> Batch {
    let (first, second) = (TokenBucket::new(path.quota()), FixedWindow::new(path.quota()));
    let limiter = CachePadded::new(Limiter::both(first, second));
    path.settled(move |now| limiter.check_at(now).is_ok())
}

fn adjustable(path: Path) -> Batch {
    let limiter = CachePadded::new(Limiter::adjustable_token_bucket(path.quota()));
    path.settled(move |now| limiter.check_at(now).is_ok())
}

fn check(path: Path) -> Batch {
    let limiter = CachePadded::new(Limiter::fixed_window(path.quota()));
    path.settled(move |_| limiter.check().is_ok())
}

/// `fetch_add` first: it is the unit of the ratios.
fn variants() -> Vec<Variant> {
    let of =
        |path, name, given_time, fresh| Variant { path, name, given_time, alone: false, fresh };
    let mut all = vec![
        of(Path::Floor, "AtomicU64::fetch_add", true, fetch_add as fn(Path) -> Batch),
        of(Path::Floor, "AtomicU64::load", true, load),
        of(Path::Floor, "SystemClock.recent()", true, clock_recent),
        of(Path::Floor, "SystemClock.now()", true, clock_now),
    ];
    for path in [Path::Admit, Path::Deny] {
        all.push(of(path, "std::sync::Mutex", true, std_mutex));
        all.push(of(path, "parking_lot::Mutex", true, parking_lot_mutex));
        all.push(of(path, "fixed window", true, check_at));
        all.push(of(path, "fixed window (+clock)", false, check));
        all.push(of(path, "token bucket", true, token_bucket));
        let alone = Variant { alone: true, ..of(path, "sliding window", true, sliding_window) };
        all.push(alone);
        all.push(of(path, "both", true, both));
        all.push(of(path, "adjustable bucket", true, adjustable));
    }
    all
}

fn run_criterion(criterion: &mut Criterion, variants: &[Variant]) {
    for path in [Path::Floor, Path::Admit, Path::Deny] {
        let mut group = criterion.benchmark_group(path.name());
        group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
        for variant in variants.iter().filter(|v| v.path == path && v.given_time) {
            group.bench_function(variant.name, |bencher| {
                bencher.iter_custom(|iterations| {
                    let run = (variant.fresh)(path);
                    let batches = iterations.div_ceil(BATCH);
                    let start = Instant::now();
                    let admitted = (0..batches).map(|i| run(BASE_NANOS + i * BATCH)).sum();
                    let elapsed = start.elapsed();
                    path.assert_all(admitted, batches * BATCH, variant.name);
                    elapsed.mul_f64(iterations as f64 / (batches * BATCH) as f64)
                });
            });
        }
        group.finish();
    }
}

/// Nanoseconds per call of all threads together, from the first start to the last end.
fn ns_per_call(variant: &Variant, threads: usize) -> f64 {
    let run = CachePadded::new((variant.fresh)(variant.path));
    let stop = CachePadded::new(AtomicBool::new(false));
    let barrier = Barrier::new(threads + 1);
    let worker = || {
        let (mut calls, mut admitted) = (0, 0);
        barrier.wait();
        let start = Instant::now();
        while !stop.load(Relaxed) {
            admitted += run(BASE_NANOS + calls);
            calls += BATCH;
        }
        (start, Instant::now(), calls, admitted)
    };
    let ends: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        barrier.wait();
        std::thread::sleep(RUN);
        stop.store(true, Relaxed);
        workers.into_iter().map(|w| w.join().expect("a worker failed")).collect()
    });
    let start = ends.iter().map(|end| end.0).min().expect("a thread");
    let end = ends.iter().map(|end| end.1).max().expect("a thread");
    let calls: u64 = ends.iter().map(|end| end.2).sum();
    variant.path.assert_all(ends.iter().map(|end| end.3).sum(), calls, variant.name);
    (end - start).as_nanos() as f64 / calls as f64
}

/// The median of each variant, in their order.
fn medians(variants: &[Variant], threads: usize) -> Vec<f64> {
    let mut samples = vec![Vec::new(); variants.len()];
    for round in 0..ROUNDS {
        for turn in 0..variants.len() {
            let i = (round + turn) % variants.len(); // nobody is always first
            let skipped = variants[i].alone && threads > 1;
            samples[i].push(if skipped { f64::NAN } else { ns_per_call(&variants[i], threads) });
        }
    }
    samples.iter_mut().for_each(|s| s.sort_by(f64::total_cmp));
    samples.iter().map(|s| s[ROUNDS / 2]).collect()
}

fn print_table(variants: &[Variant]) {
    let columns = THREADS.map(|threads| medians(variants, threads));
    println!("\nns/call, all threads together (ratio to fetch_add): medians of {ROUNDS} rounds\n");
    print!("| {:<5} | {:<23} |", "path", "variant");
    THREADS.iter().for_each(|n| print!(" {:>16} |", format!("{n} thr")));
    print!("\n|-{:-<5}-|-{:-<23}-|", "", "");
    THREADS.iter().for_each(|_| print!("-{:->16}:|", ""));
    println!();
    for (i, variant) in variants.iter().enumerate() {
        print!("| {:<5} | {:<23} |", variant.path.name(), variant.name);
        for ns in &columns {
            if ns[i].is_nan() {
                print!(" {:>16} |", "");
            } else {
                print!(" {:>7.2} ({:>5.2}x) |", ns[i], ns[i] / ns[0]);
            }
        }
        println!();
    }
}

fn main() {
    let variants = variants();
    let mut criterion = Criterion::default().configure_from_args();
    run_criterion(&mut criterion, &variants);
    criterion.final_summary();
    if !std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        print_table(&variants);
    }
}
