//! The fixed window at the edges of its word, and all rules on a lagging clock.

use casgate::algorithm::Algorithm;
use casgate::clock::{Clock, ManualClock};
use casgate::word::Split;
use casgate::{
    AdjustableLimiter, FixedWindow, FixedWindowLimiter, KeyedLimiter, Limiter, Quota, Sharded,
    Timestamp, TokenBucket,
};
use proptest::prelude::*;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// The bound with the lag g in it, for any real interval of length D: L·(⌈(D + g)/W⌉ + 1).
    #[test]
    fn a_lagging_clock_adds_no_more_than_its_lag(
        permits in 1u32..5,
        steps in prop::collection::vec((0u64..12, 0u64..=MAX_LAG), 1..120),
    ) {
        let quota = Quota::new(permits, Duration::from_nanos(WINDOW)).unwrap();
        let bound = |span: u64| u64::from(permits) * ((span + MAX_LAG).div_ceil(WINDOW) + 1);
        lags(|clock| Limiter::fixed_window(quota).with_clock(clock), &steps, bound)?;
    }

    /// The same of a token bucket: b + ⌊(D + g)·L/W⌋.
    #[test]
    fn a_lagging_clock_adds_no_more_than_its_lag_to_a_bucket(
        (permits, burst) in (1u32..5, 1u32..5),
        steps in prop::collection::vec((0u64..12, 0u64..=MAX_LAG), 1..120),
    ) {
        let quota = Quota::new(permits, Duration::from_nanos(WINDOW)).unwrap().with_burst(burst);
        let bound = |span: u64| {
            u64::from(burst) + (span + MAX_LAG) * u64::from(permits) / WINDOW
        };
        lags(|clock| Limiter::token_bucket(quota).with_clock(clock), &steps, bound)?;
    }

    /// Two rules: the bucket's bound holds, and neither hides that the other is nearly due.
    #[test]
    fn a_lagging_clock_adds_no_more_than_its_lag_to_both(
        (permits, burst) in (1u32..5, 1u32..5),
        steps in prop::collection::vec((0u64..12, 0u64..=MAX_LAG), 1..120),
    ) {
        let quota = Quota::new(permits, Duration::from_nanos(WINDOW)).unwrap().with_burst(burst);
        let bound = |span: u64| {
            u64::from(burst) + (span + MAX_LAG) * u64::from(permits) / WINDOW
        };
        let both = || Limiter::both(TokenBucket::new(quota), FixedWindow::new(quota));
        lags(|clock| both().with_clock(clock), &steps, bound)?;
    }

    /// The same of a sliding window: L·⌈(D + g)/W⌉, D a nanosecond longer for both its ends count.
    #[test]
    fn a_lagging_clock_adds_no_more_than_its_lag_to_a_sliding_window(
        permits in 1u32..5,
        steps in prop::collection::vec((0u64..12, 0u64..=MAX_LAG), 1..120),
    ) {
        let quota = Quota::new(permits, Duration::from_nanos(WINDOW)).unwrap();
        let bound = |span: u64| u64::from(permits) * (span + 1 + MAX_LAG).div_ceil(WINDOW);
        lags(|clock| Limiter::sliding_window(quota).with_clock(clock), &steps, bound)?;
    }
}

const WINDOW: u64 = 20;
const MAX_LAG: u64 = 7;

/// Each step advances the clock and sets its lag; then one permit is asked for.
fn lags<A: Algorithm>(
    limiter: impl Fn(Lagging) -> Limiter<A, Lagging>,
    steps: &[(u64, u64)],
    bound: impl Fn(u64) -> u64,
) -> Result<(), TestCaseError> {
    let clock = Lagging { now: Rc::default(), lag: Rc::default() };
    let limiter = limiter(clock.clone());
    let mut admitted = Vec::new();
    for &(step, lag) in steps {
        clock.now.advance(Duration::from_nanos(step));
        clock.lag.set(lag);
        if limiter.is_allowed() {
            admitted.push(clock.now().as_nanos());
        } else {
            // Denied although the precise timestamp was at hand: it must be denied there too.
            prop_assert!(!limiter.is_allowed_at(clock.now()));
        }
    }
    for (i, &from) in admitted.iter().enumerate() {
        for (j, &to) in admitted.iter().enumerate().skip(i) {
            prop_assert!((j - i + 1) as u64 <= bound(to - from));
        }
    }
    Ok(())
}

