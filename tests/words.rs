//! Words that another algorithm made, or nobody: nothing panics or wraps, and nothing is admitted beyond the limit.

use casgate::algorithm::Rule;
use casgate::word::{Split, Word};
use casgate::{FixedWindow, Quota, Saved, Timestamp, TokenBucket};
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

fn total<R: Rule>(rule: R, word: Word, n: u32, now: Timestamp, later: Timestamp) {
    let admitted = rule.admitted(word, n, now);
    let denied = rule.denied(word, n, now);
    assert!(denied.remaining() <= denied.limit());
    let _ = rule.refund(word, n);
    let _ = rule.refund_of(word, &admitted);
    let _ = rule.deny_until(word, later);
    let charged = rule.charge(word, n, now);
    assert!(charged >= word || rule.snapshot(word, now).remaining() > 0, "a charge frees nothing");
    // However often it is asked at one instant, the limit is what it admits.
    let limit = u64::from(rule.snapshot(Word::default(), Timestamp::ZERO).limit());
    let (mut word, mut spent) = (word, 0);
    for n in [n, n / 2, 1, n.saturating_mul(2), u32::MAX, 1] {
        if let Some(next) = rule.decide(word, n.max(1), now) {
            spent += u64::from(n.max(1));
            word = next;
        }
    }
    assert!(spent <= limit, "{spent} of {limit}");
}

proptest! {
    #[test]
    fn any_word_is_decided_on(
        quota in quotas(), bits: u64, n: u32, now in instants(), later in instants(),
    ) {
        let word = Word::from_bits(bits);
        total(FixedWindow::new(quota), word, n, now, later);
        total(TokenBucket::new(quota), word, n, now, later);
    }

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
