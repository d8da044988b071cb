//! Four processes share one limit through Redis, while one of them is killed and Redis stops. A live picture shows what
//! they admit together, and what the bound allows.
//!
//! ```text
//! cargo run --release -p casgate-redis --example fleet
//! ```
//!
//! It takes twelve seconds, and needs `redis-server` on the `PATH`: it starts one of its own. Where the output is no
//! terminal, it prints a line for each second. `NO_COLOR=1` leaves the colours out.

mod bound;
mod grouped;
mod picture;
mod process;
mod processes;
mod record;
mod server;
mod show;

use casgate::Quota;
use std::process::ExitCode;
use std::time::Duration;

/// What the fleet may admit.
const QUOTA: Quota = Quota::per_second(2_000).with_burst(1_000);

const PROCESSES: usize = 4;

/// What each process asks for in a second: a fifth of the rate, and in a rush more than all of it.
const QUIET: u32 = 400;
const RUSH: u32 = 10_000;

/// When there is a rush: from one instant to another.
const RUSHES: [[Duration; 2]; 3] = [
    [Duration::from_millis(1_400), Duration::from_millis(4_000)],
    [Duration::from_millis(5_600), Duration::from_millis(9_000)],
    [Duration::from_millis(10_400), SHOW],
];

const SHOW: Duration = Duration::from_secs(12);

/// What happens, and when.
const EVENTS: [(Duration, Event); 4] = [
    (Duration::from_millis(2_800), Event::Kill(2)),
    (Duration::from_secs(5), Event::Start(2)),
    (Duration::from_secs(7), Event::StopServer),
    (Duration::from_secs(8), Event::ContinueServer),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Kill(usize),
    Start(usize),
    StopServer,
    ContinueServer,
}

impl Event {
    fn label(self) -> String {
        match self {
            Self::Kill(process) => format!("{} killed", process + 1),
            Self::Start(process) => format!("{} again", process + 1),
            Self::StopServer => "Redis stops".to_owned(),
            Self::ContinueServer => "Redis goes on".to_owned(),
        }
    }
}

fn is_rush(elapsed: Duration) -> bool {
    RUSHES.iter().any(|&[from, to]| (from..to).contains(&elapsed))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match &arguments[..] {
        [] => show::run(),
        [child, url, start] if child == process::CHILD => process::run(url, start),
        _ => Err("this example takes no arguments".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fleet: {error}");
            ExitCode::FAILURE
        }
    }
}
