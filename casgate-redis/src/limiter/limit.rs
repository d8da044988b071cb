//! The fleet's limiter as any other. Where the store does not answer, the reason of a denial is
//! [`Unavailable`](casgate::Reason::Unavailable).

use super::FleetLimiter;
use casgate::clock::{Clock, SystemClock};
use casgate::{Admitted, Denied, Limit, LimitN, Snapshot, Timestamp};

/// May [block](FleetLimiter#what-a-decision-costs).
impl Limit for FleetLimiter {
    fn check(&self) -> Result<Admitted, Denied> {
        Ok(self.check_n(1)?)
    }

    /// As [`FleetLimiter::check_n_at`], whatever the timestamp: one that is older than now, or
    /// later, is taken for now.
    fn check_at(&self, _: Timestamp) -> Result<Admitted, Denied> {
        Ok(self.check_n_at(1, SystemClock.now())?)
    }

    fn peek(&self) -> Snapshot {
        self.peek()
    }

    fn peek_at(&self, now: Timestamp) -> Snapshot {
        self.shared.snapshot(now.max(SystemClock.now()))
    }
}

/// May [block](FleetLimiter#what-a-decision-costs).
impl LimitN for FleetLimiter {
    fn check_n(&self, n: u32) -> Result<Admitted, Denied> {
        Ok(self.check_n(n)?)
    }

    /// Decides at the present, whatever the timestamp: a lease is over when it is over, and not
    /// before.
    fn check_n_at(&self, n: u32, _: Timestamp) -> Result<Admitted, Denied> {
        Ok(self.check_n_at(n, SystemClock.now())?)
    }

    fn refund(&self, admitted: &Admitted) {
        self.refund(admitted);
    }

    fn charge(&self, n: u32) -> Result<Admitted, Denied> {
        self.charge(n);
        Ok(Admitted::new(n, SystemClock.now(), 0, self.peek()))
    }
}
