//! What a state is counted in.

use super::owner::BELOW_BITS;
use crate::{Quota, Timestamp};

/// One unit. A state stands in the upper 52 bits of its word and is computed with where it stands,
/// so all states, costs and spans are multiples of this.
pub(super) const ONE: u64 = 1 << BELOW_BITS;
/// The largest state.
pub(super) const LAST: u64 = !(ONE - 1);

/// A unit takes at least this long, in nanoseconds, and less than twice as long.
const UNIT: u64 = 499;
/// A permit takes at least this long, in nanoseconds.
const FASTEST: u64 = 500;
/// Later timestamps count as this one, in nanoseconds: 73 years, or for long bursts less.
const HORIZON: u64 = (1 << 61) - 1;
/// The longest that a burst or a window may take, in nanoseconds, so that a clock from 1970 still
/// has ten years.
const LONGEST: u64 = 2 * 365 * 86_400 * 1_000_000_000;

/// Bits of a rate's fraction, and of a unit's.
const RATE_BITS: u32 = 72;
const UNIT_BITS: u32 = 50;

/// What rounds up a number of units that is exact to 2⁻¹¹ of one, or that is not.
const UP: u64 = ONE - 1;
const UP_FROM_BELOW: u64 = UP + 4;

/// Which algorithm a limiter's tiers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    TokenBucket,
    FixedWindow,
}

/// What a timestamp is in units: rounded down, rounded up, and the last state that a request may
/// lead to there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instant {
    pub(super) low: u64,
    pub(super) high: u64,
    pub(super) limit: u64,
}

/// One tier's quota in units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// What a permit costs.
    pub(super) cost: u64,
    /// A full bucket, or from one window to the next.
    pub(super) span: u64,
    /// Units per nanosecond, in 2⁻⁷². Rounded up if that makes the same units of every timestamp as
    /// the true rate, else down.
    rate: u64,
    /// Nanoseconds of a window; 0 for a token bucket.
    pub(super) window: u64,
    /// Later timestamps count as this one.
    pub(super) horizon: u64,
    /// [`UP`] if the rate was rounded up, else [`UP_FROM_BELOW`].
    up: u64,
    /// Permits of a full bucket or window; 0 if the tier is blocked or unlimited.
    pub(super) permits: u32,
    /// Whether any number of permits is admitted.
    unlimited: bool,
}

/// Why a keyed limiter cannot keep a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    TooFast,
    TooLong,
}

impl Pace {
    pub(crate) fn new(kind: Kind, quota: Quota) -> Result<Self, Unfit> {
        let (permits, period) = (u64::from(quota.permits()), quota.period_nanos().get());
        match kind {
            Kind::TokenBucket => {
                let common = greatest_common_divisor(period, permits);
                Self::bucket(quota.burst(), permits / common, period / common)
            }
            Kind::FixedWindow => {
                if period < FASTEST * (permits + 1) {
                    return Err(Unfit::TooFast);
                }
                let cost = period / (UNIT * (permits + 1));
                let span = cost * (permits + 1);
                let pace = Self::checked(quota.permits(), cost, span, span, period, false)?;
                // The last window that begins, and ends, before the last state.
                let horizon = (pace.horizon / period).min(LAST / pace.span - 1) * period;
                Ok(Self { window: period, horizon, ..pace })
            }
        }
    }

    /// p permits in q nanoseconds, in lowest terms.
    fn bucket(burst: u32, p: u64, q: u64) -> Result<Self, Unfit> {
        if q < FASTEST * p {
            return Err(Unfit::TooFast);
        }
        // A unit that is a whole number of nanoseconds, or of halves, thirds or quarters of one, if the
        // permit is a whole number of such units: every instant is then exact.
        let exact = (1..=4 / p).find_map(|k| {
            let (finest, coarsest) = (FASTEST * p * k, (2 * FASTEST * p * k).min(2_047));
            (finest..=coarsest).find(|d| k * q % d == 0).map(|d| (k * q / d, p * k, d))
        });
        let (cost, units, nanos, is_exact) = match exact {
            Some((cost, units, nanos)) => (cost, units, nanos, true),
            None => {
                let cost = q / (UNIT * p);
                (cost, cost * p, q, false)
            }
        };
        let span = u64::from(burst).checked_mul(cost).ok_or(Unfit::TooLong)?;
        Self::checked(burst, cost, span, units, nanos, is_exact)
    }

    /// At `units` in so many nanoseconds; cost and span in units too.
    fn checked(
        permits: u32,
        cost: u64,
        span: u64,
        units: u64,
        nanos: u64,
        exact: bool,
    ) -> Result<Self, Unfit> {
        let (units, nanos) = (u128::from(units), u128::from(nanos));
        if u128::from(span) * nanos > u128::from(LONGEST) * units {
            return Err(Unfit::TooLong);
        }
        // Fits, since a unit takes at least 499 ns.
        let rate = units << RATE_BITS;
        let rate = if exact { rate.div_ceil(nanos) } else { rate / nanos } as u64;
        let up = if exact { UP } else { UP_FROM_BELOW };
        let (cost, span) = (cost * ONE, span * ONE);
        let (window, horizon, unlimited) = (0, HORIZON, false);
        let pace = Self { cost, span, rate, window, horizon, up, permits, unlimited };
        // There is room for a full burst, and for its rounding, before the last state.
        let horizon = HORIZON.min(pace.first_with(LAST - span - ONE) - 1);
        Ok(Self { horizon, ..pace })
    }

