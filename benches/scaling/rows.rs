//! What is measured.

use crate::table::{Path, Variant};
use casgate::{Limiter, Quota, Timestamp};
use crossbeam_utils::CachePadded;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

pub(crate) const ONE_LINE: &str = "fetch_add, one line for all";
pub(crate) const OWN_LINES: &str = "fetch_add, a line for each thread";
pub(crate) const WINDOW: &str = "window";
pub(crate) const SHARDED_WINDOW: &str = "sharded window";
pub(crate) const PRIVATE: &str = "sharded window, 16 permits kept";
pub(crate) const BUCKET: &str = "bucket";
pub(crate) const SHARDED_BUCKET: &str = "sharded bucket";
pub(crate) const SHORT_WINDOWS: &str = "sharded window, short windows";

/// Permits that a cell has in a short window.
pub(crate) const SHORT: u32 = 64;

/// A limiter with the time given, a new nanosecond in each call, and with its default clock.
macro_rules! both_times {
    ($path:expr, $name:expr, $new:expr) => {
        [
            Variant::new($path, $name, $new, |limiter, now| limiter.is_allowed_at(now)),
            Variant::new($path, on_the_clock($name), $new, |limiter, _| limiter.is_allowed()),
        ]
    };
}

/// The name of the row with the default clock.
pub(crate) fn on_the_clock(name: &str) -> &'static str {
    match name {
        WINDOW => "window, default clock",
        SHARDED_WINDOW => "sharded window, default clock",
        PRIVATE => "sharded window, 16 permits kept, default clock",
        BUCKET => "bucket, default clock",
        _ => "sharded bucket, default clock",
    }
}

pub(crate) fn all(cores: usize) -> Vec<Variant> {
    let mut rows = floors(cores);
    for path in [Path::Admit, Path::Deny] {
        // So that a denial, too, is one of many cells.
        let window = move |path: Path| {
            Limiter::sharded_fixed_window(path.quota()).with_cells(cores.next_power_of_two())
        };
        let bucket = move |path: Path| {
            Limiter::sharded_token_bucket(path.quota()).with_cells(cores.next_power_of_two())
        };
        rows.extend(both_times!(path, WINDOW, |path: Path| Limiter::fixed_window(path.quota())));
        rows.extend(both_times!(path, SHARDED_WINDOW, window));
        rows.extend(both_times!(path, PRIVATE, move |path| window(path).private(16)));
        rows.extend(both_times!(path, BUCKET, |path: Path| Limiter::token_bucket(path.quota())));
        rows.extend(both_times!(path, SHARDED_BUCKET, bucket));
    }
    rows.push(short_windows(cores));
    rows
}

fn floors(cores: usize) -> Vec<Variant> {
    let add = |line: &AtomicU64| black_box(line.fetch_add(1, Relaxed)) < u64::MAX;
    let lines = move |_| {
        let lines: Vec<CachePadded<AtomicU64>> =
            (0..cores).map(|_| CachePadded::default()).collect();
        (AtomicUsize::new(0), lines)
    };
    vec![
        Variant::new(Path::Floor, ONE_LINE, |_| AtomicU64::new(0), move |line, _| add(line)),
        Variant::with_handles(
            Path::Floor,
            OWN_LINES,
            lines,
            |(next, lines)| &lines[next.fetch_add(1, Relaxed) % lines.len()],
            move |line, _| add(line),
        ),
    ]
}

/// Windows that end as soon as they are spent: a thread that is denied moves the time of all on.
fn short_windows(cores: usize) -> Variant {
    const PERIOD: u64 = 1_000_000;
    let cells = cores.next_power_of_two();
    let new = move |_| {
        let permits = SHORT * cells as u32;
        let quota = Quota::new(permits, Duration::from_nanos(PERIOD)).expect("a quota");
        let limiter = Limiter::sharded_fixed_window(quota).with_cells(cells);
        (limiter, CachePadded::new(AtomicU64::new(PERIOD)))
    };
    Variant::new(Path::Admit, SHORT_WINDOWS, new, |(limiter, time), _| {
        loop {
            let now = time.load(Relaxed);
            if limiter.is_allowed_at(Timestamp::from_nanos(now)) {
                return true;
            }
            let _ = time.compare_exchange(now, now + PERIOD, Relaxed, Relaxed);
        }
    })
}
