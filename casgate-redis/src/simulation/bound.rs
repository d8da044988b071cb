//! What is computed of a run.

use casgate::Quota;

/// The permits that some interval has above `burst + rate · time`: negative if all have fewer.
/// `spent` is in order.
pub(super) fn excess(spent: &[(u64, u32)], quota: Quota) -> f64 {
    let rate = f64::from(quota.permits()) / quota.period().as_nanos() as f64;
    let (mut sum, mut least, mut most) = (0.0, f64::MAX, f64::MIN);
    for &(at, permits) in spent {
        // An interval that begins here has none of what was before.
        least = f64::min(least, sum - rate * at as f64);
        sum += f64::from(permits);
        most = f64::max(most, sum - rate * at as f64 - least);
    }
    most - f64::from(quota.burst())
}

/// The permits that were spent from `from` on, and before `to`.
pub(super) fn admitted(spent: &[(u64, u32)], from: u64, to: u64) -> u64 {
    let within = spent.iter().filter(|(at, _)| (from..to).contains(at));
    within.map(|&(_, permits)| u64::from(permits)).sum()
}

/// Jain's index of fairness: 1 if all have as much, `1 / n` if one has all.
pub(super) fn jain(shares: &[u64]) -> f64 {
    let (sum, squares) = shares.iter().fold((0.0, 0.0), |(sum, squares), &share| {
        (sum + share as f64, squares + (share as f64).powi(2))
    });
    sum * sum / (shares.len() as f64 * squares)
}

#[test]
fn an_excess_is_found_wherever_it_is() {
    let quota = Quota::per_second(1).with_burst(3);
    let second = super::SECOND;
    assert_eq!(excess(&[(0, 3)], quota), 0.0);
    assert_eq!(excess(&[(0, 3), (second, 1), (2 * second, 1)], quota), 0.0);
    assert_eq!(excess(&[(0, 3), (9 * second, 2), (10 * second, 3)], quota), 1.0);
    assert_eq!(excess(&[(0, 1)], quota), -2.0);
    assert_eq!((jain(&[2, 2]), jain(&[4, 0])), (1.0, 0.5));
}
