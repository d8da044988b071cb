//! Threads that do everything at once to one set with more keys than slots. No order is asked for: only how
//! much each key was admitted, by the timestamps that it came with.

use crate::given::Kind;
use crate::interval::broken_by_more;
use crate::{WAYS, unhashed};
use casgate::testing::race;
use casgate::{Key, Quota, Timestamp, WhenFull};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

const THREADS: usize = 4;
const CALLS: u64 = if cfg!(debug_assertions) { 4_000 } else { 400_000 };
const KEYS: u64 = 2 * WAYS;

/// Timestamp and permits, or credit.
#[derive(Default, Clone)]
struct Account {
    log: Vec<(u64, u32)>,
    credit: u128,
    /// 1 if there are reservations in it, whose instants are rounded up to whole nanoseconds.
    rounded: u64,
}

type Accounts = HashMap<u64, Account>;

/// About one permit a key in the time of a thread's calls for each, and late by up to a tenth.
fn now(rng: &mut SmallRng, call: u64) -> u64 {
    let now = 1_000_000_000 + call * 2_000;
    now.saturating_sub(if rng.random_ratio(1, 4) { rng.random_range(0..200_000) } else { 0 })
}

/// Any operation on one key; what it is admitted goes into the account.
fn ask<C: casgate::clock::Clock, S>(
    key: &Key<'_, C, S>,
    account: &mut Account,
    rng: &mut SmallRng,
    now: u64,
    forgives: bool,
) {
    let (at, n) = (Timestamp::from_nanos(now), rng.random_range(1..4));
    match rng.random_range(0..20) {
        0 => {
            let _ = key.charge_at(n, at);
        }
        1 | 2 => {
            let taken = key.take_up_to_at(n, at);
            account.log.push((now, taken));
        }
        3 => {
            if let Ok(reserved) = key.reserve_at(n, Duration::from_millis(20), at) {
                account.log.push((reserved.ready_at().as_nanos(), n));
                account.rounded = 1;
                reserved.commit();
            }
        }
        4 => {
            if let Ok(reserved) = key.reserve_at(n, Duration::from_millis(20), at) {
                let ready = reserved.ready_at().as_nanos();
                if reserved.cancel() == 0 {
                    account.log.push((ready, n));
                    account.rounded = 1;
                }
            }
        }
        5 => {
            let seen = key.peek_at(at);
            assert!(seen.remaining() <= seen.limit());
        }
        6 if forgives => {
            key.refund_n(n);
            account.credit += u128::from(n);
        }
        7 if forgives => {
            // At most what it owes, a burst and what was charged or reserved, is forgiven: so much that the key
            // is only there to disturb the others.
            key.reset();
            account.credit = 1 << 64;
        }
        _ => {
            if key.check_n_at(n, at).is_ok() {
                account.log.push((now, n));
            }
        }
    }
}

fn merged(accounts: Vec<Accounts>) -> Accounts {
    let mut all = Accounts::new();
    for (key, Account { log, credit, rounded }) in accounts.into_iter().flatten() {
        let account = all.entry(key).or_default();
        account.log.extend(log);
        account.credit = account.credit.saturating_add(credit);
        account.rounded = account.rounded.max(rounded);
    }
    all
}

#[test]
fn no_key_has_more_than_its_bound_in_a_storm() {
    for kind in [Kind::Bucket, Kind::Window] {
        for full in [WhenFull::EvictLeastDebt, WhenFull::DenyNewKeys] {
            storm(kind, full);
        }
    }
}

fn storm(kind: Kind, full: WhenFull) {
    let quotas = [
        Quota::new(3, Duration::from_millis(7)).unwrap(),
        Quota::new(7, Duration::from_millis(30)).unwrap().with_burst(4),
        Quota::new(1, Duration::from_millis(2)).unwrap().with_burst(3),
    ];
    let tier = |key: u64| key as usize % 3;
    let keyed = unhashed(kind.keyed(quotas[0], 1)).with_tiers(quotas[1..].to_vec()).when_full(full);
    let keyed = Arc::new(keyed);
    let shared = Arc::clone(&keyed);
    let accounts = race(THREADS, move |caller| {
        let mut rng = SmallRng::seed_from_u64(caller as u64);
        let mut accounts = Accounts::new();
        for call in 0..CALLS {
            let key = rng.random_range(0..KEYS);
            let now = now(&mut rng, call);
            let view = shared.key(&key).tier(tier(key) as u16);
            // One of four keys is forgiven at times.
            ask(&view, accounts.entry(key).or_default(), &mut rng, now, key % 4 == 0);
            // A tier that changes to the same is not changed; one that is read meanwhile is whole.
            if caller == 0 && call % 1_000 == 0 {
                shared.set_quota_at(1, quotas[1], Timestamp::from_nanos(now)).unwrap();
            }
        }
        accounts
    });
    for (key, account) in merged(accounts) {
        let Account { log, credit, rounded } = account;
        let seen = broken_by_more(kind, quotas[tier(key)], &log, credit, rounded);
        assert_eq!(seen, None, "{kind:?}, {full:?}: key {key}");
    }
    assert!(full == WhenFull::DenyNewKeys || keyed.stats().evicted > 0);
    settled(&keyed, &tier, CALLS);
}

