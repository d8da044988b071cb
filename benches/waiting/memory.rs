//! What a waiter takes of memory: its future, and what that allocates. Each variant has a process of its own, since timers
//! keep what they once had.

use crate::lines::{governor, leaky_bucket, queue, rate_net, semaphore};
use crate::{MEMORY, leak};
use casgate::Quota;
use casgate::clock::SystemClock;
use casgate::wait::{ThreadTimer, TokioTimer};
use governor::clock::DefaultClock;
use std::future::Future;
use std::process::Command;
use std::task::{Context, Waker};
use std::time::Duration;

const WAITERS: usize = 10_000;
/// Nobody is served but the first.
const QUOTA: Quota = Quota::per_minute(1);
/// In which a thread takes up the timers that were given to it.
const PAUSE: Duration = Duration::from_millis(300);
/// Stands before the number of a variant, for a process that measures that one.
const ONE: &str = "--memory-of";

/// The bytes of a future, and at the peak the bytes of all threads.
fn bytes<F: Future>(wait: impl Fn() -> F) -> [usize; 2] {
    let context = &mut Context::from_waker(Waker::noop());
    let first = Box::pin(wait()).as_mut().poll(context);
    assert!(first.is_ready(), "the first is served");
    let mut waits = Vec::with_capacity(WAITERS);
    MEMORY.reset_peak_usage();
    let before = MEMORY.peak_usage();
    for _ in 0..WAITERS {
        waits.push(Box::pin(wait()));
        let polled = waits.last_mut().map(|wait| wait.as_mut().poll(context).is_pending());
        assert_eq!(polled, Some(true), "the others wait");
    }
    std::thread::sleep(PAUSE);
    [size_of::<F>(), MEMORY.peak_usage() - before]
}

type Variant = (&'static str, fn() -> [usize; 2]);

const VARIANTS: [Variant; 6] = [
    ("casgate, tokio's timer", || {
        let queue = leak(queue(QUOTA, SystemClock, TokioTimer));
        bytes(|| queue.acquire())
    }),
    ("casgate, thread's timer", || {
        let queue = leak(queue(QUOTA, SystemClock, ThreadTimer));
        bytes(|| queue.acquire())
    }),
    ("governor, until_ready", || {
        let limiter = leak(governor(QUOTA, DefaultClock::default()));
        bytes(|| limiter.until_ready())
    }),
    ("rate-net, try_until_ready", || {
        let limiter = leak(rate_net(QUOTA, clock_lib::SystemClock::new()));
        bytes(|| limiter.try_until_ready(1_u64))
    }),
    ("leaky-bucket, fair", || {
        let limiter = leak(leaky_bucket(QUOTA));
        bytes(|| limiter.acquire_one())
    }),
    ("floor: Semaphore", || {
        let semaphore = semaphore(QUOTA);
        bytes(|| async { semaphore.acquire().await.map(|permit| permit.forget()) })
    }),
];

/// Measures one variant if that is what the process is for.
pub(crate) fn print_one(arguments: &[String]) -> bool {
    let Some(at) = arguments.iter().position(|argument| argument == ONE) else { return false };
    let variant = arguments[at + 1].parse::<usize>().expect("a number");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let [future, all] = runtime.expect("a runtime").block_on(async { VARIANTS[variant].1() });
    println!("{future} {all}");
    true
}

pub(crate) fn print(_: bool) {
    let this = std::env::current_exe().expect("the name of this program");
    let row = |i: usize| {
        let output = Command::new(&this).args([ONE, &i.to_string()]).output();
        let output = String::from_utf8(output.expect("it runs").stdout).expect("numbers");
        let numbers: Vec<usize> =
            output.split_whitespace().map(|word| word.parse().expect("a number")).collect();
        let [future, all] = numbers[..] else { panic!("two numbers") };
        (VARIANTS[i].0, vec![future.to_string(), (all / WAITERS).to_string()])
    };
    let rows: Vec<_> = (0..VARIANTS.len()).map(row).collect();
    crate::table(
        "10,000 waiters: bytes a waiter",
        7,
        &["its future", "in all, at the peak"],
        &rows,
    );
}
