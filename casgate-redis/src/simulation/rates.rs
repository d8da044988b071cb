//! What a fleet does at a rate. The figures of the assertions are those that the documentation may
//! state.

use super::*;
use crate::quota::FleetQuota;
use casgate::Quota;
use core::time::Duration;

fn rate(permits: u32, burst: u32) -> FleetQuota {
    FleetQuota::rate(Quota::per_second(permits).with_burst(burst))
}

fn lifetime(quota: &FleetQuota) -> u64 {
    quota.get_lifetime().as_nanos() as u64
}

/// Lifetimes of 500, 100, 50, 250 and 25 ms.
fn quotas() -> [FleetQuota; 5] {
    [
        rate(1_000, 2_000),
        rate(1_000, 400),
        rate(2_000, 1_000).lifetime(Duration::from_millis(50)),
        rate(100, 100),
        rate(5_000, 500),
    ]
}

/// The most calls in any lifetime that begins at `from` or later.
fn most_calls(calls: &[u64], lifetime: u64, from: u64) -> usize {
    let calls: Vec<u64> = calls.iter().copied().filter(|&at| at >= from).collect();
    let within = |&at: &u64| calls.iter().filter(move |&&call| call >= at && call < at + lifetime);
    calls.iter().map(|at| within(at).count()).max().unwrap_or(0)
}

/// A fleet that is asked in bursts for up to `permits` at a time, with pauses in which leases end.
fn in_bursts(quota: &FleetQuota, permits: u32, seed: u64) -> World {
    let mut world = World::new(quota, 4, Net::BAD, seed);
    let per_second = f64::from(quota.quota().permits());
    for burst in 0..12 {
        let from = burst * 400 * MILLI;
        let to = from + (1 + (burst + seed) % 4) * 60 * MILLI;
        world = world.all(Demand { per_second, permits, from, to });
    }
    world
}

#[test]
fn the_bound_holds_on_every_interval_whatever_becomes_of_calls() {
    for quota in quotas() {
        for (seed, permits) in (0..6).zip([1, 5, 20].into_iter().cycle()) {
            let steady = Demand::steady(f64::from(quota.quota().permits()));
            for world in [
                in_bursts(&quota, permits, seed),
                World::new(&quota, 1 + seed as usize % 6, Net::BAD, seed).all(steady),
            ] {
                let report = world.run(5 * SECOND);
                let excess = excess(&report.spent, quota.quota());
                assert!(excess <= 0.0, "{excess} above the bound of {quota:?}, seed {seed}");
                assert!(report.spent.len() > 50, "{quota:?}, seed {seed}");
            }
        }
    }
}

/// Leases that nobody spends, and then a burst when they are over and the bucket is full again: the
/// tightest of runs.
fn tight(late: u64, seed: u64) -> f64 {
    let quota = rate(1_000, 400); // 100 ms; the server's burst is 300
    let few = Demand { to: 20 * MILLI, ..Demand::steady(200.0) };
    let burst = Demand { from: 500 * MILLI, to: SECOND, ..Demand::steady(10_000.0) };
    let mut world = World::new(&quota, 8, Net::GOOD, seed).all(few).all(burst);
    for process in &mut world.processes {
        process.late = late;
    }
    excess(&world.run(SECOND).spent, quota.quota())
}

#[test]
fn callers_that_spend_after_the_deadline_are_found() {
    for seed in 0..6 {
        let [honest, late] = [0, SECOND].map(|late| tight(late, seed));
        assert!(honest <= 0.0 && late > 0.0, "{honest} above the bound, and {late} if late");
    }
}

/// Three times the rate is asked for: at least 95 % of it is admitted, and every process has as
/// much.
#[test]
fn a_fleet_in_demand_has_its_rate_in_equal_parts() {
    for quota in quotas() {
        let permits = f64::from(quota.quota().permits());
        for processes in [1, 4, 8] {
            for seed in 0..3 {
                let demand = Demand::steady(3.0 * permits / processes as f64);
                let (from, to) = (2 * SECOND, 10 * SECOND);
                let report = World::new(&quota, processes, Net::GOOD, seed).all(demand).run(to);
                let what = format!("{quota:?}, {processes} processes, seed {seed}");
                let part = admitted(&report.spent, from, to) as f64 / (8.0 * permits);
                assert!(part >= 0.95, "{part} of the rate, {what}");
                for second in 2..10 {
                    let second = admitted(&report.spent, second * SECOND, (second + 1) * SECOND);
                    let part = second as f64 / permits;
                    assert!(part >= 0.85, "{part} of the rate in a second, {what}");
                }
                let shares: Vec<_> =
                    report.each.iter().map(|spent| admitted(spent, from, to)).collect();
                let jain = jain(&shares);
                assert!(jain >= 0.9, "a fairness of {jain}, {what}");
            }
        }
    }
}

