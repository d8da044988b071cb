//! Tasks that wait for one permit after another, on one limiter at its full rate.

use crate::lines::{
    Line, Retries, governor, leaky_bucket, queue, rate_net, refill, refilled_semaphore, semaphore,
};
use crate::world::World;
use crate::{leak, medians};
use casgate::Quota;
use casgate::clock::SystemClock;
use casgate::wait::{ThreadTimer, TokioTimer};
use cpu_time::ProcessTime;
use governor::clock::DefaultClock;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// The burst is what comes in 10 ms: with much less, those who wait without a queue cannot reach the rate by timers of
/// milliseconds.
const QUOTA: Quota = Quota::per_second(100_000).with_burst(1_000);
const WAITERS: [usize; 3] = [1, 100, 10_000];

#[derive(Default)]
struct Counts {
    waits: AtomicU64,
    polls: AtomicU64,
    permits: AtomicU64,
}

/// A wait whose polls are counted.
struct Counted<F> {
    wait: Pin<Box<F>>,
    counts: &'static Counts,
    is_new: bool,
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.counts.polls.fetch_add(1, Relaxed);
        if std::mem::take(&mut self.is_new) {
            self.counts.waits.fetch_add(1, Relaxed);
        }
        self.wait.as_mut().poll(context)
    }
}

async fn wait_again_and_again(line: impl Line, counts: &'static Counts) {
    loop {
        let wait = Counted { wait: Box::pin(line.granted()), counts, is_new: true };
        assert!(wait.await, "nobody is denied");
        counts.permits.fetch_add(1, Relaxed);
    }
}

/// What was counted until an instant.
struct Reading {
    permits: u64,
    wakes: u64,
    cpu: ProcessTime,
}

impl Reading {
    fn take(counts: &Counts) -> Self {
        let [waits, polls, permits] =
            [&counts.waits, &counts.polls, &counts.permits].map(|count| count.load(Relaxed));
        Self { permits, wakes: polls - waits, cpu: ProcessTime::now() }
    }

    /// The share of the rate in percent, wake-ups a permit, and nanoseconds of the processor a permit.
    fn since(&self, before: &Self, elapsed: Duration) -> [f64; 3] {
        let permits = (self.permits - before.permits) as f64;
        let allowed = elapsed.as_secs_f64() * f64::from(QUOTA.permits());
        let wakes = (self.wakes - before.wakes) as f64;
        let ns = self.cpu.duration_since(before.cpu).as_nanos() as f64;
        [100.0 * permits / allowed, wakes / permits, ns / permits]
    }
}

/// In tokio's runtime on one thread, and in real time. First all find their place.
fn in_tokio<L: Line>(new: impl Fn() -> L, waiters: usize, run: Duration) -> [f64; 3] {
    let counts = leak(Counts::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(async {
        let line = new();
        (0..waiters).for_each(|_| drop(tokio::spawn(wait_again_and_again(line, counts))));
        tokio::time::sleep(run / 2).await;
        let (before, start) = (Reading::take(counts), Instant::now());
        tokio::time::sleep(run).await;
        Reading::take(counts).since(&before, start.elapsed())
    })
}

/// In a world of its own, whose timer wakes at whole milliseconds.
fn in_world<L: Line>(new: impl Fn(&mut World) -> L, waiters: usize, run: Duration) -> [f64; 3] {
    let counts = leak(Counts::default());
    let mut world = World::new();
    let line = new(&mut world);
    (0..waiters).for_each(|_| world.spawn(wait_again_and_again(line, counts)));
    world.run(run / 2);
    let before = Reading::take(counts);
    world.run(run);
    Reading::take(counts).since(&before, run)
}

/// Made for that many waiters, and run for so long.
type Variant = (&'static str, fn(usize, Duration) -> [f64; 3]);

const IN_TOKIO: [Variant; 6] = [
    ("casgate, tokio's timer", |waiters, run| {
        in_tokio(|| leak(queue(QUOTA, SystemClock, TokioTimer)), waiters, run)
    }),
    ("casgate, thread's timer", |waiters, run| {
        in_tokio(|| leak(queue(QUOTA, SystemClock, ThreadTimer)), waiters, run)
    }),
    ("governor, until_ready", |waiters, run| {
        in_tokio(|| leak(governor(QUOTA, DefaultClock::default())), waiters, run)
    }),
    ("rate-net, try_until_ready", |waiters, run| {
        in_tokio(|| leak(rate_net(QUOTA, clock_lib::SystemClock::new())), waiters, run)
    }),
    ("leaky-bucket, fair", |waiters, run| in_tokio(|| leak(leaky_bucket(QUOTA)), waiters, run)),
    ("floor: Semaphore, refilled", |waiters, run| {
        in_tokio(|| refilled_semaphore(QUOTA), waiters, run)
    }),
];

const IN_WORLD: [Variant; 3] = [
    ("casgate", |waiters, run| {
        in_world(|world| leak(queue(QUOTA, world.time, world.time)), waiters, run)
    }),
    ("governor's loop", |waiters, run| {
        in_world(|world| leak(Retries::new(QUOTA, world.time, world.time)), waiters, run)
    }),
    ("floor: Semaphore, refilled", |waiters, run| {
        let new = |world: &mut World| {
            let (semaphore, time) = (semaphore(QUOTA), world.time);
            world.spawn(refill(semaphore, QUOTA, move |since| time.sleep_until(since)));
            semaphore
        };
        in_world(new, waiters, run)
    }),
];

fn print_table(title: &str, variants: &[Variant], rounds: usize, run: Duration) {
    let columns =
        WAITERS.map(|waiters| medians(rounds, variants.len(), |i| variants[i].1(waiters, run)));
    let heads: Vec<_> = WAITERS
        .iter()
        .flat_map(|n| [format!("{n}: % of rate"), "wake-ups".to_owned(), "CPU ns".to_owned()])
        .collect();
    let heads: Vec<_> = heads.iter().map(String::as_str).collect();
    let cells = |i: usize| {
        let of = |column: &Vec<[f64; 3]>| {
            let [share, wakes, ns] = column[i];
            [format!("{share:.1}"), format!("{wakes:.2}"), format!("{ns:.0}")]
        };
        columns.iter().flat_map(of).collect()
    };
    let rows: Vec<_> = (0..variants.len()).map(|i| (variants[i].0, cells(i))).collect();
    crate::table(title, 8, &heads, &rows);
}

pub(crate) fn print(quick: bool) {
    let (rounds, run) = if quick { (1, 100) } else { (5, 1_000) };
    let run = Duration::from_millis(run);
    let title = "1, 100 and 10,000 waiters at 100,000/s, burst 1,000: ";
    let title = |place| format!("{title}{place}; wake-ups and CPU time a permit");
    print_table(&title("tokio, one thread"), &IN_TOKIO, rounds, run);
    print_table(&title("a world whose timer has 1 ms"), &IN_WORLD, rounds, run);
}
