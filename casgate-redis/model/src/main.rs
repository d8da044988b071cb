//! An exhaustive model of the leases of a fleet. See the README.

#![forbid(unsafe_code)]

mod action;
mod ghost;
mod holder;
mod model;
mod run;
mod runs;
mod server;
mod step;
mod wrong;

use std::process::ExitCode;

fn main() -> ExitCode {
    let short = runs::right().into_iter().chain(runs::wrong()).collect();
    explorer::main(short, runs::long)
}