/// Under denials a process asks about four times in a lifetime, whatever the demand is: after each
/// short reply it waits for a quarter of one, more or less by a fifth. Until a denial's `retry_after`
/// is over, it makes one call, for the lease that is there then.
#[test]
fn denied_requests_cost_few_calls() {
    for quota in quotas() {
        let lifetime = lifetime(&quota);
        for seed in 0..3 {
            let demand = Demand::steady(3.0 * f64::from(quota.quota().permits()));
            let report = World::new(&quota, 4, Net::GOOD, seed).all(demand).run(6 * SECOND);
            for calls in &report.calls {
                let calls_of_all = calls.iter().filter(|&&at| at >= 2 * SECOND).count();
                let mean = calls_of_all as f64 / (4 * SECOND / lifetime) as f64;
                assert!(mean <= 4.4, "{mean} calls in a lifetime, {quota:?}, seed {seed}");
                let most = most_calls(calls, lifetime, 0);
                assert!(most <= 10, "{most} calls in a lifetime, {quota:?}, seed {seed}");
            }
            let most = report.most_calls_in_a_wait;
            assert_eq!(most, 1, "calls in the wait of a denial, {quota:?}, seed {seed}");
        }
    }
}

/// Processes that are there and ask for little leave the rate to one that asks for all
/// of it. They lease about twice what they spend, so some of it is wasted.
#[test]
fn one_process_in_demand_has_the_rate() {
    for quota in quotas() {
        let permits = f64::from(quota.quota().permits());
        let world = World::new(&quota, 8, Net::GOOD, 3).all(Demand::steady(permits / 100.0));
        let report = world.one(0, Demand::steady(3.0 * permits)).run(6 * SECOND);
        let part = admitted(&report.spent, 2 * SECOND, 6 * SECOND) as f64 / (4.0 * permits);
        assert!(part >= 0.9, "{part} of the rate, {quota:?}");
        let part = admitted(&report.each[0], 2 * SECOND, 6 * SECOND) as f64 / (4.0 * permits);
        assert!(part >= 0.8, "{part} of the rate for the one, {quota:?}");
    }
}

/// A process that is asked less than once in a lifetime is admitted. It leases twice
/// what it spends at most, and a permit for each lifetime besides; at first, before it knows its
/// demand, as much as refills in a lifetime.
#[test]
fn low_demand_is_admitted_and_wastes_little() {
    for quota in quotas() {
        let lifetimes = 10 * SECOND / lifetime(&quota);
        let refill = u64::from(quota.quota().permits()) * lifetime(&quota) / SECOND;
        for per_lifetime in [0.1, 0.5, 1.0, 3.0, 10.0] {
            for seed in 0..3 {
                let demand = Demand::steady(per_lifetime * lifetimes as f64 / 10.0);
                let report = World::new(&quota, 1, Net::GOOD, seed).all(demand).run(10 * SECOND);
                let spent = admitted(&report.spent, 0, u64::MAX);
                let what = format!("{per_lifetime} in a lifetime of {quota:?}, seed {seed}");
                let part = spent as f64 / report.asked as f64;
                assert!(part >= 0.99, "{part} admitted of {what}");
                let leased = report.leased;
                assert!(leased <= refill + 2 * spent + lifetimes, "{leased} for {spent}, {what}");
                let (calls, most) = (report.calls[0].len() as u64, 2 * lifetimes + 5);
                assert!(calls <= most, "{calls} calls in {lifetimes} lifetimes, {what}");
            }
        }
    }
}

#[test]
fn a_process_that_nobody_asks_is_silent() {
    for quota in quotas() {
        let demand = Demand { to: 2 * SECOND, ..Demand::steady(200.0) };
        let report = World::new(&quota, 2, Net::GOOD, 8).all(demand).run(20 * SECOND);
        let last = report.calls.iter().flatten().max().unwrap();
        assert!(*last <= 2 * SECOND + lifetime(&quota), "{last}");
    }
}

/// A fleet whose part for a process and a lifetime is less than a permit wastes more, as leases end
/// unspent.
#[test]
fn a_part_of_less_than_a_permit_is_wasted_more() {
    let quota = rate(20, 20); // 250 ms: five permits in a lifetime, for eight processes
    for seed in 0..3 {
        let world = World::new(&quota, 8, Net::GOOD, seed).all(Demand::steady(7.5));
        let report = world.run(42 * SECOND);
        let part = admitted(&report.spent, 2 * SECOND, 42 * SECOND) as f64 / 800.0;
        assert!(part >= 0.75, "{part} of the rate, seed {seed}");
    }
}
