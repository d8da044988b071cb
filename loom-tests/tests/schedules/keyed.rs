//! The keyed table in random schedules: a set of four slots.

use casgate::{KeyedLimiter, Quota, Timestamp};
use loom_tests::explore::{explore, explore_bounded, refute, thread};
use loom_tests::scenarios::*;
use loom_tests::seeded::*;
use nohash_hasher::NoHashHasher;
use shuttle::rand::{Rng, thread_rng};
use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::time::Duration;

/// Each execution draws two operations.
#[test]
fn pairs() {
    for kind in [Kind::Window, Kind::Bucket] {
        for keys in Keys::ALL {
            explore(&format!("{kind:?}, {keys:?}"), move || {
                let [first, second] =
                    [(); 2].map(|()| OPERATIONS[thread_rng().gen_range(0..OPERATIONS.len())]);
                pair(kind, keys, first, second);
            });
        }
    }
}

fn drawn() -> Step {
    let action = match thread_rng().gen_range(0..20) {
        0 => Action::Reset,
        1 => Action::Refund(1),
        2 => Action::Clear,
        3 => Action::SetQuota(thread_rng().gen_range(2..6)),
        4 => Action::InTier1,
        5 => Action::Charge(1),
        6 => Action::Reserve(1, thread_rng().gen_range(0..20)),
        7 => Action::ReserveAndCancel(1, 5),
        8 => Action::ReserveAndDrop(1, 5),
        9 => Action::Peek,
        10 => Action::TakeUpTo(3),
        11 => Action::CheckMany,
        12 => Action::Len,
        n => Action::CheckN(if n < 16 { 2 } else { 1 }),
    };
    step(action, thread_rng().gen_range(1..8), thread_rng().gen_range(0..45))
}

/// Four callers that do anything to seven keys, at timestamps of a few periods.
#[test]
fn keys_that_do_not_fit() {
    for rules in [Rules::new(Kind::Window, 4), Rules::new(Kind::Bucket, 4)] {
        for rules in [rules, rules.denying()] {
            explore_bounded(&format!("{rules:?}"), Some(6), move || {
                let scripts: Vec<Vec<Step>> =
                    (0..4).map(|_| (0..3).map(|_| drawn()).collect()).collect();
                let scripts: Vec<&[Step]> = scripts.iter().map(Vec::as_slice).collect();
                keys_race::<Table>(rules, &[], &scripts);
            });
        }
    }
}

#[test]
fn changes_clears_and_debts() {
    explore("set twice", changed_twice::<Table>);
    explore("set twice, a new key", changed_twice_around_a_new_key::<Table>);
    explore("cleared", || cleared::<Table>(Kind::Window));
    explore("cleared, bucket", || cleared::<Table>(Kind::Bucket));
    explore("forgiven", forgiven::<Table>);
    explore("lent", lent::<Table>);
}

#[test]
fn a_new_quota_next_to_an_eviction() {
    explore("a new quota next to an eviction", changed_next_to_an_eviction::<Table>);
}

#[test]
fn wrong_tables_are_refuted() {
    refute("seeded: no epoch", "left after a clear", || {
        cleared::<WrongTable<{ KeyedBug::NoEpoch as u8 }>>(Kind::Window);
    });
    refute("seeded: early watermark", "forgiven debt", || {
        forgiven::<WrongTable<{ KeyedBug::EarlyWatermark as u8 }>>();
    });
    refute("seeded: no second version", "left", || {
        changed_twice::<WrongTable<{ KeyedBug::NoSecondVersion as u8 }>>();
    });
}

/// A helper reads a quota that is written over: what it computes with it must not panic. Found in one of some 30,000
/// schedules.
#[test]
fn a_new_quota_next_to_a_new_key() {
    const YEAR: u64 = 365 * 86_400 * 1_000_000_000;
    explore("a new quota next to a new key", || {
        let quota = |nanos| Quota::new(1, Duration::from_nanos(nanos)).unwrap();
        let now = Timestamp::from_nanos(60 * YEAR);
        let limiter = KeyedLimiter::fixed_window(quota(2 * YEAR - 1), 1)
            .with_hasher(BuildHasherDefault::<NoHashHasher<u64>>::default());
        for key in 0..20_u64 {
            let _ = limiter.check_at(&(key * 7 + 1), now);
        }
        let limiter = Arc::new(limiter);
        let other = Arc::clone(&limiter);
        let other = thread::spawn(move || other.check_at(&991_u64, now).is_ok());
        limiter.set_quota_at(0, quota(1_000), now).unwrap();
        other.join().unwrap();
    });
}
