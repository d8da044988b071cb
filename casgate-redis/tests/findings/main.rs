//! Sentences of the documentation, each with an input or an interleaving that once broke it.
//!
//! The store is a server in this process, so that a test says when a reply comes. Waits are for conditions, with
//! generous limits.

mod acquire;
mod breaker;
mod keyed;
mod large;
mod low_demand;
mod numbers;
mod outage;
#[cfg(feature = "sentinel")]
mod sentinel;
mod server;
mod window;

use casgate::Quota;
use casgate_redis::FleetQuota;
use casgate_redis::protocol::LeaseQuota;
use server::Server;
use std::time::{Duration, Instant};

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A quota, and a server of its leases.
fn at_rate(quota: Quota, lifetime: Duration) -> (FleetQuota, Server) {
    let server = Server::of_leases(LeaseQuota::new(quota, lifetime).unwrap());
    (FleetQuota::rate(quota).lifetime(lifetime), server)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
