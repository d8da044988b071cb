//! Fleets that share one limit by different schemes.

use crate::curve::greatest_burst;
use crate::grouped::grouped;
use crate::process::{Done, Task};
use crate::scheme::{INTERVAL, Scheme};
use crate::server::Server;
use crate::table::{median, rounded, table};
use casgate::Quota;
use casgate::clock::{Clock, SystemClock};
use redis::Client;
use std::error::Error;
use std::time::Duration;

/// From so many permits a second on, leases make so many times the decisions of a call for each, or the bench fails.
const FROM: f64 = 1e5;
const TIMES: f64 = 100.0;

const ROUNDS: usize = 3;
const TIME: Duration = Duration::from_millis(1_200);

/// A process connects meanwhile.
const HEAD_START: Duration = Duration::from_millis(150);

/// A fleet to measure.
#[derive(Clone, Copy)]
struct Variant {
    name: &'static str,
    scheme: Scheme,
    threads: usize,
}

const VARIANTS: [Variant; 5] = [
    Variant { name: "leases", scheme: Scheme::Leases, threads: 1 },
    Variant { name: "a call a decision, GCRA", scheme: Scheme::Gcra, threads: 1 },
    Variant { name: "the same, 8 threads each", scheme: Scheme::Gcra, threads: 8 },
    Variant { name: "redis-cell's, 8 threads each", scheme: Scheme::Cell, threads: 8 },
    Variant { name: "spend, report each 100 ms", scheme: Scheme::Report, threads: 1 },
];
const _: () = assert!(INTERVAL.as_millis() == 100);

/// What one run comes to.
struct Run {
    decisions: f64,
    admitted: f64,
    calls: f64,
    /// The greatest burst of any interval.
    burst: f64,
}

pub(crate) fn print(server: &Server, quota: Quota, fleets: &[usize]) -> Result<(), Box<dyn Error>> {
    for &processes in fleets {
        let mut runs: Vec<Vec<Run>> = VARIANTS.iter().map(|_| Vec::new()).collect();
        for round in 0..ROUNDS {
            for turn in 0..VARIANTS.len() {
                let i = (round + turn) % VARIANTS.len(); // each is first in its turn
                runs[i].push(run(server, VARIANTS[i], processes, quota)?);
            }
        }
        let middle = |i: usize, of: &dyn Fn(&Run) -> f64| median(runs[i].iter().map(of).collect());
        let rate = f64::from(quota.permits()) / quota.period().as_secs_f64();
        let most_of_all = f64::from(quota.burst()) + rate * TIME.as_secs_f64();
        let rows: Vec<(&str, Vec<String>)> = VARIANTS
            .iter()
            .enumerate()
            .map(|(i, variant)| {
                let admitted = middle(i, &|run| run.admitted);
                let most = runs[i].iter().map(|run| run.burst).fold(0.0, f64::max);
                let excess = (most - f64::from(quota.burst())).max(0.0).ceil();
                let cells = vec![
                    grouped(middle(i, &|run| run.decisions) as u64),
                    grouped(admitted as u64),
                    format!("{:.1} %", 100.0 * admitted * TIME.as_secs_f64() / most_of_all),
                    rounded(middle(i, &|run| 1e6 * run.calls / run.decisions)),
                    rounded(middle(i, &|run| 1e6 * run.calls / run.admitted)),
                    format!("{:.1} %", 100.0 * most / f64::from(quota.burst())),
                    grouped(excess as u64),
                ];
                (variant.name, cells)
            })
            .collect();
        let title = format!(
            "{} a second, burst {}: {processes} process{}, each as fast as it can",
            grouped(rate as u64),
            grouped(quota.burst().into()),
            if processes == 1 { "" } else { "es" },
        );
        let heads = [
            "decisions/s",
            "admitted/s",
            "of the most",
            "calls/10^6 decisions",
            "calls/10^6 admitted",
            "in a burst, of B",
            "excess",
        ];
        table(&title, 8, &heads, &rows);
        let of_leases = &runs[0];
        let most = of_leases.iter().map(|run| run.burst).fold(0.0, f64::max);
        // A thread that stops between its clock and its permit spends one late.
        if most > f64::from(quota.burst()) + processes as f64 {
            return Err("leases have an excess".into());
        }
        let decisions = |i: usize| middle(i, &|run| run.decisions);
        let calls_for_each = |i: &usize| matches!(VARIANTS[*i].scheme, Scheme::Gcra | Scheme::Cell);
        let fastest = (0..VARIANTS.len()).filter(calls_for_each).map(decisions).fold(0.0, f64::max);
        if rate >= FROM && decisions(0) < TIMES * fastest {
            return Err(format!("leases: less than {TIMES} times the decisions").into());
        }
    }
    Ok(())
}

fn run(
    server: &Server,
    variant: Variant,
    processes: usize,
    quota: Quota,
) -> Result<Run, Box<dyn Error>> {
    let url = server.url();
    let mut connection = Client::open(&*url)?.get_connection()?;
    redis::cmd("FLUSHALL").query::<()>(&mut connection)?;
    redis::cmd("CONFIG").arg("RESETSTAT").query::<()>(&mut connection)?;

    let start = SystemClock.now() + HEAD_START;
    let Variant { scheme, threads, .. } = variant;
    let task = Task { scheme, threads, url: &url, key: "bench", quota, start, time: TIME };
    let children = (0..processes).map(|_| task.spawn()).collect::<Result<Vec<_>, _>>()?;
    let mut done = Done::default();
    for mut child in children {
        let of_child = Done::read(child.stdout.take().ok_or("a process has no output")?)?;
        if !child.wait()?.success() {
            return Err(format!("{}: a process failed", variant.name).into());
        }
        done.decisions += of_child.decisions;
        done.admitted.extend(of_child.admitted);
    }
    done.admitted.sort_unstable();

    let counted: String = redis::cmd("INFO").arg("commandstats").query(&mut connection)?;
    Ok(Run {
        decisions: done.decisions as f64 / TIME.as_secs_f64(),
        admitted: done.admitted.len() as f64 / TIME.as_secs_f64(),
        calls: scripts(&counted) as f64 / TIME.as_secs_f64(),
        burst: greatest_burst(&done.admitted, &quota),
    })
}

/// The scripts that the server was asked to run.
fn scripts(stats: &str) -> u64 {
    let calls = |line: &str| -> Option<u64> {
        let (command, rest) = line.split_once(":calls=")?;
        let is_script = matches!(command, "cmdstat_eval" | "cmdstat_evalsha");
        is_script.then(|| rest.split(',').next()?.parse().ok())?
    };
    stats.lines().filter_map(calls).sum()
}
