//! The fixed window against a brute-force oracle, and at the edges of its word.

use casgate::clock::{Clock, ManualClock};
use casgate::word::Split;
use casgate::{Limiter, Quota, Timestamp};
use proptest::prelude::*;
use std::cell::RefCell;
use std::time::Duration;

/// Judges from nothing but the permits admitted so far.
struct Oracle {
    period: u64,
    limit: u64,
    admitted: Vec<(u64, u64)>,
}

impl Oracle {
    fn new(quota: Quota) -> Self {
        let period = u64::try_from(quota.period().as_nanos()).unwrap();
        Self { period, limit: u64::from(quota.permits()), admitted: Vec::new() }
    }

    /// Whether `n` permits at `now` keep the bound; a reading older than the newest window in which
    /// permits were spent is refused.
    fn ask(&mut self, n: u32, now: u64) -> bool {
        if n == 0 {
            return true;
        }
        let window = now / self.period;
        let newest = self.admitted.iter().map(|&(t, _)| t / self.period).max().unwrap_or(0);
        let spent: u64 =
            self.admitted.iter().filter(|(t, _)| t / self.period == window).map(|&(_, n)| n).sum();
        let fits = window >= newest && spent + u64::from(n) <= self.limit;
        if fits {
            self.admitted.push((now, u64::from(n)));
        }
        fits
    }
}

fn quotas() -> impl Strategy<Value = Quota> {
    (1u32..=6, 1u64..=40).prop_map(|(permits, period)| {
        Quota::new(permits, Duration::from_nanos(period.max(u64::from(permits)))).unwrap()
    })
}

/// Any quota whose windows can be told for all of `u64`: the period has room for the count field.
fn wide_quotas() -> impl Strategy<Value = Quota> {
    (1u32.., any::<u64>()).prop_map(|(permits, period)| {
        Quota::new(permits, Duration::from_nanos(period.max(2 * u64::from(permits)))).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn sound_and_maximal_on_any_trace(
        quota in quotas(),
        trace in prop::collection::vec((0u32..8, 0u64..200), 1..80),
    ) {
        let limiter = Limiter::fixed_window(quota);
        let mut oracle = Oracle::new(quota);
        for (n, now) in trace {
            let decided = limiter.check_n_at(n, Timestamp::from_nanos(now));
            prop_assert_eq!(decided.is_ok(), oracle.ask(n, now), "n {} at {}", n, now);
        }
    }

    #[test]
    fn retry_after_is_exact_and_a_denial_writes_nothing(
        quota in quotas(),
        trace in prop::collection::vec((1u32..8, 0u64..200), 1..40),
        n in 1u32..8,
        now in 0u64..200,
    ) {
        let limiter = Limiter::fixed_window(quota);
        for (n, now) in trace {
            let _ = limiter.check_n_at(n, Timestamp::from_nanos(now));
        }
        let before = format!("{limiter:?}");
        let Err(denied) = limiter.check_n_at(n, Timestamp::from_nanos(now)) else { return Ok(()) };
        prop_assert_eq!(&format!("{limiter:?}"), &before);
        let Some(wait) = denied.retry_after() else {
            prop_assert!(n > quota.permits());
            return Ok(());
        };
        let due = Timestamp::from_nanos(now) + wait;
        for earlier in now..due.as_nanos() {
            prop_assert!(limiter.check_n_at(n, Timestamp::from_nanos(earlier)).is_err());
        }
        prop_assert!(limiter.check_n_at(n, due).is_ok());
    }

    #[test]
    fn total_and_exact_over_all_timestamps(
        quota in wide_quotas(),
        trace in prop::collection::vec((any::<u32>(), any::<u64>()), 1..20),
    ) {
        let limiter = Limiter::fixed_window(quota);
        let mut oracle = Oracle::new(quota);
        for (n, now) in trace {
            let at = Timestamp::from_nanos(now);
            let decided = limiter.check_n_at(n, at);
            prop_assert_eq!(decided.is_ok(), oracle.ask(n, now));
            if let Err(denied) = decided {
                prop_assert!(denied.retry_after() != Some(Duration::ZERO));
            }
            prop_assert!(limiter.peek_at(at).remaining() <= quota.permits());
        }
    }

    #[test]
    fn tickets_grow_strictly(
        quota in quotas(),
        trace in prop::collection::vec((1u32..8, 0u64..200), 1..80),
    ) {
        let limiter = Limiter::fixed_window(quota);
        let mut last = None;
        for (n, now) in trace {
            if let Ok(admitted) = limiter.check_n_at(n, Timestamp::from_nanos(now)) {
                prop_assert!(last < Some(admitted.ticket()));
                last = Some(admitted.ticket());
            }
        }
    }

    /// The bound with the lag in it: L·(⌈(D + g)/W⌉ + 1) permits in any real interval of length D.
    #[test]
    fn a_lagging_clock_adds_no_more_than_its_lag(
        permits in 1u32..5,
        steps in prop::collection::vec((0u64..12, 0u64..=7), 1..120),
    ) {
        const WINDOW: u64 = 20;
        let clock = Lagging { now: ManualClock::new(), lag: RefCell::new(0) };
        let limiter = Limiter::fixed_window(Quota::new(permits, Duration::from_nanos(WINDOW)).unwrap())
            .with_clock(&clock);
        let mut admitted = Vec::new();
        for (step, lag) in steps {
            clock.now.advance(Duration::from_nanos(step));
            clock.lag.replace(lag);
            if limiter.is_allowed() {
                admitted.push(clock.now().as_nanos());
            } else {
                // Refused although the precise reading was at hand: it must be refused there too.
                prop_assert!(!limiter.is_allowed_at(clock.now()));
            }
        }
        for (i, &from) in admitted.iter().enumerate() {
            for (j, &to) in admitted.iter().enumerate().skip(i) {
                let windows = (to - from + 7).div_ceil(WINDOW) + 1;
                prop_assert!((j - i + 1) as u64 <= u64::from(permits) * windows);
            }
        }
    }
}

/// A clock whose cheap reading lags by what the test says, up to 7 ns.
struct Lagging {
    now: ManualClock,
    lag: RefCell<u64>,
}

impl Clock for Lagging {
    const MAX_LAG: Duration = Duration::from_nanos(7);

    fn now(&self) -> Timestamp {
        self.now.now()
    }

    fn recent(&self) -> Timestamp {
        Timestamp::from_nanos(self.now().as_nanos().saturating_sub(*self.lag.borrow()))
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

#[test]
fn a_limiter_is_24_bytes() {
    assert_eq!(size_of::<Limiter>(), 24);
}

#[test]
fn zero_permits_are_admitted_and_spend_nothing() {
    let limiter = Limiter::fixed_window(Quota::per_hour(1));
    assert!(limiter.is_allowed_at(Timestamp::ZERO));
    assert!(limiter.check_n_at(0, Timestamp::ZERO).is_ok());
    assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 0);
}

#[test]
#[should_panic(expected = "a quota needs at least one permit")]
fn a_quota_of_zero_says_so() {
    let _ = Quota::per_second(0);
}