    /// The same units without a quota, in which everything fits or nothing.
    pub(crate) fn without_quota(self, unlimited: bool) -> Self {
        Self { permits: 0, unlimited, ..self }
    }

    pub(crate) fn is_unlimited(&self) -> bool {
        self.unlimited
    }

    pub(crate) fn limit(&self) -> u32 {
        self.permits
    }

    pub(crate) fn has_permits(&self) -> bool {
        self.permits > 0
    }

    pub(super) fn has_units_of(&self, other: &Self) -> bool {
        (self.cost, self.rate, self.window) == (other.cost, other.rate, other.window)
    }

    /// `nanos` up to [`HORIZON`] in units, rounded down and up.
    ///
    /// 2³·2⁷²·2⁻⁶⁴ is 2¹¹, and a unit is 2¹². The product is exact to 2⁻¹¹ of a unit. If the rate
    /// was rounded up, it is a fraction whose denominator is below 2¹¹: so the product's fraction
    /// is 0 if the true one is, and not 0 otherwise. If the rate was rounded down, the true product
    /// is less than 2·2⁻¹¹ above this one.
    #[inline(always)]
    const fn units(&self, nanos: u64) -> (u64, u64) {
        let product = (((nanos << 3) as u128 * self.rate as u128) >> 64) as u64;
        let units = product << 1;
        // At the origin nothing is rounded.
        let up = if product == 0 { 0 } else { self.up };
        (units & LAST, units.wrapping_add(up) & LAST)
    }

    /// The first nanosecond that is as many units, rounded down.
    #[inline(always)]
    pub(super) fn first_with(&self, units: u64) -> u64 {
        (u128::from(units >> 1) << 64).div_ceil(u128::from(divisor(self.rate))).div_ceil(8) as u64
    }

    /// Nothing wraps, unless the pace was written over while it was read: then the caller finds
    /// out.
    #[inline(always)]
    pub(super) fn instant(&self, now: Timestamp) -> Instant {
        let nanos = now.as_nanos().min(self.horizon);
        match nanos.checked_div(self.window) {
            None => {
                let (low, high) = self.units(nanos);
                Instant { low, high, limit: low.wrapping_add(self.span) }
            }
            Some(window) => {
                let start = window.wrapping_mul(self.span);
                Instant { low: start, high: start, limit: start.wrapping_add(self.span - ONE) }
            }
        }
    }

    /// One unit later.
    pub(crate) fn next(&self, state: u64) -> u64 {
        state.saturating_add(ONE) & LAST
    }

    /// How long a unit is, in 2⁻⁵⁰ ns, rounded up: see [`time`].
    pub(crate) fn unit(&self) -> u64 {
        (1_u128 << (RATE_BITS + UNIT_BITS)).div_ceil(u128::from(self.rate - 1)) as u64
    }

    /// The state that is not before such an [instant](time).
    pub(crate) fn state_at(&self, time: u64) -> u64 {
        // Exact to less than 4·2⁻¹² of a unit.
        let units = (u128::from(time) * u128::from(self.rate)) >> (RATE_BITS - BELOW_BITS);
        (units + u128::from(self.up)).min(u128::from(LAST)) as u64 & LAST
    }

    /// The pace as words for shared memory.
    pub(crate) fn to_fields(self) -> [u64; FIELDS] {
        let Self { cost, span, rate, window, horizon, up, permits, unlimited } = self;
        let permits = u64::from(unlimited) << 32 | u64::from(permits);
        [cost, span, rate, window, horizon, up, permits]
    }

    #[inline(always)]
    pub(crate) fn of_fields(fields: [u64; FIELDS]) -> Self {
        let [cost, span, rate, window, horizon, up, permits] = fields;
        let (permits, unlimited) = (permits as u32, permits >> 32 != 0);
        Self { cost, span, rate, window, horizon, up, permits, unlimited }
    }
}

/// How many words a [`Pace`] is.
pub(crate) const FIELDS: usize = 7;

/// A state as an instant that those of other tiers can be compared with, in nanoseconds, rounded
/// up. In a window each permit moves it by an equal part of the window.
#[inline]
pub(crate) fn time(state: u64, unit: u64) -> u64 {
    const BITS: u32 = UNIT_BITS + BELOW_BITS;
    ((u128::from(state) * u128::from(unit) + ((1 << BITS) - 1)) >> BITS) as u64
}

/// A cost, a span or a rate, which is never 0. The compiler, once it knows that, leaves out a
/// division whose result nobody reads.
#[inline(always)]
pub(super) const fn divisor(x: u64) -> u64 {
    if x == 0 { 1 } else { x }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests;
