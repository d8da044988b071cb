//! Why each algorithm denies.

use casgate::algorithm::Rule;
use casgate::{
    Allowance, Denied, FixedWindow, KeyedLimiter, Limiter, Quota, Reason, Timestamp, TokenBucket,
};
use std::time::Duration;

const FIVE: Quota = Quota::per_second(5);
const SPENT: Reason = Reason::Quota { index: 0 };
const NOW: Timestamp = Timestamp::from_secs(7);

/// The reason, which agrees with the wait about whether waiting helps.
fn reason<T>(outcome: Result<T, Denied>) -> Option<Reason> {
    let denied = outcome.err()?;
    let helps = matches!(denied.reason(), Reason::Quota { .. } | Reason::TableFull);
    assert_eq!(denied.retry_after().is_some(), helps, "{denied:?}");
    assert_eq!(denied.retry_after_secs().is_some(), helps, "{denied:?}");
    Some(denied.reason())
}

/// Too many, then all, then one more, then one at the last timestamp.
fn four(ask: impl Fn(u32, Timestamp) -> Option<Reason>) -> [Option<Reason>; 4] {
    [(6, NOW), (5, NOW), (1, NOW), (1, Timestamp::MAX)].map(|(n, now)| ask(n, now))
}

const FOUR: [Option<Reason>; 4] =
    [Some(Reason::NeverFits), None, Some(SPENT), Some(Reason::OutOfRange)];

#[test]
fn every_algorithm_says_why() {
    let window = Limiter::fixed_window(Quota::new(5, Duration::from_nanos(7)).unwrap());
    assert_eq!(four(|n, now| reason(window.check_n_at(n, now))), FOUR);
    let bucket = Limiter::token_bucket(FIVE);
    assert_eq!(four(|n, now| reason(bucket.check_n_at(n, now))), FOUR);
    let adjustable = Limiter::adjustable_token_bucket(FIVE);
    assert_eq!(four(|n, now| reason(adjustable.check_n_at(n, now))), FOUR);
    let both = Limiter::both(TokenBucket::new(FIVE), FixedWindow::new(Quota::per_hour(9)));
    assert_eq!(four(|n, now| reason(both.check_n_at(n, now))), FOUR);
    let reserved = Limiter::token_bucket(FIVE);
    let reserve =
        |n, now| reason(reserved.reserve_at(n, Duration::ZERO, now).map(|place| place.commit()));
    assert_eq!(four(reserve), FOUR);
    for keyed in [KeyedLimiter::token_bucket(FIVE, 9), KeyedLimiter::fixed_window(FIVE, 9)] {
        // Its last instant stands for all later ones, so some fit there yet.
        let _ = keyed.take_up_to_at("a", 9, Timestamp::MAX);
        assert_eq!(reason(keyed.check_at("a", Timestamp::MAX)), Some(Reason::OutOfRange));
        assert_eq!(four(|n, now| reason(keyed.check_n_at("b", n, now)))[..3], FOUR[..3]);
    }
    let sliding = Limiter::sliding_window(Quota::per_second(1));
    let ask = |now| reason(sliding.check_at(now));
    assert_eq!([ask(NOW), ask(NOW), ask(Timestamp::MAX)], FOUR[1..]);
    let leased = Limiter::token_bucket(Quota::per_second(1));
    let lease = leased.lease(4);
    let ask = |now| reason(lease.check_at(now));
    assert_eq!([ask(NOW), ask(NOW), ask(Timestamp::MAX)], FOUR[1..]);
}

#[test]
fn a_late_timestamp_is_denied_by_its_quota() {
    let limiter = Limiter::fixed_window(FIVE);
    assert_eq!(reason(limiter.check_at(NOW)), None);
    assert_eq!(reason(limiter.check_at(Timestamp::ZERO)), Some(SPENT));
}

#[test]
fn a_blocked_key_never_fits() {
    let keyed = KeyedLimiter::token_bucket(FIVE, 9).with_tiers([Allowance::Blocked]);
    let denied = keyed.key("a").tier(1).check_at(NOW).unwrap_err();
    assert_eq!(denied.reason(), Reason::NeverFits);
    assert_eq!(denied.to_string(), "a request for 1 can never fit the rate limit of 0");
}

/// In a rule without a limiter too.
#[test]
fn a_rule_says_why() {
    let rule = FixedWindow::new(FIVE);
    assert_eq!(rule.denied(Default::default(), 6, NOW).reason(), Reason::NeverFits);
}
