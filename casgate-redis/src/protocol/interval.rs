use super::MOST;
use casgate::Quota;

/// The time in which one permit refills: `whole + part / denominator` microseconds, `part` below
/// `denominator`.
///
/// Split in this way, the products of the script stay small: a quota of a million permits a day
/// would not fit else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Interval {
    pub(super) whole: u64,
    pub(super) part: u64,
    pub(super) denominator: u64,
}

impl Interval {
    pub(super) fn of(quota: &Quota) -> Self {
        // 2⁶¹ at most.
        let nanos = quota.period().as_nanos() as u64;
        let permits = u64::from(quota.permits()) * 1_000;
        let divisor = common_divisor(nanos, permits);
        let (micros, denominator) = (nanos / divisor, permits / divisor);
        Self { whole: micros / denominator, part: micros % denominator, denominator }
    }

    /// Whether the script computes exactly with so many permits and two more, which its search may
    /// try.
    pub(super) fn is_exact_for(&self, permits: u64) -> bool {
        // The product with `whole` is: three times 73 years at most, and a little for a permit's part.
        u128::from(permits + 2) * u128::from(self.part) <= u128::from(MOST)
    }

    /// The time in which so many permits refill, rounded up to microseconds.
    pub(super) fn cost(&self, permits: u64) -> u64 {
        let product = u128::from(permits) * self.numerator();
        product.div_ceil(u128::from(self.denominator)) as u64
    }

    /// The same, rounded down.
    pub(super) fn refill(&self, permits: u64) -> u64 {
        (u128::from(permits) * self.numerator() / u128::from(self.denominator)) as u64
    }

    /// The most permits that cost at most so many microseconds.
    pub(super) fn worth(&self, micros: u64) -> u64 {
        // cost(n) ≤ micros, if and only if n · numerator / denominator ≤ micros.
        (u128::from(micros) * u128::from(self.denominator) / self.numerator()) as u64
    }

    /// The fewest permits that refill in at least so many microseconds.
    pub(super) fn refilled_by(&self, micros: u128) -> u64 {
        // refill(n) ≥ micros, if and only if n · numerator / denominator ≥ micros.
        let product = micros.saturating_mul(self.denominator.into());
        u64::try_from(product.div_ceil(self.numerator())).unwrap_or(u64::MAX)
    }

    fn numerator(&self) -> u128 {
        u128::from(self.whole) * u128::from(self.denominator) + u128::from(self.part)
    }
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn an_interval_is_reduced() {
        let of = |permits, nanos| {
            Interval::of(&Quota::new(permits, Duration::from_nanos(nanos)).unwrap())
        };
        assert_eq!(of(4, 1_000_000), Interval { whole: 250, part: 0, denominator: 1 });
        assert_eq!(of(3, 1_000_000_000), Interval { whole: 333_333, part: 1, denominator: 3 });
        assert_eq!(of(1, 1), Interval { whole: 0, part: 1, denominator: 1_000 });
        let longest = of(1, 1 << 61);
        assert_eq!(
            (longest.cost(1), longest.refill(1)),
            (2_305_843_009_213_694, 2_305_843_009_213_693)
        );
    }

    #[test]
    fn refilled_by_is_the_fewest() {
        let third = Interval::of(&Quota::per_second(3));
        for (micros, fewest) in [(0, 0), (1, 1), (333_333, 1), (333_334, 2), (1_000_000, 3)] {
            assert_eq!(third.refilled_by(micros), fewest, "{micros}");
        }
        assert_eq!(third.refilled_by(u128::MAX), u64::MAX);
    }

    #[test]
    fn worth_and_cost_are_inverse() {
        let third = Interval::of(&Quota::per_second(3));
        assert_eq!((third.cost(1), third.cost(3), third.refill(1)), (333_334, 1_000_000, 333_333));
        assert_eq!((third.worth(333_333), third.worth(333_334), third.worth(1_000_000)), (0, 1, 3));
    }
}
