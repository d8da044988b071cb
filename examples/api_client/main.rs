//! Many tasks on the quota of one upstream: `cargo run --release --example api_client`.
//!
//! The upstream is an HTTP server in this process. It keeps its own count of the requests that arrive, and answers 429 to
//! those above its quota. The client's tasks wait in line for permits, and meet no 429. Then the same client runs without
//! the queue.

mod client;
mod http;
mod upstream;

use casgate::Limiter;
use casgate::wait::Queue;
use clap::Parser;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::error::Error;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use upstream::Upstream;

/// Shares the quota of an upstream API among many tasks.
#[derive(Debug, Parser)]
struct Args {
    /// How many tasks send requests
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=400))]
    tasks: u32,

    /// How many requests each of them sends
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    each: u32,

    /// How many requests the upstream serves in any second
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,

    /// By how many milliseconds one request may take longer to arrive than another
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    jitter: u64,
}

const PERIOD: Duration = Duration::from_secs(1);

/// The line of all tasks that call the upstream. A quota known in the source needs no `OnceLock`: `Queue::new` is const.
static QUEUE: OnceLock<Queue> = OnceLock::new();

/// Lets the client run against an upstream of its own, and prints a line of the table.
async fn measure(
    name: &str,
    args: &Args,
    queue: Option<&'static Queue>,
) -> Result<u64, Box<dyn Error + Send + Sync>> {
    let upstream = Upstream::new(args.rate, PERIOD);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(Arc::clone(&upstream).serve(listener));

    let bars = MultiProgress::new();
    let style = ProgressStyle::with_template("{prefix:>9} {bar:40} {pos}/{len}")?;
    let bar = |prefix, length: u32| {
        let bar = ProgressBar::new(length.into()).with_style(style.clone()).with_prefix(prefix);
        bars.add(bar)
    };
    let (answered, in_line) = (bar("answered", args.tasks * args.each), bar("in line", args.tasks));
    let watcher = tokio::spawn(async move {
        while let Some(queue) = queue {
            in_line.set_position(queue.waiting() as u64);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });

    let start = Instant::now();
    let tally = client::run(address, (args.tasks, args.each), queue, &answered).await;
    let took = start.elapsed().as_secs_f64();
    watcher.abort();
    server.abort();
    bars.clear()?;

    let (tally, count) = (tally?, upstream.count());
    println!(
        "{name:<16} {:>8} {:>8} {:>8} {:>16} {took:>8.1}",
        tally.served + tally.denied,
        count.served,
        count.denied,
        count.busiest,
    );
    Ok(count.denied)
}

async fn run(args: &Args) -> Result<(), Box<dyn Error + Send + Sync>> {
    let quota = client::quota(args.rate, PERIOD, Duration::from_millis(args.jitter))?;
    let queue = QUEUE.get_or_init(|| Queue::new(Limiter::strict(quota)));
    println!("The upstream serves {} requests in any second.", args.rate);
    println!(
        "The client sends at most {} in any {:?}, {} of them at once, from {} tasks.\n",
        quota.limit(),
        quota.period(),
        quota.burst(),
        args.tasks
    );
    println!(
        "{:<16} {:>8} {:>8} {:>8} {:>16} {:>8}",
        "", "sent", "served", "429", "busiest second", "seconds"
    );
    let denied = measure("in line", args, Some(queue)).await?;
    measure("without a queue", args, None).await?;
    if denied > 0 {
        return Err("some requests took longer to arrive than others: give more --jitter".into());
    }
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("api_client: {error}");
            ExitCode::FAILURE
        }
    }
}
