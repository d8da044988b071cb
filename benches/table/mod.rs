//! Variants that take turns, on one thread and on several, and a table of their medians.
//!
//! Within each round every variant runs once, so that a slow moment of the machine hits them all. The
//! ns/call are wall time per call of *all* threads together: perfect scaling would divide it by the
//! number of cores, and contention raises it. Every run asserts that all its calls were admitted, or
//! none, as its label says.

#[path = "../together/mod.rs"]
pub(crate) mod together;

use casgate::{Quota, Timestamp};
use crossbeam_utils::CachePadded;
use std::hint::black_box;
use std::time::{Duration, Instant};
use together::{BATCH, together};

const ROUNDS: usize = 61;
const RUN: Duration = Duration::from_millis(1);
pub(crate) const THREADS: [usize; 4] = [1, 2, 4, 8];
/// The first of the times that are given.
pub(crate) const BASE_NANOS: u64 = 1_000_000_000;

/// One thread's part: makes `BATCH` calls at times from the given nanosecond on, and counts the
/// admitted.
type Worker = Box<dyn FnMut(u64) -> u64>;

/// What the threads share; each makes its own worker of it.
pub(crate) type Shared = Box<dyn Fn() -> Worker + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Path {
    /// No decision; each call counts as admitted.
    Floor,
    Admit,
    Deny,
}

impl Path {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Admit => "admit",
            Self::Deny => "deny",
        }
    }

    /// For `Admit`, more than one run can spend; for `Deny`, one permit, which is spent beforehand.
    pub(crate) fn quota(self) -> Quota {
        match self {
            Self::Deny => Quota::per_hour(1),
            _ => Quota::new(u32::MAX, Duration::from_secs(3600)).expect("a valid quota"),
        }
    }

    pub(crate) fn assert_all(self, admitted: u64, calls: u64, name: &str) {
        let expected = if self == Self::Deny { 0 } else { calls };
        assert_eq!(admitted, expected, "{} {name}: of {calls} calls", self.name());
    }
}

pub(crate) struct Variant {
    pub(crate) path: Path,
    pub(crate) name: &'static str,
    /// Whether the threads must share one time for all to be admitted: then it is measured alone.
    pub(crate) alone: bool,
    /// Builds the shared state again.
    pub(crate) fresh: Box<dyn Fn() -> Shared>,
}

impl Variant {
    /// `new` makes the state, leaked so that handles can borrow it, and `call` is one call on it. On
    /// the deny path the first call spends the only permit.
    pub(crate) fn new<T: Send + Sync + 'static>(
        path: Path,
        name: &'static str,
        new: impl Fn(Path) -> T + 'static,
        call: impl Fn(&T, Timestamp) -> bool + Copy + Send + Sync + 'static,
    ) -> Self {
        Self::with_handles(path, name, new, |state| state, move |state, now| call(state, now))
    }

    /// [`new`](Self::new), each thread calling on a handle of its own.
    pub(crate) fn with_handles<T: Send + Sync + 'static, H: 'static>(
        path: Path,
        name: &'static str,
        new: impl Fn(Path) -> T + 'static,
        handle: impl Fn(&'static T) -> H + Copy + Send + Sync + 'static,
        call: impl Fn(&H, Timestamp) -> bool + Copy + Send + Sync + 'static,
    ) -> Self {
        let fresh = move || -> Shared {
            let state: &'static T = &*Box::leak(Box::new(CachePadded::new(new(path))));
            if path == Path::Deny {
                let first = call(&handle(state), Timestamp::from_nanos(BASE_NANOS));
                assert!(first, "{name}: the only permit is there");
            }
            Box::new(move || {
                let handle = handle(state);
                Box::new(move |base| {
                    let base = black_box(base);
                    let at = |i| Timestamp::from_nanos(base + i);
                    (0..BATCH).map(|i| u64::from(call(&handle, at(i)))).sum()
                })
            })
        };
        Self { path, name, alone: false, fresh: Box::new(fresh) }
    }

    pub(crate) fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// How long that many calls take on one thread.
    pub(crate) fn time(&self, calls: u64) -> Duration {
        let mut run = (self.fresh)()();
        let batches = calls.div_ceil(BATCH);
        let start = Instant::now();
        let admitted = (0..batches).map(|i| run(BASE_NANOS + i * BATCH)).sum();
        let elapsed = start.elapsed();
        self.path.assert_all(admitted, batches * BATCH, self.name);
        elapsed.mul_f64(calls as f64 / (batches * BATCH) as f64)
    }
}

fn ns_per_call(variant: &Variant, threads: usize) -> f64 {
    let shared = (variant.fresh)();
    let outcome = together(threads, RUN, |_| {
        let mut run = shared();
        move |calls| run(BASE_NANOS + calls)
    });
    variant.path.assert_all(outcome.admitted, outcome.calls, variant.name);
    outcome.ns_per_call
}

/// The median of each variant, in their order; none for those measured alone.
pub(crate) fn medians(variants: &[Variant], threads: usize) -> Vec<Option<f64>> {
    let mut samples = vec![Vec::new(); variants.len()];
    for round in 0..ROUNDS {
        for turn in 0..variants.len() {
            let i = (round + turn) % variants.len(); // nobody is always first
            if !variants[i].alone || threads == 1 {
                samples[i].push(ns_per_call(&variants[i], threads));
            }
        }
    }
    samples.iter_mut().for_each(|s| s.sort_by(f64::total_cmp));
    samples.iter().map(|s| s.get(ROUNDS / 2).copied()).collect()
}

/// Measures and prints: ns/call, and the ratio to the variant with the index `unit`. Returns the
/// columns of [`THREADS`].
pub(crate) fn print(variants: &[Variant], unit: usize) -> [Vec<Option<f64>>; THREADS.len()] {
    let columns = THREADS.map(|threads| medians(variants, threads));
    let width = variants.iter().map(|v| v.name.len()).max().unwrap_or(0);
    println!("\nns/call, all threads together: medians of {ROUNDS} rounds");
    println!("(ratio to {}, {})\n", variants[unit].name, variants[unit].path.name());
    print!("| {:<5} | {:<width$} |", "path", "variant");
    THREADS.iter().for_each(|n| print!(" {:>16} |", format!("{n} thr")));
    print!("\n|-{:-<5}-|-{:-<width$}-|", "", "");
    THREADS.iter().for_each(|_| print!("-{:->16}:|", ""));
    println!();
    for (i, variant) in variants.iter().enumerate() {
        print!("| {:<5} | {:<width$} |", variant.path.name(), variant.name);
        for ns in &columns {
            match (ns[i], ns[unit]) {
                (Some(mine), Some(unit)) => print!(" {mine:>7.2} ({:>5.2}x) |", mine / unit),
                _ => print!(" {:>16} |", ""),
            }
        }
        println!();
    }
    columns
}
