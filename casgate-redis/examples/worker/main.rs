//! One process of a fleet that asks for permits at a given rate and logs what it admits, for tests with faults.
//!
//! ```text
//! cargo run --release -p casgate-redis --example worker -- --redis redis://127.0.0.1/ --name api \
//!     --permits 1000 --per-ms 1000 --burst 1000 --lease-ms 100 --threads 2 --for-ms 5000 --demand 500 \
//!     --log admitted.log --on-unavailable deny
//! ```
//!
//! The log has a line `t k` for each batch that was admitted: `k` permits at `t`, in nanoseconds of `CLOCK_MONOTONIC`,
//! which all processes of a machine share. Each line is written at once, so a process that is killed loses at most the
//! batch it is at. At the end it prints one line of JSON. With `--keys` the numbers of the store are not known, and 0.

mod demand;
mod limit;
mod log;
mod wrong;

use casgate::Quota;
use casgate::clock::{Clock, SystemClock};
use casgate_redis::{Cause, Fleet, FleetQuota, NotAdmitted, OnUnavailable, RedisStore, StateLoss};
use clap::{Parser, ValueEnum};
use demand::Demand;
use hdrhistogram::Histogram;
use limit::Limit;
use log::Log;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

#[derive(Parser)]
#[command(about = "One process of a fleet that shares a rate limit through Redis")]
struct Arguments {
    /// The server's address.
    #[arg(long, default_value = "redis://127.0.0.1/")]
    redis: String,
    /// The limit's name.
    #[arg(long, default_value = "worker")]
    name: String,
    /// So many permits in each period.
    #[arg(long)]
    permits: u32,
    /// The period, in milliseconds.
    #[arg(long, default_value_t = 1_000)]
    per_ms: u64,
    /// The most permits of one moment; as many as the permits, unless this says otherwise.
    #[arg(long)]
    burst: Option<u32>,
    /// How long a lease lives, in milliseconds.
    #[arg(long)]
    lease_ms: Option<u64>,
    #[arg(long, default_value_t = 1)]
    threads: u32,
    /// How long to ask, in milliseconds.
    #[arg(long, default_value_t = 5_000)]
    for_ms: u64,
    /// Permits per second of this process, or `max`; or `R@MS,...,R`: each rate until that millisecond.
    #[arg(long, default_value = "max")]
    demand: Demand,
    /// Where to log what is admitted.
    #[arg(long)]
    log: Option<PathBuf>,
    /// What to do while the server does not answer.
    #[arg(long, value_enum, default_value_t = Away::Deny)]
    on_unavailable: Away,
    /// As many processes share the quota, if the server has never told.
    #[arg(long, default_value_t = 1)]
    processes: u32,
    /// Count in aligned windows of the period, not at a rate.
    #[arg(long)]
    window: bool,
    /// Start with an empty bucket when the server has lost the state.
    #[arg(long)]
    start_empty: bool,
    /// Drop leases that fewer replicas have.
    #[arg(long)]
    wait_replicas: Option<u32>,
    /// Ask for random ones of so many keys, with places for a tenth of them.
    #[arg(long)]
    keys: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Away {
    Deny,
    Share,
    Allow,
}

/// The most decisions by one timestamp.
const BATCH: u64 = 16;

/// How long replicas have to write a lease.
const REPLICATION: Duration = Duration::from_millis(20);

#[derive(Default)]
struct Counts {
    asked: u64,
    admitted: u64,
    denied: u64,
    unavailable: u64,
    causes: Vec<Cause>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let quota = Quota::new(arguments.permits, Duration::from_millis(arguments.per_ms))?;
    let quota = quota.try_with_burst(arguments.burst.unwrap_or(arguments.permits))?;
    let quota = if arguments.window { FleetQuota::window(quota) } else { FleetQuota::rate(quota) };
    let mut quota = quota.on_unavailable(match arguments.on_unavailable {
        Away::Deny => OnUnavailable::deny(),
        Away::Share => OnUnavailable::share(arguments.processes),
        Away::Allow => OnUnavailable::allow(),
    });
    if let Some(millis) = arguments.lease_ms {
        quota = quota.lifetime(Duration::from_millis(millis));
    }
    if arguments.start_empty {
        quota = quota.on_state_loss(StateLoss::StartEmpty);
    }
    let mut store = RedisStore::new(arguments.redis.as_str())?;
    if let Some(replicas) = arguments.wait_replicas {
        store = store.wait_for_replicas(replicas, REPLICATION);
    }
    let (fleet, quota) = match wrong::chosen()? {
        Some(wrong) => wrong.over(store, &arguments.redis, quota)?,
        None => (Fleet::over(store), quota),
    };
    let limiter = Limit::new(&fleet, &arguments.name, quota, arguments.keys)?;
    let log = Log::open(arguments.log.as_deref())?;
    let start = Instant::now();

