use crate::stage::Stage;
use std::time::Duration;

/// A scenario: a fleet, what goes wrong, and what is expected then.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// The claim that it checks, or what goes wrong.
    pub(crate) source: &'static str,
    pub(crate) terms: Terms,
    /// One worker each.
    pub(crate) demands: &'static [&'static str],
    /// Further arguments of the workers.
    pub(crate) flags: &'static [&'static str],
    pub(crate) network: Network,
    pub(crate) lasts: Duration,
    pub(crate) fault: fn(&mut Stage),
    pub(crate) expected: Expected,
    /// The fault of the workers themselves.
    pub(crate) wrong: Option<&'static str>,
    /// Whether it takes too long to run by default.
    pub(crate) is_long: bool,
}

/// The quota.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Permits per second.
    pub(crate) rate: u32,
    pub(crate) burst: u32,
    /// The lifetime of a lease.
    pub(crate) lease: Duration,
}

/// Which servers there are, and what leads to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// Workers connect to the server itself.
    Plain,
    /// A link for each worker.
    Linked,
    /// As linked, and there is a replica, behind a link of its own.
    Replicated,
    /// As linked, and the server's clock can be stepped.
    Clock,
}

/// What holds of the fleet, besides what always does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// Permits beyond the bound, in intervals that touch the fault.
    pub(crate) more: More,
    /// After it, the fleet has its rate again.
    pub(crate) is_live: bool,
    /// After it, all workers have the same share.
    pub(crate) is_fair: bool,
    /// Workers have what they ask for.
    pub(crate) is_served: bool,
    /// Workers are told that the limit is unavailable, for that reason.
    pub(crate) cause: Option<&'static str>,
    /// Permits are admitted without a store.
    pub(crate) alone: Alone,
    /// A worker is stopped itself, so its decisions may last.
    pub(crate) stalls: bool,
    /// It is a limit for each second by the server's clock, in place of a rate.
    pub(crate) is_windows: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum More {
    Nothing,
    /// The server's burst.
    Burst,
    /// What the fleet refills in that time, but no more than the server's burst.
    Refill(Duration),
    /// What a second primary grants in that time, or for as long as the fault lasts: the server's burst, and what
    /// refills.
    Primary(Option<Duration>),
    /// What so many times the rate refills, for as long as the fault lasts, and the server's burst.
    Rate(f64),
    /// There is no bound.
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alone {
    Nothing,
    Shared,
    Allowed,
}

impl Terms {
    /// What the server can grant at one moment.
    pub(crate) fn server_burst(&self) -> u64 {
        u64::from(self.burst) - self.refill(self.lease)
    }

    /// What refills in that time, rounded up.
    pub(crate) fn refill(&self, time: Duration) -> u64 {
        (f64::from(self.rate) * time.as_secs_f64()).ceil() as u64
    }
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Row {
    /// A row of four workers that ask for far more than there is, without a fault.
    pub(crate) fn new(name: &'static str, source: &'static str) -> Self {
        Self {
            name,
            source,
            terms: Terms { rate: 400, burst: 300, lease: millis(100) },
            demands: &["2000", "1500", "1000", "100"],
            flags: &[],
            network: Network::Plain,
            lasts: millis(3_500),
            fault: |_| {},
            expected: Expected {
                more: More::Nothing,
                is_live: true,
                is_fair: false,
                is_served: false,
                cause: None,
                alone: Alone::Nothing,
                stalls: false,
                is_windows: false,
            },
            wrong: None,
            is_long: false,
        }
    }

    /// Starts empty after a loss. The server's burst refills, and is spent at 1.3 s: a second one would be an excess.
    pub(crate) fn starting_empty(self) -> Self {
        self.flags(&["--start-empty"]).lasts(4_500).demands(&[
            "20@1300,2000",
            "20@1300,1500",
            "10@1300,1000",
            "10@1300,100",
        ])
    }

    pub(crate) fn terms(mut self, rate: u32, burst: u32, lease: Duration) -> Self {
        self.terms = Terms { rate, burst, lease };
        self
    }

    pub(crate) fn demands(mut self, demands: &'static [&'static str]) -> Self {
        self.demands = demands;
        self
    }

    pub(crate) fn flags(mut self, flags: &'static [&'static str]) -> Self {
        self.flags = flags;
        self
    }

    pub(crate) fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    pub(crate) fn lasts(mut self, lasts: u64) -> Self {
        self.lasts = millis(lasts);
        self
    }

    /// Too long to run by default.
    pub(crate) fn long(mut self) -> Self {
        self.is_long = true;
        self
    }

    pub(crate) fn fault(mut self, fault: fn(&mut Stage)) -> Self {
        self.fault = fault;
        self
    }

    pub(crate) fn expect(mut self, change: impl FnOnce(&mut Expected)) -> Self {
        change(&mut self.expected);
        self
    }

    /// The row for workers with a fault of their own.
    pub(crate) fn wrong(mut self, name: &'static str, wrong: &'static str) -> Self {
        (self.name, self.wrong) = (name, Some(wrong));
        self
    }
}
