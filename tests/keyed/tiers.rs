//! Quotas by tier, keys that change their tier, and tiers that change their quota.

use crate::beside::Beside;
use crate::given::{CASES, Kind, at, kinds};
use crate::ops::{Op, calls};
use casgate::{Allowance, KeyedLimiter, Quota, Timestamp};
use proptest::prelude::*;
use std::time::Duration;

/// Permits times nanoseconds stay below 2⁶³, for the reference.
fn quotas(kind: Kind) -> impl Strategy<Value = Quota> {
    let rate = prop_oneof![
        4 => (1..9u32, 1..2_000_000u64),
        3 => (1..2_000u32, 1..4_000_000_000u64),
        1 => (1..60_000u32, 1..1u64 << 46),
    ];
    (rate, 0..40u32).prop_filter_map("outside the range", move |((permits, period), burst)| {
        let quota = Quota::new(permits, Duration::from_nanos(period)).ok()?;
        let quota = quota.try_with_burst(burst).unwrap_or(quota);
        kind.try_keyed(quota, 1).ok().map(|_| quota)
    })
}

#[derive(Clone, Debug)]
enum Change {
    Set(u16, Quota),
    Block(u16),
    Free(u16),
    Clear,
}

fn changes(kind: Kind) -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (0..3u16, quotas(kind)).prop_map(|(tier, quota)| Change::Set(tier, quota)),
        1 => (0..3u16).prop_map(Change::Block),
        1 => (0..3u16).prop_map(Change::Free),
        1 => Just(Change::Clear),
    ]
}

type Given = (Kind, [Quota; 3], Vec<(u8, Change)>);

fn given() -> impl Strategy<Value = Given> {
    kinds().prop_flat_map(|kind| {
        let quotas = [quotas(kind), quotas(kind), quotas(kind)];
        (Just(kind), quotas, prop::collection::vec((any::<u8>(), changes(kind)), 0..8))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2 * CASES))]

    /// Three tiers, between which keys move, and whose quotas change. At timestamps that a record keeps.
    #[test]
    fn what_is_spent_goes_along(
        (kind, quotas, changes) in given(), calls in calls(4, 3, 60), begin in 0..1u64 << 59,
    ) {
        let keyed = kind.keyed(quotas[0], 100).with_tiers(quotas[1..].iter().copied());
        let mut beside = Beside::new(keyed, kind, &quotas);
        let mut now = begin;
        for (i, &(key, tier, op, step)) in calls.iter().enumerate() {
            // A charge beyond the burst in a blocked window is a test of its own.
            let next = step.follow(beside.quota(tier), now, beside.due).min(1 << 59);
            now = next / 512 * 512;
            beside.due = None;
            beside.step(key, tier, op, now)?;
            for (_, change) in changes.iter().filter(|(when, _)| usize::from(*when) % 60 == i) {
                match *change {
                    Change::Set(tier, quota) => beside.set_quota(tier, quota.into(), now),
                    Change::Block(tier) => beside.set_quota(tier, Allowance::Blocked, now),
                    Change::Free(tier) => beside.set_quota(tier, Allowance::Unlimited, now),
                    Change::Clear => beside.clear(),
                }
            }
        }
        prop_assert_eq!(beside.keyed.stats().evicted, 0);
    }

    /// Whatever the timestamp: what a look says in another tier is what the key gets there.
    #[test]
    fn what_is_seen_in_another_tier_is_what_is_there(
        (kind, quotas, _) in given(), (spent, now, later) in (1..20u32, 0..1u64 << 59, 0..9_000_000_000u64),
    ) {
        let keyed = kind.keyed(quotas[0], 100).with_tiers([quotas[1]]);
        let _ = keyed.charge_at("a", spent, at(now));
        let (there, now) = (keyed.key("a").tier(1), at(now + later));
        let left = there.peek_at(now).remaining();
        prop_assert!(left == u32::MAX || there.check_n_at(left + 1, now).is_err());
        prop_assert_eq!(there.peek_at(now).remaining(), left);
        prop_assert_eq!(there.take_up_to_at(u32::MAX, now), left);
    }

    #[test]
    fn an_unchanged_quota_changes_nothing(
        (kind, quotas, _) in given(), calls in calls(4, 2, 40), begin in 0..1u64 << 59,
    ) {
        let keyed = || kind.keyed(quotas[0], 100).with_tiers([quotas[1]]);
        let (ours, other) = (keyed(), keyed());
        let mut now = begin;
        for (key, tier, op, step) in calls {
            now = step.follow(quotas[usize::from(tier)], now, None).min(1 << 59);
            ours.set_quota_at(tier, quotas[usize::from(tier)], at(now)).unwrap();
            for limiter in [&ours, &other] {
                match op {
                    Op::Check(n) | Op::Reserve(n, ..) => drop(limiter.key(&key).tier(tier).check_n_at(n, at(now)).is_ok()),
                    Op::Charge(n) => drop(limiter.key(&key).tier(tier).charge_at(n, at(now)).is_ok()),
                    Op::Take(n) => drop(limiter.key(&key).tier(tier).take_up_to_at(n, at(now))),
                    Op::Refund(n) => limiter.refund_n(&key, n),
                    Op::Reset => limiter.reset(&key),
                    Op::Peek => {}
                }
            }
            for tier in 0..2 {
                let look = |limiter: &KeyedLimiter| limiter.key(&key).tier(tier).peek_at(at(now));
                prop_assert_eq!(look(&ours), look(&other));
            }
        }
    }
}

