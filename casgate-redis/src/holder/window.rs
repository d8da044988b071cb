use super::size::Size;
use super::{Holder, Look, Reply, Step, Trip, Wanted, has_room, merge, not_before, unserved};
use crate::protocol::{ReplyError, Returned, Script, WindowGrant, WindowQuota, WindowRequest};
use crate::standing::Standing;
use casgate::Timestamp;
use core::time::Duration;

/// A holder of leases in windows.
#[derive(Debug)]
pub(crate) struct Window {
    quota: WindowQuota,
    lifetime: Duration,
    size: Size,
    wanted: Option<Wanted>,
    /// What was asked for last.
    asked: u32,
    /// And how few were of use.
    least: u32,
    /// This holder, by a random number.
    holder: u64,
    /// The window of the leases.
    window: u64,
    /// The permits of that window that are to be returned.
    unspent: u32,
    /// What was sent without a reply yet. It is sent again as it is.
    returning: Option<Returned>,
    returns: u64,
    not_before: Timestamp,
    /// And that is for requests of so many permits or more.
    denied_from: u32,
    is_full: bool,
}

impl Window {
    /// `holder` is random.
    pub(crate) fn new(quota: WindowQuota, lifetime: Duration, holder: u64) -> Self {
        let permits = quota.quota().permits();
        let size = Size::new(1, permits.div_ceil(2), lifetime);
        Self {
            quota,
            lifetime,
            size,
            wanted: None,
            asked: 0,
            least: 0,
            holder,
            window: 0,
            unspent: 0,
            returning: None,
            returns: 0,
            not_before: Timestamp::ZERO,
            denied_from: 1,
            is_full: true,
        }
    }
}

impl Holder for Window {
    fn look(&mut self, look: &Look) -> Step {
        self.wanted = merge(self.wanted, look.wanted);
        if self.returning.is_none() && self.unspent > 0 {
            self.returns += 1;
            self.returning = Some(Returned {
                permits: core::mem::take(&mut self.unspent),
                window: self.window,
                sequence: self.returns,
            });
        }
        let unserved = unserved(look.left, self.wanted);
        let is_owing = look.debt > 0;
        let is_needed = is_owing || unserved.is_some();
        let is_idle = self.size.is_idle(look.stock, look.now);
        let is_wanted = is_owing || has_room(look.left, unserved) && (is_needed || !is_idle);
        if !is_wanted {
            self.wanted = unserved;
        }
        let is_smaller = unserved.is_some_and(|wanted| wanted.least < self.denied_from);
        let is_early = look.now < self.not_before && !is_smaller;
        // By then all leases are over that live now, and what they have left is returned.
        let returned_at = (look.stock > 0).then(|| look.now + self.lifetime);
        if is_early && is_wanted && self.returning.is_none() {
            let at = returned_at.map_or(self.not_before, |at| at.min(self.not_before));
            return Step::LookAt(at);
        }
        self.asked = if !is_wanted || is_early {
            0
        } else {
            self.wanted = None;
            let wanted = unserved.unwrap_or(Wanted { least: 1, most: 1 });
            // Any permit pays a part of a debt.
            self.least = if is_owing { 1 } else { wanted.least };
            let size =
                self.size.next(look.stock, look.now, unserved.map_or(0, |wanted| wanted.most));
            if look.probing { wanted.least } else { size.max(wanted.most).max(look.debt) }
        };
        if self.asked == 0 && self.returning.is_none() {
            return returned_at.map_or(Step::Rest, Step::LookAt);
        }
        let mut request = WindowRequest::new(self.asked, self.holder);
        if self.asked > 0 {
            request = request.at_least(self.least);
        }
        if let Some(returned) = self.returning {
            request = request.returning(returned);
        }
        let arguments = request.arguments(&self.quota).map(|n| n as i64); // all below 2⁵³
        Step::Ask { script: Script::WINDOW, arguments: arguments.to_vec() }
    }

    fn settle(&mut self, reply: &[i64], trip: Trip) -> Result<Reply, ReplyError> {
        let grant = WindowGrant::from_reply(reply)?;
        self.returning = None;
        let is_new_window = grant.window != self.window;
        if is_new_window {
            (self.window, self.unspent) = (grant.window, 0);
        }
        let window_ends = grant.lease(trip.sent).ends();
        let ends = window_ends.min(trip.sent + self.lifetime);
        self.is_full = grant.permits >= self.asked;
        // Else it has some: too few for this request, or half of them are granted at a time.
        let is_used_up = self.asked > 0 && grant.permits == 0 && grant.left == 0;
        let (standing, look_at) = if self.asked == 0 {
            // It has some again: at least those that were returned by this call.
            if grant.left > 0 {
                self.not_before = Timestamp::ZERO;
            }
            let denied = trip.received < self.not_before;
            let standing =
                if denied { Standing::Denied { until: self.not_before } } else { Standing::Ask };
            (standing, ends)
        } else if self.is_full {
            self.not_before = Timestamp::ZERO;
            (Standing::Ask, ends)
        } else {
            self.denied_from = if grant.permits == 0 { grant.left.saturating_add(1) } else { 1 };
            let retry = if is_used_up { grant.ends_in } else { Duration::ZERO };
            self.not_before = not_before(trip.received, retry, self.lifetime, trip.random);
            (Standing::Denied { until: self.not_before }, self.not_before.min(ends))
        };
        Ok(Reply {
            permits: grant.permits,
            least: self.least,
            denied_from: self.denied_from,
            soonest: self.not_before, // nothing refills before
            ends,
            standing,
            look_at,
            holders: 0,
            full_at: window_ends,
            lost: false,
            is_used_up,
            is_new_window,
        })
    }

    fn count(&mut self, stock: u64, now: Timestamp) {
        self.size.count(stock, now, self.is_full);
    }

    fn returns(&self) -> bool {
        true
    }

    /// They are of the window of the last reply: leases of one before it were over when that came.
    fn take_back(&mut self, permits: u32) {
        self.unspent = self.unspent.saturating_add(permits);
        self.size.forget(permits);
    }
}
