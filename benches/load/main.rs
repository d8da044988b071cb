//! What a limit for each client costs an axum server: requests per second and latencies, by `wrk` over loopback.
//!
//! `cargo bench --bench load` needs wrk, which Debian and others package. The servers are asked by turns, in rounds of
//! another order each, and the table has the medians. No request is denied: what is measured is the way of an admitted
//! one. The servers have one thread, and wrk another; on Linux each keeps to a core of its own.

use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use axum::{Router, ServiceExt};
use casgate::Quota;
use casgate_tower::RateLimitLayer;
use casgate_tower::fields::Fields;
use cpu_time::ProcessTime;
#[cfg(target_os = "linux")]
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::Command;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tower::util::MapRequestLayer;
use tower::{Layer, Service};
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;

const ROUNDS: usize = 15;
const SECONDS: u32 = 2;
const CONNECTIONS: u32 = 32;

/// More than the server can answer, so nobody is denied.
const PER_SECOND: u32 = 1_000_000;

fn router() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

fn start_all(runtime: &Runtime) -> Vec<(&'static str, SocketAddr)> {
    let layer = || RateLimitLayer::per_client(Quota::per_second(PER_SECOND), 100_000);
    let silent_layer = || layer().fields(Fields::NONE);
    let governor = || {
        let mut config = GovernorConfigBuilder::default();
        config.per_nanosecond(u64::from(1_000_000_000 / PER_SECOND)).burst_size(PER_SECOND);
        config
    };
    let silent = governor().finish().expect("a quota");
    let telling = governor().use_headers().finish().expect("a quota");
    let nothing = || MapRequestLayer::new(|request| request);
    // `router.layer` boxes what it wraps; a layer around the router does not.
    vec![
        ("no limit", start(runtime, router())),
        ("a layer that does nothing", start(runtime, router().layer(nothing()))),
        ("a layer that does nothing, around the router", start(runtime, nothing().layer(router()))),
        ("casgate-tower, no fields", start(runtime, router().layer(silent_layer()))),
        (
            "casgate-tower, no fields, around the router",
            start(runtime, silent_layer().layer(router())),
        ),
        ("casgate-tower, with fields", start(runtime, router().layer(layer()))),
        ("casgate-tower, with fields, around the router", start(runtime, layer().layer(router()))),
        ("tower_governor, no fields", start(runtime, router().layer(GovernorLayer::new(silent)))),
        (
            "tower_governor, with fields",
            start(runtime, router().layer(GovernorLayer::new(telling))),
        ),
    ]
}

fn start<S>(runtime: &Runtime, service: S) -> SocketAddr
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    let service = service.into_make_service_with_connect_info::<SocketAddr>();
    runtime.spawn(async move { axum::serve(listener, service).await });
    address
}

/// What wrk says of one run.
#[derive(Clone, Copy)]
struct Run {
    per_second: f64,
    /// The servers' processor time: what a request costs, whatever else the machine does.
    cpu_micros: f64,
    p50_micros: f64,
    p99_micros: f64,
}

fn main() {
    let (first, last) = cores();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_start(move || keep_to(first))
        .enable_io()
        .build()
        .expect("a runtime");
    let servers = start_all(&runtime);
    // wrk inherits it.
    keep_to(last);

    for &(_, address) in &servers {
        wrk(address, 1); // warms up
    }
    let mut runs = vec![Vec::with_capacity(ROUNDS); servers.len()];
    for round in 0..ROUNDS {
        for i in order(round, servers.len()) {
            let (name, address) = servers[i];
            let run = wrk(address, SECONDS);
            eprintln!("round {round}: {name}: {:.0} a second", run.per_second);
            runs[i].push(run);
        }
    }

    println!(
        "| server | requests a second | of no limit | CPU a request | of no limit | p50 | p99 |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for ((name, _), of_server) in servers.iter().zip(&runs) {
        // Of two runs of one round, which find the machine in the same mood.
        let pairs = || of_server.iter().zip(&runs[0]);
        println!(
            "| {name} | {:.0} | {} | {:.2} µs | {} | {:.0} µs | {:.0} µs |",
            median(of_server.iter().map(|run| run.per_second)),
            share(pairs().map(|(run, alone)| run.per_second / alone.per_second)),
            median(of_server.iter().map(|run| run.cpu_micros)),
            share(pairs().map(|(run, alone)| run.cpu_micros / alone.cpu_micros)),
            median(of_server.iter().map(|run| run.p50_micros)),
            median(of_server.iter().map(|run| run.p99_micros)),
        );
    }
}

/// All servers, from another one on in each round and in other steps, so that none runs always after the same.
fn order(round: usize, servers: usize) -> impl Iterator<Item = usize> {
    let reaches_all = |step: &usize| (1..servers).all(|i| !(i * step).is_multiple_of(servers));
    let steps: Vec<_> = (1..servers).filter(reaches_all).collect();
    let step = steps[round % steps.len()];
    (0..servers).map(move |i| (round + i * step) % servers)
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let values = sorted(values);
    values[values.len() / 2]
}

/// The median, and an interval that has the true one in 19 of 20 cases: the 4th and the 12th of 15.
fn share(ratios: impl Iterator<Item = f64>) -> String {
    let ratios = sorted(ratios);
    let (middle, away) = (ratios.len() / 2, (ratios.len() as f64).sqrt().ceil() as usize);
    let [low, median, high] =
        [middle - away, middle, middle + away].map(|i| format!("{:.1}", 100.0 * ratios[i]));
    format!("{median} % ({low} to {high})")
}

/// The first and the last core that the process may use.
#[cfg(target_os = "linux")]
fn cores() -> (usize, usize) {
    let allowed = sched_getaffinity(None).expect("the process has cores");
    let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
    let first = cores.next().expect("a core");
    (first, cores.next_back().unwrap_or(first))
}

/// Keeps this thread to that core, and what it starts.
#[cfg(target_os = "linux")]
fn keep_to(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).expect("a core of the process");
}

#[cfg(not(target_os = "linux"))]
fn cores() -> (usize, usize) {
    (0, 0)
}

#[cfg(not(target_os = "linux"))]
fn keep_to(_: usize) {}

fn wrk(address: SocketAddr, seconds: u32) -> Run {
    let before = ProcessTime::now();
    let output = Command::new("wrk")
        .args(["--latency", "-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s")])
        .arg(format!("http://{address}/"))
        .output()
        .expect("wrk is installed: `apt-get install wrk`");
    let cpu = before.elapsed();
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success() && !text.contains("Non-2xx"), "{text}");
    let after = |name: &str| {
        let line = text.lines().map(str::trim).find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("wrk says no {name}:\n{text}")).trim().to_owned()
    };
    let line = text.lines().find(|line| line.contains(" requests in ")).expect("how many requests");
    let requests: f64 =
        line.split_whitespace().next().and_then(|count| count.parse().ok()).expect("a number");
    Run {
        per_second: after("Requests/sec:").parse().expect("a number"),
        cpu_micros: cpu.as_secs_f64() * 1e6 / requests,
        p50_micros: micros(&after("50%")),
        p99_micros: micros(&after("99%")),
    }
}

/// wrk writes `630.00us`, `1.20ms` or `1.00s`.
fn micros(text: &str) -> f64 {
    let (number, unit) = text.split_at(text.find(char::is_alphabetic).expect("a unit"));
    let number: f64 = number.parse().expect("a number");
    match unit {
        "us" => number,
        "ms" => number * 1e3,
        "s" => number * 1e6,
        other => panic!("a latency in {other}"),
    }
}
