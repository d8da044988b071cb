//! The arithmetic of one tier: what a key's state means and how a request changes it. Pure
//! functions.
//!
//! A state is an instant in *units*. A permit costs a whole number of them, `cost`, so spending
//! never rounds; and a unit takes from 499 to 1,000 ns, so the 52 bits of a state last for 71
//! years. Whatever must be rounded is rounded so that the key waits longer, by less than one unit
//! in all.
//!
//! - **Token bucket.** The state is the instant at which the bucket is full again. With b permits
//!   of burst, n permits are admitted at `t` if `max(state, t) + n·cost ≤ t + b·cost`.
//! - **Fixed window.** Window k begins at the state `k·span`, where `span` is `(L + 1)·cost`. The
//!   state is the beginning of the window in which permits were last spent, plus `cost` for each of
//!   them. So what is left over below a whole `cost`, which evictions use, never reaches a permit.

pub(crate) use super::units::{Kind, Pace, Unfit};

use super::units::{LAST, ONE, divisor};
use crate::Timestamp;
use crate::decision::{Admitted, Denied, Snapshot};
use core::num::NonZeroU64;
use core::time::Duration;

/// What is asked of one key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ask {
    /// All of the permits, or none.
    Spend(u32),
    /// All of the permits, into debt if need be.
    Charge(u32),
    /// All of the permits, at the latest by then.
    Reserve(u32, Timestamp),
}

impl Pace {
    /// The state after what is asked is done at `now`, or `None` if it cannot be.
    pub(crate) fn step(&self, ask: Ask, state: u64, now: Timestamp) -> Option<u64> {
        match ask {
            Ask::Spend(n) => self.spend(state, n, now),
            Ask::Charge(n) => Some(self.charge(state, n, now)),
            Ask::Reserve(n, latest) => self.reserve(state, n, now, latest),
        }
    }

    /// The state after `n` permits, at least 1, are spent at `now`, or `None` if they do not fit.
    #[inline(always)]
    pub(crate) fn spend(&self, state: u64, n: u32, now: Timestamp) -> Option<u64> {
        if n > self.permits {
            return None;
        }
        // Nothing can wrap: the cost is at most that of all permits, and the horizon leaves room for it.
        let (at, cost) = (self.instant(now), u64::from(n) * self.cost);
        (state <= at.limit - cost).then(|| state.max(at.high) + cost)
    }

    fn charge(&self, state: u64, n: u32, now: Timestamp) -> u64 {
        let base = state.max(self.instant(now).high);
        let n = u64::from(n);
        if self.window == 0 {
            return base.saturating_add(n.saturating_mul(self.cost)).min(LAST);
        }
        // What does not fit in the window is spent in the next ones.
        let limit = self.span / self.cost - 1;
        let (window, spent) = (base / self.span, base % self.span / self.cost);
        let (later, spent) = match spent + n {
            0 => (0, 0),
            spent => ((spent - 1) / limit, (spent - 1) % limit + 1),
        };
        let start = u128::from(window + later) * u128::from(self.span);
        (start + u128::from(spent * self.cost)).min(LAST.into()) as u64
    }

    fn reserve(&self, state: u64, n: u32, now: Timestamp, latest: Timestamp) -> Option<u64> {
        let due = self.due(state, n)?.max(now);
        (due <= latest).then(|| {
            let from = if self.window == 0 { now } else { due };
            state.max(self.instant(from).high) + u64::from(n) * self.cost
        })
    }

    /// When `n` permits fit; `None` if they never do.
    #[inline(always)]
    pub(crate) fn due(&self, state: u64, n: u32) -> Option<Timestamp> {
        if n > self.permits {
            return None;
        }
        let needed = state.checked_add(u64::from(n) * self.cost)?;
        let due = match self.window {
            0 => self.first_with(needed.saturating_sub(self.span)),
            window => {
                let start = needed.saturating_add(ONE).saturating_sub(self.span);
                start.div_ceil(divisor(self.span)).saturating_mul(window)
            }
        };
        (due <= self.horizon).then(|| Timestamp::from_nanos(due))
    }

    /// Whether that instant is not past the horizon.
    pub(crate) fn can_tell(&self, instant: Timestamp) -> bool {
        instant.as_nanos() <= self.horizon
    }

    /// When what is asked fits; `None` if it never does.
    pub(crate) fn due_for(&self, ask: Ask, state: u64) -> Option<Timestamp> {
        match ask {
            Ask::Spend(n) | Ask::Reserve(n, _) => self.due(state, n),
            Ask::Charge(_) => Some(Timestamp::ZERO),
        }
    }

    /// When all permits are there again.
    #[inline(always)]
    pub(crate) fn full_at(&self, state: u64) -> Timestamp {
        Timestamp::from_nanos(match self.window {
            0 => self.first_with(state),
            window => {
                let start = state.saturating_add(ONE).saturating_sub(self.cost);
                start.div_ceil(divisor(self.span)).saturating_mul(window)
            }
        })
    }

    /// Whether a request that was denied would be admitted within `lag`, or was denied because its
    /// timestamp is older than one seen before.
    #[inline]
    pub(crate) fn is_due_within(&self, state: u64, n: u32, now: Timestamp, lag: Duration) -> bool {
        let cost = u64::from(n) * self.cost;
        let fits = || state.saturating_add(cost) <= self.instant(now + lag).limit;
        // One more than the limit may come of a timestamp that is rounded up.
        let is_old = || state > self.instant(now).limit.saturating_add(ONE);
        n <= self.permits && (is_old() || (!lag.is_zero() && fits()))
    }

    /// Whether any permit is outstanding.
    pub(crate) fn owes(&self, state: u64, now: Timestamp) -> bool {
        let fine = if self.window == 0 { ONE } else { self.cost };
        state >= self.instant(now).low.saturating_add(fine)
    }