    let mut counts = Counts::default();
    let mut times = histogram();
    thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        let threads: Vec<_> = (0..arguments.threads)
            .map(|thread| {
                scope.spawn({
                    let (limiter, log) = (&limiter, &log);
                    move || work(arguments, thread, limiter, log, start)
                })
            })
            .collect();
        for thread in threads {
            let (own, own_times) = thread.join().expect("no thread panics")?;
            counts.asked += own.asked;
            counts.admitted += own.admitted;
            counts.denied += own.denied;
            counts.unavailable += own.unavailable;
            own.causes.into_iter().for_each(|cause| counts.note(cause));
            times.add(own_times)?;
        }
        Ok(())
    })?;
    let Counts { asked, admitted, denied, unavailable, causes } = counts;
    let stats = limiter.stats();
    let causes: Vec<_> = causes.iter().map(|cause| format!("\"{cause}\"")).collect();
    println!(
        "{{\"asked\":{asked},\"admitted\":{admitted},\"denied\":{denied},\"unavailable\":{unavailable},\
         \"store_calls\":{},\"p50_ns\":{},\"p999_ns\":{},\"max_ns\":{},\
         \"failures\":{},\"leased\":{},\"losses\":{},\"shared\":{},\"allowed\":{},\
         \"counted_unavailable\":{},\"causes\":[{}]}}",
        stats.calls,
        times.value_at_quantile(0.5),
        times.value_at_quantile(0.999),
        times.max(),
        stats.failures,
        stats.leased,
        stats.losses,
        stats.shared,
        stats.allowed,
        stats.unavailable,
        causes.join(","),
    );
    Ok(())
}

impl Counts {
    fn note(&mut self, cause: Cause) {
        if !self.causes.contains(&cause) {
            self.causes.push(cause);
        }
    }
}

/// Of nanoseconds, up to a minute.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are in order")
}

type Worked = Result<(Counts, Histogram<u64>), std::io::Error>;

/// Asks for what one thread is to ask for. What it missed while it was stopped or waited, it asks later.
fn work(arguments: &Arguments, thread: u32, limiter: &Limit, log: &Log, start: Instant) -> Worked {
    let mut counts = Counts::default();
    let mut times = histogram();
    let end = Duration::from_millis(arguments.for_ms);
    // Without what was asked as fast as it went.
    let mut on_schedule = 0;
    loop {
        let elapsed = start.elapsed();
        if elapsed >= end {
            return Ok((counts, times));
        }
        let by_now = arguments.demand.by(elapsed, thread, arguments.threads);
        let due = by_now.saturating_sub(on_schedule);
        if due == 0 {
            thread::sleep(Duration::from_millis(1));
            continue;
        }
        let now = SystemClock.now();
        let mut batch = (now, 0);
        for _ in 0..due.min(BATCH) {
            let asked_at = Instant::now();
            let answer = limiter.check_at(now);
            times.saturating_record(asked_at.elapsed().as_nanos() as u64);
            counts.asked += 1;
            on_schedule += u64::from(by_now < u64::MAX);
            match answer {
                Ok(admitted) => {
                    // After a wait it was decided by a later timestamp.
                    if admitted.at() != batch.0 {
                        log.write(batch.0, batch.1)?;
                        batch = (admitted.at(), 0);
                    }
                    batch.1 += 1;
                    counts.admitted += 1;
                    if admitted.at() != now {
                        break;
                    }
                }
                Err(not) => {
                    match not {
                        NotAdmitted::Denied(_) => counts.denied += 1,
                        NotAdmitted::Unavailable(unavailable) => {
                            counts.unavailable += 1;
                            counts.note(unavailable.cause());
                        }
                    }
                    // It may have waited for that.
                    break;
                }
            }
        }
        log.write(batch.0, batch.1)?;
    }
}
