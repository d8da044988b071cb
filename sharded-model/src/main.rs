//! Exhaustive models of the protocols of the sharded fixed window and the sharded token bucket. See the README.

#![forbid(unsafe_code)]

mod bucket;
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

use explorer::Run;
use std::process::ExitCode;

fn main() -> ExitCode {
    explorer::main(both(runs::short(), bucket::short()), || both(runs::long(), bucket::long()))
}

fn both<W: Run + 'static, B: Run + 'static>(window: Vec<W>, bucket: Vec<B>) -> Vec<Box<dyn Run>> {
    let window = window.into_iter().map(|run| Box::new(run) as Box<dyn Run>);
    window.chain(bucket.into_iter().map(|run| Box::new(run) as Box<dyn Run>)).collect()
}
