//! Decisions without a store.

mod owed;
mod policy;
#[cfg(all(test, not(casgate_loom)))]
mod tests;

pub(crate) use policy::Degraded;
pub use policy::{OnUnavailable, OnUnavailableFor};

use crate::quota::FleetQuota;
use casgate::{Admitted, Denied, Limiter, Quota, Timestamp};
use owed::Owed;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a limit does while its store does not answer.
#[derive(Debug)]
pub(crate) struct Outage {
    policy: OnUnavailable,
    quota: Quota,
    state: Mutex<State>,
    /// The processes that share the limit, by the last reply of the store.
    holders: AtomicU32,
    /// The permits that were spent without a lease, in all.
    shared: AtomicU64,
    allowed: AtomicU64,
    denied: AtomicU64,
}

#[derive(Debug)]
struct State {
    lasting: Option<Lasting>,
    /// For windows alone.
    owed: Option<Owed>,
}

/// An outage that lasts.
#[derive(Debug)]
struct Lasting {
    /// The recoveries of the store before it.
    recoveries: u64,
    since: Timestamp,
    /// `None` inside: a share of this quota is out of range, so there is none.
    share: Option<Option<Limiter>>,
}

/// The answer of a process by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Alone {
    Unavailable,
    Denied(Denied),
    Shared(Admitted),
    Allowed,
}

impl Outage {
    pub(crate) fn new(quota: &FleetQuota) -> Self {
        Self {
            policy: quota.unavailable().clone(),
            quota: quota.quota(),
            state: Mutex::new(State { lasting: None, owed: quota.window_length().map(Owed::new) }),
            holders: AtomicU32::new(0),
            shared: AtomicU64::new(0),
            allowed: AtomicU64::new(0),
            denied: AtomicU64::new(0),
        }
    }

    /// Decides about so many permits without the store, which has recovered so often.
    pub(crate) fn decide(&self, permits: u32, now: Timestamp, recoveries: u64) -> Alone {
        let mut state = self.lock();
        let State { lasting, owed } = &mut *state;
        // Between two outages nobody may have asked for this limit.
        if lasting.as_ref().is_some_and(|lasting| lasting.recoveries != recoveries) {
            *lasting = None;
        }
        let lasting =
            lasting.get_or_insert_with(|| Lasting { recoveries, since: now, share: None });
        let answer = match self.policy.after(now - lasting.since) {
            Degraded::Deny => Alone::Unavailable,
            Degraded::Allow => Alone::Allowed,
            Degraded::Share { expected } => {
                let make = || self.share(expected, now, recoveries > 0);
                let share = lasting.share.get_or_insert_with(make);
                match share.as_ref().map(|share| share.check_n_at(permits, now)) {
                    Some(Ok(admitted)) => Alone::Shared(admitted),
                    Some(Err(denied)) if denied.retry_after().is_some() => Alone::Denied(denied),
                    // More than a share ever has, but not more than the store.
                    _ => Alone::Unavailable,
                }
            }
        };
        if let (Alone::Allowed | Alone::Shared(_), Some(owed)) = (&answer, owed) {
            owed.add(permits, now);
        }
        // Counted under the lock: the thread that ends the outage has seen all that was spent in it.
        match answer {
            Alone::Unavailable => self.denied.fetch_add(permits.into(), Ordering::Relaxed),
            Alone::Allowed => self.allowed.fetch_add(permits.into(), Ordering::Relaxed),
            Alone::Shared(_) => self.shared.fetch_add(permits.into(), Ordering::Relaxed),
            Alone::Denied(_) => 0,
        };
        answer
    }

    /// The bucket of a share. It is empty, for the fleet has spent by its leases; or full, if the
    /// store never answered.
    fn share(&self, expected: u32, now: Timestamp, had_contact: bool) -> Option<Limiter> {
        let processes = self.holders.load(Ordering::Relaxed).max(expected).max(1);
        let burst = (self.quota.burst() / processes).max(1);
        let period = self.quota.period().saturating_mul(processes);
        let quota = Quota::new(self.quota.permits(), period).and_then(|q| q.try_with_burst(burst));
        let limiter = Limiter::token_bucket(quota.ok()?);
        if had_contact {
            let _ = limiter.check_n_at(burst, now);
        }
        Some(limiter)
    }

    /// Takes note that the store answers, and how many processes it counts.
    pub(crate) fn end(&self, holders: u32) {
        self.lock().lasting = None;
        if holders > 0 {
            self.holders.store(holders, Ordering::Relaxed);
        }
    }

    /// The permits of the window at `now` that were spent without a lease, and are not paid. A rate
    /// has none: one empty bucket accounts for all that was spent.
    pub(crate) fn owed(&self, now: Timestamp) -> u64 {
        self.lock().owed.as_ref().map_or(0, |owed| owed.at(now))
    }

    /// Pays with permits of a window that ends at `ends`, and returns how many. The rest is
    /// forgotten if the window has none left.
    pub(crate) fn pay(&self, permits: u32, ends: Timestamp, is_used_up: bool) -> u32 {
        let mut state = self.lock();
        let Some(owed) = &mut state.owed else { return 0 };
        let paid = owed.pay(permits, ends);
        if is_used_up {
            owed.forget();
        }
        paid
    }

    /// The permits that were spent without a lease, in all.
    pub(crate) fn spent(&self) -> u64 {
        self.shared() + self.allowed()
    }

    pub(crate) fn shared(&self) -> u64 {
        self.shared.load(Ordering::Relaxed)
    }

    pub(crate) fn allowed(&self) -> u64 {
        self.allowed.load(Ordering::Relaxed)
    }

    pub(crate) fn denied(&self) -> u64 {
        self.denied.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
