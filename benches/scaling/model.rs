//! What a call costs, all threads together, when c cores do nothing else.
//!
//! - **One line for all.** Changes come one after another, and the line moves on after a run of them. The runs of two
//!   threads are measured. With more threads they are taken to be as long, so the cost stays what two threads pay.
//! - **A line for each core.** Nothing travels: a c-th of what one core pays.
//! - **Cells and windows.** The same; and at the end of each window of L permits every core goes once over the S cells,
//!   writes the parent, and reads the time that another core has moved on: S + 2 hops. The cores do that side by side.
//!   Spread over L calls it is (S + 2)/L hops more for a call.
//!
//! What it leaves out: cores that share a cache or a socket, for which a hop costs less than between sockets, and a clock
//! rate that falls when all cores work.

use crate::costs::Costs;
use crate::measure::Measured;
use crate::rows;
use crate::table::Path;

pub(crate) const CORES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// A line of the prediction, and the measured row that it is of.
pub(crate) struct Line {
    pub(crate) path: Path,
    pub(crate) name: &'static str,
    pub(crate) at: fn(&Costs, usize) -> f64,
}

pub(crate) const LINES: [Line; 7] = [
    Line { path: Path::Floor, name: rows::ONE_LINE, at: |costs, c| one_line(costs.fetch_add, c) },
    Line { path: Path::Admit, name: rows::WINDOW, at: |costs, c| one_line(costs.window, c) },
    Line { path: Path::Floor, name: rows::OWN_LINES, at: |costs, c| own_lines(costs.own_line, c) },
    Line {
        path: Path::Admit,
        name: rows::SHARDED_WINDOW,
        at: |costs, c| own_lines(costs.sharded, c),
    },
    Line { path: Path::Admit, name: rows::SHORT_WINDOWS, at: short_windows },
    Line { path: Path::Admit, name: rows::PRIVATE, at: |costs, c| own_lines(costs.private, c) },
    Line {
        path: Path::Deny,
        name: rows::SHARDED_WINDOW,
        at: |costs, c| own_lines(costs.denial, c),
    },
];

pub(crate) fn one_line([alone, together]: [f64; 2], cores: usize) -> f64 {
    if cores == 1 { alone } else { together }
}

pub(crate) fn own_lines(alone: f64, cores: usize) -> f64 {
    alone / cores as f64
}

fn short_windows(costs: &Costs, cores: usize) -> f64 {
    let cells = cores.next_power_of_two() as f64;
    let permits = cells * f64::from(rows::SHORT);
    // With one core nothing travels.
    let hops = if cores == 1 { 0.0 } else { cells + 2.0 };
    own_lines(costs.sharded, cores) + hops * costs.hop / permits
}

pub(crate) fn print(costs: &Costs, measured: &Measured) {
    println!(
        "\nPREDICTED, not measured: ns per call of all cores together. In brackets what was measured,"
    );
    println!(
        "of the prediction. Parameters come from one and two threads, so there the first are 1.00.\n"
    );
    print!("| {:5} | {:34} |", "path", "variant");
    CORES.iter().for_each(|n| print!(" {:>13} |", format!("{n} cores")));
    print!("\n|-{:-<5}-|-{:-<34}-|", "", "");
    CORES.iter().for_each(|_| print!("-{:->13}:|", ""));
    println!();
    for Line { path, name, at } in &LINES {
        print!("| {:5} | {name:34} |", path.name());
        for cores in CORES {
            let predicted = at(costs, cores);
            match measured.ns(*path, name, cores) {
                Some(ns) => print!(" {predicted:>6.2} ({:>4.2}) |", ns / predicted),
                None => print!(" {predicted:>6.2} {:6} |", ""),
            }
        }
        println!();
    }
}
