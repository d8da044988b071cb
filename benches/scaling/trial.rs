//! Threads that work at once, and whether each had a core of its own.

use cpu_time::ThreadTime;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Of the time of a trial, what a thread must have had a core for. The rest is the scheduler's and the clocks'.
const OF_ITS_OWN: f64 = 0.97;

/// Lets `threads` threads work, which begin together, and returns how long they took, from the first beginning to the
/// last end, and what they made; none if a thread did not have a core of its own nearly all that time: then others were
/// measured too. `prepare` makes the work of the thread with that number.
pub(crate) fn trial<W: FnOnce() -> T, T: Send>(
    threads: usize,
    prepare: impl Fn(usize) -> W + Sync,
) -> Option<(Duration, Vec<T>)> {
    let arrived = AtomicUsize::new(0);
    let run = |number| {
        let work = prepare(number);
        arrived.fetch_add(1, Relaxed);
        while arrived.load(Relaxed) < threads {
            spin_loop();
        }
        let (start, cpu) = (Instant::now(), ThreadTime::now());
        let made = work();
        (start, cpu.elapsed(), Instant::now(), made)
    };
    let ends: Vec<_> = std::thread::scope(|scope| {
        let run = &run;
        let all: Vec<_> = (0..threads).map(|number| scope.spawn(move || run(number))).collect();
        all.into_iter().map(|thread| thread.join().expect("a thread failed")).collect()
    });
    let first = ends.iter().map(|end| end.0).min()?;
    let last = ends.iter().map(|end| end.2).max()?;
    let least = (last - first).mul_f64(OF_ITS_OWN);
    let is_clean = ends.iter().all(|end| end.1 >= least);
    is_clean.then(|| (last - first, ends.into_iter().map(|end| end.3).collect()))
}
