mod parts;

use super::{FIELDS, Rule};
use crate::decision::{Admitted, Denied, Snapshot};
use crate::word::Word;
use crate::{Quota, StrictQuota, Timestamp};
use core::num::{NonZeroU64, NonZeroU128};

/// A burst of permits that refills at an exact rate: the algorithm, without the shared word.
///
/// Call the quota's [permits](Quota::permits) L, its [period](Quota::period) W and its
/// [burst](Quota::burst) b. For every s ≤ e, the permits admitted with timestamps in [s, e] are
///
/// > N[s, e] ≤ b + ⌊(e − s)·L/W⌋
///
/// The bound is exact if the fraction L/W in lowest terms, with W in nanoseconds, has a numerator of
/// at most 4: 100 a second is 1/10,000,000. For other quotas e − s counts half a nanosecond more: see
/// [below](#exactness). There is no boundary at which a burst can double: in any interval of length
/// W come at most b + L permits.
///
/// A request with a timestamp in order and in [range](#range) is denied only if admitting it would
/// break the bound. Permits of reservations, leases, debts and
/// [`deny_until`](crate::Limiter::deny_until) count as spent. A late timestamp, older than that of
/// an admission before it, is decided at its own time. All permits admitted so far count as spent,
/// even those with later timestamps, and at the older time less has been refilled. So a late
/// timestamp can be denied although the bound would allow it, and is never admitted against the
/// bound:
///
/// ```
/// use casgate::{Limiter, Quota, Timestamp};
///
/// let limiter = Limiter::token_bucket(Quota::per_second(1).with_burst(2));
/// assert!(limiter.is_allowed_at(Timestamp::from_secs(10)));
/// assert!(!limiter.is_allowed_at(Timestamp::from_secs(8))); // two seconds late
/// assert!(limiter.is_allowed_at(Timestamp::from_secs(10))); // the same call in time
/// ```
///
/// The algorithm is the virtual scheduling form of the generic cell rate algorithm (ATM Forum,
/// *Traffic Management 4.0*, 1996, annex C; ITU-T I.371). The state [`Word`] is its theoretical
/// arrival time: when the bucket will be full again. Spending n permits moves it n emission
/// intervals on.
///
/// # Exactness
///
/// The word counts *units*. A permit costs a whole number m of them, so spending never rounds.
/// A timestamp is converted each time and never added up, so nothing drifts. Let p/q be L/W in
/// lowest terms, with W in nanoseconds.
///
/// - If p ≤ 4, as for 100, 3 or 600,000,000 per second, a nanosecond is p units, m is q, and all
///   arithmetic is exact.
/// - Otherwise m is ⌊4·W/L⌋, and a unit is between a quarter and a third of a nanosecond. A
///   timestamp t counts ⌊t·r⌋ units, where r is m·L/W rounded up to a multiple of 2⁻⁶⁴. Since ⌊e·r⌋
///   − ⌊s·r⌋ ≥ ⌊(e − s)·r⌋, permits that are due are admitted as soon as the real numbers say.
///   Since the difference is ≤ (e − s)·r + 1, and r is too large by less than 2⁻⁶⁴, an instant may
///   be early by less than half a nanosecond: N[s, e] ≤ b + ⌊(e − s + ½ ns)·L/W⌋, on a timeline of
///   whole nanoseconds.
///
/// # Range
///
/// The word represents timestamps for 146 years (584 if p = 1), minus the time in which b refills.
/// Later timestamps are denied.
///
/// Most callers want [`Limiter::token_bucket`](crate::Limiter::token_bucket), which keeps the word
/// and is safe to share. To keep the word elsewhere, see [`Rule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBucket {
    /// Units that a permit costs: m, at least 1.
    cost: u64,
    /// Units of a full bucket: b·m, at most 2⁶³.
    capacity: u64,
    /// Units per nanosecond: the whole part of r, and 2⁻⁶⁴ths. Not both are zero.
    whole: u64,
    fraction: u64,
    /// The last timestamp that a full bucket's units can be added to.
    horizon: u64,
    burst: u32,
}

/// Units per nanosecond at most. More would be finer, and end sooner.
const FINEST: u64 = 4;

