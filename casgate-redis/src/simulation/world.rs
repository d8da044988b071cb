use super::{Net, Process, SECOND, Server};
use crate::protocol::Script;
use crate::quota::FleetQuota;
use core::cmp::Reverse;
use fastrand::Rng;
use std::collections::BinaryHeap;

/// What one process is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    /// Requests per second, at random instants.
    pub(super) per_second: f64,
    /// The most permits of one.
    pub(super) permits: u32,
    /// When it begins and ends.
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Demand {
    pub(super) const fn steady(per_second: f64) -> Self {
        Self { per_second, permits: 1, from: 0, to: u64::MAX }
    }
}

/// What happens, and to which process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A request, of that demand.
    Request(usize, usize),
    /// The refresher may have something to do.
    Wake(usize),
    /// The server runs a call, whose reply takes so long, if it is not lost.
    Run(usize, u64, Call, Option<u64>),
    Reply(usize, u64, Vec<i64>),
    Timeout(usize, u64),
    /// Callers have waited for long enough.
    GiveUp(usize),
    /// The server forgets all.
    Lose,
    /// All processes are killed, and start again.
    Restart,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Call {
    is_lease: bool,
    arguments: Vec<i64>,
}

/// A fleet.
#[derive(Debug)]
pub(super) struct World {
    quota: FleetQuota,
    pub(super) processes: Vec<Process>,
    server: Server,
    net: Net,
    /// When the server neither gets nor sends anything.
    outage: core::ops::Range<u64>,
    demands: Vec<Demand>,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    count: u64,
    rng: Rng,
    report: Report,
}

/// What came of it, in order.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The permits that all spent, and each.
    pub(super) spent: Vec<(u64, u32)>,
    pub(super) each: Vec<Vec<(u64, u32)>>,
    /// The instants of the calls of each.
    pub(super) calls: Vec<Vec<u64>>,
    /// The most calls of a process within the wait of a denial.
    pub(super) most_calls_in_a_wait: u64,
    /// The permits that were leased, in all.
    pub(super) leased: u64,
    /// The permits that were asked for.
    pub(super) asked: u64,
    /// What the server's clock is ahead, in nanoseconds.
    pub(super) offset: u64,
}

impl World {
    pub(super) fn new(quota: &FleetQuota, processes: usize, net: Net, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let server = Server::new(quota.quota(), quota.get_lifetime(), rng.u64(1 << 50..1 << 51));
        let processes: Vec<_> =
            (0..processes).map(|_| Process::new(quota, rng.u64(SECOND..1 << 55))).collect();
        let empty = vec![Vec::new(); processes.len()];
        let report = Report {
            each: empty,
            calls: vec![Vec::new(); processes.len()],
            offset: server.offset * 1_000,
            ..Report::default()
        };
        Self {
            quota: quota.clone(),
            processes,
            server,
            net,
            outage: 0..0,
            demands: Vec::new(),
            events: BinaryHeap::new(),
            count: 0,
            rng,
            report,
        }
    }

    /// Every process is asked so.
    pub(super) fn all(mut self, demand: Demand) -> Self {
        for process in 0..self.processes.len() {
            self = self.one(process, demand);
        }
        self
    }

    /// One process is asked so besides.
    pub(super) fn one(mut self, process: usize, demand: Demand) -> Self {
        self.demands.push(demand);
        let first = demand.from + self.pause(demand);
        self.at(first, Event::Request(process, self.demands.len() - 1));
        self
    }

    /// The server neither gets nor sends anything then.
    pub(super) fn without_server(mut self, outage: core::ops::Range<u64>) -> Self {
        self.outage = outage;
        self
    }

    /// The server forgets all at that instant.
    pub(super) fn losing_at(mut self, at: u64) -> Self {
        self.at(at, Event::Lose);
        self
    }

    /// All processes are killed at that instant, and start again.
    pub(super) fn restarting_at(mut self, at: u64) -> Self {
        self.at(at, Event::Restart);
        self
    }

    /// When the server's next window of that length begins.
    pub(super) fn next_boundary(&self, length: u64) -> u64 {
        length - self.report.offset % length
    }

    fn at(&mut self, at: u64, event: Event) {
        self.count += 1;
        self.events.push(Reverse((at, self.count, event)));
    }

    /// The time between two requests: exponential.
    fn pause(&mut self, demand: Demand) -> u64 {
        (-(1.0 - self.rng.f64()).ln() / demand.per_second * SECOND as f64) as u64
    }

