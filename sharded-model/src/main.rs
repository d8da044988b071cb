//! An exhaustive model of the sharded fixed window's protocol. See the README.

#![forbid(unsafe_code)]

mod caller;
mod change;
mod check;
mod ghost;
mod memory;
mod model;
mod op;
mod runs;
mod table;
mod wrong;

use std::process::ExitCode;

fn main() -> ExitCode {
    explorer::main(runs::short(), runs::long)
}
