//! The documented odds that a key finds no slot although no more keys than the capacity owe anything.

use casgate::{KeyedLimiter, Quota, Timestamp};

/// The natural logarithms of all factorials up to `n`.
fn log_factorials(n: usize) -> Vec<f64> {
    let mut logs = vec![0.0; n + 1];
    for i in 1..=n {
        logs[i] = logs[i - 1] + (i as f64).ln();
    }
    logs
}

/// The odds that some set of a table has more than 160 of `capacity` keys: of each set the tail of a binomial
/// distribution.
fn overflows(capacity: usize) -> f64 {
    let sets = (capacity + capacity / 2).div_ceil(160).max(1);
    let (logs, share) = (log_factorials(capacity), 1.0 / sets as f64);
    let odds = |k: usize| {
        let ways = logs[capacity] - logs[k] - logs[capacity - k];
        (ways + k as f64 * share.ln() + (capacity - k) as f64 * (-share).ln_1p()).exp()
    };
    let one: f64 = (161..=capacity.min(600)).rev().map(odds).sum();
    // The sets are all but independent.
    -(sets as f64 * (-one).ln_1p()).exp_m1()
}

/// As in the table of `KeyedLimiter`'s documentation: one table of so many.
#[test]
fn the_documented_odds_are_right_to_within_a_factor_of_two() {
    let documented = [(1_000, 7e7), (10_000, 25e3), (100_000, 2e3), (1_000_000, 180.0)];
    let wrong: Vec<_> = documented
        .into_iter()
        .map(|(capacity, tables)| (capacity, tables, 1.0 / overflows(capacity)))
        .filter(|(_, documented, exact)| !(0.5..=2.0).contains(&(documented / exact)))
        .collect();
    assert!(wrong.is_empty(), "capacity, documented, exact: {wrong:?}");
}

/// "If no more keys than the capacity have permits outstanding, they all fit in 99.9 % of tables up to 100,000."
#[test]
fn all_keys_fit_in_as_many_tables_as_documented() {
    let wrong: Vec<_> = [1_000, 10_000, 100_000]
        .into_iter()
        .map(|capacity| (capacity, overflows(capacity)))
        .filter(|(_, odds)| *odds > 0.001)
        .collect();
    assert!(wrong.is_empty(), "capacity, odds that one does not fit: {wrong:?}");
}

/// Tables with random hashers of their own: 0.1 of 200 are expected to have a key too many.
#[test]
fn as_many_keys_as_the_capacity_fit() {
    let tables = if cfg!(debug_assertions) { 4 } else { 200 };
    let mut evictions = 0;
    for _ in 0..tables {
        let keyed = KeyedLimiter::token_bucket(Quota::per_hour(1), 100_000);
        assert!(
            (0..100_000u32).all(|key| keyed.is_allowed_at(&key, Timestamp::ZERO)
                || keyed.stats().inserted < 100_000)
        );
        evictions += u32::from(keyed.stats().inserted != 100_000 || keyed.stats().evicted > 0);
    }
    // Two or more with a probability of 0.005.
    assert!(evictions <= 1, "{evictions} of {tables} tables");
}
