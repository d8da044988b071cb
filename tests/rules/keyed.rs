//! Limits per key: against single limiters while the keys fit, and against each key's own bound when they
//! do not.

use crate::bound::{Bound, Bucket, PerWindow, Spent};
use casgate::algorithm::Rule;
use casgate::word::Word;
use casgate::{
    Admitted, Denied, FixedWindow, KeyedLimiter, Limiter, Quota, Timestamp, TokenBucket, WhenFull,
};
use nohash_hasher::BuildNoHashHasher;
use proptest::prelude::*;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::time::Duration;

/// Fewer than elsewhere: a trace has hundreds of calls.
const CASES: u32 = crate::trace::CASES / 4;
const YEAR: u64 = 365 * 86_400 * 1_000_000_000;

/// Asked which key, for how many permits, and how far the reading is from the last: mostly on, or sometimes back
/// by up to `late`.
fn traces(keys: u64, calls: usize, late: i64) -> impl Strategy<Value = Vec<(u64, u32, i64)>> {
    let steps = prop_oneof![3 => Just(0i64), 4 => 0..30i64, 1 => -late..1, 1 => 0..3_000i64];
    prop::collection::vec((0..keys, 0..4u32, steps), 1..calls)
}

/// Soon after the clock's origin, or where a slot's bits have wrapped.
fn begins() -> impl Strategy<Value = u64> {
    prop_oneof![Just(1_000_000), 1_000_000..1u64 << 62]
}

fn quotas() -> impl Strategy<Value = Quota> {
    (1..9u32, 1..200u64, 1..9u32).prop_map(|(permits, period, burst)| {
        let period = Duration::from_nanos(period.max(permits.into()));
        Quota::new(permits, period).unwrap().with_burst(burst)
    })
}

