//! What a fleet does with windows. The figures of the assertions are those that the documentation
//! may state.

use super::*;
use crate::quota::FleetQuota;
use casgate::Quota;
use core::time::Duration;
use std::collections::BTreeMap;

/// The permits of each aligned window, by the server's clock.
fn by_window(report: &Report, quota: Quota) -> BTreeMap<u64, u64> {
    let mut windows = BTreeMap::new();
    for &(at, permits) in &report.spent {
        let window = (at + report.offset) / quota.period().as_nanos() as u64;
        *windows.entry(window).or_default() += u64::from(permits);
    }
    windows
}

fn window(limit: u32, millis: u64, lifetime: u64) -> FleetQuota {
    let quota = Quota::new(limit, Duration::from_millis(millis)).unwrap();
    FleetQuota::window(quota).lifetime(Duration::from_millis(lifetime))
}

fn quotas() -> [FleetQuota; 4] {
    [
        window(100, 1_000, 100),
        window(1_000, 2_000, 100),
        window(1_000, 5_000, 500),
        window(20, 1_000, 50),
    ]
}

/// A demand of so many times the limit.
fn demand(quota: &FleetQuota, times: f64, processes: usize) -> Demand {
    let rate = f64::from(quota.quota().permits()) / quota.quota().period().as_secs_f64();
    Demand::steady(times * rate / processes as f64)
}

#[test]
fn no_window_has_more_than_the_limit_whatever_becomes_of_calls() {
    for quota in quotas() {
        for (seed, permits) in (0..8).zip([1, 3].into_iter().cycle()) {
            for times in [0.7, 1.2, 4.0] {
                let processes = 1 + seed as usize % 6;
                let net = if seed % 4 == 3 { Net::GOOD } else { Net::BAD };
                let demand = Demand { permits, ..demand(&quota, times, processes) };
                let report = World::new(&quota, processes, net, seed).all(demand).run(20 * SECOND);
                let most = *by_window(&report, quota.quota()).values().max().unwrap();
                let limit = u64::from(quota.quota().permits());
                assert!(most <= limit, "{most} in a window of {quota:?}, seed {seed}, {times}");
            }
        }
    }
}

/// Six permits of a process are left unused at most, and one on average.
#[test]
fn windows_in_demand_are_used() {
    for quota in quotas() {
        let limit = u64::from(quota.quota().permits());
        for processes in [1, 4, 8] {
            for seed in 0..4 {
                let demand = demand(&quota, 3.0, processes);
                let world = World::new(&quota, processes, Net::GOOD, seed).all(demand);
                let windows = by_window(&world.run(30 * SECOND), quota.quota());
                // Those that the run saw from end to end.
                let inner = windows.values().skip(1).take(windows.len() - 2);
                let unused: Vec<u64> = inner.map(|used| limit - used).collect();
                let what = format!("{quota:?}, {processes} processes, seed {seed}: {unused:?}");
                let processes = processes as u64;
                assert!(unused.iter().all(|&unused| unused <= 6 * processes), "{what}");
                let sum: u64 = unused.iter().sum();
                assert!(sum <= processes * unused.len() as u64, "{what}");
            }
        }
    }
}

/// What a process has leased and does not spend is for the others. So one that asks for the whole
/// limit late has it.
#[test]
fn what_is_returned_can_be_spent() {
    for quota in quotas() {
        let limit = u64::from(quota.quota().permits());
        let period = quota.quota().period().as_nanos() as u64;
        for seed in 0..4 {
            let mut world = World::new(&quota, 4, Net::GOOD, seed);
            // From the beginning of a window of the server's.
            let begins = world.next_boundary(period);
            let early = Demand { from: begins, to: begins + period / 4, ..demand(&quota, 0.8, 3) };
            for process in 1..4 {
                world = world.one(process, early);
            }
            let late = begins + period / 2;
            let late = Demand { from: late, to: begins + period, ..demand(&quota, 4.0, 1) };
            let report = world.one(0, late).run(begins + 2 * period);
            let used = admitted(&report.spent, begins, begins + period);
            assert!(used + 2 >= limit, "{used} of {limit}, {quota:?}, seed {seed}");
        }
    }
}

#[test]
fn a_process_that_nobody_asks_returns_its_leases_and_is_silent() {
    for quota in quotas() {
        let demand = Demand { to: 2 * SECOND, ..demand(&quota, 0.8, 2) };
        let report = World::new(&quota, 2, Net::GOOD, 8).all(demand).run(30 * SECOND);
        let last = *report.calls.iter().flatten().max().unwrap();
        let lifetime = quota.get_lifetime().as_nanos() as u64;
        assert!(last <= 2 * SECOND + 4 * lifetime, "{last}, {quota:?}");
    }
}
