//! What each rule promises, judged by brute force from the admitted readings alone.

use casgate::Quota;

/// Permits admitted at a reading.
pub(crate) type Spent = (u64, u32);

/// The inequality that a rule keeps.
pub(crate) trait Bound {
    /// Whether the bound would break somewhere if `n` more permits were admitted at `now`, given
    /// `slack` half nanoseconds.
    fn breaks(&self, log: &[Spent], n: u32, now: u64, slack: u128) -> bool;

    /// Whether the rule may refuse a reading at `now` for being older than `newest`.
    fn is_late(&self, now: u64, newest: u64) -> bool {
        now < newest
    }
}

/// The permits in `log` with readings in `range`.
fn sum(log: &[Spent], range: std::ops::RangeInclusive<u64>) -> u128 {
    log.iter().filter(|(t, _)| range.contains(t)).map(|&(_, n)| u128::from(n)).sum()
}

/// At most L in each window k·W ≤ t < (k+1)·W.
pub(crate) struct PerWindow {
    limit: u128,
    period: u64,
}

impl PerWindow {
    pub(crate) fn new(quota: Quota) -> Self {
        Self { limit: quota.permits().into(), period: nanos(quota) }
    }
}

impl Bound for PerWindow {
    fn breaks(&self, log: &[Spent], n: u32, now: u64, _: u128) -> bool {
        let start = now / self.period * self.period;
        let window = start..=start.saturating_add(self.period - 1);
        sum(log, window) + u128::from(n) > self.limit
    }

    fn is_late(&self, now: u64, newest: u64) -> bool {
        now / self.period < newest / self.period
    }
}

/// N[s, e] ≤ b + ⌊(e − s)·L/W⌋ for every s ≤ e.
pub(crate) struct Bucket {
    quota: Quota,
    period: u128,
}

impl Bucket {
    pub(crate) fn new(quota: Quota) -> Self {
        Self { quota, period: nanos(quota).into() }
    }
}

impl Bound for Bucket {
    fn breaks(&self, log: &[Spent], n: u32, now: u64, slack: u128) -> bool {
        // An interval is tightest with admissions at both ends, and only those with `now` inside
        // have changed.
        let ends = || log.iter().map(|&(t, _)| t).chain([now]);
        ends().filter(|&s| s <= now).any(|s| {
            ends().filter(|&e| e >= now).any(|e| {
                let twice = 2 * u128::from(e - s) + slack;
                let refilled = twice * u128::from(self.quota.permits()) / (2 * self.period);
                sum(log, s..=e) + u128::from(n) > u128::from(self.quota.burst()) + refilled
            })
        })
    }
}

/// At most L in every half-open interval of length W.
pub(crate) struct AnyWindow {
    pub(crate) limit: u32,
    pub(crate) period: u64,
}

impl Bound for AnyWindow {
    fn breaks(&self, log: &[Spent], n: u32, now: u64, _: u128) -> bool {
        // Such an interval is tightest when it begins with an admission.
        let starts = log.iter().map(|&(t, _)| t).chain([now]);
        starts.filter(|&s| s <= now && now - s < self.period).any(|s| {
            let interval = s..=s.saturating_add(self.period - 1);
            sum(log, interval) + u128::from(n) > u128::from(self.limit)
        })
    }
}

pub(crate) fn nanos(quota: Quota) -> u64 {
    quota.period().as_nanos().try_into().expect("a period fits 64 bits")
}

/// A checker that cannot fail proves nothing: each bound convicts a log that breaks it by one.
#[test]
fn each_bound_convicts() {
    let quota = Quota::new(3, std::time::Duration::from_nanos(10)).unwrap();
    let full = [(10, 1), (12, 1), (19, 1)];
    assert!(PerWindow::new(quota).breaks(&full, 1, 15, 0));
    assert!(!PerWindow::new(quota).breaks(&full, 1, 20, 0));
    assert!(AnyWindow { limit: 3, period: 10 }.breaks(&full, 1, 19, 0));
    assert!(!AnyWindow { limit: 3, period: 10 }.breaks(&full, 1, 20, 0));
    // A late reading breaks an interval that ends after it.
    assert!(AnyWindow { limit: 3, period: 10 }.breaks(&full, 1, 11, 0));
    let bucket = Bucket::new(quota.with_burst(2));
    assert!(bucket.breaks(&[(10, 2)], 1, 13, 0));
    assert!(!bucket.breaks(&[(10, 2)], 1, 14, 0));
    assert!(bucket.breaks(&[(10, 2), (14, 1)], 1, 15, 0));
    assert!(bucket.breaks(&[(20, 2)], 1, 19, 0));
}