/// A clock whose cheap reading lags by what the test says, up to 7 ns.
#[derive(Clone)]
struct Lagging {
    now: Rc<ManualClock>,
    lag: Rc<Cell<u64>>,
}

impl Clock for Lagging {
    fn max_lag(&self) -> Duration {
        Duration::from_nanos(MAX_LAG)
    }

    fn now(&self) -> Timestamp {
        self.now.now()
    }

    fn recent(&self) -> Timestamp {
        Timestamp::from_nanos(self.now().as_nanos().saturating_sub(self.lag.get()))
    }
}

#[test]
fn the_index_never_wraps_at_the_edges_of_the_theorem() {
    for bits in 0..32 {
        for limit in [1 << bits, (1u32 << bits) | ((1 << bits) - 1)] {
            let fastest = Quota::new(limit, Duration::from_nanos(u64::from(limit))).unwrap();
            let last = (1u64 << 63) - 1;
            assert!(last / u64::from(limit) <= Split::for_limit(limit).max_index());
            let limiter = Limiter::fixed_window(fastest);
            let at = Timestamp::from_nanos(last);
            assert!(limiter.check_n_at(limit, at).is_ok(), "limit {limit}");
            assert!(limiter.check_at(at).is_err());
            assert!(limiter.check_at(Timestamp::ZERO).is_err(), "an older window is not let in");
            // Past the theorem the answer may be a refusal, never an admission of an old window.
            let beyond = limiter.check_at(Timestamp::MAX);
            assert_eq!(
                beyond.is_ok(),
                u64::MAX / u64::from(limit) <= Split::for_limit(limit).max_index()
            );
        }
    }
}

/// The clock's last window begins 2⁶¹ nanoseconds before its end, and the next one is never seen to begin.
#[test]
fn a_debt_past_the_last_window_denies_permanently() {
    let quota = Quota::new(2, Duration::from_nanos((1 << 61) - 5)).unwrap();
    for until_last in [false, true] {
        let limiter = Limiter::fixed_window(quota);
        assert!(limiter.check_at(Timestamp::MAX).is_ok());
        if until_last {
            limiter.deny_until(Timestamp::MAX);
        } else {
            limiter.charge_at(2, Timestamp::MAX);
        }
        let denied = limiter.check_at(Timestamp::MAX).unwrap_err();
        assert_eq!((denied.remaining(), denied.retry_after()), (0, None));
    }
}

#[test]
fn rates_are_exact_ratios() {
    let limiter = Limiter::fixed_window(Quota::per_second(600_000_000));
    let century = 100 * 365 * 86_400;
    for second in [0, 1, 2, century, century + 1] {
        let now = Timestamp::from_secs(second);
        assert!(limiter.check_n_at(600_000_000, now).is_ok());
        assert!(limiter.check_at(now).is_err());
    }
}

