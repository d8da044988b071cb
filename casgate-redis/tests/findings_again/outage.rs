//! [`Fleet::is_up`] and [`OnUnavailable::share`].

use crate::at_rate;
use casgate::Quota;
use casgate_redis::{Cause, Fleet, OnUnavailable, StoreError};
use std::time::Duration;

/// `is_up`: "whether the last call to the store had a reply". In a cluster, each call of a batch fails by itself, so one
/// of which no node answers was up. And `share`: "full if the store never answered this process". It was empty.
#[test]
fn a_cluster_of_which_no_node_answers_is_not_up() {
    for cause in [Cause::Unreachable, Cause::Timeout] {
        let quota = Quota::per_hour(100).with_burst(100);
        let (quota, server) = at_rate(quota, Duration::from_millis(200));
        server.set_fault(move |_| Some(StoreError::new(cause, "")));
        let fleet = Fleet::over(server);
        let quota = quota.on_unavailable(OnUnavailable::share(1));
        let limiter = fleet.limiter("api", quota).unwrap();
        let answer = limiter.check();
        assert!(!fleet.is_up());
        assert!(answer.is_ok(), "{answer:?}");
    }
}

/// The same, of a cluster whose one node is none.
#[cfg(feature = "cluster")]
#[test]
fn a_cluster_that_cannot_be_reached_is_not_up() {
    use redis::cluster::ClusterClient;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let node = format!("redis://127.0.0.1:{port}/");
    let client = ClusterClient::builder(vec![node]).retries(0).build().unwrap();
    let fleet = Fleet::over(casgate_redis::ClusterStore::new(client));
    let quota = casgate_redis::FleetQuota::from(Quota::per_hour(100).with_burst(100));
    let quota = quota.on_unavailable(OnUnavailable::share(1));
    let limiter = fleet.limiter("api", quota).unwrap();
    let answer = limiter.check();
    assert!(!fleet.is_up(), "{:?}", fleet.last_error());
    assert!(answer.is_ok(), "{answer:?} {:?}", fleet.last_error());
}
