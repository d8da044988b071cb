//! An exhaustive model of the keyed limiter's protocol. See the README.

#![forbid(unsafe_code)]

mod caller;
mod complete;
mod ghost;
mod hit;
mod memory;
mod model;
mod new_key;
mod op;
mod passed;
mod rule;
mod runs;
mod sweep;
mod table;
mod today;
mod wrong;

use std::process::ExitCode;

fn main() -> ExitCode {
    explorer::main(runs::short(), runs::long)
}
