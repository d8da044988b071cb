//! Keys that come for the first time, are evicted, and return. The set has two slots under the model checker.

use super::{WINDOW, at, quota};
use crate::explore::thread;
use casgate::{FixedWindow, KeyedLimiter, Quota, Timestamp, WhenFull, clock::SystemClock};
use nohash_hasher::BuildNoHashHasher;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A limit per key of at most `quota.permits()` a window, in one set.
pub trait Keyed: Send + Sync + 'static {
    /// One that nobody has asked yet.
    fn with_quota(quota: Quota, full: WhenFull) -> Self;

    /// Whether `tag` gets a permit at `now`.
    fn allows(&self, tag: u64, now: Timestamp) -> bool;
}

/// The crate's table. A key is its own hash.
pub type Table = KeyedLimiter<u64, FixedWindow, SystemClock, BuildNoHashHasher<u64>>;

impl Keyed for Table {
    fn with_quota(quota: Quota, full: WhenFull) -> Self {
        KeyedLimiter::<u64, _>::fixed_window(quota, 1)
            .with_hasher(BuildNoHashHasher::new())
            .when_full(full)
    }

    fn allows(&self, tag: u64, now: Timestamp) -> bool {
        self.is_allowed_at(&(tag << 40), now)
    }
}

/// A key's tag and a reading.
pub type Ask = (u64, u64);

/// First each of `before`, alone; then the scripts, one caller each; then everybody who asked once more in each
/// window, alone: no key is ever given more than `limit` in a window.
///
/// # Panics
///
/// If one is.
pub fn keys_race<T: Keyed>(limit: u32, full: WhenFull, before: &[Ask], scripts: &[&[Ask]]) {
    race::<T>(limit, full, before, scripts);
}

/// [`keys_race`]; returns how many each key was given in each window until the last caller was done.
fn race<T: Keyed>(
    limit: u32,
    full: WhenFull,
    before: &[Ask],
    scripts: &[&[Ask]],
) -> BTreeMap<(u64, u64), u32> {
    let table = Arc::new(T::with_quota(quota(limit), full));
    let ask = |table: &T, asks: &[Ask]| -> Vec<Ask> {
        asks.iter().copied().filter(|&(tag, now)| table.allows(tag, at(now))).collect()
    };
    let mut given = ask(&table, before);
    let (last, others) = scripts.split_last().expect("a caller");
    let threads: Vec<_> = others
        .iter()
        .map(|script| {
            let (table, script) = (Arc::clone(&table), script.to_vec());
            thread::spawn(move || ask(&table, &script))
        })
        .collect();
    given.extend(ask(&table, last));
    for thread in threads {
        given.extend(thread.join().expect("no caller panics"));
    }
    let count = |given: &[Ask]| {
        let mut counts = BTreeMap::<(u64, u64), u32>::new();
        for &(tag, now) in given {
            *counts.entry((tag, now / WINDOW)).or_default() += 1;
        }
        counts
    };
    let counts = count(&given);
    let again: Vec<Ask> = before.iter().chain(scripts.iter().copied().flatten()).copied().collect();
    given.extend(ask(&table, &again));
    for ((tag, window), n) in count(&given) {
        assert!(n <= limit, "key {tag}: {n} admitted of {limit} in window {window}");
    }
    counts
}

/// [`keys_race`] in which the keys fit and all readings are of one window: each is given what there is.
///
/// # Panics
///
/// If one is not.
pub fn keys_fit<T: Keyed>(limit: u32, scripts: &[&[Ask]]) {
    let given = race::<T>(limit, WhenFull::RefuseNewcomers, &[], scripts);
    let mut asked = BTreeMap::<u64, u32>::new();
    for (tag, _) in scripts.iter().copied().flatten() {
        *asked.entry(*tag).or_default() += 1;
    }
    for (tag, n) in asked {
        let given = given.get(&(tag, 0)).copied().unwrap_or_default();
        assert!(given == n.min(limit), "key {tag}: {given} admitted of {}", n.min(limit));
    }
}
