//! Quotas on small integers: the arithmetic of `pace.rs` with numbers that a search can go through.

/// A quota. A larger state has more permits outstanding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rule {
    /// `limit` permits in each window.
    ///
    /// A window begins at the state `window * span`, where `span` is `(limit + 1) * fine`, and each permit adds
    /// `fine`. What is left over below `fine` costs no permit.
    Window { limit: u8, fine: u8, unit: u8 },
    /// A bucket of `burst` permits; one returns every `cost` units.
    ///
    /// The state is the instant, in units, at which the bucket is full.
    Bucket { burst: u8, cost: u8, unit: u8 },
}

impl Rule {
    /// How much common time one step of the state is.
    pub(crate) fn unit(self) -> u8 {
        match self {
            Self::Window { unit, .. } | Self::Bucket { unit, .. } => unit,
        }
    }

    /// The instant that a state stands for.
    pub(crate) fn time(self, state: u8) -> u8 {
        state * self.unit()
    }

    /// The least state whose instant is not before `instant`.
    pub(crate) fn units_of(self, instant: u8) -> u8 {
        instant.div_ceil(self.unit())
    }

    /// How far one permit moves the state.
    fn permit(self) -> u8 {
        match self {
            Self::Window { fine, .. } => fine,
            Self::Bucket { cost, .. } => cost,
        }
    }

    /// How far all permits move the state.
    fn most(self) -> u8 {
        match self {
            Self::Window { limit, fine, .. } => limit * fine,
            Self::Bucket { burst, cost, .. } => burst * cost,
        }
    }

    /// From one window to the next, or a whole bucket.
    fn span(self) -> u8 {
        match self {
            Self::Window { fine, .. } => self.most() + fine,
            Self::Bucket { .. } => self.most(),
        }
    }

    /// The instant at which the window of a state begins; for a bucket, at which the state is valid.
    fn not_before(self, state: u8) -> u8 {
        match self {
            Self::Window { .. } => self.time(state / self.span() * self.span()),
            Self::Bucket { .. } => self.time(state.saturating_sub(self.span())),
        }
    }

    /// The state with nothing outstanding at `at`, rounded down.
    fn low(self, at: u8) -> u8 {
        match self {
            Self::Window { .. } => at / self.time(self.span()) * self.span(),
            Self::Bucket { unit, .. } => at / unit,
        }
    }

    /// The state with nothing outstanding at `at`, rounded up.
    pub(crate) fn high(self, at: u8) -> u8 {
        match self {
            Self::Window { .. } => self.low(at),
            Self::Bucket { unit, .. } => at.div_ceil(unit),
        }
    }

    /// The state after `n` permits, or `None` if they are denied.
    pub(crate) fn decide(self, state: u8, n: u8, at: u8) -> Option<u8> {
        let last = match self {
            Self::Window { .. } => self.low(at) + self.span() - 1,
            Self::Bucket { .. } => self.low(at) + self.span(),
        };
        let cost = n * self.permit();
        (state.max(self.low(at)) + cost <= last).then(|| state.max(self.high(at)) + cost)
    }

    /// The state after `n` permits, whether they fit or not.
    pub(crate) fn charge(self, state: u8, n: u8, at: u8) -> u8 {
        let base = state.max(self.high(at));
        match self {
            Self::Bucket { cost, .. } => base + n * cost,
            Self::Window { limit, fine, .. } => {
                // What does not fit in the window is spent in the next ones.
                let (window, spent) = (base / self.span(), base % self.span() / fine + n);
                let later = spent.saturating_sub(1) / limit;
                (window + later) * self.span() + (spent - later * limit) * fine
            }
        }
    }

    /// The state with `n` permits less: of a window those that were spent in it.
    pub(crate) fn refund(self, state: u8, n: u8) -> u8 {
        let least = match self {
            Self::Window { .. } => state / self.span() * self.span(),
            Self::Bucket { .. } => 0,
        };
        state.saturating_sub(n * self.permit()).max(least)
    }

    /// Whether a permit is outstanding at `at`.
    pub(crate) fn owes(self, state: u8, at: u8) -> bool {
        let fine = match self {
            Self::Window { fine, .. } => fine,
            Self::Bucket { .. } => 1,
        };
        state >= self.low(at) + fine
    }

    /// When all permits are there again.
    pub(crate) fn full_at(self, state: u8) -> u8 {
        match self {
            Self::Window { fine, .. } => {
                let windows = (state + 1).saturating_sub(fine).div_ceil(self.span());
                self.time(windows * self.span())
            }
            Self::Bucket { .. } => self.time(state),
        }
    }

    /// The state of `to` with as much outstanding at `at`. It never decreases as the state grows.
    ///
    /// A timestamp too old for the state counts as the first that is not, with all permits outstanding.
    pub(crate) fn carry(self, state: u8, to: Self, at: u8) -> u8 {
        let same_kind = matches!(
            (self, to),
            (Self::Window { .. }, Self::Window { .. }) | (Self::Bucket { .. }, Self::Bucket { .. })
        );
        let same_span = self.span() == to.span() || matches!(self, Self::Bucket { .. });
        if same_kind
            && same_span
            && (self.permit(), self.unit()) == (to.permit(), to.unit())
            && self.span() <= to.span()
        {
            return state;
        }
        let not_before = self.not_before(state);
        let beyond = state.saturating_sub(self.low(at));
        let debt = match self {
            Self::Bucket { .. } => beyond.min(self.span()),
            Self::Window { .. } if not_before > at => self.most(),
            Self::Window { fine, .. } => beyond / fine * fine,
        };
        let debt = (debt * to.permit()).div_ceil(self.permit()).min(to.most());
        to.high(at.max(not_before)) + debt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: [Rule; 6] = [
        Rule::Window { limit: 1, fine: 2, unit: 1 },
        Rule::Window { limit: 2, fine: 2, unit: 3 },
        Rule::Window { limit: 2, fine: 2, unit: 1 },
        Rule::Bucket { burst: 2, cost: 1, unit: 1 },
        Rule::Bucket { burst: 2, cost: 2, unit: 3 },
        Rule::Bucket { burst: 1, cost: 3, unit: 2 },
    ];

    #[test]
    fn nothing_decreases_as_the_state_grows() {
        for rule in RULES {
            for (at, x) in (0..12).flat_map(|at| (0..30).map(move |x| (at, x))) {
                let y = x + 1;
                assert!(rule.refund(x, 1) <= rule.refund(y, 1));
                assert!(rule.charge(x, 1, at) <= rule.charge(y, 1, at));
                assert!(rule.decide(x, 1, at).is_some() || rule.decide(y, 1, at).is_none());
                for to in RULES {
                    let (of_x, of_y) = (rule.carry(x, to, at), rule.carry(y, to, at));
                    assert!(of_x <= of_y, "{rule:?} {x} {to:?} {at}");
                }
            }
        }
    }

    #[test]
    fn what_is_left_over_in_a_window_costs_no_permit() {
        let rule = Rule::Window { limit: 2, fine: 2, unit: 1 };
        assert_eq!(rule.decide(1, 2, 0), Some(5));
        assert_eq!(rule.decide(5, 2, 6), Some(10));
        assert_eq!(rule.decide(2, 2, 0), None);
        assert!(!rule.owes(1, 0) && rule.owes(2, 0));
    }
}
