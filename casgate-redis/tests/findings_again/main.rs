//! More sentences of the documentation that an input or an interleaving once broke, after the mends of the first.
//!
//! The store is the server of the other findings, in this process.

#[allow(dead_code, reason = "the other findings use the rest of it")]
#[path = "../findings/server.rs"]
mod server;

mod denial;
mod keyed;
mod outage;
mod refund;
mod replicas;
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
