use crate::breaker::Breaker;
use crate::fleet::Handle;
use crate::holder::{Step, Trip};
use crate::limiter::{Miss, Shared};
use crate::protocol::Script;
use crate::quota::FleetQuota;
use crate::store::{Cause, StoreError};
use casgate::{Admitted, Timestamp};
use core::time::Duration;
use std::sync::Arc;

/// One process: its limit, and its refresher, which has one call under way at a time.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) limit: Arc<Shared>,
    handle: Arc<Handle>,
    breaker: Breaker,
    alarms: Vec<Timestamp>,
    /// The call under way: its number, and when it was sent.
    call: Option<(u64, Timestamp)>,
    pub(super) calls: u64,
    /// When the wait of the last denial is over, and the calls since that denial.
    denied_until: u64,
    calls_since: u64,
    /// The most calls within the wait of a denial.
    pub(super) most_calls_in_a_wait: u64,
    /// The waiters for a lease: for how many permits, since when.
    pub(super) waiting: Vec<(u32, Timestamp)>,
    /// How late its callers spend, by a timestamp that they took before: a bug, to see that it is
    /// found.
    pub(super) late: u64,
    /// When the simulation wakes it.
    wakes_at: u64,
    /// What its clock is ahead of the simulation's.
    offset: u64,
}

impl Process {
    pub(super) fn new(quota: &FleetQuota, offset: u64) -> Self {
        let handle = Handle::unattended();
        let limit = Arc::new(Shared::new("simulated", quota, Arc::clone(&handle)).unwrap());
        Self {
            limit,
            handle,
            breaker: Breaker::default(),
            alarms: Vec::new(),
            call: None,
            calls: 0,
            denied_until: 0,
            calls_since: 0,
            most_calls_in_a_wait: 0,
            waiting: Vec::new(),
            late: 0,
            wakes_at: 0,
            offset,
        }
    }

    /// One that is started in its place. Replies to calls of this one are none for it.
    pub(super) fn restarted(&self, quota: &FleetQuota) -> Self {
        Self { calls: self.calls, ..Self::new(quota, self.offset) }
    }

    pub(super) fn here(&self, now: u64) -> Timestamp {
        Timestamp::from_nanos(now + self.offset)
    }

    pub(super) fn there(&self, here: Timestamp) -> u64 {
        here.as_nanos().saturating_sub(self.offset)
    }

    pub(super) fn timeout(&self) -> Duration {
        self.limit.lifetime.max(Duration::from_millis(50))
    }

    /// A caller's first look: `None` if it waits.
    pub(super) fn ask(&mut self, permits: u32, now: u64) -> Option<Option<Admitted>> {
        let alive_at = self.here(now.saturating_sub(self.late));
        let here = self.here(now);
        let spent = self.limit.spend(permits, alive_at, here);
        match spent.map_or_else(|| self.limit.miss(permits, here), Ok) {
            Ok(admitted) => {
                self.denied_until = 0;
                Some(Some(admitted))
            }
            Err(Miss::Not(not)) => {
                if now >= self.denied_until {
                    let wait = not.retry_after().unwrap_or_default();
                    (self.denied_until, self.calls_since) = (now + wait.as_nanos() as u64, 0);
                }
                Some(None)
            }
            Err(Miss::Soon) => None,
        }
    }

    /// What the refresher does when it wakes: `Some` with the call that it sends.
    pub(super) fn wake(&mut self, now: u64) -> Option<(u64, Script, Vec<i64>)> {
        if self.call.is_some() {
            return None;
        }
        let here = self.here(now);
        let told = !self.handle.inbox().wait(Timestamp::ZERO).unwrap_or_default().is_empty();
        let (due, later) = self.alarms.iter().partition(|&&at| at <= here);
        self.alarms = later;
        let due: Vec<Timestamp> = due;
        let mut is_due = told;
        for at in due {
            is_due |= self.limit.take_alarm(at);
        }
        if !is_due {
            return None;
        }
        let is_probe = self.breaker.is_open();
        if is_probe && here < self.breaker.until() {
            self.look_at(self.breaker.until());
            return None;
        }
        match self.limit.look(here, is_probe) {
            Step::Ask { script, arguments } => {
                if is_probe {
                    self.handle.inbox().expect_at(here + self.timeout());
                }
                self.calls += 1;
                if now < self.denied_until {
                    self.calls_since += 1;
                    self.most_calls_in_a_wait = self.most_calls_in_a_wait.max(self.calls_since);
                }
                self.call = Some((self.calls, here));
                Some((self.calls, script, arguments))
            }
            Step::LookAt(at) => {
                self.look_at(at);
                None
            }
            Step::Rest => None,
        }
    }

    /// When it wakes by itself. While a call is under way, it does not.
    pub(super) fn next_alarm(&self) -> Option<Timestamp> {
        self.alarms.iter().min().copied().filter(|_| self.call.is_none())
    }

    /// Whether the simulation must wake it at that instant: it will not before.
    pub(super) fn is_to_wake(&mut self, at: u64, now: u64) -> bool {
        let is_news = self.wakes_at <= now || at < self.wakes_at;
        if is_news {
            self.wakes_at = at;
        }
        is_news
    }

    fn look_at(&mut self, at: Timestamp) {
        if self.limit.set_alarm(at) {
            self.alarms.push(at);
        }
    }

    /// Whether that call is still under way.
    pub(super) fn expects(&self, call: u64) -> bool {
        self.call.is_some_and(|(number, _)| number == call)
    }

    pub(super) fn settle(&mut self, reply: &[i64], now: u64, random: f64) {
        let (_, sent) = self.call.take().expect("a call under way");
        let trip = Trip { sent, received: self.here(now), random };
        let at = self.limit.settle(reply, trip).expect("a reply of the server");
        self.look_at(at);
        self.breaker.succeed();
        self.handle.inbox().tell(true, None, Timestamp::ZERO);
    }

    pub(super) fn fail(&mut self, now: u64, random: f64) {
        self.call = None;
        let most = self.timeout().min(Duration::from_millis(500));
        self.breaker.fail(self.here(now), most, random);
        let until = self.breaker.until();
        self.limit.fail(until);
        self.look_at(until);
        self.handle.inbox().tell(false, Some(StoreError::new(Cause::Timeout, "")), until);
    }
}
