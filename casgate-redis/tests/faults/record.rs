use std::collections::BTreeMap;
use std::ops::Range;

/// Permits that a process admitted at an instant, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Admission {
    pub(crate) at: u64,
    pub(crate) permits: u64,
}

/// What several processes admitted, in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    admissions: Vec<Admission>,
}

/// A rate, in permits per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) permits: u64,
}

/// The interval in which the most permits were admitted beyond the rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Excess {
    /// The permits beyond the rate, rounded up.
    pub(crate) permits: u64,
    /// The instants of the first admission and the last.
    pub(crate) from: u64,
    pub(crate) to: u64,
}

const SECOND: u64 = 1_000_000_000;

impl Record {
    pub(crate) fn new(mut admissions: Vec<Admission>) -> Self {
        admissions.sort_unstable();
        Self { admissions }
    }

    /// Returns the permits of all instants.
    pub(crate) fn total(&self) -> u64 {
        self.admissions.iter().map(|admission| admission.permits).sum()
    }

    /// Returns what was admitted in a range of time.
    pub(crate) fn within(&self, range: Range<u64>) -> Self {
        let begin = self.admissions.partition_point(|admission| admission.at < range.start);
        let end = self.admissions.partition_point(|admission| admission.at < range.end);
        Self { admissions: self.admissions.get(begin..end).unwrap_or_default().to_vec() }
    }

    /// Returns the greatest excess of any interval: the sum of its permits, less what refills between its first
    /// admission and its last.
    ///
    /// Every interval that begins and ends with an admission is judged, and no other can have a greater excess. The
    /// numbers are whole, so nothing is rounded but the result.
    pub(crate) fn excess(&self, rate: Rate) -> Excess {
        // In permits, times nanoseconds of a second.
        let mut level: u128 = 0;
        let (mut from, mut last) = (0, 0);
        let (mut most, mut interval) = (0, (0, 0));
        for &Admission { at, permits } in &self.admissions {
            let refilled = u128::from(at - last) * u128::from(rate.permits);
            if level <= refilled {
                (level, from) = (0, at);
            } else {
                level -= refilled;
            }
            level += u128::from(permits) * u128::from(SECOND);
            last = at;
            if level > most {
                (most, interval) = (level, (from, at));
            }
        }
        Excess {
            permits: most.div_ceil(SECOND.into()) as u64, // at most the sum of permits
            from: interval.0,
            to: interval.1,
        }
    }

    /// Returns the permits of each aligned window of that length, by the instant of its begin. The windows are those of a
    /// clock that is so far ahead.
    pub(crate) fn in_windows(&self, length: u64, ahead: u64) -> BTreeMap<u64, u64> {
        let mut windows = BTreeMap::new();
        for &Admission { at, permits } in &self.admissions {
            *windows.entry(at - (at + ahead) % length).or_default() += permits;
        }
        windows
    }

    /// Returns the fewest permits of any window of that length in a range of time, or `None` if none fits.
    pub(crate) fn fewest(&self, length: u64, range: Range<u64>) -> Option<u64> {
        let last = range.end.checked_sub(length).filter(|last| *last >= range.start)?;
        let behind = self.admissions.iter().map(|admission| admission.at + 1);
        let starts = behind.filter(|start| (range.start..last).contains(start));
        let starts = starts.chain([range.start, last]);
        starts.map(|start| self.within(start..start + length).total()).min()
    }
}

/// Returns Jain's index of fairness: 1 if all shares are equal, and one part of their number if one has all.
pub(crate) fn fairness(shares: &[u64]) -> f64 {
    let sum: f64 = shares.iter().map(|share| *share as f64).sum();
    let squares: f64 = shares.iter().map(|share| (*share as f64).powi(2)).sum();
    sum * sum / (shares.len() as f64 * squares)
}
