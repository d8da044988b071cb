//! One key in exact arithmetic: what it may have at least and at most.
//!
//! A bucket's state is the instant at which it is full again, in 2⁻³² ns, once rounded down and once rounded
//! up. The limiter may be later than the second by less than [`LATE`], and never earlier than the first.
//! A window's state is exact.

use crate::given::Kind;
use casgate::Quota;

/// 2⁻³² ns in a nanosecond.
const FINE: u128 = 1 << 32;
/// A microsecond.
const LATE: u128 = 1_000 * FINE;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Bucket { low: u128, high: u128 },
    Window { index: u64, spent: u32 },
}

/// The numbers that an answer may have: from the first to the second.
pub(crate) type Between = (u64, u64);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Exact {
    kind: Kind,
    pub(crate) quota: Quota,
}

impl Exact {
    pub(crate) fn new(kind: Kind, quota: Quota) -> Self {
        Self { kind, quota }
    }

    pub(crate) fn full(&self) -> State {
        match self.kind {
            Kind::Bucket => State::Bucket { low: 0, high: 0 },
            Kind::Window => State::Window { index: 0, spent: 0 },
        }
    }

    /// The permits of a full bucket or window.
    pub(crate) fn limit(&self) -> u32 {
        match self.kind {
            Kind::Bucket => self.quota.burst(),
            Kind::Window => self.quota.permits(),
        }
    }

    fn period(&self) -> u64 {
        self.quota.period().as_nanos() as u64
    }

    /// The time of `n` permits, rounded down and up.
    fn time(&self, n: u32) -> (u128, u128) {
        let (period, permits) = (u128::from(self.period()), u128::from(self.quota.permits()));
        // Below 2³² · 2⁵⁷ · 2³²
        let product = u128::from(n) * period;
        let whole = product / permits * FINE;
        let rest = product % permits * FINE;
        (whole + rest / permits, whole + rest.div_ceil(permits))
    }

    /// When `n` permits fit, in nanoseconds; `None` if they never do.
    pub(crate) fn due(&self, state: State, n: u32) -> Option<Between> {
        if n > self.limit() {
            return None;
        }
        Some(match state {
            State::Bucket { low, high } => {
                let (least, most) = self.time(self.limit() - n);
                let earliest = low.saturating_sub(most).div_ceil(FINE);
                let latest = match high {
                    0 => 0,
                    _ => high.saturating_sub(least).div_ceil(FINE) + LATE / FINE - 1,
                };
                (earliest as u64, latest as u64)
            }
            State::Window { index, spent } => {
                let fits = n <= self.limit().saturating_sub(spent);
                let start = (index + u64::from(!fits)) * self.period();
                (start, start)
            }
        })
    }

    /// When it is full.
    pub(crate) fn full_at(&self, state: State) -> Between {
        match state {
            State::Bucket { .. } => self.due(state, self.limit()).unwrap(),
            State::Window { index, spent } => {
                let start = (index + u64::from(spent > 0)) * self.period();
                (start, start)
            }
        }
    }

    /// The permits that are left at `now`.
    pub(crate) fn left(&self, state: State, now: u64) -> (u32, u32) {
        match state {
            State::Bucket { low, high } => {
                let at = u128::from(now) * FINE;
                // Nothing was ever spent, so nothing was rounded.
                let late = if high == 0 { 0 } else { high + LATE };
                let room = (at + self.time(self.limit()).1).saturating_sub(late.max(at)) / FINE;
                let least = room * u128::from(self.quota.permits()) / u128::from(self.period());
                (least.min(self.limit().into()) as u32, self.most_left(low, at))
            }
            State::Window { index, spent } => {
                let left = match (now / self.period()).cmp(&index) {
                    std::cmp::Ordering::Less => 0,
                    std::cmp::Ordering::Equal => self.limit().saturating_sub(spent),
                    std::cmp::Ordering::Greater => self.limit(),
                };
                (left, left)
            }
        }
    }

    /// The most permits whose time, rounded down, fits.
    fn most_left(&self, low: u128, at: u128) -> u32 {
        let fits = |n: u32| low.saturating_sub(self.time(self.limit() - n).1) <= at;
        let (mut yes, mut no) = (0, u64::from(self.limit()) + 1);
        if !fits(0) {
            return 0;
        }
        while u64::from(yes) + 1 < no {
            let middle = ((u64::from(yes) + no) / 2) as u32;
            if fits(middle) { yes = middle } else { no = middle.into() }
        }
        yes
    }

