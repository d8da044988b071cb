//! Quotas and traces that look for trouble.

use crate::step::{Step, TOLD};
use casgate::Quota;
use proptest::prelude::*;
use std::time::Duration;

/// Traces per property: few in a debug build, the full number in release.
pub(crate) const CASES: u32 = if cfg!(debug_assertions) { 1_000 } else { 100_000 };

pub(crate) fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Same),
        4 => (0..200u64).prop_map(Step::Interval),
        3 => (0..150u64).prop_map(Step::Period),
        2 => (0..150u64).prop_map(Step::Back),
        4 => Just(Step::Due),
        1 => Just(Step::JustBefore),
        1 => (0..TOLD).prop_map(Step::Far),
        1 => any::<u64>().prop_map(Step::Far),
    ]
}

/// Requests: permits, mostly few, and the step to their reading.
pub(crate) fn requests() -> impl Strategy<Value = Vec<(u32, Step)>> {
    let permits = prop_oneof![8 => Just(1), 4 => 0..9u32, 1 => any::<u32>()];
    prop::collection::vec((permits, steps()), 1..40)
}

/// Small ones; ratios that don't divide; the fastest; the slowest.
pub(crate) fn quotas() -> impl Strategy<Value = Quota> {
    let quota = prop_oneof![
        4 => (1..7u32, 1..60u64),
        4 => (1..2_000u32, 1..3_000_000_000u64),
        2 => (5..12u32, 5..40u64),
        1 => (1..=u32::MAX).prop_map(|n| (n, u64::from(n))),
        1 => (1..4u32, (1u64 << 61) - 5..=1 << 61),
        1 => (1..1_000u32, 1..1u64 << 61),
    ];
    (quota, prop_oneof![2 => Just(None), 3 => (1..9u32).prop_map(Some)]).prop_map(
        |((permits, period), burst)| {
            let period = Duration::from_nanos(period.max(permits.into()));
            let quota = Quota::new(permits, period).expect("within the limits");
            burst.and_then(|burst| quota.try_with_burst(burst).ok()).unwrap_or(quota)
        },
    )
}
