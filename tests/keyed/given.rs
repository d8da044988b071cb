//! Quotas, keys and timestamps that look for trouble.

use casgate::{KeyedLimiter, Quota, Timestamp};
use proptest::prelude::*;
use std::time::Duration;

/// Few in a debug build: a trace has hundreds of calls.
pub(crate) const CASES: u32 = if cfg!(debug_assertions) { 100 } else { 5_000 };

pub(crate) const TWO_YEARS: u64 = 2 * 365 * 86_400 * 1_000_000_000;
/// Timestamps up to here, 61 years, are told apart.
pub(crate) const TOLD: u64 = 61 * 365 * 86_400 * 1_000_000_000;

/// Which of the two algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bucket,
    Window,
}

impl Kind {
    pub(crate) fn try_keyed(
        self,
        quota: Quota,
        capacity: usize,
    ) -> Result<KeyedLimiter, casgate::KeyedError> {
        match self {
            Self::Bucket => KeyedLimiter::try_token_bucket(quota, capacity),
            Self::Window => KeyedLimiter::try_fixed_window(quota, capacity),
        }
    }

    pub(crate) fn keyed(self, quota: Quota, capacity: usize) -> KeyedLimiter {
        self.try_keyed(quota, capacity).expect("a quota that fits")
    }
}

pub(crate) fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Bucket), Just(Kind::Window)]
}

/// As many of each length in bits.
fn spread(most: u64) -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64u32).prop_map(move |(bits, shift)| (bits >> shift) % most + 1)
}

/// From the whole range that a keyed limiter takes.
pub(crate) fn quotas(kind: Kind) -> impl Strategy<Value = Quota> {
    let burst = prop_oneof![2 => Just(0), 3 => 1..9u64, 3 => spread(u32::MAX.into())];
    let quota = prop_oneof![
        3 => (1..9u64, 1..2_000_000u64),
        3 => (1..9u64, 1..20_000_000_000u64),
        2 => (spread(u32::MAX.into()), spread(TWO_YEARS)),
        1 => (1..4u64, TWO_YEARS - 5..=TWO_YEARS),
        1 => (1..9u64, 499..2_100u64).prop_map(|(n, each)| (n, n * each)),
        1 => (spread(1 << 31), 499..1_100u64).prop_map(|(n, each)| (n, (n + 1) * each)),
    ];
    (quota, burst).prop_filter_map("outside the range", move |((permits, period), burst)| {
        let quota = Quota::new(permits as u32, Duration::from_nanos(period)).ok()?;
        let quota = quota.try_with_burst(burst as u32).unwrap_or(quota);
        kind.try_keyed(quota, 1).ok().map(|_| quota)
    })
}

/// Small quotas, of some ms.
pub(crate) fn small_quotas() -> impl Strategy<Value = Quota> {
    (1..9u32, 6..200_000u64, 1..9u32).prop_map(|(permits, micros, burst)| {
        Quota::new(permits, Duration::from_micros(micros)).unwrap().with_burst(burst)
    })
}

/// How a timestamp follows from the last one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Same,
    /// On, or back, by so many 64ths of a permit's time.
    Permit(i64),
    /// On, or back, by so many 64ths of the period.
    Period(i64),
    Nanos(i64),
    /// To the instant at which the last denial was due, or that many nanoseconds from it.
    Due(i64),
    Far(u64),
}

impl Step {
    pub(crate) fn follow(self, quota: Quota, now: u64, due: Option<u64>) -> u64 {
        let period = quota.period().as_nanos() as i128;
        let by = |parts: i128| (i128::from(now) + parts).clamp(0, u64::MAX.into()) as u64;
        match self {
            Self::Same => now,
            Self::Permit(n) => by(period / i128::from(quota.permits()) * i128::from(n) / 64),
            Self::Period(n) => by(period * i128::from(n) / 64),
            Self::Nanos(n) => by(n.into()),
            Self::Due(n) => due.map_or(now, |due| due.saturating_add_signed(n)),
            Self::Far(t) => t,
        }
    }
}

/// Mostly on, sometimes back, up to `last`.
pub(crate) fn steps(last: u64) -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Same),
        4 => (0..200i64).prop_map(Step::Permit),
        3 => (0..150i64).prop_map(Step::Period),
        1 => (-150..0i64).prop_map(Step::Permit),
        1 => (-150..0i64).prop_map(Step::Period),
        2 => (-2_000..2_000i64).prop_map(Step::Nanos),
        3 => (-1..2i64).prop_map(Step::Due),
        1 => (0..last).prop_map(Step::Far),
    ]
}

pub(crate) fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}
