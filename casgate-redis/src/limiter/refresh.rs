//! A limit as the refresher sees it.

use super::shared::{SOONEST, Shared};
use crate::breaker::Breaker;
use crate::holder::{Holder, Look, Step, Trip};
use crate::protocol::ReplyError;
use crate::standing::Standing;
use crate::stock::Word;
use casgate::Timestamp;
use core::time::Duration;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

/// What the refresher alone uses.
#[derive(Debug)]
pub(super) struct Mind {
    holder: Box<dyn Holder>,
    /// The permits spent without a lease that a reply accounts for, and those that the request
    /// under way does.
    accounted: u64,
    accounting: u64,
    /// Whether a request is under way.
    is_asked: bool,
    /// When the store may be asked again, if it failed for this limit.
    retry_at: Timestamp,
    breaker: Breaker,
    /// When the refresher looks by itself: later alarms need not be set, and earlier ones count no
    /// more.
    alarm: Timestamp,
}

impl Mind {
    pub(super) fn new(holder: Box<dyn Holder>) -> Self {
        Self {
            holder,
            accounted: 0,
            accounting: 0,
            is_asked: false,
            retry_at: Timestamp::ZERO,
            breaker: Breaker::default(),
            alarm: Timestamp::ZERO,
        }
    }

    /// Whether no reply accounts for all of the permits that were spent without a lease: so many so
    /// far. Of a window they are outstanding instead, and leases pay for them.
    fn is_overspent(&self, spent: u64) -> bool {
        !self.holder.returns() && spent > self.accounted
    }
}

