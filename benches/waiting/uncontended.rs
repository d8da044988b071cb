//! What a wait costs if there is nothing to wait for.

#[path = "../table/mod.rs"]
#[allow(dead_code)] // another bench uses the rest
mod table;

use crate::lines::{governor, rate_net};
use crate::median;
use casgate::clock::SystemClock;
use casgate::wait::{Queue, ThreadTimer};
use casgate::{Limiter, Quota, TokenBucket};
use governor::clock::DefaultClock;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use table::{Path, Variant, medians};
use tokio::sync::Semaphore;

/// For those whose pace is of whole nanoseconds.
const QUOTA: Quota = Quota::per_second(1_000_000_000).with_burst(u32::MAX);
const HOUR: Duration = Duration::from_secs(3_600);

#[inline(always)]
fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn queue(path: Path) -> Queue<TokenBucket, SystemClock, ThreadTimer> {
    Queue::new(Limiter::token_bucket(path.quota()))
}

fn semaphore(_: Path) -> Semaphore {
    Semaphore::new(Semaphore::MAX_PERMITS)
}

fn variants() -> Vec<Variant> {
    let path = Path::Admit;
    vec![
        Variant::new(path, "casgate, check", queue, |q, _| q.limiter().check().is_ok()),
        Variant::new(path, "casgate, check, all numbers read", queue, |q, _| {
            black_box(q.limiter().check()).is_ok()
        }),
        Variant::new(path, "casgate, acquire", queue, |q, _| {
            poll_once(q.acquire()).is_some_and(|outcome| outcome.is_ok())
        }),
        Variant::new(path, "casgate, acquire, all numbers read", queue, |q, _| {
            black_box(poll_once(q.acquire())).is_some_and(|outcome| outcome.is_ok())
        }),
        Variant::new(
            path,
            "casgate, acquire_owned",
            |path| Arc::new(queue(path)),
            |q, _| poll_once(q.acquire_owned()).is_some_and(|outcome| outcome.is_ok()),
        ),
        Variant::new(path, "casgate, acquire and block", queue, |q, _| q.acquire().block().is_ok()),
        Variant::new(
            path,
            "governor, check",
            |_| governor(QUOTA, DefaultClock::default()),
            |limiter, _| limiter.check().is_ok(),
        ),
        Variant::new(
            path,
            "governor, until_ready",
            |_| governor(QUOTA, DefaultClock::default()),
            |limiter, _| poll_once(limiter.until_ready()).is_some(),
        ),
        Variant::new(
            path,
            "rate-net, try_until_ready",
            |_| rate_net(QUOTA, clock_lib::SystemClock::new()),
            |limiter, _| {
                poll_once(limiter.try_until_ready(1_u64)).is_some_and(|outcome| outcome.is_ok())
            },
        ),
        Variant::new(
            path,
            "leaky-bucket, acquire_one, fair",
            |_| {
                let permits = u32::MAX as usize;
                let mut builder = leaky_bucket::RateLimiter::builder();
                builder.max(permits).initial(permits).refill(permits).interval(HOUR).build()
            },
            |limiter, _| poll_once(limiter.acquire_one()).is_some(),
        ),
        Variant::new(path, "floor: Semaphore, try_acquire", semaphore, |semaphore, _| {
            semaphore.try_acquire().map(|permit| permit.forget()).is_ok()
        }),
        Variant::new(path, "floor: Semaphore, acquire", semaphore, |semaphore, _| {
            let permit = poll_once(semaphore.acquire()).and_then(Result::ok);
            permit.map(|permit| permit.forget()).is_some()
        }),
    ]
}

pub(crate) fn print(quick: bool) {
    let variants = variants();
    let runs = if quick { 1 } else { 9 };
    let runs: Vec<_> = (0..runs).map(|_| medians(&variants, 1)).collect();
    let ns = |i: usize| median(runs.iter().filter_map(|run| run[i]).collect());
    let check = ns(0);
    let row = |(i, variant): (usize, &Variant)| {
        let cells = vec![format!("{:.2}", ns(i)), format!("{:.2}x", ns(i) / check)];
        (variant.name, cells)
    };
    let rows: Vec<_> = variants.iter().enumerate().map(row).collect();
    crate::table("a wait that ends at once, one thread", 7, &["ns/call", "to check"], &rows);
    println!("\nan acquire should take at most 1.3 x check + 10 ns = {:.2} ns", 1.3 * check + 10.0);
}
