//! Threads that call together, and how long a call of theirs takes.

use crossbeam_utils::CachePadded;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

pub(crate) const BATCH: u64 = 64;

pub(crate) struct Outcome {
    /// Nanoseconds per call of all threads together, from the first start to the last end.
    pub(crate) ns_per_call: f64,
    pub(crate) calls: u64,
    pub(crate) admitted: u64,
}

/// Lets `threads` threads call for about `run`. `worker` makes the part of the thread with that number: told how many
/// calls it has made, it makes [`BATCH`] more and counts the admitted.
pub(crate) fn together<W: FnMut(u64) -> u64>(
    threads: usize,
    run: Duration,
    worker: impl Fn(usize) -> W + Sync,
) -> Outcome {
    let stop = CachePadded::new(AtomicBool::new(false));
    let barrier = Barrier::new(threads + 1);
    let work = |number| {
        let mut batch = worker(number);
        let (mut calls, mut admitted) = (0, 0);
        barrier.wait();
        let start = Instant::now();
        while !stop.load(Relaxed) {
            admitted += batch(calls);
            calls += BATCH;
        }
        (start, Instant::now(), calls, admitted)
    };
    let ends: Vec<_> = std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..threads).map(|i| scope.spawn(move || work(i))).collect();
        barrier.wait();
        std::thread::sleep(run);
        stop.store(true, Relaxed);
        workers.into_iter().map(|w| w.join().expect("a worker failed")).collect()
    });
    let start = ends.iter().map(|end| end.0).min().expect("a thread");
    let end = ends.iter().map(|end| end.1).max().expect("a thread");
    let calls = ends.iter().map(|end| end.2).sum();
    Outcome {
        ns_per_call: (end - start).as_nanos() as f64 / calls as f64,
        calls,
        admitted: ends.iter().map(|end| end.3).sum(),
    }
}
