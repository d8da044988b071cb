//! A stampede of threads on one limiter: `cargo run --release --example stampede`.
//!
//! Every thread asks as fast as it can. The windows take turns between the limiter and the same
//! rule behind a mutex, so both meet the same machine. In the end each window must have admitted
//! its limit, exactly, and the decisions per second stand side by side.
//!
//! With `--replay FILE` it reads a web server's access log instead and tells what a quota would
//! have admitted over time.

mod chart;
mod crowd;
mod replay;

use casgate::Quota;
use clap::Parser;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// A stampede on one rate limiter, or a replay of an access log through it.
#[derive(Parser)]
struct Args {
    /// How many one-second windows to run, half of them on the mutex
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(2..=3600))]
    seconds: u32,

    /// How many threads ask [default: two a core, at least 4]
    #[arg(long)]
    threads: Option<NonZeroUsize>,

    /// An access log in the common or combined format, in place of the stampede
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seconds", "threads"])]
    replay: Option<PathBuf>,

    /// The replay's quota: how many requests each period admits
    #[arg(long, value_name = "N", default_value_t = 10, requires = "replay")]
    limit: u32,

    /// The replay's quota: the period in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1, requires = "replay")]
    period: u64,
}

fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    if let Some(file) = &args.replay {
        let quota = Quota::new(args.limit, Duration::from_secs(args.period))?;
        return replay::run(file, quota);
    }
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = args.threads.map_or((2 * cores).max(4), NonZeroUsize::get);
    crowd::run(threads, args.seconds as usize)
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stampede: {error}");
            ExitCode::FAILURE
        }
    }
}
