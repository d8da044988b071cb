//! Words of another limit, fields that do not fit, and saved words that nobody made. That any word is decided on is one of
//! the laws (`tests/laws`).

use casgate::algorithm::Rule;
use casgate::word::{Split, Word};
use casgate::{FixedWindow, Quota, Saved, Timestamp};
use proptest::prelude::*;
use std::time::Duration;

fn quotas() -> impl Strategy<Value = Quota> {
    (1..=u32::MAX, 1..=1u64 << 61, 1..=u32::MAX).prop_filter_map("a quota", |(l, w, b)| {
        let quota = Quota::new(l, Duration::from_nanos(w)).ok()?;
        quota.try_with_burst(b).or(quota.try_with_burst(1)).ok()
    })
}

fn instants() -> impl Strategy<Value = Timestamp> {
    prop_oneof![0..1_000u64, any::<u64>(), u64::MAX - 9..=u64::MAX].prop_map(Timestamp::from_nanos)
}

proptest! {
    #[test]
    fn a_word_of_a_larger_limit_has_nothing_left(limit in 1..1_000u32, more in 1..1_000u32) {
        let large = FixedWindow::new(Quota::per_second(limit + more));
        let small = FixedWindow::new(Quota::per_second(limit));
        let full = large.decide(Word::default(), limit + more, Timestamp::ZERO).unwrap();
        if large.split() == small.split() {
            prop_assert_eq!(small.decide(full, 1, Timestamp::ZERO), None);
            prop_assert_eq!(small.snapshot(full, Timestamp::ZERO).remaining(), 0);
        }
    }

    #[test]
    fn a_split_packs_anything(limit: u32, index: u64, count: u32) {
        let split = Split::for_limit(if limit % 16 == 0 { 0 } else { limit });
        let limit = if limit % 16 == 0 { 0 } else { limit };
        let word = split.pack(index, count);
        prop_assert_eq!(split.index(word), index.min(split.max_index()));
        prop_assert!(split.count(word) <= count && split.count(word) >= count.min(limit));
    }

    #[test]
    fn anything_can_be_restored(quota in quotas(), words: [u64; 4], now in instants(), elapsed: u64) {
        let saved = Saved::from_words(words);
        let elapsed = Duration::from_nanos(elapsed);
        let bucket = casgate::Limiter::token_bucket(quota);
        let window = casgate::Limiter::fixed_window(quota);
        bucket.restore_at(saved, elapsed, now);
        window.restore_at(saved, elapsed, now);
        let _ = (bucket.check_at(now), window.check_at(now), bucket.peek_at(now), window.peek_at(now));
    }
}