impl TokenBucket {
    /// Returns the algorithm that keeps `quota`.
    ///
    /// ```
    /// use casgate::{Quota, TokenBucket};
    /// const RULE: TokenBucket = TokenBucket::new(Quota::per_minute(600).with_burst(20));
    /// ```
    #[must_use]
    pub const fn new(quota: Quota) -> Self {
        let (permits, period) = (quota.permits() as u64, quota.period_nanos().get());
        let common = greatest_common_divisor(period, permits);
        let (p, q) = (permits / common, period / common);
        // Neither product can wrap: a period is at most 2⁶¹, and q·4 at most 4·period.
        let cost = if p <= FINEST { q } else { q * FINEST / p };
        Self::of_ratio(quota, cost, p, q)
    }

    /// Returns the algorithm that admits at most so many permits in every interval of a length.
    ///
    /// ```
    /// use casgate::{Quota, StrictQuota, TokenBucket};
    /// use std::time::Duration;
    /// const QUOTA: StrictQuota = Quota::at_most(100).in_any(Duration::from_secs(60));
    /// const RULE: TokenBucket = TokenBucket::strict(QUOTA);
    /// ```
    #[must_use]
    pub const fn strict(quota: StrictQuota) -> Self {
        Self::new(quota.paced())
    }

    /// The rule whose permits cost `cost` units, p/q being its permits per nanosecond.
    const fn of_ratio(quota: Quota, cost: u64, p: u64, q: u64) -> Self {
        let (whole, rest) = (cost * p / q, (cost as u128 * p as u128) % q as u128);
        // Below 2⁶⁴, since rest < q ≤ 2⁶¹.
        let fraction = (rest << 64).div_ceil(q as u128) as u64;
        Self::of_parts(cost, whole, fraction, quota.burst())
    }

    const fn of_parts(cost: u64, whole: u64, fraction: u64, burst: u32) -> Self {
        let capacity = burst as u64 * cost;
        let per_nano = whole + (fraction > 0) as u64;
        let horizon = (u64::MAX - capacity) / per_nano;
        let last = whole << u32::BITS | burst as u64;
        Self::of_fields([cost, capacity, last, fraction, horizon])
    }

    /// The rule with another burst, at most as large.
    #[cfg(feature = "std")]
    pub(crate) const fn with_burst(&self, burst: u32) -> Self {
        Self::of_parts(self.cost, self.whole, self.fraction, burst)
    }

    /// The rule as words; see [`of_fields`](Self::of_fields).
    pub(crate) const fn fields(&self) -> [u64; FIELDS] {
        let Self { cost, capacity, whole, fraction, horizon, burst } = *self;
        [cost, capacity, whole << u32::BITS | burst as u64, fraction, horizon]
    }

    /// The rule of which these are the [fields](Self::fields).
    #[inline]
    pub(crate) const fn of_fields(fields: [u64; FIELDS]) -> Self {
        // The whole units are `FINEST` at most, so they lie above the burst.
        let [cost, capacity, whole_and_burst, fraction, horizon] = fields;
        let (whole, burst) = (whole_and_burst >> u32::BITS, whole_and_burst as u32);
        Self { cost, capacity, whole, fraction, horizon, burst }
    }

    /// The word of `to` that has as much spent at `now` as `word` has, up to its burst.
    pub(crate) fn carry(&self, word: Word, to: &Self, now: Timestamp) -> Word {
        // A timestamp so old that more than the burst would be spent counts as the first that is not.
        let oldest = self.instant(self.due(word, 0)).unwrap_or(self.horizon);
        let now = now.as_nanos().max(oldest);
        let debt = word.bits().saturating_sub(self.units(now.min(self.horizon)));
        let spent = (u128::from(debt) * u128::from(to.cost)).div_ceil(u128::from(self.cost));
        let spent = spent.min(u128::from(to.capacity)) as u64;
        Word::from_bits(to.units(now.min(to.horizon)) + spent)
    }

    /// Nanoseconds until a bucket that has nothing is full.
    #[cfg(feature = "std")]
    #[inline]
    pub(super) fn time_to_fill(&self) -> u64 {
        self.instant(self.capacity).unwrap_or(u64::MAX)
    }

    /// The last timestamp that the word can represent.
    #[cfg(feature = "std")]
    #[inline]
    pub(super) const fn horizon(&self) -> u64 {
        self.horizon
    }

    /// The timestamp in units: ⌊now·r⌋. Given one up to the horizon it cannot wrap.
    #[inline]
    const fn units(&self, now: u64) -> u64 {
        let fraction = (now as u128 * self.fraction as u128) >> 64;
        now.wrapping_mul(self.whole).wrapping_add(fraction as u64)
    }

