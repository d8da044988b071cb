//! Memory, and floods of keys that come once.

use crate::given::Kind;
use crate::interval::broken;
use casgate::{KeyedLimiter, Quota, Timestamp};
use std::collections::HashMap;

const KEYS: u64 = if cfg!(debug_assertions) { 1_000_000 } else { 10_000_000 };

#[test]
fn a_key_takes_26_bytes() {
    for (capacity, documented) in
        [(1_000, 28.0), (10_000, 26.5), (100_000, 26.0), (1_000_000, 26.0)]
    {
        let mut limiter = None;
        let made = allocation_counter::measure(|| {
            limiter = Some(KeyedLimiter::token_bucket(Quota::per_minute(100), capacity));
        });
        let each = made.bytes_current as f64 / capacity as f64;
        assert!(each <= documented && each > 24.0, "{each} bytes a key for {capacity}");
    }
}

#[test]
fn a_limiter_shows_how_many_slots_it_has() {
    for (capacity, slots) in [(1, 160), (100, 160), (107, 160), (108, 320), (1_000, 1_600)] {
        let shown = format!("{:?}", KeyedLimiter::token_bucket(Quota::per_minute(100), capacity));
        assert!(shown.contains(&format!("slots: {slots},")), "{capacity}: {shown}");
    }
}

/// Twenty keys that come again and again among the others: each is admitted what its own limiter would.
#[test]
fn a_flood_of_distinct_keys_takes_no_memory_and_frees_nobody() {
    let quota = Quota::per_minute(100);
    let keyed = KeyedLimiter::token_bucket(quota, 100_000);
    let mut logs: HashMap<u64, Vec<(u64, u32)>> =
        (0..20).map(|key| (key, Vec::with_capacity(1_000))).collect();
    let flood = allocation_counter::measure(|| {
        for i in 0..KEYS {
            let now = i * 100; // a second for 10⁷
            let _ = keyed.check_at(&(1 << 40 | i), Timestamp::from_nanos(now));
            let hot = i / 16 % 20;
            if i % 16 == 0 && keyed.is_allowed_at(&hot, Timestamp::from_nanos(now)) {
                logs.get_mut(&hot).unwrap().push((now, 1));
            }
        }
    });
    assert_eq!(flood.count_total, 0);
    assert!(keyed.stats().evicted > 0, "the table was never full");
    for log in logs.values() {
        assert!(log.len() >= 100, "{} for a key that was there first", log.len());
        assert_eq!(broken(Kind::Bucket, quota, log, 0), None);
    }
}

/// A flood that comes round again and again: no key is admitted more than its quota, whether evicted or not.
#[test]
fn no_key_of_a_flood_has_more_than_its_quota() {
    for kind in [Kind::Bucket, Kind::Window] {
        let quota = Quota::per_hour(3);
        let keyed = kind.keyed(quota, 1_000);
        let mut admitted = vec![0u8; 20_000];
        for round in 0..KEYS / 200_000 {
            for key in 0..20_000u32 {
                let now = Timestamp::from_millis(round);
                admitted[key as usize] += u8::from(keyed.is_allowed_at(&key, now));
            }
        }
        assert!(admitted.iter().all(|&n| n <= 3), "{kind:?}");
        assert!(keyed.stats().evicted > 0);
    }
}