/// Once all is quiet a key is one key: it gets what it is shown and no more, and in a day all are full.
fn settled<S: std::hash::BuildHasher>(
    keyed: &casgate::KeyedLimiter<casgate::clock::SystemClock, S>,
    tier: &dyn Fn(u64) -> usize,
    calls: u64,
) {
    let now = Timestamp::from_nanos(1_000_000_000 + calls * 2_000);
    for key in 0..KEYS {
        let view = keyed.key(&key).tier(tier(key) as u16);
        let left = view.peek_at(now).remaining();
        assert_eq!(view.take_up_to_at(u32::MAX, now), left);
        assert!(!view.is_allowed_at(now));
    }
    let later = now + Duration::from_secs(86_400);
    assert_eq!(keyed.len_at(later), 0);
    for key in 0..WAYS {
        let view = keyed.key(&key).tier(tier(key) as u16);
        let limit = view.peek_at(later).limit();
        assert!(view.check_n_at(limit, later).is_ok() && !view.is_allowed_at(later));
    }
}

/// At one timestamp, while the table is cleared: each clear is worth a burst at most.
#[test]
fn a_clear_gives_each_key_a_burst_at_most() {
    const CLEARS: u64 = 50;
    for kind in [Kind::Bucket, Kind::Window] {
        let quota = Quota::per_hour(4);
        let keyed = Arc::new(unhashed(kind.keyed(quota, 1)));
        let shared = Arc::clone(&keyed);
        let counts = race(THREADS, move |caller| {
            let mut rng = SmallRng::seed_from_u64(caller as u64);
            let mut counts = vec![0u64; KEYS as usize];
            for call in 0..CALLS {
                if caller == 0 && call % (CALLS / CLEARS) == 0 {
                    shared.clear();
                }
                let key = rng.random_range(0..KEYS);
                let admitted = shared.is_allowed_at(&key, Timestamp::from_secs(5));
                counts[key as usize] += u64::from(admitted);
            }
            counts
        });
        for key in 0..KEYS as usize {
            let admitted: u64 = counts.iter().map(|counts| counts[key]).sum();
            assert!(admitted <= 4 * (1 + CLEARS), "{kind:?}: {admitted} for key {key}");
        }
        keyed.clear();
        assert_eq!(keyed.len_at(Timestamp::from_secs(5)), 0);
    }
}

/// At one timestamp, while a tier's quota goes from six to four and back: each time two at most are forgiven.
#[test]
fn a_changed_quota_forgives_no_more_than_the_difference() {
    const CHANGES: u64 = 40;
    for kind in [Kind::Bucket, Kind::Window] {
        let (six, four) = (Quota::per_hour(6), Quota::per_hour(4));
        // Of a bucket the rate stays.
        let four = if kind == Kind::Bucket { six.with_burst(4) } else { four };
        let keyed = Arc::new(unhashed(kind.keyed(six, 1)).with_tiers([Quota::per_hour(9)]));
        let shared = Arc::clone(&keyed);
        let counts = race(THREADS, move |caller| {
            let mut rng = SmallRng::seed_from_u64(caller as u64);
            let (mut counts, now) = (vec![0u64; KEYS as usize], Timestamp::from_secs(5));
            for call in 0..CALLS {
                if caller == 0 && call % (CALLS / CHANGES) == 0 {
                    shared
                        .set_quota_at(
                            0,
                            if call / (CALLS / CHANGES) % 2 == 0 { four } else { six },
                            now,
                        )
                        .unwrap();
                }
                let key = rng.random_range(0..KEYS);
                let view = shared.key(&key).tier(key as u16 % 2);
                counts[key as usize] += u64::from(view.is_allowed_at(now));
            }
            counts
        });
        for key in 0..KEYS as usize {
            let admitted: u64 = counts.iter().map(|counts| counts[key]).sum();
            let most = if key % 2 == 0 { 6 + CHANGES / 2 * 2 } else { 9 };
            assert!(admitted <= most, "{kind:?}: {admitted} for key {key}");
        }
    }
}