/// Follows a trace from the reading 10⁶ on.
fn follow(
    begin: u64,
    trace: &[(u64, u32, i64)],
    mut ask: impl FnMut(u64, u32, u64) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let mut now = begin;
    for &(key, n, step) in trace {
        now = now.saturating_add_signed(step);
        ask(key, n, now)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    /// Decision by decision, and to the last number of each answer.
    #[test]
    fn a_window_for_each_key_is_that_of_a_limiter_of_its_own(
        quota in quotas(), begin in begins(), trace in traces(40, 300, 0),
    ) {
        let keyed = KeyedLimiter::<u64, _>::fixed_window(quota, 64);
        let mut single = HashMap::new();
        follow(begin, &trace, |key, n, now| {
            let at = Timestamp::from_nanos(now);
            let own = single.entry(key).or_insert_with(|| Limiter::fixed_window(quota));
            prop_assert_eq!(keyed.peek_at(&key, at), own.peek_at(at));
            let (seen, expected) = (keyed.check_n_at(&key, n, at), own.check_n_at(n, at));
            prop_assert!(if n == 0 { seen.is_ok() } else { seen == expected }, "{seen:?}, {expected:?}");
            Ok(())
        })?;
        prop_assert_eq!(keyed.stats().evicted, 0);
    }

    /// The rule in the slot's own units, on a full-width word.
    #[test]
    fn a_bucket_for_each_key_is_that_of_a_word_of_its_own(
        quota in quotas(), begin in begins(), trace in traces(40, 300, 0),
    ) {
        let keyed = KeyedLimiter::<u64>::token_bucket(quota, 64);
        let rule = <TokenBucket as Rule>::in_few_bits(quota);
        let mut single = HashMap::<u64, Word>::new();
        follow(begin, &trace, |key, n, now| {
            let at = Timestamp::from_nanos(now);
            let word = single.entry(key).or_default();
            let expected: Result<Admitted, Denied> = match rule.decide(*word, n, at) {
                Some(next) if n > 0 => {
                    *word = next;
                    Ok(rule.admitted(next, at))
                }
                Some(_) => return Ok(()),
                None => Err(rule.denied(*word, n, at)),
            };
            prop_assert_eq!(keyed.check_n_at(&key, n, at), expected);
            Ok(())
        })?;
        prop_assert_eq!(keyed.stats().evicted, 0);
    }

    /// Many more keys than slots, each of which asks again and again: none has more than its bound, with either
    /// policy, also at readings that come late.
    #[test]
    fn no_key_has_more_than_its_bound_when_they_do_not_fit(
        quota in quotas(), begin in begins(), trace in traces(300, 900, 40), refuse in any::<bool>(),
    ) {
        let full = if refuse { WhenFull::RefuseNewcomers } else { WhenFull::EvictLeastDebt };
        let window = KeyedLimiter::<u64, _>::fixed_window(quota, 1).when_full(full);
        sound(&window, |_| PerWindow::new(quota), 0, begin, &trace)?;
        let bucket = KeyedLimiter::<u64>::token_bucket(quota, 1).when_full(full);
        sound(&bucket, |_| Bucket::new(quota), early(quota), begin, &trace)?;
    }

    /// Likewise of keys with three quotas, in a few sets.
    #[test]
    fn no_key_has_more_than_the_bound_of_its_class(
        quotas in [quotas(), quotas(), quotas()], begin in begins(),
        trace in traces(900, 900, 40), refuse in any::<bool>(),
    ) {
        let full = if refuse { WhenFull::RefuseNewcomers } else { WhenFull::EvictLeastDebt };
        let [first, others @ ..] = quotas;
        let class = |key: &u64| *key as usize % 3;
        let window = KeyedLimiter::fixed_window(first, 80).when_full(full).with_quotas(others, class);
        sound(&window, |key| PerWindow::new(quotas[class(&key)]), 0, begin, &trace)?;
        let bucket = KeyedLimiter::token_bucket(first, 80).when_full(full).with_quotas(others, class);
        let early = quotas.map(early).into_iter().max().unwrap();
        sound(&bucket, |key| Bucket::new(quotas[class(&key)]), early, begin, &trace)?;
    }
}

/// A bucket's admission can be so many nanoseconds early: less than one in 1024 of an emission interval, or one
/// in four of a nanosecond.
fn early(quota: Quota) -> u128 {
    2 * quota.period().as_nanos() / u128::from(quota.permits()) / 1024 + 2
}

fn sound<R: Rule, B: Bound>(
    keyed: &KeyedLimiter<u64, R>,
    bound: impl Fn(u64) -> B,
    slack: u128,
    begin: u64,
    trace: &[(u64, u32, i64)],
) -> Result<(), TestCaseError> {
    let mut spent = HashMap::<u64, Vec<Spent>>::new();
    follow(begin, trace, |key, n, now| {
        if keyed.check_n_at(&key, n, Timestamp::from_nanos(now)).is_ok() && n > 0 {
            let log = spent.entry(key).or_default();
            prop_assert!(!bound(key).breaks(log, n, now, slack), "{n} by {key} at {now}");
            log.push((now, n));
        }
        Ok(())
    })
}

/// The key is its own hash, so that a test can choose set, home and tag.
type Unhashed = BuildNoHashHasher<u64>;

/// The key with that tag, whose search in the only set begins at the way of the tag's lower 6 bits.
fn key(tag: u64) -> u64 {
    tag << 40
}

fn one_set<R: Rule>(
    keyed: KeyedLimiter<u64, R>,
) -> KeyedLimiter<u64, R, casgate::clock::SystemClock, Unhashed> {
    keyed.with_hasher(Unhashed::default())
}

#[test]
fn a_flood_displaces_those_who_owe_least() {
    let quota = Quota::per_hour(10);
    let keyed = one_set(KeyedLimiter::<u64>::token_bucket(quota, 1));
    let now = Timestamp::from_secs(1);
    let hot = key(1);
    assert_eq!((0..20).filter(|_| keyed.is_allowed_at(&hot, now)).count(), 10);
    let admitted = (2..100_000).filter(|&tag| keyed.is_allowed_at(&key(tag), now)).count();
    assert!(!keyed.is_allowed_at(&hot, now), "its debt was forgotten");
    // 63 slots fill up to nine or ten permits each: an eviction costs a 1024th of one.
    assert!((560..=630).contains(&admitted), "{admitted} admitted");
    let stats = keyed.stats();
    assert!(stats.evicted > 500 && stats.refused == 0, "{stats:?}");
    assert_eq!(keyed.len_at(now), 64);
    // In an hour all is as before.
    assert_eq!(keyed.len_at(now + Duration::from_secs(3_600)), 0);
    assert!(keyed.check_n_at(&hot, 10, now + Duration::from_secs(3_600)).is_ok());
}

/// Forty keys that come each second, beside twenty each second that come once, when none of the forty owes anything: they
/// take the slots that have been idle for longest.
#[test]
fn keys_that_come_again_stay() {
    let keyed = one_set(KeyedLimiter::<u64>::token_bucket(Quota::per_second(20), 1));
    let mut strangers = 100..;
    let come = |i: u64, millis| {
        let somewhere = (i * 0x9e37_79b9) & 0xff_ffff;
        keyed.is_allowed_at(&key(somewhere), Timestamp::from_millis(millis))
    };
    for second in 1..100 {
        assert!((1..=40).all(|i| come(i, second * 1_000)));
        assert!(strangers.by_ref().take(20).all(|i| come(i, second * 1_000 + 500)));
    }
    let stats = keyed.stats();
    assert_eq!((stats.inserted, stats.evicted), (40 + 99 * 20, 0));
}

#[test]
fn a_full_set_is_no_matter_to_another() {
    let quota = Quota::per_hour(4);
    let keyed = KeyedLimiter::<u64, _>::fixed_window(quota, 80)
        .with_hasher(Unhashed::default())
        .with_quotas([quota, quota], |key| (key >> 32 & 3) as usize);
    let in_class = |tag: u64, class: u64| key(tag) | class << 32;
    let now = Timestamp::from_secs(1);
    for tag in 1..300 {
        let _ = keyed.check_at(&in_class(4 * tag, tag % 3), now);
    }
    assert!(keyed.stats().evicted > 50);
    // The lower half of the hash chooses one of two sets.
    for class in 0..3 {
        let newcomer = |tag: u64| in_class(4 * tag, class) | 1 << 31;
        assert!((1..20).all(|tag| keyed.check_n_at(&newcomer(tag), 4, now).is_ok()), "{class}");
    }
}

/// What a key with another quota owes is no matter to a newcomer who takes its slot.
#[test]
fn a_debt_is_kept_in_its_class() {
    let keyed = one_set(KeyedLimiter::<u64, _>::fixed_window(Quota::per_hour(4), 1))
        .with_quotas([Quota::per_hour(1)], |key| usize::from(*key >> 32 & 1 == 1));
    let now = Timestamp::from_secs(1);
    assert!((1..=64).all(|tag| keyed.check_n_at(&key(2 * tag), 1, now).is_ok()));
    assert!(keyed.is_allowed_at(&(key(2) | 1 << 32), now));
    assert_eq!(keyed.stats().evicted, 1);
}

#[test]
fn a_slot_is_free_at_the_instant_that_it_owes_nothing() {
    let keyed = one_set(KeyedLimiter::<u64, _>::fixed_window(Quota::per_second(1), 1));
    for second in 1..4 {
        let now = Timestamp::from_secs(second);
        assert!((1..=64).all(|i| keyed.is_allowed_at(&key(second << 8 | i), now)));
    }
    assert_eq!((keyed.stats().evicted, keyed.stats().inserted), (0, 192));
}

#[test]
fn newcomers_are_refused_until_a_slot_is_free() {
    let keyed = one_set(KeyedLimiter::<u64, _>::fixed_window(Quota::per_second(2), 1))
        .when_full(WhenFull::RefuseNewcomers);
    let now = Timestamp::from_millis(1_250);
    assert!((1..=64).all(|tag| keyed.is_allowed_at(&key(tag), now)));
    let denied = keyed.check_at(&key(65), now).unwrap_err();
    assert_eq!((denied.refused_by(), denied.remaining()), (1, 0));
    assert_eq!(denied.retry_after(), Some(Duration::from_millis(750)));
    assert_eq!(keyed.check_n_at(&key(65), 3, now).unwrap_err().retry_after(), None);
    // Those who are in are undisturbed.
    assert!((1..=64).all(|tag| keyed.is_allowed_at(&key(tag), now)));
    assert!(keyed.is_allowed_at(&key(65), now + denied.retry_after().unwrap()));
    assert_eq!(keyed.stats().refused, 2);
}

#[test]
fn newcomers_to_buckets_are_told_when_one_is_full() {
    let keyed = one_set(KeyedLimiter::<u64>::token_bucket(Quota::per_second(3).with_burst(2), 1))
        .when_full(WhenFull::RefuseNewcomers);
    let now = Timestamp::from_millis(100_100);
    assert!((1..=64).all(|tag| keyed.check_n_at(&key(tag), 2, now).is_ok()));
    let wait = keyed.check_at(&key(65), now).unwrap_err().retry_after().unwrap();
    // Two permits and a unit.
    assert!(wait > Duration::from_nanos(666_666_666) && wait < Duration::from_micros(667_000));
    let early = keyed.check_at(&key(65), now + (wait - Duration::from_nanos(1)));
    assert_eq!(early.unwrap_err().retry_after(), Some(Duration::from_nanos(1)));
    assert!(keyed.is_allowed_at(&key(65), now + wait));
}

/// A key evicted with a debt, that returns when its slot is another's, and when its reading is old.
#[test]
fn a_debt_is_kept_for_those_who_return() {
    let keyed = one_set(KeyedLimiter::<u64, _>::fixed_window(Quota::per_second(3), 1));
    let at = |seconds| Timestamp::from_secs(seconds);
    assert!(keyed.check_n_at(&key(1), 2, at(5)).is_ok());
    for tag in 2..=64 {
        assert!(keyed.check_n_at(&key(tag), 3, at(5)).is_ok());
    }
    assert!(!keyed.is_allowed_at(&key(65), at(5)), "two, and one for the eviction");
    assert_eq!(keyed.stats().evicted, 0, "somebody was evicted for one who was denied");
    // Reclaimed in the next second, when it owes nothing; the old second must not come back.
    for tag in 70..140 {
        assert_eq!(keyed.check_n_at(&key(tag), 3, at(6)).is_ok(), tag < 134, "{tag}");
    }
    assert!(!keyed.is_allowed_at(&key(2), at(5)), "a late reading found a fresh limiter");
}

#[test]
fn untouched_for_years_is_free() {
    // 2²⁰ permits leave a slot the fewest bits for the time.
    for (permits, rate) in [(10, 10), (1 << 20, 1 << 20), (1 << 20, 1)] {
        let quota = Quota::per_second(rate).with_burst(permits);
        looks_over_years(&KeyedLimiter::token_bucket(quota, 20_000), permits);
    }
    for permits in [10, 1 << 20] {
        looks_over_years(&KeyedLimiter::fixed_window(Quota::per_second(permits), 20_000), permits);
    }
}

fn looks_over_years<R: Rule>(keyed: &KeyedLimiter<u64, R>, permits: u32) {
    let keys = 0..10_000u64;
    assert!(keys.clone().all(|key| keyed.check_n_at(&key, permits, Timestamp::ZERO).is_ok()));
    let mut wrong = 0;
    for year in 1..=40 {
        // A different instant for each key, so that a wrap would show somewhere.
        let now = |key| Timestamp::from_nanos(year * YEAR + key * 7_919_317);
        let left = |key| keyed.peek_at(&key, now(key)).remaining();
        wrong += keys.clone().filter(|&key| left(key) < permits).count();
    }
    // 400,000 looks, each wrong with a probability below 2⁻¹⁸: 1.5 are expected.
    assert!(wrong <= 9, "{wrong} of 400,000 in debt");
}

/// Also when the bits that are kept of a slot begin anew.
#[test]
fn newcomers_are_full_whenever_they_come() {
    // A permit is 1024 units and a second, so 2⁴⁰ units are 2³⁰ seconds.
    for seconds in (1..9).flat_map(|wrap| (wrap << 30) - 3..(wrap << 30) + 3) {
        let keyed = KeyedLimiter::<u64>::token_bucket(Quota::per_second(1), 1);
        let now = Timestamp::from_secs(seconds);
        assert!((0..9).all(|key| keyed.is_allowed_at(&key, now)), "at {seconds} s");
    }
}

/// 30,000 keys in one set: 4.5·10⁸ pairs with 24 bits, so 26.8 of them share a tag.
#[test]
fn as_many_keys_are_confused_as_the_tag_says() {
    let hasher = std::hash::RandomState::new();
    let mut tags: Vec<u64> = (0..30_000u64).map(|key| hasher.hash_one(key) >> 40).collect();
    tags.sort_unstable();
    let pairs = tags.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!((8..60).contains(&pairs), "{pairs} pairs of 26.8");
    // And they are: two keys of one tag share a limit, of another they do not.
    let keyed = one_set(KeyedLimiter::<u64>::token_bucket(Quota::per_hour(1), 1));
    assert!(keyed.is_allowed_at(&key(5), Timestamp::ZERO));
    assert!(!keyed.is_allowed_at(&(key(5) | 9 << 32), Timestamp::ZERO));
    assert!(keyed.is_allowed_at(&key(6), Timestamp::ZERO));
}

#[test]
fn a_flood_of_distinct_keys_takes_no_memory_and_frees_nobody() {
    const KEYS: u64 = if cfg!(debug_assertions) { 1_000_000 } else { 10_000_000 };
    let mut limiter = None;
    let made = allocation_counter::measure(|| {
        limiter = Some(KeyedLimiter::<u64>::token_bucket(Quota::per_minute(100), 100_000));
    });
    let keyed = limiter.unwrap();
    let bytes = made.bytes_current;
    assert!((1_230_000..1_250_000).contains(&bytes), "{bytes} bytes, 12.4 a key; 15.5 at 80 %");
    let mut hot = 0;
    let flood = allocation_counter::measure(|| {
        for i in 0..KEYS {
            let now = Timestamp::from_nanos(i * 100); // a second for 10⁷
            let _ = keyed.check_at(&i, now);
            hot += u64::from(i % 16 == 0 && keyed.is_allowed_at(&u64::MAX, now));
        }
    });
    assert_eq!(flood.count_total, 0);
    let refilled = KEYS / 10 * 100 / 60_000_000;
    assert!((100..=101 + refilled).contains(&hot), "{hot} for the hot key");
    assert!(keyed.stats().evicted > 0, "the table was never full");
}

#[test]
fn each_class_has_its_quota() {
    let quotas = [Quota::per_hour(1), Quota::per_hour(3), Quota::per_hour(7)];
    let keyed = KeyedLimiter::<u64, _>::fixed_window(quotas[0], 1_000)
        .with_quotas(quotas.into_iter().skip(1), |key| *key as usize % 5);
    let passed = |key| (0..9).filter(|_| keyed.is_allowed_at(&key, Timestamp::ZERO)).count();
    assert_eq!([0, 1, 2, 3, 4, 5, 6].map(passed), [1, 3, 7, 7, 7, 1, 3]);
    let rule = FixedWindow::new(quotas[1]);
    assert_eq!(
        keyed.peek_at(&11, Timestamp::ZERO),
        rule.snapshot(Word::default(), Timestamp::ZERO)
    );
}

#[test]
#[should_panic(expected = "at most 2^20 permits")]
fn a_quota_too_large_for_a_slot_says_so() {
    let _ = KeyedLimiter::<u64>::token_bucket(Quota::per_second((1 << 20) + 1), 1);
}
