use super::{MILLI, SECOND};
use crate::protocol::{
    LeaseQuota, Request, Returned, Script, ServerTime, State, WindowQuota, WindowRequest,
    WindowState,
};
use casgate::Quota;
use core::time::Duration;
use fastrand::Rng;

/// A server with one limit, by the functions of the protocol.
#[derive(Debug)]
pub(super) struct Server {
    quota: Quota,
    lifetime: Duration,
    rate: Option<State>,
    window: Option<WindowState>,
    /// What its clock is ahead of the simulation's, in microseconds.
    pub(super) offset: u64,
}

impl Server {
    pub(super) fn new(quota: Quota, lifetime: Duration, offset: u64) -> Self {
        Self { quota, lifetime, rate: None, window: None, offset }
    }

    /// Its clock.
    pub(super) fn micros(&self, now: u64) -> u64 {
        now / 1_000 + self.offset
    }

    /// Forgets all.
    pub(super) fn lose(&mut self) {
        (self.rate, self.window) = (None, None);
    }

    /// Runs a script, and replies.
    pub(super) fn run(&mut self, script: Script, arguments: &[i64], now: u64) -> Vec<i64> {
        let time = ServerTime::from_micros(self.micros(now));
        if script == Script::LEASE {
            let quota = LeaseQuota::new(self.quota, self.lifetime).unwrap();
            let request = lease_request(arguments);
            assert_eq!(request.arguments(&quota), arguments);
            let (state, grant) = State::grant(self.rate, &quota, &request, time);
            self.rate = Some(state);
            vec![
                grant.permits.into(),
                grant.tat.as_micros() as i64,
                grant.now.as_micros() as i64,
                grant.epoch as i64,
                grant.holders.into(),
                grant.state_missing.into(),
            ]
        } else {
            let quota = WindowQuota::new(self.quota).unwrap();
            let request = window_request(arguments);
            let (state, grant) = WindowState::grant(self.window.take(), &quota, &request, time);
            self.window = Some(state);
            let ends_in = grant.ends_in.as_micros() as i64;
            vec![grant.permits.into(), grant.window as i64, ends_in, grant.left.into()]
        }
    }
}

fn lease_request(arguments: &[i64]) -> Request {
    let [want, least, carried, counted] = arguments[9..] else { panic!("{arguments:?}") };
    let request = Request::new(want as u32)
        .at_least(least as u32)
        .carrying(ServerTime::from_micros(carried as u64));
    if counted >= 0 { request.counted_in(counted as u64) } else { request }
}

fn window_request(arguments: &[i64]) -> WindowRequest {
    let &[_, _, want, holders, holder, permits, window, sequence, least] = arguments else {
        panic!("{arguments:?}")
    };
    let request =
        WindowRequest::new(want as u32, holder as u64).among(holders as u32).at_least(least as u32);
    if permits == 0 {
        return request;
    }
    request.returning(Returned {
        permits: permits as u32,
        window: window as u64,
        sequence: sequence as u64,
    })
}

/// The way between a process and the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Net {
    /// The longest time of one direction, for most.
    pub(super) delay: u64,
    /// How many of a thousand requests are lost, and as many replies.
    pub(super) lost: u32,
    /// How many of a thousand directions take up to 1.5 s.
    pub(super) late: u32,
    /// How many of a thousand requests run twice.
    pub(super) twice: u32,
}

impl Net {
    pub(super) const GOOD: Self = Self { delay: MILLI, lost: 0, late: 0, twice: 0 };
    pub(super) const BAD: Self = Self { delay: 5 * MILLI, lost: 20, late: 20, twice: 50 };

    /// One direction, or `None` if it is lost.
    pub(super) fn way(&self, rng: &mut Rng) -> Option<u64> {
        if rng.u32(..1_000) < self.lost {
            return None;
        }
        let most = if rng.u32(..1_000) < self.late { 3 * SECOND / 2 } else { self.delay };
        Some(rng.u64(1_000..=most))
    }

    pub(super) fn runs_twice(&self, rng: &mut Rng) -> bool {
        rng.u32(..1_000) < self.twice
    }
}