impl Shared {
    /// Decides whether to ask the store. `probing`: the store has failed.
    pub(crate) fn look(&self, now: Timestamp, probing: bool) -> Step {
        let mut mind = self.mind();
        if now < mind.retry_at {
            // The bell has rung: until then nobody need ring.
            return Step::LookAt(mind.retry_at);
        }
        let wanted = self.bell.hear();
        if mind.is_asked {
            // For the look after the reply.
            for permits in wanted.into_iter().flat_map(|wanted| [wanted.least, wanted.most]) {
                self.bell.note(permits);
            }
            return Step::Rest;
        }
        self.take_back(&mut mind, now);
        let spent = self.outage.spent();
        let look = Look {
            now,
            left: self.stock.left(now),
            stock: self.stock.permits(),
            wanted,
            debt: self.owed(now).try_into().unwrap_or(u32::MAX),
            overspent: mind.is_overspent(spent),
            probing,
        };
        let step = mind.holder.look(&look);
        if matches!(step, Step::Ask { .. }) {
            mind.accounting = spent;
            mind.is_asked = true;
            self.counts.calls.fetch_add(1, Ordering::Relaxed);
        }
        step
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Takes the lease of a reply, and returns when to look again.
    pub(crate) fn settle(&self, reply: &[i64], trip: Trip) -> Result<Timestamp, ReplyError> {
        let mut mind = self.mind();
        // Before the reply, which may be of a later window, and before its lease, which may take the place of those.
        self.take_back(&mut mind, trip.received);
        let reply = mind.holder.settle(reply, trip)?;
        if reply.is_new_window {
            self.stock.take_over(Timestamp::MAX);
        }
        mind.accounted = mind.accounting;
        mind.is_asked = false;
        (mind.retry_at, mind.breaker) = (Timestamp::ZERO, Breaker::default());
        self.counts.leased.fetch_add(reply.permits.into(), Ordering::Relaxed);
        self.counts.losses.fetch_add(reply.lost.into(), Ordering::Relaxed);
        self.full_at.store(reply.full_at.as_nanos(), Ordering::Relaxed);
        let of_outage = self.outage.pay(reply.permits, reply.full_at, reply.is_used_up);
        let lease = Word::new(self.pay(reply.permits - of_outage), reply.ends);
        let [a, b] = self.stock.left(trip.received);
        let unspent = self.stock.put(lease, trip.received);
        mind.holder.take_back(unspent);
        // Callers may have spent of the lease by now. The holder is to see that they did.
        let stock = u64::from(a.max(b)) + u64::from(a.min(b).max(lease.left(trip.received)));
        mind.holder.count(stock.max(self.stock.permits()), trip.received);
        self.answered_at.store(trip.sent.as_nanos(), Ordering::Relaxed);
        self.least.store(reply.least, Ordering::Relaxed);
        self.denied_from.store(reply.denied_from, Ordering::Relaxed);
        // Who comes back then finds the lease that is asked for at that instant.
        let until = |at| at + (trip.received - trip.sent).min(self.lifetime / 4) + SOONEST;
        self.soonest.store(until(reply.soonest).as_nanos(), Ordering::Relaxed);
        let standing = match reply.standing {
            Standing::Denied { until: at } => Standing::Denied { until: until(at) },
            standing => standing,
        };
        self.standing.store(standing.bits(), Ordering::Relaxed);
        // After the standing, by which callers decide alone: a decision in between would begin an outage that lasts.
        self.outage.end(reply.holders);
        self.refreshed.notify(usize::MAX);
        // Of a window others are granted what this process owes, until it is paid.
        let is_owing = mind.holder.returns() && self.owed(trip.received) > 0;
        let is_denied = matches!(standing, Standing::Denied { .. });
        Ok(if is_owing && !is_denied { trip.received } else { reply.look_at })
    }

    /// Takes note that the store failed, and is asked again at that instant.
    pub(crate) fn fail(&self, until: Timestamp) {
        let mut mind = self.mind();
        (mind.is_asked, mind.retry_at) = (false, until);
        drop(mind);
        self.counts.failures.fetch_add(1, Ordering::Relaxed);
        self.standing.store(Standing::Down { until }.bits(), Ordering::Relaxed);
        self.refreshed.notify(usize::MAX);
    }

    /// Takes note that the store failed for this limit alone, and returns when it is asked again.
    pub(crate) fn fail_alone(&self, now: Timestamp, longest: Duration, random: f64) -> Timestamp {
        let until = {
            let breaker = &mut self.mind().breaker;
            breaker.fail(now, longest, random);
            breaker.until()
        };
        self.fail(until);
        until
    }

    /// Returns whether an alarm at that instant is news: another one before it would do.
    pub(crate) fn set_alarm(&self, at: Timestamp) -> bool {
        let mut mind = self.mind();
        let is_news = mind.alarm == Timestamp::ZERO || at < mind.alarm;
        if is_news {
            mind.alarm = at;
        }
        is_news
    }

    /// Returns whether the alarm at that instant still counts.
    pub(crate) fn has_alarm(&self, at: Timestamp) -> bool {
        self.mind().alarm == at
    }

    /// Returns whether the alarm at that instant still counts, and takes it away.
    pub(crate) fn take_alarm(&self, at: Timestamp) -> bool {
        let mut mind = self.mind();
        let counts = mind.alarm == at;
        if counts {
            mind.alarm = Timestamp::ZERO;
        }
        counts
    }

    /// Pays charged permits with leased ones, and returns those that are left.
    fn pay(&self, permits: u32) -> u32 {
        let paid = |debt: u64| debt.min(permits.into());
        let pays = |debt| Some(debt - paid(debt));
        let debt = self.debt.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pays);
        permits - debt.map_or(0, |debt| paid(debt) as u32)
    }

    /// Takes back what is left of leases that are over, if it is returned.
    fn take_back(&self, mind: &mut Mind, now: Timestamp) {
        if mind.holder.returns() {
            mind.holder.take_back(self.stock.take_over(now));
        }
    }

    /// The outstanding permits, at `now`: those that were charged, and those of an outage.
    fn owed(&self, now: Timestamp) -> u64 {
        self.debt.load(Ordering::Relaxed).saturating_add(self.outage.owed(now))
    }

    /// Whether forgetting this limit would forget permits that were spent.
    pub(crate) fn is_owing(&self, now: Timestamp) -> bool {
        let mind = self.mind();
        self.owed(now) > 0 || mind.is_overspent(self.outage.spent())
    }

    fn mind(&self) -> MutexGuard<'_, Mind> {
        self.mind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