    pub(super) fn run(mut self, until: u64) -> Report {
        while let Some(Reverse((now, _, event))) = self.events.pop() {
            if now >= until {
                break;
            }
            self.step(now, event);
        }
        for process in &self.processes {
            self.report.leased += process.limit.stats().leased;
            let most = &mut self.report.most_calls_in_a_wait;
            *most = process.most_calls_in_a_wait.max(*most);
        }
        self.report
    }

    fn step(&mut self, now: u64, event: Event) {
        match event {
            Event::Request(p, index) => {
                let demand = self.demands[index];
                if now >= demand.to {
                    return;
                }
                let next = now + self.pause(demand).max(1);
                self.at(next, Event::Request(p, index));
                let permits = self.rng.u32(1..=demand.permits);
                self.report.asked += u64::from(permits);
                let since = self.processes[p].here(now);
                self.decide(p, permits, since, now, true);
                self.wake(p, now);
            }
            Event::Wake(p) => self.wake(p, now),
            Event::Run(p, call, sent, reply) => {
                if self.outage.contains(&now) {
                    return;
                }
                let script = if sent.is_lease { Script::LEASE } else { Script::WINDOW };
                let numbers = self.server.run(script, &sent.arguments, now);
                if let Some(way) = reply.filter(|way| !self.outage.contains(&(now + way))) {
                    self.at(now + way, Event::Reply(p, call, numbers));
                }
            }
            Event::Reply(p, call, numbers) => {
                // One that comes late is not read: the connection is closed by then.
                if self.processes[p].expects(call) {
                    let random = self.rng.f64();
                    self.processes[p].settle(&numbers, now, random);
                    self.refreshed(p, now);
                }
            }
            Event::Timeout(p, call) => {
                if self.processes[p].expects(call) {
                    let random = self.rng.f64();
                    self.processes[p].fail(now, random);
                    self.refreshed(p, now);
                }
            }
            Event::GiveUp(p) => {
                let patience = self.processes[p].limit.lifetime / 2;
                let here = self.processes[p].here(now);
                let waiting = core::mem::take(&mut self.processes[p].waiting);
                let (over, rest): (Vec<_>, _) =
                    waiting.into_iter().partition(|&(_, since)| since + patience <= here);
                self.processes[p].waiting = rest;
                for (permits, since) in over {
                    if let Ok(admitted) = self.processes[p].limit.give_up(permits, since, here) {
                        self.note(p, admitted.permits(), now);
                    }
                }
                self.wake(p, now);
            }
            Event::Lose => self.server.lose(),
            Event::Restart => {
                for process in &mut self.processes {
                    self.report.leased += process.limit.stats().leased;
                    *process = process.restarted(&self.quota);
                }
            }
        }
    }

    /// Callers that wait look again.
    fn refreshed(&mut self, p: usize, now: u64) {
        for (permits, since) in core::mem::take(&mut self.processes[p].waiting) {
            self.decide(p, permits, since, now, false);
        }
        self.wake(p, now);
    }

    fn decide(&mut self, p: usize, permits: u32, since: casgate::Timestamp, now: u64, first: bool) {
        match self.processes[p].ask(permits, now) {
            Some(Some(admitted)) => self.note(p, admitted.permits(), now),
            Some(None) => {}
            None => {
                let process = &mut self.processes[p];
                process.waiting.push((permits, since));
                if first {
                    let patience = process.limit.lifetime / 2;
                    self.at(now + patience.as_nanos() as u64, Event::GiveUp(p));
                }
            }
        }
    }

    fn note(&mut self, p: usize, permits: u32, now: u64) {
        self.report.spent.push((now, permits));
        self.report.each[p].push((now, permits));
    }

    /// The refresher of a process works off its messages.
    fn wake(&mut self, p: usize, now: u64) {
        if let Some((call, script, arguments)) = self.processes[p].wake(now) {
            self.report.calls[p].push(now);
            let sent = Call { is_lease: script == Script::LEASE, arguments };
            let runs = if self.net.runs_twice(&mut self.rng) { 2 } else { 1 };
            for _ in 0..runs {
                if let Some(way) = self.net.way(&mut self.rng) {
                    let reply = self.net.way(&mut self.rng);
                    self.at(now + way, Event::Run(p, call, sent.clone(), reply));
                }
            }
            let timeout = self.processes[p].timeout().as_nanos() as u64;
            self.at(now + timeout, Event::Timeout(p, call));
        }
        if let Some(at) = self.processes[p].next_alarm() {
            let at = self.processes[p].there(at).max(now + 1);
            if self.processes[p].is_to_wake(at, now) {
                self.at(at, Event::Wake(p));
            }
        }
    }
}
