use crate::model::World;
use crate::wrong::Wrong;
use casgate::Quota;
use casgate_redis::protocol::{LeaseQuota, StateLoss};
use explorer::{Expected, Outcome};
use std::time::Duration;

/// A search: so many holders, a quota, what may happen to the server, and a fault.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) holders: usize,
    /// So many permits in so many microseconds.
    pub(crate) permits: u16,
    pub(crate) period: u16,
    pub(crate) burst: u16,
    /// Of a lease, in microseconds.
    pub(crate) lifetime: u16,
    pub(crate) quota: LeaseQuota,
    /// How finely time is divided, in parts of a microsecond: the server's clock rounds down.
    pub(crate) parts: u8,
    /// What can happen to the server, and how often in all.
    pub(crate) events: u8,
    pub(crate) clock_step: i8,
    pub(crate) fails_over: bool,
    pub(crate) loses: bool,
    /// Holders crash and start again.
    pub(crate) crashes: bool,
    /// Whether a failover may add what it lost. It adds nothing if the only holder carries its TAT.
    pub(crate) excess: bool,
    pub(crate) wrong: Wrong,
    property: Option<&'static str>,
}

impl Run {
    pub(crate) fn of(name: &str, holders: usize) -> Self {
        Self {
            name: format!("{name}, {holders} holder{}", if holders == 1 { "" } else { "s" }),
            holders,
            permits: 1,
            period: 1,
            burst: 4,
            lifetime: 2,
            quota: quota(1, 1, 4, 2),
            parts: 2,
            events: 0,
            clock_step: 0,
            fails_over: false,
            loses: false,
            crashes: true,
            excess: true,
            wrong: Wrong::Nothing,
            property: None,
        }
    }

    pub(crate) fn rate(mut self, permits: u16, period: u16, burst: u16, lifetime: u16) -> Self {
        (self.permits, self.period) = (permits, period);
        (self.burst, self.lifetime) = (burst, lifetime);
        self.name += &format!(", burst {burst}");
        self.quota = quota(permits, period, burst, lifetime);
        self
    }

    pub(crate) fn parts(mut self, parts: u8) -> Self {
        self.parts = parts;
        self
    }

    /// A part of a microsecond, in nanoseconds.
    pub(crate) fn part(&self) -> u64 {
        1_000 / u64::from(self.parts)
    }

    pub(crate) fn clock_steps(mut self, by: i8) -> Self {
        (self.clock_step, self.events) = (by, 1);
        self
    }

    pub(crate) fn fails_over(mut self) -> Self {
        (self.fails_over, self.events) = (true, 1);
        self
    }

    pub(crate) fn loses(mut self, state_loss: StateLoss) -> Self {
        (self.loses, self.events) = (true, 1);
        self.quota = self.quota.on_state_loss(state_loss);
        self
    }

    pub(crate) fn twice(mut self) -> Self {
        self.events = 2;
        self
    }

    pub(crate) fn without_crashes(mut self) -> Self {
        self.crashes = false;
        self
    }

    pub(crate) fn without_excess(mut self) -> Self {
        self.excess = false;
        self
    }

    /// Puts a fault in, which must fail the property.
    pub(crate) fn with(mut self, wrong: Wrong, property: &'static str) -> Self {
        self.name = format!("wrong, {wrong:?}: {}", self.name);
        (self.wrong, self.property) = (wrong, Some(property));
        if wrong == Wrong::WholeBurst {
            let refilled = (self.permits * self.lifetime).div_ceil(self.period);
            let state_loss = self.quota.state_loss();
            let whole = quota(self.permits, self.period, self.burst + refilled, self.lifetime);
            self.quota = whole.on_state_loss(state_loss);
        }
        self
    }

    /// The permits that an interval of no length may have.
    pub(crate) fn bound(&self) -> u16 {
        self.burst - u16::from(self.wrong == Wrong::BoundLessByOne)
    }

    /// What one permit costs, in whole microseconds.
    pub(crate) fn permit_micros(&self) -> u8 {
        self.period.div_ceil(self.permits) as u8
    }
}

impl explorer::Run for Run {
    fn name(&self) -> &str {
        &self.name
    }

    fn expected(&self) -> Expected {
        self.property.map_or(Expected::Holds, Expected::FailsBy)
    }

    fn search(&self, limit: Duration) -> Outcome {
        explorer::breadth_first(World { run: self.clone() }, limit)
    }
}

fn quota(permits: u16, period: u16, burst: u16, lifetime: u16) -> LeaseQuota {
    let micros = |n: u16| Duration::from_micros(n.into());
    let quota = Quota::new(permits.into(), micros(period)).expect("a rate");
    LeaseQuota::new(quota.with_burst(burst.into()), micros(lifetime)).expect("a burst to lease")
}