    /// The permits that are left.
    #[inline]
    pub(crate) fn left(&self, state: u64, now: Timestamp) -> u32 {
        let at = self.instant(now);
        let left = at.limit.saturating_sub(state.max(at.low)) / divisor(self.cost);
        left.min(self.permits.into()) as u32
    }

    /// The state with `n` permits given back: to a window those that were spent in it.
    pub(crate) fn refund(&self, state: u64, n: u32) -> u64 {
        let start = if self.window == 0 { 0 } else { self.window_of(state) * self.span };
        state.saturating_sub(u64::from(n).saturating_mul(self.cost)).max(start)
    }

    /// The index of the window that a state is in.
    const fn window_of(&self, state: u64) -> u64 {
        state / divisor(self.span)
    }

    /// The state with the permits of an admission given back, if a window is still that of the
    /// admission.
    pub(crate) fn refund_of(&self, state: u64, admitted: &Admitted) -> u64 {
        let spent_in = self.instant(admitted.at).low;
        // An admission without a ticket is of a tier that counts nothing.
        if admitted.ticket == 0 {
            state
        } else if self.window == 0 || self.window_of(state) == self.window_of(spent_in) {
            self.refund(state, admitted.permits)
        } else {
            state
        }
    }

    /// The state that has as many permits outstanding at `now` in the units of `to`, up to its
    /// burst. A debt beyond the burst is repaid as before, until it is no larger. Nothing panics if
    /// the pace was written over while it was read: then the caller finds out.
    pub(crate) fn carry(&self, state: u64, to: &Self, now: Timestamp) -> u64 {
        if self.has_units_of(to) && self.span <= to.span {
            return state;
        }
        // A state that is ahead of the timestamp has all permits outstanding when it no longer is. A window's
        // must not be less than that of the window before.
        let not_before = match self.window {
            0 => self.first_with(state.saturating_sub(self.span)),
            // The last nanosecond of its window: it may have been then that it was spent.
            window if self.window_of(state).saturating_mul(window) > now.as_nanos() => {
                (self.window_of(state) + 1).saturating_mul(window) - 1
            }
            _ => 0,
        };
        let outstanding = match self.window {
            0 => state.saturating_sub(self.instant(now).low).min(self.span),
            _ if not_before > 0 => self.most(),
            _ => {
                let cost = divisor(self.cost);
                state.saturating_sub(self.instant(now).low) / cost * cost
            }
        };
        let cost = u128::from(outstanding / ONE) * u128::from(to.cost / ONE);
        let cost = cost.div_ceil(u128::from(divisor(self.cost / ONE))) * u128::from(ONE);
        let cost = cost.min(u128::from(to.most())) as u64;
        let now = now.max(Timestamp::from_nanos(not_before));
        to.instant(now).high.wrapping_add(cost)
    }

    /// Units of all permits.
    fn most(&self) -> u64 {
        if self.window == 0 { self.span } else { self.span.wrapping_sub(self.cost) }
    }

    #[inline(always)]
    pub(crate) fn admitted(&self, state: u64, n: u32, now: Timestamp) -> Admitted {
        Admitted { ticket: state, permits: n, at: now, after: self.snapshot(state, now) }
    }

    #[inline(always)]
    pub(crate) fn denied(&self, state: u64, n: u32, now: Timestamp) -> Denied {
        let wait = self.due(state, n).map(|due| due.as_nanos().saturating_sub(now.as_nanos()));
        let wait = wait.and_then(NonZeroU64::new);
        Denied { wait, now: self.snapshot(state, now), asked: n, by: 0 }
    }

    #[inline(always)]
    pub(crate) fn snapshot(&self, state: u64, now: Timestamp) -> Snapshot {
        let reset_after = self.full_at(state).as_nanos().saturating_sub(now.as_nanos());
        Snapshot { limit: self.permits, remaining: self.left(state, now), reset_after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quota;

    /// A caller that is denied asks the clock again only if that can be of use.
    #[test]
    fn a_denied_request_is_due_if_its_timestamp_is_old_or_the_permits_come_soon() {
        let (now, lag) = (Timestamp::from_secs(9), Duration::from_millis(4));
        for kind in [Kind::TokenBucket, Kind::FixedWindow] {
            let pace = Pace::new(kind, Quota::per_second(5)).unwrap();
            let limit = pace.instant(now).limit;
            let is_due = |state, n, lag| pace.is_due_within(state, n, now, lag);
            // Old, unless that may come of rounding.
            assert!(is_due(limit + 2 * ONE, 1, Duration::ZERO) && is_due(limit + 2 * ONE, 5, lag));
            assert!(!is_due(limit + ONE, 1, Duration::ZERO) && !is_due(limit, 1, Duration::ZERO));
            assert!(!is_due(limit + 2 * ONE, 6, lag), "more than there ever are");
            // Soon: as much as is refilled within the lag is missing, or a unit more.
            let soon = pace.instant(now + lag).limit - 2 * pace.cost;
            assert!(is_due(soon, 2, lag) && !is_due(soon, 2, Duration::ZERO));
            assert_eq!(is_due(soon + ONE, 2, lag), is_due(soon + ONE, 2, Duration::ZERO));
            let next = Timestamp::from_nanos(10_000_000_000 - 4_000_000);
            let full = pace.spend(0, 5, next).unwrap();
            let is_window = kind == Kind::FixedWindow;
            assert_eq!(pace.is_due_within(full, 1, next, lag), is_window);
            let short = lag - Duration::from_nanos(1);
            assert!(!pace.is_due_within(full, 1, next, short));
        }
    }
}