    /// The first timestamp with at least that many units; `None` past the horizon.
    #[inline]
    fn instant(&self, units: u64) -> Option<u64> {
        // Divisions by what is known not to be zero: one that could panic would have to be made even
        // where nobody reads the result.
        let nanos = if self.fraction == 0 {
            let whole = NonZeroU64::new(self.whole)?;
            u128::from(units / whole + u64::from(units % whole > 0))
        } else {
            let fraction = u128::from(self.fraction);
            let per_nano = NonZeroU128::new(u128::from(self.whole) << 64 | fraction)?;
            let units = u128::from(units) << 64;
            units / per_nano + u128::from(units % per_nano > 0)
        };
        (nanos <= u128::from(self.horizon)).then_some(nanos as u64)
    }

    /// Permits that so many units pay for.
    #[inline]
    const fn permits(&self, units: u64) -> u64 {
        match NonZeroU64::new(self.cost) {
            Some(cost) => units / cost.get(),
            None => 0, // never
        }
    }

    /// The units at which `n` permits, at most the burst, fit on `word`.
    #[inline]
    const fn due(&self, word: Word, n: u32) -> u64 {
        word.bits().saturating_sub(self.capacity - n as u64 * self.cost)
    }

    /// The word after `n` permits are taken at `now` that are due by `latest`, or `None` if they
    /// are not.
    #[inline]
    pub(crate) fn reserve(
        &self,
        word: Word,
        n: u32,
        now: Timestamp,
        latest: Timestamp,
    ) -> Option<Word> {
        if n > self.burst || now.as_nanos() > self.horizon {
            return None;
        }
        let base = word.bits().max(self.units(now.as_nanos()));
        // Nothing wraps: the latest timestamp is within the horizon, and the word never passes it. But an
        // adjustable limiter may have read the fields of two rules, and only then finds out.
        let cost = u64::from(n).wrapping_mul(self.cost);
        let latest = self.units(latest.as_nanos().min(self.horizon));
        let room = latest.wrapping_add(self.capacity).checked_sub(base)?;
        (cost <= room).then(|| Word::from_bits(base + cost))
    }

    /// What `n` permits did that led to `word`: the word without them, and when they are due.
    pub(crate) fn place(&self, word: Word, n: u32) -> (u64, Timestamp) {
        let due = self.instant(word.bits().saturating_sub(self.capacity)).unwrap_or(self.horizon);
        (word.bits() - u64::from(n) * self.cost, Timestamp::from_nanos(due))
    }
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Rule for TokenBucket {
    #[inline]
    fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word> {
        self.reserve(word, n, now, now)
    }

    #[inline]
    fn denied(&self, word: Word, n: u32, now: Timestamp) -> Denied {
        let wait = if n > self.burst {
            None
        } else {
            let due = self.instant(self.due(word, n));
            due.and_then(|due| NonZeroU64::new(due.saturating_sub(now.as_nanos())))
        };
        Denied { wait, now: self.snapshot(word, now), asked: n, by: 0 }
    }

    #[inline]
    fn snapshot(&self, word: Word, now: Timestamp) -> Snapshot {
        let full_at = self.instant(word.bits()).unwrap_or(u64::MAX);
        let reset_after = full_at.saturating_sub(now.as_nanos());
        let room = if now.as_nanos() <= self.horizon {
            (self.units(now.as_nanos()) + self.capacity).saturating_sub(word.bits())
        } else {
            0
        };
        let remaining = self.permits(room.min(self.capacity)) as u32;
        Snapshot { limit: self.burst, remaining, reset_after }
    }

    #[inline]
    fn refund(&self, word: Word, n: u32) -> Word {
        Word::from_bits(word.bits().saturating_sub(u64::from(n).saturating_mul(self.cost)))
    }

    fn refund_of(&self, word: Word, admitted: &Admitted) -> Word {
        self.refund(word, admitted.permits)
    }

    fn charge(&self, word: Word, n: u32, now: Timestamp) -> Word {
        let base = word.bits().max(self.units(now.as_nanos().min(self.horizon)));
        Word::from_bits(base.saturating_add(u64::from(n).saturating_mul(self.cost)))
    }

    /// The instant at which the bucket has its first permit is then `until`.
    fn deny_until(&self, word: Word, until: Timestamp) -> Word {
        let denied = if until.as_nanos() <= self.horizon {
            self.units(until.as_nanos()) + (self.capacity - self.cost)
        } else {
            u64::MAX
        };
        word.max(Word::from_bits(denied))
    }
}