/// 61 years from the clock's origin, whatever the quota.
#[test]
fn a_limit_for_each_key_lasts() {
    let last = Timestamp::from_secs(67 * 365 * 86_400);
    let two_years = Duration::from_secs(2 * 365 * 86_400);
    for quota in [
        Quota::new(1, Duration::from_nanos(500)).unwrap(),
        Quota::new(1, Duration::from_nanos(999)).unwrap(),
        Quota::per_second(2_000_000).with_burst(1 << 20),
        Quota::per_second(1_999_999).with_burst(u32::MAX),
        Quota::per_second(1),
        Quota::new(1, two_years).unwrap(),
        Quota::new(3, two_years).unwrap(),
    ] {
        let keyed = KeyedLimiter::token_bucket(quota, 1);
        let earlier = Timestamp::from_nanos(last.as_nanos() - 1_000);
        assert!(keyed.check_n_at(&1, quota.burst(), earlier).is_ok(), "{quota:?}");
        assert!(!keyed.is_allowed_at(&1, earlier), "{quota:?}");
        let denied = keyed.check_n_at(&1, quota.burst(), earlier).unwrap_err();
        assert_eq!(keyed.peek_at(&1, earlier).reset_after(), denied.reset_after(), "{quota:?}");
        assert!(keyed.is_allowed_at(&2, last), "{quota:?}");
    }
    for (permits, period) in [(1, 1_000), (1 << 20, 1 << 30), (1, two_years.as_nanos() as u64)] {
        let quota = Quota::new(permits, Duration::from_nanos(period)).unwrap();
        let keyed = KeyedLimiter::fixed_window(quota, 1);
        let window = Timestamp::from_nanos((last.as_nanos() / period - 1) * period);
        for start in [window, window + Duration::from_nanos(period)] {
            assert!(keyed.check_n_at(&1, permits, start).is_ok(), "{quota:?}");
            assert!(!keyed.is_allowed_at(&1, start), "{quota:?}");
        }
    }
}

#[test]
fn limiters_are_small() {
    assert_eq!(size_of::<FixedWindowLimiter>(), 24);
    assert_eq!(size_of::<Limiter<TokenBucket>>(), 56);
    assert_eq!(size_of::<AdjustableLimiter>(), 128);
    if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        assert_eq!(size_of::<Limiter<Sharded<FixedWindow>>>(), 384);
        assert_eq!(size_of::<Limiter<Sharded<TokenBucket>>>(), 512);
    }
}

#[test]
fn zero_permits_are_admitted_and_spend_nothing() {
    let limiter = Limiter::fixed_window(Quota::per_hour(1));
    assert!(limiter.is_allowed_at(Timestamp::ZERO));
    assert_eq!(limiter.check_n_at(0, Timestamp::ZERO).unwrap().remaining(), 0);
    assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 0);
    let next = Timestamp::from_secs(3_600);
    assert_eq!(limiter.check_n_at(0, next).unwrap().remaining(), 1);
    assert_eq!(limiter.check_n_at(0, Timestamp::ZERO).unwrap().remaining(), 0);
}

#[test]
#[should_panic(expected = "a quota needs at least one permit")]
fn a_quota_of_zero_says_so() {
    let _ = Quota::per_second(0);
}

#[test]
fn a_sliding_window_ends_where_its_slots_do() {
    let period = 1_000;
    let limiter = Limiter::sliding_window(Quota::new(2, Duration::from_nanos(period)).unwrap());
    let last = (u64::MAX >> 1) - period;
    let (told, beyond) = (Timestamp::from_nanos(last), Timestamp::from_nanos(last + 1));
    assert_eq!(limiter.peek_at(beyond).remaining(), 0);
    let denied = limiter.check_at(beyond).unwrap_err();
    assert_eq!((denied.retry_after(), denied.remaining()), (None, 0));
    assert_eq!(limiter.peek_at(told).remaining(), 2);
    assert!(limiter.check_at(told).is_ok());
    assert_eq!(limiter.peek_at(told).remaining(), 1);
    assert!(limiter.check_at(Timestamp::MAX).is_err());
}

#[cfg(target_arch = "x86_64")]
#[test]
fn every_state_is_lock_free_here() {
    assert!(Limiter::fixed_window(Quota::per_second(1)).is_lock_free());
    assert!(Limiter::sliding_window(Quota::per_second(1)).is_lock_free());
    assert!(Limiter::adjustable_fixed_window(Quota::per_second(1)).is_lock_free());
    let rule = FixedWindow::new(Quota::per_second(1));
    assert!(Limiter::both(rule, rule).is_lock_free());
}