/// Ten an hour of which five are spent, and then a tier of ten in 3 ms, at the beginning of one of its windows.
#[test]
fn a_look_at_the_beginning_of_another_tiers_window_is_what_the_key_gets() {
    let short = Quota::new(10, Duration::from_millis(3)).unwrap();
    let keyed = KeyedLimiter::fixed_window(Quota::per_hour(10), 100).with_tiers([short]);
    assert!(keyed.check_n_at("a", 5, Timestamp::ZERO).is_ok());
    let (there, now) = (keyed.key("a").tier(1), Timestamp::from_millis(3));
    assert_eq!(there.peek_at(now).remaining(), 5);
    assert_eq!(there.check_at(now).map(|admitted| admitted.remaining()), Ok(4));
}

/// What a key has spent is kept while its tier is blocked, and what it is charged meanwhile comes on top.
#[test]
fn a_blocked_tier_keeps_what_was_spent() {
    for kind in [Kind::Bucket, Kind::Window] {
        let (five, now) = (Quota::per_second(5), Timestamp::ZERO);
        let keyed = kind.keyed(five, 100);
        assert!(keyed.check_n_at("a", 2, now).is_ok());
        keyed.set_quota_at(0, Allowance::Blocked, now).unwrap();
        let denied = keyed.check_at("a", now).unwrap_err();
        assert_eq!((denied.limit(), denied.remaining(), denied.retry_after()), (0, 0, None));
        assert!(keyed.charge_at("a", 1, now).is_ok() && !keyed.is_allowed_at("b", now));
        keyed.set_quota_at(0, five, now).unwrap();
        assert_eq!(keyed.peek_at("a", now).remaining(), 2, "{kind:?}");
    }
}

/// Six are charged to a window of five: one of them in the next.
#[test]
fn a_charge_in_a_blocked_window_is_spent_from_the_next_ones() {
    let (five, now) = (Quota::per_second(5), Timestamp::ZERO);
    let keyed = KeyedLimiter::fixed_window(five, 100);
    keyed.set_quota_at(0, Allowance::Blocked, now).unwrap();
    assert!(keyed.charge_at("a", 6, now).is_ok());
    keyed.set_quota_at(0, five, now).unwrap();
    assert_eq!(keyed.peek_at("a", Timestamp::from_secs(1)).remaining(), 4);
}

/// A tier that was blocked from the beginning has no units of its own.
#[test]
fn a_charge_in_a_tier_that_never_had_a_quota_forgives_nothing() {
    for kind in [Kind::Bucket, Kind::Window] {
        let now = Timestamp::ZERO;
        let keyed = kind.keyed(Quota::per_hour(10), 100).with_tiers([Allowance::Blocked]);
        assert!(keyed.check_n_at("a", 10, now).is_ok());
        assert!(keyed.key("a").tier(1).charge_at(1, now).is_ok());
        assert_eq!(keyed.peek_at("a", now).remaining(), 0, "{kind:?}");
    }
}

/// And what is charged there stays for years.
#[test]
fn a_debt_in_a_tier_that_never_had_a_quota_stays() {
    let keyed =
        KeyedLimiter::token_bucket(Quota::per_hour(10), 100).with_tiers([Allowance::Blocked]);
    assert!(keyed.key("a").tier(1).charge_at(1 << 26, Timestamp::ZERO).is_ok());
    let later = Timestamp::from_secs(300 * 86_400);
    assert_eq!(keyed.peek_at("a", later).remaining(), 0);
}

#[test]
fn an_unlimited_tier_counts_nothing() {
    let keyed =
        KeyedLimiter::token_bucket(Quota::per_hour(3), 100).with_tiers([Allowance::Unlimited]);
    let now = Timestamp::ZERO;
    assert!(keyed.check_n_at("a", 2, now).is_ok());
    let free = keyed.key("a").tier(1);
    assert!(free.check_n_at(u32::MAX, now).is_ok() && free.charge_at(9, now).is_ok());
    assert_eq!(free.take_up_to_at(1_000, now), 1_000);
    assert!(free.reserve_at(9, Duration::ZERO, now).unwrap().delay().is_zero());
    assert_eq!((free.peek_at(now).limit(), keyed.peek_at("a", now).remaining()), (u32::MAX, 1));
}

#[test]
fn each_tier_has_its_quota() {
    let quotas = [Quota::per_hour(1), Quota::per_hour(3), Quota::per_hour(7)];
    let keyed = KeyedLimiter::fixed_window(quotas[0], 1_000).with_tiers(quotas[1..].to_vec());
    let passed = |key: u16| {
        let view = keyed.key(&key).tier(key % 3);
        (0..9).filter(|_| view.is_allowed_at(Timestamp::ZERO)).count()
    };
    assert_eq!([0, 1, 2, 3, 4, 5, 6].map(passed), [1, 3, 7, 1, 3, 7, 1]);
}

/// A quota that is raised counts at once for a key that is known, and one that is lowered too.
#[test]
fn a_changed_quota_holds_for_known_keys_at_once() {
    for kind in [Kind::Bucket, Kind::Window] {
        let keyed = kind.keyed(Quota::per_hour(5), 100);
        let now = Timestamp::from_secs(1);
        assert!(keyed.check_n_at("a", 3, now).is_ok());
        keyed.set_quota_at(0, Quota::per_hour(50), now).unwrap();
        assert_eq!(
            (keyed.peek_at("a", now).remaining(), keyed.peek_at("b", now).remaining()),
            (47, 50)
        );
        keyed.set_quota_at(0, Quota::per_hour(2), now).unwrap();
        assert_eq!(
            (keyed.peek_at("a", now).remaining(), keyed.peek_at("b", now).remaining()),
            (0, 2)
        );
        assert!(!keyed.is_allowed_at("a", now));
    }
}
