//! A limit of a fleet, by leases and by other schemes: what a decision costs, how many there are in a second, how often
//! the server is called, and whether the bound holds.
//!
//! `cargo bench -p casgate-redis` takes a minute and a half. It starts a redis-server of its own on a free port, and one
//! or four processes of itself that ask as fast as they can. The variants take turns, and the tables have the medians
//! of the rounds; of the bound, the worst. Words behind `--` choose tables: `decision`, `limit`, `many`.
//!
//! It fails if leases have an excess, if an admitted decision costs more than 1.5 times the local one, or if leases make
//! fewer than 100 times the decisions of a call for each, at 100,000 permits a second and more.

#[path = "../../examples/fleet/bound.rs"]
mod bound;
mod curve;
mod decision;
mod fleet;
#[path = "../../examples/fleet/grouped.rs"]
mod grouped;
mod process;
mod scheme;
#[path = "../../examples/fleet/server.rs"]
mod server;
mod table;

use casgate::Quota;
use process::{CHILD, Task};
use server::Server;
use std::error::Error;

/// A limit that each scheme reaches.
const LOW: Quota = Quota::per_second(10_000).with_burst(2_000);
/// Limits that need many decisions.
const MANY: [Quota; 2] = [
    Quota::per_second(100_000).with_burst(20_000),
    Quota::per_second(1_000_000).with_burst(200_000),
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [CHILD, ..] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return Task::run(&arguments[1..]);
    }
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if has("--test") || has("--list") {
        return Ok(());
    }
    let server = Server::start()?;
    println!("{}", table::machine());
    curve::check_itself();
    let all = !["decision", "limit", "many"].into_iter().any(has);
    if all || has("decision") {
        decision::print(&server.url())?;
    }
    if all || has("limit") {
        fleet::print(&server, LOW, &[1, 4])?;
    }
    if all || has("many") {
        for quota in MANY {
            fleet::print(&server, quota, &[4])?;
        }
    }
    Ok(())
}
