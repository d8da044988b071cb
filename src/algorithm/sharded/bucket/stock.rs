use crate::algorithm::TokenBucket;
use crate::cell::Cell;
use crate::sync::{AtomicU64, const_unless_modelled, order};
use crate::timestamp::Timestamp;

/// What one cell holds: permits of the last lease, and the newest timestamp that the cell has seen.
///
/// ```text
/// 63      8     0
/// | stamp | held |
/// ```
///
/// The stamp counts the leases. At one every 50 ns it comes back after 114 years.
///
/// A permit may only be spent at or after the timestamp of its lease, and a lease only be made at or after all
/// timestamps at which permits were spent. `newest` is at least all of them. Who spends raises it before it takes
/// the permit, and who leases raises it before the lease.
#[derive(Debug)]
pub(super) struct Stock {
    held: AtomicU64,
    newest: Cell,
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
    /// The cell has seen a later timestamp, or this one is out of range.
    Late,
    Lost,
}

impl Stock {
    const_unless_modelled! {
        pub(super) fn new(permits: u32) -> Self {
            Self { held: AtomicU64::new(Held::first(permits).0), newest: Cell::new(0) }
        }
    }

    #[inline(always)]
    pub(super) fn load(&self) -> Held {
        // Acquire: with the permits come the timestamps of their lease and of those who spent before.
        Held(self.held.load(order::STOCK_LOAD))
    }

    #[inline(always)]
    fn newest(&self) -> u64 {
        self.newest.load()
    }

    fn raise(&self, now: u64) {
        let _ = self.newest.update(|newest| (newest < now).then_some(now));
    }

    /// Whether the cell has seen no later timestamp.
    pub(super) fn is_in_order(&self, now: Timestamp) -> bool {
        self.newest() <= now.as_nanos()
    }

    #[inline(always)]
    pub(super) fn spend(&self, now: Timestamp, rule: &TokenBucket) -> Spent {
        let seen = self.load();
        if seen.permits() == 0 {
            return Spent::Empty(seen.stamp());
        }
        let newest = self.newest();
        if now.as_nanos() != newest {
            if now.as_nanos() < newest || !rule.is_in_range(now) {
                return Spent::Late;
            }
            self.raise(now.as_nanos());
        }
        if self.exchange(seen, Held(seen.0 - 1)) {
            Spent::Won(seen.permits() - 1)
        } else {
            Spent::Lost
        }
    }

    /// For a lease at `now` into the cell, which was empty at `stamp`: whether it may be.
    pub(super) fn prepare(&self, now: Timestamp) -> bool {
        let is_in_order = self.is_in_order(now);
        if is_in_order {
            self.raise(now.as_nanos());
        }
        is_in_order
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
        // Release: what was raised goes with it. Relaxed if lost: the caller reads again.
        let lost = crate::sync::Ordering::Relaxed;
        self.held.compare_exchange_weak(seen.0, next.0, order::STOCK_WON, lost).is_ok()
    }
}
