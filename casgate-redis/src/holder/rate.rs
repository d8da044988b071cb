use super::size::Size;
use super::{Holder, Look, Reply, Step, Trip, Wanted, has_room, merge, not_before, unserved};
use crate::protocol::{Grant, LeaseQuota, ReplyError, Request, Script, ServerTime};
use crate::standing::Standing;
use casgate::Timestamp;
use core::time::Duration;

/// A holder of leases at a rate.
#[derive(Debug)]
pub(crate) struct Rate {
    quota: LeaseQuota,
    size: Size,
    wanted: Option<Wanted>,
    /// What was asked for last.
    asked: Request,
    /// The last reply, and when its request was sent.
    last: Option<(Grant, Timestamp)>,
    not_before: Timestamp,
    /// And that is for requests of so many permits or more.
    denied_from: u32,
    /// The same for requests of fewer permits, if those have refilled by then.
    soonest: Timestamp,
    received: Timestamp,
}

impl Rate {
    pub(crate) fn new(quota: LeaseQuota) -> Self {
        // Half of the burst, so that two processes can start at once.
        let size = Size::new(quota.fair(), quota.burst().div_ceil(2), quota.lifetime());
        Self {
            quota,
            size,
            wanted: None,
            asked: Request::new(0),
            last: None,
            not_before: Timestamp::ZERO,
            denied_from: 1,
            soonest: Timestamp::ZERO,
            received: Timestamp::ZERO,
        }
    }

    /// The instant from which on a request is sent that is for so many permits at least.
    fn not_before(&self, least: u32) -> Timestamp {
        if least < self.denied_from {
            return Timestamp::ZERO;
        }
        let retry = self.last.and_then(|(grant, _)| grant.retry_after(&self.quota, least));
        let refilled = retry.map_or(self.not_before, |retry| self.received + retry);
        refilled.max(self.soonest).min(self.not_before)
    }
}

impl Holder for Rate {
    fn look(&mut self, look: &Look) -> Step {
        self.wanted = merge(self.wanted, look.wanted);
        let unserved = unserved(look.left, self.wanted);
        let is_owing = look.debt > 0 || look.overspent;
        let is_needed = is_owing || unserved.is_some();
        let is_idle = self.size.is_idle(look.stock, look.now);
        if !is_owing && !has_room(look.left, unserved) || !is_needed && is_idle {
            self.wanted = unserved;
            return Step::Rest;
        }
        let not_before = unserved.map_or(self.not_before, |wanted| self.not_before(wanted.least));
        if look.now < not_before {
            return Step::LookAt(not_before);
        }
        self.wanted = None;
        let wanted = unserved.unwrap_or(Wanted { least: 1, most: 1 });
        let want = if look.probing {
            wanted.least
        } else {
            self.size
                .next(look.stock, look.now, unserved.map_or(0, |wanted| wanted.most))
                .max(wanted.most)
                .max(look.debt)
        };
        let mut request = self.last.map_or(Request::new(0), |(grant, _)| grant.next(0));
        if look.overspent {
            request = request.carrying(ServerTime::MAX);
        }
        self.asked = request.wanting(want.min(self.quota.burst())).at_least(wanted.least);
        Step::Ask { script: Script::LEASE, arguments: self.asked.arguments(&self.quota).to_vec() }
    }

    fn settle(&mut self, reply: &[i64], trip: Trip) -> Result<Reply, ReplyError> {
        let grant = Grant::from_reply(reply)?;
        let lifetime = self.quota.lifetime();
        let is_short = grant.permits < self.asked.want();
        let ends = grant.lease(trip.sent, &self.quota).ends();
        let (standing, look_at) = if is_short {
            let retry = grant.retry_after(&self.quota, self.asked.least()).unwrap_or_default();
            let after = |retry| not_before(trip.received, retry, lifetime, trip.random);
            (self.soonest, self.not_before) = (after(Duration::ZERO), after(retry));
            (Standing::Denied { until: self.not_before }, self.not_before)
        } else {
            self.not_before = Timestamp::ZERO;
            (Standing::Ask, ends - lifetime / 4)
        };
        self.denied_from = if grant.permits == 0 {
            self.asked.least().min(grant.left(&self.quota).saturating_add(1))
        } else {
            1
        };
        self.received = trip.received;
        // The server keeps a state for two epochs at least, which are four lifetimes.
        let lost = grant.state_missing
            && self.last.is_some_and(|(_, at)| trip.received - at < 4 * lifetime);
        self.last = Some((grant, trip.sent));
        Ok(Reply {
            permits: grant.permits,
            least: self.asked.least(),
            denied_from: self.denied_from,
            soonest: self.soonest,
            ends,
            standing,
            look_at,
            holders: grant.holders,
            full_at: trip.received + grant.tat.since(grant.now),
            lost,
            is_used_up: false,
            is_new_window: false,
        })
    }

    fn count(&mut self, stock: u64, now: Timestamp) {
        let is_full = self.not_before == Timestamp::ZERO;
        self.size.count(stock, now, is_full);
    }

    fn returns(&self) -> bool {
        false
    }

    fn take_back(&mut self, _: u32) {}
}
