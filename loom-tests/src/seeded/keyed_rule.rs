//! The arithmetic of the wrong tables: fixed windows, in units that differ from limit to limit.

use crate::scenarios::{Kind, PERIOD, Rules};

/// A window in the time that all rules share. All units below divide it.
const WINDOW: u64 = 16 * 2520;

/// A limit, and the units that a permit costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    limit: u64,
    cost: u64,
}

impl Rule {
    pub(super) fn new(limit: u64) -> Self {
        // So that a state that is counted by one rule means something else by another.
        Self { limit, cost: if limit >= 4 { 2 } else { 8 } }
    }

    /// # Panics
    ///
    /// If they are not of windows.
    pub(super) fn of(rules: Rules) -> Self {
        assert_eq!(rules.kind, Kind::Window, "the wrong tables have windows");
        Self::new(rules.limits[0].into())
    }

    pub(super) const fn limit(self) -> u64 {
        self.limit
    }

    const fn span(self) -> u64 {
        self.cost * (self.limit + 1)
    }

    const fn start(self, now: u64) -> u64 {
        now / PERIOD * self.span()
    }

    pub(super) fn spend(self, state: u64, n: u64, now: u64) -> Option<u64> {
        let next = state.max(self.start(now)) + n * self.cost;
        (n <= self.limit && next < self.start(now) + self.span()).then_some(next)
    }

    pub(super) fn left(self, state: u64, now: u64) -> u64 {
        let last = self.start(now) + self.span() - 1;
        (last.saturating_sub(state.max(self.start(now))) / self.cost).min(self.limit)
    }

    pub(super) fn owes(self, state: u64, now: u64) -> bool {
        state >= self.start(now) + self.cost
    }

    /// The state as an instant that those of other rules can be compared with.
    pub(super) fn time(self, state: u64) -> u64 {
        state * (WINDOW / self.span())
    }

    pub(super) fn state_at(self, time: u64) -> u64 {
        time.div_ceil(WINDOW / self.span())
    }

    /// As many permits spent in the same window.
    pub(super) fn carry(self, state: u64, to: Self) -> u64 {
        let (window, spent) = (state / self.span(), state % self.span() / self.cost);
        window * to.span() + spent.min(to.limit) * to.cost
    }
}
