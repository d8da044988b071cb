//! A fleet in simulated time: its processes decide and ask as they do, by `Shared`, and the server
//! by the protocol's functions. No thread, no clock, no server.

mod bound;
mod outages;
mod process;
mod rates;
mod server;
mod windows;
mod world;

use bound::{admitted, excess, jain};
use process::Process;
use server::{Net, Server};
use world::{Demand, Report, World};

/// In nanoseconds, as all times here.
const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLI;
