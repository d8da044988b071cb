//! Nine of ten waits are dropped by somebody else, at any time. What of the rule's permits is then lost? Nobody asks from
//! outside the line. In tokio's paused time, so each run is the same.

use crate::lines::{Maker, Waits, on_tokio_clock};
use casgate::Quota;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

const QUOTA: Quota = Quota::per_second(1_000).with_burst(10);
/// In each millisecond, which brings one permit.
const ARRIVE: u64 = 10;
/// Nine of ten give up after 1 ms to so many.
const MOST_PATIENCE: u64 = 100;

/// How many were admitted, and how many waits were dropped in percent of all.
async fn admitted_and_dropped(waits: Waits, millis: u64) -> (u64, f64) {
    let admitted = Arc::new(AtomicU64::new(0));
    let mut random = SmallRng::seed_from_u64(1);
    let mut leave: BTreeMap<u64, Vec<AbortHandle>> = BTreeMap::new();
    let (start, mut dropped) = (Instant::now(), 0);
    for now in 0..millis {
        for _ in 0..ARRIVE {
            let (wait, admitted) = (waits(), Arc::clone(&admitted));
            let task = tokio::spawn(async move {
                assert!(wait.await, "nobody is denied");
                admitted.fetch_add(1, Relaxed);
            });
            if random.random_range(0..10) != 0 {
                let then = now + random.random_range(1..=MOST_PATIENCE);
                leave.entry(then).or_default().push(task.abort_handle());
            }
        }
        sleep_until(start + Duration::from_millis(now + 1)).await;
        // Before those run who were woken at the same instant: some leave with their permit.
        for task in leave.remove(&(now + 1)).into_iter().flatten() {
            dropped += u64::from(!task.is_finished());
            task.abort();
        }
    }
    // The one that was woken last runs too.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let dropped = 100.0 * dropped as f64 / (ARRIVE * millis) as f64;
    (admitted.load(Relaxed), dropped)
}

pub(crate) fn print(quick: bool) {
    let millis = if quick { 1_000 } else { 20_000 };
    let allowed = u64::from(QUOTA.burst()) + u64::from(QUOTA.permits()) * millis / 1_000;
    let row = |(name, new): Maker| {
        let (admitted, dropped) = crate::patience::in_paused_time(async move {
            admitted_and_dropped(new(QUOTA), millis).await
        });
        let lost = allowed as i64 - admitted as i64;
        let cells = [
            format!("{dropped:.0} %"),
            allowed.to_string(),
            admitted.to_string(),
            lost.to_string(),
        ];
        (name, cells.to_vec())
    };
    let rows: Vec<_> = on_tokio_clock().into_iter().map(row).collect();
    let title = format!(
        "{} s at 1,000/s, 10,000 waits begin each second and nine of ten are dropped: permits",
        millis / 1_000
    );
    crate::table(&title, 8, &["dropped", "allowed", "admitted", "lost"], &rows);
}
