//! How readings follow from one another.

use casgate::Quota;

/// Up to here, 36 years, every rule tells every reading apart for every quota.
pub(crate) const TOLD: u64 = 1 << 60;

/// How the next request's reading follows from the last one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Same,
    /// On by this many 64ths of an emission interval.
    Interval(u64),
    /// On by this many 64ths of the period.
    Period(u64),
    /// Back by this many 64ths of the period.
    Back(u64),
    /// To the instant at which the last refusal was due, or 1 ns before.
    Due,
    JustBefore,
    /// Anywhere.
    Far(u64),
}

impl Step {
    pub(crate) fn reading(self, quota: Quota, now: u64, due: Option<u64>) -> u64 {
        let period = quota.period().as_nanos() as u64;
        let part = |whole: u64, parts: u64| (u128::from(whole) * u128::from(parts) / 64) as u64;
        match self {
            Self::Same => now,
            Self::Interval(n) => now.saturating_add(part(period / u64::from(quota.permits()), n)),
            Self::Period(n) => now.saturating_add(part(period, n)),
            Self::Back(n) => now.saturating_sub(part(period, n)),
            Self::Due => due.unwrap_or(now),
            Self::JustBefore => due.map_or(now, |due| due - 1),
            Self::Far(t) => t,
        }
    }
}
