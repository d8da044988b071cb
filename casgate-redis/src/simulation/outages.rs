//! What a fleet does without its server, and when the server has lost its state.

use super::*;
use crate::outage::OnUnavailable;
use crate::quota::FleetQuota;
use casgate::Quota;

fn quotas() -> [FleetQuota; 4] {
    [(1_000, 2_000), (1_000, 400), (100, 100), (5_000, 500)]
        .map(|(rate, burst)| FleetQuota::rate(Quota::per_second(rate).with_burst(burst)))
}

const OUTAGE: core::ops::Range<u64> = 3 * SECOND..5 * SECOND;

/// The fleet in demand, with a server that is away for two seconds.
fn cut_off(quota: &FleetQuota, processes: usize, seed: u64) -> Report {
    let demand = Demand::steady(3.0 * f64::from(quota.quota().permits()) / processes as f64);
    let world = World::new(quota, processes, Net::GOOD, seed).all(demand);
    world.without_server(OUTAGE).run(9 * SECOND)
}

/// Its leases end, nothing is admitted after that, few calls are made, and it has its rate again
/// when two lifetimes are over: 100 ms at least, which two timeouts take.
#[test]
fn the_rate_is_back_two_lifetimes_after_an_outage() {
    for quota in quotas() {
        let lifetime = quota.get_lifetime().as_nanos() as u64;
        for (processes, seed) in [(1, 0), (1, 1), (4, 2), (4, 3), (8, 4)] {
            let report = cut_off(&quota, processes, seed);
            let what = format!("{quota:?}, {processes} processes, seed {seed}");
            assert_eq!(admitted(&report.spent, OUTAGE.start + lifetime, OUTAGE.end), 0, "{what}");
            let back = OUTAGE.end + (2 * lifetime).max(100 * MILLI);
            for second in 0..3 {
                let from = back + second * SECOND;
                let rate = f64::from(quota.quota().permits());
                let part = admitted(&report.spent, from, from + SECOND) as f64 / rate;
                assert!(part >= 0.9, "{part} of the rate in second {second}, {what}");
            }
            let rate = f64::from(quota.quota().permits());
            let part = admitted(&report.spent, back, 9 * SECOND) as f64
                / (rate * (9 * SECOND - back) as f64 / SECOND as f64);
            assert!(part >= 0.95, "{part} of the rate, {what}");
            for calls in &report.calls {
                let calls = calls.iter().filter(|at| OUTAGE.contains(at)).count();
                assert!(calls <= 45, "{calls} calls in the outage, {what}");
            }
            let excess = excess(&report.spent, quota.quota());
            assert!(excess <= 0.0, "{excess} above the bound, {what}");
        }
    }
}

/// The fleet in great demand at once, whose server loses its state when much of the burst is spent.
fn with_a_loss(quota: &FleetQuota, restarts: bool, seed: u64) -> f64 {
    let rate = f64::from(quota.quota().permits());
    let refill = SECOND * u64::from(quota.quota().burst()) / u64::from(quota.quota().permits());
    let world = World::new(quota, 4, Net::GOOD, seed).all(Demand::steady(5.0 * rate));
    let at = refill * (1 + seed) / 10;
    let world = if restarts { world.restarting_at(at) } else { world };
    excess(&world.losing_at(at).run(4 * SECOND).spent, quota.quota())
}

/// The holders carry what the server lost.
#[test]
fn a_loss_adds_nothing_if_a_holder_is_left() {
    for quota in quotas() {
        for seed in 0..6 {
            let excess = with_a_loss(&quota, false, seed);
            assert!(excess <= 0.0, "{excess} above the bound of {quota:?}, seed {seed}");
        }
    }
}

/// And if none is, the server's burst at most. That this is found shows that the runs would find
/// others.
#[test]
fn a_loss_of_all_adds_the_servers_burst_at_most() {
    for quota in quotas() {
        let rate = f64::from(quota.quota().permits());
        let burst = f64::from(quota.quota().burst()) - rate * quota.get_lifetime().as_secs_f64();
        let excesses = (0..6).map(|seed| with_a_loss(&quota, true, seed));
        let most = excesses.fold(f64::MIN, f64::max);
        assert!(0.0 < most && most <= burst, "{most} above the bound of {quota:?}");
    }
}

/// Processes that are killed strand their leases, which adds nothing, and the others have the rate.
#[test]
fn a_crash_adds_nothing() {
    for quota in quotas() {
        for seed in 0..6 {
            let rate = f64::from(quota.quota().permits());
            let mut world = World::new(&quota, 4, Net::BAD, seed).all(Demand::steady(rate));
            for crash in 1..20 {
                world = world.restarting_at(crash * (100 + seed) * MILLI);
            }
            let report = world.run(5 * SECOND);
            let excess = excess(&report.spent, quota.quota());
            assert!(excess <= 0.0, "{excess} above the bound of {quota:?}, seed {seed}");
            let part = admitted(&report.spent, 3 * SECOND, 5 * SECOND) as f64 / (2.0 * rate);
            assert!(part >= 0.6, "{part} of the rate, {quota:?}, seed {seed}");
        }
    }
}

/// Each process has its part of the rate, from an empty bucket. After the
/// outage the fleet begins with an empty one.
#[test]
fn shares_of_all_processes_keep_the_bound() {
    let quota = FleetQuota::rate(Quota::per_second(1_000).with_burst(400))
        .on_unavailable(OnUnavailable::share(4));
    for seed in 0..6 {
        let report = cut_off(&quota, 4, seed);
        let from = OUTAGE.start + 2 * quota.get_lifetime().as_nanos() as u64;
        let part = admitted(&report.spent, from, OUTAGE.end) as f64 / 1_800.0;
        assert!((0.95..=1.05).contains(&part), "{part} of the rate meanwhile, seed {seed}");
        let excess = excess(&report.spent, quota.quota());
        assert!(excess <= 300.0, "{excess} above the bound, seed {seed}");
    }
}

/// What the processes admit from their shares is paid by the window, before it is used up.
#[test]
fn shares_of_a_window_are_part_of_its_limit() {
    let length = 20 * SECOND;
    let limit = Quota::new(4_000, core::time::Duration::from_nanos(length)).unwrap();
    let quota = FleetQuota::window(limit).on_unavailable(OnUnavailable::share(4));
    for seed in 0..6 {
        // Twice as much as there is.
        let world = World::new(&quota, 4, Net::GOOD, seed).all(Demand::steady(100.0));
        let begins = world.next_boundary(length);
        let outage = begins + 3 * SECOND..begins + 5 * SECOND;
        let report = world.without_server(outage.clone()).run(begins + length);
        let alone = admitted(&report.spent, outage.start + SECOND, outage.end);
        assert!(alone >= 100, "{alone} admitted in the outage, seed {seed}");
        let used = admitted(&report.spent, begins, begins + length);
        assert!((3_950..=4_000).contains(&used), "{used} of 4,000, seed {seed}");
    }
}
