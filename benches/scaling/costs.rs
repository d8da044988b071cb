//! The parameters of the model, measured on this machine.

use crate::measure::Measured;
use crate::rows;
use crate::table::Path;
use crate::trial::trial;
use crossbeam_utils::CachePadded;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// All in nanoseconds.
pub(crate) struct Costs {
    /// A line's way to another core.
    pub(crate) hop: f64,
    /// One line for all: alone, and with a second thread.
    pub(crate) fetch_add: [f64; 2],
    pub(crate) window: [f64; 2],
    /// Alone, on a line of its own.
    pub(crate) own_line: f64,
    pub(crate) sharded: f64,
    pub(crate) private: f64,
    pub(crate) denial: f64,
}

impl Costs {
    /// None with one core, or if too few trials counted.
    pub(crate) fn of(measured: &Measured) -> Option<Self> {
        let pair = |path, name| -> Option<[f64; 2]> {
            Some([measured.ns(path, name, 1)?, measured.ns(path, name, 2)?])
        };
        let alone = |path, name| measured.ns(path, name, 1);
        Some(Self {
            fetch_add: pair(Path::Floor, rows::ONE_LINE)?,
            window: pair(Path::Admit, rows::WINDOW)?,
            own_line: alone(Path::Floor, rows::OWN_LINES)?,
            sharded: alone(Path::Admit, rows::SHARDED_WINDOW)?,
            private: alone(Path::Admit, rows::PRIVATE)?,
            denial: alone(Path::Deny, rows::SHARDED_WINDOW)?,
            hop: hop()?,
        })
    }

    pub(crate) fn print(&self) {
        // What a thread does on a contended line before the line moves on.
        let run = |[one, two]: [f64; 2]| self.hop / (two - one).max(0.01);
        println!("\n| parameter of the model, measured here | |");
        println!("|---|---:|");
        println!("| a line goes to another core | {:.0} ns |", self.hop);
        println!("| a fetch_add on a line of its own | {:.2} ns |", self.own_line);
        println!("| a sharded check on a line of its own | {:.2} ns |", self.sharded);
        println!(
            "| a check of a kept permit, with the share of its batch | {:.2} ns |",
            self.private
        );
        println!("| a denial by lines that nobody writes | {:.2} ns |", self.denial);
        println!(
            "| calls before a contended line moves on: fetch_add | {:.0} |",
            run(self.fetch_add)
        );
        println!("| the same: window | {:.0} |", run(self.window));
    }
}

/// Two threads write to a line by turns: the median of half a turn. For in a turn the line goes twice: to the thread that
/// reads it, and from the other, whose copy the write takes.
fn hop() -> Option<f64> {
    const TURNS: u64 = 500;
    const PATIENCE: Duration = Duration::from_secs(60);
    let (start, mut samples) = (Instant::now(), Vec::new());
    loop {
        let line = CachePadded::new(AtomicU64::new(0));
        let outcome = trial(2, |number| {
            let line = &line;
            move || {
                for turn in (number as u64..2 * TURNS).step_by(2) {
                    while line.load(Relaxed) != turn {
                        spin_loop();
                    }
                    line.store(turn + 1, Relaxed);
                }
            }
        });
        samples
            .extend(outcome.map(|(elapsed, _)| elapsed.as_nanos() as f64 / (2 * 2 * TURNS) as f64));
        if samples.len() == 21 || start.elapsed() > PATIENCE {
            break;
        }
    }
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied()
}
