//! The course of the events, and what is told of it.

use crate::bound::Bucket;
use crate::grouped::grouped;
use crate::picture::{self, Picture};
use crate::processes::Processes;
use crate::record::Record;
use crate::server::Server;
use crate::{EVENTS, Event, PROCESSES, QUIET, QUOTA, RUSH, SHOW};
use casgate::clock::{Clock, SystemClock};
use std::error::Error;
use std::io::{IsTerminal, Write};
use std::thread;
use std::time::Duration;

const FRAME: Duration = Duration::from_millis(100);

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let server = Server::start()?;
    println!(
        "{PROCESSES} processes share {} permits a second, with a burst of {}.",
        grouped(QUOTA.permits().into()),
        grouped(QUOTA.burst().into()),
    );
    println!("Each asks for {QUIET} a second, and in a rush for {}.", grouped(RUSH.into()));
    println!("One is killed and starts again. Redis, at {}, stops for a second.", server.url());
    println!();

    let mut processes = Processes::start(server.url(), PROCESSES)?;
    let start = processes.start_time();
    let mut events = EVENTS.iter().peekable();
    let mut screen = Screen::new();
    loop {
        let elapsed = SystemClock.now() - start;
        while let Some((_, event)) = events.next_if(|(at, _)| *at <= elapsed) {
            match *event {
                Event::Kill(process) => processes.kill(process),
                Event::Start(process) => processes.start_one(process)?,
                Event::StopServer => server.stop()?,
                Event::ContinueServer => server.go_on()?,
            }
        }
        if elapsed >= SHOW {
            break;
        }
        screen.show(&processes.record(), start.as_nanos(), elapsed)?;
        thread::sleep(FRAME);
    }
    let last = processes.record();
    processes.kill_all();
    // With the processes as they were, and all that they admitted.
    let record = Record { processes: last.processes, ..processes.record() };
    screen.show(&record, start.as_nanos(), SHOW)?;
    sum_up(&record)
}

/// Where the picture is shown.
struct Screen {
    is_terminal: bool,
    colours: bool,
    /// The lines that are to be drawn over.
    drawn: usize,
    /// The seconds that have a line, where there is no terminal.
    told: u64,
}

impl Screen {
    fn new() -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let colours = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self { is_terminal, colours, drawn: 0, told: 0 }
    }

    fn show(&mut self, record: &Record, start: u64, elapsed: Duration) -> std::io::Result<()> {
        let picture = Picture::new(record, start, elapsed);
        let mut out = std::io::stdout().lock();
        if !self.is_terminal {
            while self.told < elapsed.as_secs() {
                self.told += 1;
                writeln!(out, "{}", picture.second(self.told))?;
            }
            return Ok(());
        }
        let lines = picture.lines(self.colours);
        if self.drawn > 0 {
            write!(out, "\x1b[{}A", self.drawn)?;
        }
        for line in &lines {
            writeln!(out, "{line}\x1b[K")?;
        }
        self.drawn = lines.len();
        out.flush()
    }
}

fn sum_up(record: &Record) -> Result<(), Box<dyn Error>> {
    let mut bucket = Bucket::new(&QUOTA);
    let burst = f64::from(QUOTA.burst());
    let levels = record.admissions.iter().map(|a| bucket.add(a.at, a.permits));
    let most = levels.fold(0.0, f64::max);
    let excess = (most - burst).max(0.0).ceil() as u64;
    let permits: u64 = record.admissions.iter().map(|a| u64::from(a.permits)).sum();
    let asked: u64 = record.processes.iter().map(|process| process.asked()).sum();
    let calls: u64 = record.processes.iter().map(|process| process.calls()).sum();
    let allowed = burst + picture::rate() * SHOW.as_secs_f64();
    println!();
    println!("decisions               {:>8}", grouped(asked));
    println!(
        "permits admitted        {:>8}  of {} that the bound allows in {} s",
        grouped(permits),
        grouped(allowed as u64),
        SHOW.as_secs(),
    );
    println!(
        "calls to Redis          {:>8}  one for {:.0} permits",
        grouped(calls),
        permits as f64 / calls.max(1) as f64
    );
    println!(
        "greatest use of bound   {:>6.1} %  over every interval of time",
        100.0 * most / burst
    );
    println!("excess                  {excess:>8}");
    // A thread that stops between its clock and its permit spends one late.
    if excess > PROCESSES as u64 {
        return Err("the fleet has admitted more than its bound".into());
    }
    Ok(())
}
