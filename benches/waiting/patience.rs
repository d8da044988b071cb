//! Twice as many arrive as the rule admits, and each gives up after a second. How many are served? In tokio's paused
//! time, so each run is the same.

use crate::leak;
use crate::lines::{Maker, Patient, Waits, on_tokio_clock, queue, waits};
use casgate::Quota;
use casgate::wait::{TokioClock, TokioTimer};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{sleep, timeout};

const QUOTA: Quota = Quota::per_second(100).with_burst(1);
const EACH: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) fn in_paused_time<R>(future: impl Future<Output = R>) -> R {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}

/// Admitted in a second, once a few have passed.
async fn per_second(waits: Waits, seconds: u32) -> f64 {
    const BEFORE: u32 = 5;
    let arrivals = |seconds: u32| seconds * 1_000 / EACH.as_millis() as u32;
    let admitted = Arc::new(AtomicU64::new(0));
    let mut before = 0;
    for arrival in 0..arrivals(BEFORE + seconds) {
        if arrival == arrivals(BEFORE) {
            before = admitted.load(Relaxed);
        }
        let (wait, admitted) = (waits(), Arc::clone(&admitted));
        tokio::spawn(async move {
            if let Ok(true) = timeout(PATIENCE, wait).await {
                admitted.fetch_add(1, Relaxed);
            }
        });
        sleep(EACH).await;
    }
    (admitted.load(Relaxed) - before) as f64 / f64::from(seconds)
}

pub(crate) fn print(quick: bool) {
    let seconds = if quick { 10 } else { 100 };
    let mut variants = on_tokio_clock();
    variants.insert(
        1,
        ("casgate, within a second", |quota| {
            waits(leak(Patient(queue(quota, TokioClock::new(), TokioTimer), PATIENCE)))
        }),
    );
    let row = |(name, new): Maker| {
        let rate = in_paused_time(async move { per_second(new(QUOTA), seconds).await });
        (name, vec![format!("{rate:.1}")])
    };
    let rows: Vec<_> = variants.into_iter().map(row).collect();
    let title = format!("100/s, 200/s arrive, each gives up after a second: {seconds} s");
    crate::table(&title, 8, &["admitted/s"], &rows);
}
