//! Inputs and schedules that once broke a sentence of the documentation.

use casgate::algorithm::{FixedWindow, Rule};
use casgate::clock::{Clock, ManualClock};
use casgate::word::Word;
use casgate::{All, Allowance, KeyedLimiter, LimitN, Limiter, Quota, Timestamp, WhenFull};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const ZERO: Timestamp = Timestamp::ZERO;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs)
}

/// A clock whose cheap timestamps are of the distant past.
struct Lagging(Timestamp, Timestamp);

impl Clock for Lagging {
    fn now(&self) -> Timestamp {
        self.1
    }

    fn recent(&self) -> Timestamp {
        self.0
    }

    fn max_lag(&self) -> Duration {
        Duration::MAX
    }
}

/// A timestamp whose lag reaches past the horizon is decided again too.
#[test]
fn a_bucket_decides_again_whatever_the_lag() {
    let limiter = Limiter::token_bucket(Quota::per_second(1)).with_clock(Lagging(ZERO, at(10)));
    assert!(limiter.check_at(ZERO).is_ok());
    assert!(limiter.check().is_ok());
}

/// As that, for a sliding window.
#[test]
fn a_sliding_window_decides_again_whatever_the_lag() {
    let limiter = Limiter::sliding_window(Quota::per_second(1)).with_clock(Lagging(ZERO, at(10)));
    assert!(limiter.check_at(ZERO).is_ok());
    assert!(limiter.check().is_ok());
}

/// A charge says how many permits it has spent, and all of them come back.
#[test]
fn a_charge_above_the_limit_of_a_key_is_refunded_whole() {
    let limiter = KeyedLimiter::token_bucket(Quota::per_second(5), 100);
    let charged = limiter.charge_at("a", 10, ZERO).unwrap();
    limiter.key("a").refund(&charged);
    assert_eq!(charged.permits(), 10);
    assert_eq!(limiter.peek_at("a", ZERO).remaining(), 5);
}

/// Where nothing is counted too.
#[test]
fn a_charge_to_an_unlimited_tier_says_how_much() {
    let limiter =
        KeyedLimiter::token_bucket(Quota::per_second(5), 100).with_tiers([Allowance::Unlimited]);
    assert_eq!(limiter.key("a").tier(1).charge_at(7, ZERO).unwrap().permits(), 7);
}

/// What a tier without a limit admitted is not given back to a key that owes in another.
#[test]
fn a_denied_request_to_all_gives_nobody_permits() {
    let keyed =
        KeyedLimiter::token_bucket(Quota::per_hour(5), 100).with_tiers([Allowance::Unlimited]);
    let single = Limiter::token_bucket(Quota::per_hour(1));
    let ada = keyed.key("ada");
    assert!(ada.check_n_at(5, ZERO).is_ok());
    let unlimited = ada.tier(1);
    let all = All::new([(&unlimited as &dyn LimitN, 5), (&single, 1), (&single, 1)]);
    assert!(all.check_at(ZERO).is_err());
    assert!(ada.check_at(ZERO).is_err(), "a denied request gave five permits");
}

/// As that, by a refund.
#[test]
fn what_an_unlimited_tier_did_not_count_is_not_given_back() {
    let limiter =
        KeyedLimiter::token_bucket(Quota::per_hour(5), 100).with_tiers([Allowance::Unlimited]);
    let ada = limiter.key("ada");
    assert!(ada.check_n_at(5, ZERO).is_ok());
    let admitted = ada.tier(1).check_n_at(5, ZERO).unwrap();
    ada.tier(1).refund(&admitted);
    assert!(ada.check_at(ZERO).is_err(), "five more");
}

/// A batch asks a full table once.
#[test]
fn a_request_that_finds_the_table_full_counts_once() {
    let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 1)
        .when_full(WhenFull::DenyNewKeys)
        .with_clock(ManualClock::new());
    let newcomer = (0..10_000).find(|key| limiter.check(key).is_err()).unwrap();
    let before = limiter.stats().denied_full;
    let mut answers = 0;
    limiter.check_many(&[newcomer], |_, answer| answers += u64::from(answer.is_err()));
    assert_eq!(limiter.stats().denied_full - before, answers);
}

/// Zero permits are none.
#[test]
fn a_rule_can_be_charged_nothing() {
    let rule = FixedWindow::new(Quota::per_second(2));
    assert_eq!(rule.charge(Word::default(), 0, ZERO), Word::default());
}

/// The free slots are counted before the claim, which may be lost: then there may be none.
#[test]
fn a_sliding_window_of_one_does_not_panic_under_contention() {
    let limiter = Limiter::sliding_window(Quota::new(1, Duration::from_nanos(1)).unwrap());
    let time = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50_000 {
                    let now = time.fetch_add(1, Ordering::Relaxed);
                    let _ = limiter.check_at(Timestamp::from_nanos(now));
                }
            });
        }
    });
}

/// A peek agrees with a check.
#[test]
fn an_unlimited_tier_shows_its_permits_in_a_full_table() {
    let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 1)
        .with_tiers([Allowance::Unlimited])
        .when_full(WhenFull::DenyNewKeys);
    assert!((0..10_000).any(|key| limiter.check_at(&key, ZERO).is_err()), "the table is full");
    let vip = limiter.key("vip").tier(1);
    assert!(vip.check_at(ZERO).is_ok());
    assert_eq!(vip.peek_at(ZERO).remaining(), u32::MAX);
}

