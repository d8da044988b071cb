//! What one decision costs, next to the same limiter in one process.

use crate::table::{median, table};
use casgate::clock::{Clock, SystemClock};
use casgate::{Limiter, Quota, Timestamp};
use casgate_redis::{Fleet, FleetLimiter, FleetQuota};
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// An admitted decision costs so many times the local one at most, or the bench fails.
const MOST: f64 = 1.5;

const ROUNDS: usize = 101;
/// Decisions in a row. They take about a tenth of a millisecond.
const BATCH: u64 = 10_000;

/// A million permits per second, in leases of five million.
fn plenty() -> Result<Quota, Box<dyn Error>> {
    Ok(Quota::new(90_000_000, Duration::from_secs(90))?.try_with_burst(90_000_000)?)
}

/// Hardly any: after the first two, each next one takes an hour.
const FEW: Quota = Quota::per_hour(1).with_burst(2);

struct Variant<'a> {
    name: &'static str,
    admits: bool,
    /// Makes a batch of decisions, and returns how many were admitted.
    batch: Box<dyn Fn() -> u64 + 'a>,
}

impl<'a> Variant<'a> {
    fn new(name: &'static str, admits: bool, decide: impl Fn() -> bool + 'a) -> Self {
        let batch = move || (0..BATCH).filter(|_| black_box(&decide)()).count() as u64;
        Self { name, admits, batch: Box::new(batch) }
    }

    fn nanos(&self) -> f64 {
        let start = Instant::now();
        let admitted = (self.batch)();
        let elapsed = start.elapsed();
        assert_eq!(admitted, if self.admits { BATCH } else { 0 }, "{}", self.name);
        elapsed.as_nanos() as f64 / BATCH as f64
    }
}

pub(crate) fn print(url: &str) -> Result<(), Box<dyn Error>> {
    let fleet = Fleet::connect(url)?;
    let long = FleetQuota::rate(plenty()?).lifetime(Duration::from_secs(10));
    let leased = fleet.limiter("plenty", long)?;
    let denying = fleet.limiter("few", FEW)?;
    let (local, local_denying) = (Limiter::token_bucket(plenty()?), Limiter::token_bucket(FEW));
    // The first lease, and the last permits.
    assert!(leased.check().is_ok());
    while denying.check().is_ok() {}
    while local_denying.check().is_ok() {}

    let now = || SystemClock.now();
    let read = |limiter: &FleetLimiter, now: Timestamp| {
        limiter.check_n_at(1, now).is_ok_and(|a| black_box((a.remaining(), a.reset_after())).0 > 0)
    };
    let variants = [
        Variant::new("local, check", true, || local.check().is_ok()),
        Variant::new("fleet, check", true, || leased.check().is_ok()),
        Variant::new("local, precise timestamp", true, || local.check_n_at(1, now()).is_ok()),
        Variant::new("fleet, precise timestamp", true, || leased.check_n_at(1, now()).is_ok()),
        Variant::new("local, precise, all numbers read", true, || {
            let admitted = local.check_n_at(1, now());
            admitted.is_ok_and(|a| black_box((a.remaining(), a.reset_after())).0 > 0)
        }),
        Variant::new("fleet, precise, all numbers read", true, || read(&leased, now())),
        Variant::new("local, check, denied", false, || local_denying.check().is_ok()),
        Variant::new("fleet, check, denied", false, || denying.check().is_ok()),
    ];
    let mut samples = vec![Vec::with_capacity(ROUNDS); variants.len()];
    for round in 0..ROUNDS {
        for turn in 0..variants.len() {
            let i = (round + turn) % variants.len(); // each is first in its turn
            samples[i].push(variants[i].nanos());
        }
    }
    let nanos: Vec<f64> = samples.into_iter().map(median).collect();
    let rows: Vec<(&str, Vec<String>)> = variants
        .iter()
        .enumerate()
        .map(|(i, variant)| {
            // The local limiter stands before each.
            let ratio = nanos[i] / nanos[i & !1];
            (variant.name, vec![format!("{:.2}", nanos[i]), format!("{ratio:.2}x")])
        })
        .collect();
    table("A decision, while a lease lives", 8, &["ns", "to local"], &rows);
    for (i, variant) in variants.iter().enumerate().filter(|(_, variant)| variant.admits) {
        if nanos[i] > MOST * nanos[i & !1] {
            return Err(format!("{}: more than {MOST} times the local one", variant.name).into());
        }
    }
    Ok(())
}