    /// Whether `n` permits may be admitted, and whether they must be.
    pub(crate) fn fits(&self, state: State, n: u32, now: u64) -> (bool, bool) {
        if let State::Window { .. } = state {
            let fits = n <= self.left(state, now).0;
            return (fits, fits);
        }
        let due = self.due(state, n);
        (due.is_some_and(|due| due.0 <= now), due.is_some_and(|due| due.1 <= now))
    }

    pub(crate) fn spend(&self, state: State, n: u32, now: u64) -> State {
        match state {
            State::Bucket { low, high } => {
                let (at, (least, most)) = (u128::from(now) * FINE, self.time(n));
                State::Bucket { low: low.max(at) + least, high: high.max(at) + most }
            }
            State::Window { .. } => {
                let (index, spent) = self.opened(state, now);
                let (total, limit) = (u64::from(spent) + u64::from(n), u64::from(self.limit()));
                let later = total.saturating_sub(1) / limit;
                State::Window { index: index + later, spent: (total - later * limit) as u32 }
            }
        }
    }

    fn opened(&self, state: State, now: u64) -> (u64, u32) {
        let State::Window { index, spent } = state else { unreachable!() };
        let current = now / self.period();
        if index < current { (current, 0) } else { (index, spent) }
    }

    /// A reservation is as if spent when it is due.
    pub(crate) fn reserve(&self, state: State, n: u32, now: u64) -> State {
        let from = match state {
            State::Bucket { .. } => now,
            State::Window { .. } => self.due(state, n).map_or(now, |due| due.0.max(now)),
        };
        self.spend(state, n, from)
    }

    pub(crate) fn refund(&self, state: State, n: u32) -> State {
        match state {
            State::Bucket { low, high } => {
                let (least, most) = self.time(n);
                let high = high.saturating_sub(least).max(1);
                State::Bucket { low: low.saturating_sub(most), high }
            }
            State::Window { index, spent } => {
                State::Window { index, spent: spent.saturating_sub(n) }
            }
        }
    }

    /// As many permits outstanding at `now` in the other quota, up to its burst. A debt beyond the own burst is
    /// repaid before.
    pub(crate) fn carry(&self, state: State, to: &Self, now: u64) -> State {
        let rate = |quota: Quota| (u128::from(quota.permits()), quota.period().as_nanos());
        let ((a, b), (c, d)) = (rate(self.quota), rate(to.quota));
        match state {
            State::Bucket { low, high } => {
                if a * d == c * b && self.limit() <= to.limit() {
                    return state;
                }
                let carried = |full_at: u128, up: bool| {
                    let own = self.time(self.limit());
                    let debt_until = full_at.saturating_sub(if up { own.0 } else { own.1 });
                    let from = debt_until.max(u128::from(now) * FINE);
                    let late = if up { LATE } else { 0 };
                    let outstanding = full_at.saturating_sub(from) + late;
                    if outstanding == 0 {
                        return full_at;
                    }
                    let in_other = scale(outstanding, a * d, b * c, up);
                    let most = to.time(to.limit());
                    from + in_other.min(if up { most.1 } else { most.0 }) + 2 * late
                };
                State::Bucket { low: carried(low, false), high: carried(high + LATE, true) }
            }
            State::Window { index, spent } => {
                if (a, b) == (c, d) {
                    return state;
                }
                // All, at the end of that window, if the timestamp is from before it.
                let is_ahead = index * self.period() > now;
                let from = if is_ahead { (index + 1) * self.period() - 1 } else { now };
                let spent = match from / self.period() == index {
                    true if is_ahead => self.limit(),
                    true => spent,
                    false => 0,
                };
                State::Window { index: from / to.period(), spent: spent.min(to.limit()) }
            }
        }
    }
}

/// x·a/b, rounded; a and b below 2⁶³.
fn scale(x: u128, a: u128, b: u128, up: bool) -> u128 {
    let (whole, rest) = (x / b, x % b * a);
    whole.saturating_mul(a).saturating_add(if up { rest.div_ceil(b) } else { rest / b })
}