/// The last window that a word tells is one.
#[test]
fn the_last_window_can_be_waited_for() {
    let limiter = Limiter::fixed_window(Quota::new(1, Duration::from_nanos(1)).unwrap());
    let last = Timestamp::from_nanos(u64::MAX >> 1);
    assert!(limiter.is_allowed_at(last));
    limiter.reset();
    limiter.deny_until(last);
    assert!(limiter.is_allowed_at(last));
}

/// What denies permanently does so after a restart.
#[test]
fn what_denies_for_ever_still_does_when_it_is_restored() {
    let quota = Quota::new(3, Duration::from_secs(10)).unwrap();
    let old = Limiter::token_bucket(quota);
    old.deny_until(Timestamp::MAX);
    let new = Limiter::token_bucket(quota);
    new.restore_at(old.save_at(ZERO), Duration::ZERO, ZERO);
    let late = Timestamp::from_nanos(u64::MAX / 3 - 11_000_000_000);
    assert!(old.check_at(late).is_err());
    assert!(new.check_at(late).is_err());
}

/// A peek is of one instant, though slots that nobody has used look alike.
#[test]
fn a_peek_never_shows_fewer_permits_than_there_ever_were() {
    const ROUNDS: usize = 50_000;
    let limiters: Vec<_> =
        (0..ROUNDS).map(|_| Limiter::sliding_window(Quota::per_hour(3))).collect();
    let (seen, least) = (AtomicU64::new(0), AtomicU64::new(3));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (round, limiter) in limiters.iter().enumerate() {
                while seen.load(Ordering::Relaxed) < round as u64 {
                    std::hint::spin_loop();
                }
                // Two of three, so one is left throughout.
                for _ in 0..2 {
                    assert!(limiter.is_allowed_at(ZERO));
                }
            }
        });
        scope.spawn(|| {
            for (round, limiter) in limiters.iter().enumerate() {
                seen.store(round as u64, Ordering::Relaxed);
                loop {
                    let left = limiter.peek_at(ZERO).remaining();
                    least.fetch_min(left.into(), Ordering::Relaxed);
                    if left <= 1 {
                        break;
                    }
                }
            }
        });
    });
    assert_eq!(least.into_inner(), 1);
}

/// A bucket repays a debt beyond its limit first, at the old rate. What a raise adds is left when that is done. What
/// the new rate does not refill until then is left at once.
#[test]
fn a_raise_of_a_bucket_in_debt_may_show_at_once() {
    let old = Quota::per_second(10);
    for (new, at_once) in [
        (Quota::per_second(1).with_burst(100_000), 100_000 - 10 - 3_600),
        (Quota::per_second(10).with_burst(36_010), 0),
        (Quota::per_second(10).with_burst(36_011), 1),
        (Quota::per_second(1_000), 0),
    ] {
        let limiter = Limiter::adjustable_token_bucket(old);
        limiter.charge_at(10 + 36_000, ZERO);
        limiter.set_quota_at(new, ZERO);
        assert_eq!(limiter.peek_at(ZERO).remaining(), at_once, "{new:?}");
        let raise = new.burst() - old.burst();
        assert_eq!(limiter.peek_at(at(3_600)).remaining(), raise, "{new:?}");
    }
}

/// A new quota ends `deny_until` of a bucket as it does a debt: here the debt of all but a permit.
#[test]
fn a_raise_may_end_deny_until_of_a_bucket_at_once() {
    let limiter = Limiter::adjustable_token_bucket(Quota::per_second(10));
    limiter.deny_until(at(3_600));
    limiter.set_quota_at(Quota::per_second(10).with_burst(100_000), ZERO);
    assert_eq!(limiter.peek_at(ZERO).remaining(), 100_000 - 10 - 35_999);
}

/// And that of a window sooner by less than the new period.
#[test]
fn a_new_quota_ends_deny_until_of_a_window_sooner() {
    for (quota, first) in
        [(Quota::per_hour(10), 0), (Quota::per_minute(10), 3_540), (Quota::per_second(5), 3_599)]
    {
        let limiter = Limiter::adjustable_fixed_window(Quota::per_second(10));
        limiter.deny_until(at(3_599));
        limiter.set_quota_at(quota, ZERO);
        let before = at(first) - Duration::from_nanos(1);
        assert!(first == 0 || limiter.check_at(before).is_err(), "{quota:?}");
        assert!(limiter.check_at(at(first)).is_ok(), "{quota:?}");
    }
}

/// A check with an older timestamp than a change is late, although nothing is spent.
#[test]
fn a_check_from_before_a_change_is_late() {
    let quota = Quota::per_second(1);
    let bucket = Limiter::adjustable_token_bucket(quota);
    let window = Limiter::adjustable_fixed_window(quota);
    bucket.set_quota_at(quota, at(100));
    window.set_quota_at(quota, at(100));
    for gate in [&bucket as &dyn LimitN, &window] {
        assert!(gate.check_at(at(99)).is_err());
        assert!(gate.check_at(at(100)).is_ok());
    }
}

/// Out of a window's range nothing is left, and a change frees nothing.
#[test]
fn a_change_out_of_range_frees_nothing() {
    let now = Timestamp::from_nanos((1 << 63) + 5);
    let limiter = Limiter::adjustable_fixed_window(Quota::per_hour(10));
    assert!(limiter.check_n_at(5, now).is_ok());
    limiter.set_quota_at(Quota::new(8, Duration::from_nanos(8)).unwrap(), now);
    assert_eq!(limiter.peek_at(now).remaining(), 0);
    limiter.set_quota_at(Quota::per_hour(10), now);
    assert_eq!(limiter.peek_at(now).remaining(), 2);
}
