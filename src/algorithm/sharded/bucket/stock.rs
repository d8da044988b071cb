use crate::algorithm::TokenBucket;
use crate::cell::Cell;
use crate::sync::{AtomicU64, const_unless_modelled, order};
use crate::timestamp::Timestamp;

/// What one cell holds: permits of the last lease, and the timestamps between which they are spent.
///
/// ```text
/// 63      8     0
/// | stamp | held |
/// ```
///
/// The stamp counts the leases. At one every 50 ns it comes back after 114 years.
///
/// A permit may only be spent at or after the timestamp of its lease, and a lease only be made at or after all
/// timestamps at which permits were spent. Who leases raises `since` before the lease, and who spends raises `until`
/// before it takes the permit, unless it is high enough.
#[derive(Debug)]
pub(super) struct Stock {
    held: AtomicU64,
    /// At least the timestamp of the last lease.
    since: Cell,
    /// At least every timestamp at which a permit was spent.
    pub(super) until: Cell,
}

/// The word `held`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held(u64);

impl Held {
    /// Permits that it can hold.
    pub(super) const MOST: u32 = 255;

    /// A cell of so many permits that has had no lease. The parent names a lease before that at first.
    const fn first(permits: u32) -> Self {
        Self(1 << 8 | permits as u64)
    }

    #[inline(always)]
    pub(super) const fn permits(self) -> u32 {
        (self.0 & 255) as u32
    }

    pub(super) const fn stamp(self) -> u64 {
        self.0 >> 8
    }
}

/// How an attempt to spend a permit ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spent {
    /// So many are left.
    Won(u32),
    /// There was none, at this stamp.
    Empty(u64),
    /// The cell may have a lease at a later timestamp, or this one is out of range.
    Late,
    Lost,
}

impl Stock {
    const_unless_modelled! {
        pub(super) fn new(permits: u32) -> Self {
            let held = AtomicU64::new(Held::first(permits).0);
            Self { held, since: Cell::new(0), until: Cell::new(0) }
        }
    }

    #[inline(always)]
    pub(super) fn load(&self) -> Held {
        // Acquire: with the permits come the timestamps of their lease and of the spends before.
        Held(self.held.load(order::STOCK_LOAD))
    }

    /// Whether its permits may be spent at `now`.
    #[inline(always)]
    pub(super) fn is_in_order(&self, now: Timestamp) -> bool {
        self.since.load() <= now.as_nanos()
    }

    #[inline(always)]
    pub(super) fn spend(&self, now: Timestamp, rule: &TokenBucket) -> Spent {
        let seen = self.load();
        if seen.permits() == 0 {
            return Spent::Empty(seen.stamp());
        }
        if !self.is_in_order(now) {
            return Spent::Late;
        }
        if self.until.load() < now.as_nanos() && !self.reach(now, seen.permits(), rule) {
            return Spent::Late;
        }
        if self.exchange(seen, Held(seen.0 - 1)) {
            Spent::Won(seen.permits() - 1)
        } else {
            Spent::Lost
        }
    }

    /// Raises `until` for a spend at `now` from so many permits; `false` if that is out of range.
    #[cold]
    #[inline(never)]
    fn reach(&self, now: Timestamp, permits: u32, rule: &TokenBucket) -> bool {
        let (now, horizon) = (now.as_nanos(), rule.horizon());
        if now > horizon {
            return false;
        }
        let _ = self.until.update(|until| {
            // Beyond `now` if timestamps come in short steps, so that the next few find it high enough. A nanosecond
            // for each permit: to spend that takes some five, so no lease has to wait for `until`. With two it would
            // wait now and then, for a coarse clock may show one timestamp until the cell is empty.
            let is_short = now < until.saturating_add(permits.into());
            let ahead = if is_short { u64::from(permits) - 1 } else { 0 };
            (until < now).then(|| now.saturating_add(ahead).min(horizon))
        });
        true
    }

    /// For a lease at `now` into the cell, which was empty: whether it may be.
    pub(super) fn prepare(&self, now: Timestamp) -> bool {
        let now = now.as_nanos();
        if self.until.load() > now {
            return false;
        }
        // With a later `since` nobody could spend the permits before that.
        let (Ok(since) | Err(since)) = self.since.update(|since| (since < now).then_some(now));
        since == now
    }

    /// Puts the permits of the lease at `stamp` there, unless somebody has.
    pub(super) fn complete(&self, stamp: u64, permits: u32) {
        loop {
            let seen = self.load();
            // An empty cell changes in no other way.
            if seen.stamp() != stamp
                || self.exchange(seen, Held((stamp + 1) << 8 | u64::from(permits)))
            {
                return;
            }
        }
    }

    #[inline(always)]
    fn exchange(&self, seen: Held, next: Held) -> bool {
        // Release: what was raised, or found high enough, goes with it. Relaxed if lost: the caller reads again.
        let lost = crate::sync::Ordering::Relaxed;
        self.held.compare_exchange_weak(seen.0, next.0, order::STOCK_WON, lost).is_ok()
    }
}
