//! A cluster, a failover by Sentinel and TLS and access, of real servers.
//!
//! Needs `redis-server`, of Debian's package of that name for instance. A test that does not find it fails.

mod access;
mod node;
mod tls;

use casgate::clock::{Clock, SystemClock};
use casgate::{Quota, Timestamp};
use casgate_redis::{Cause, ClusterStore, Fleet, FleetLimiter, NotAdmitted, RedisStore};
use node::{Node, free_port, until};
use redis::ConnectionAddr;
use redis::cluster::ClusterClient;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use std::time::{Duration, Instant};

fn quota() -> Quota {
    Quota::per_second(1_000)
}

fn limiters(fleet: &Fleet, count: usize) -> Vec<FleetLimiter> {
    let limiter = |i| fleet.limiter(&format!("limit {i}"), quota()).expect("a quota for leases");
    (0..count).map(limiter).collect()
}

fn is_admitted(limiter: &FleetLimiter) -> bool {
    limiter.check().is_ok()
}

/// Three nodes, each with a third of the slots, and a fleet over them.
fn cluster() -> (Vec<Node>, Fleet) {
    let start = || {
        let bus = free_port().to_string();
        let node = Node::try_start(&[
            "--cluster-enabled",
            "yes",
            "--cluster-port",
            &bus,
            "--cluster-require-full-coverage",
            "no",
            "--cluster-node-timeout",
            "1000",
        ]);
        node.map(|node| (node, bus))
    };
    let nodes = [(); 3].map(|()| (0..10).find_map(|_| start()).expect("redis-server starts"));
    let (nodes, bus): (Vec<_>, Vec<_>) = nodes.into_iter().unzip();
    for (node, slots) in nodes.iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
        let _: String = node.ask(&format!("CLUSTER ADDSLOTSRANGE {slots}"));
    }
    for (node, bus) in nodes[1..].iter().zip(&bus[1..]) {
        let _: String = nodes[0].ask(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port));
    }
    let knows_all = |node: &Node| {
        let info: String = node.ask("CLUSTER INFO");
        info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
    };
    until("all nodes know each other", || nodes.iter().all(knows_all));
    let client = ClusterClient::builder(nodes.iter().map(Node::url).collect::<Vec<_>>());
    let client = client.retries(0).build().expect("a client");
    (nodes, Fleet::over(ClusterStore::new(client)))
}

/// A limit has one key, which is in one slot. So limits of all slots work, and when a node dies,
/// those of the others go on.
#[test]
fn a_cluster_keeps_each_limit_in_one_shard() {
    let (mut nodes, fleet) = cluster();
    let limiters = limiters(&fleet, 24);
    for limiter in &limiters {
        until("each limit is granted a lease", || is_admitted(limiter));
    }
    let keys = |node: &Node| node.ask::<u64>("DBSIZE");
    let per_node: Vec<u64> = nodes.iter().map(keys).collect();
    assert_eq!(per_node.iter().sum::<u64>(), 24);
    assert!(per_node.iter().all(|&keys| keys > 0), "{per_node:?}");

    nodes[2].kill();
    // The leases end, and then the dead node's limits are unavailable.
    let is_unavailable =
        |limiter: &FleetLimiter| matches!(limiter.check(), Err(NotAdmitted::Unavailable(_)));
    let lost = |limiters: &[FleetLimiter]| limiters.iter().filter(|l| is_unavailable(l)).count();
    until("the dead node's limits are unavailable", || lost(&limiters) as u64 == per_node[2]);
    until("the others' limits go on", || {
        let others = limiters.iter().filter(|limiter| !is_unavailable(limiter)).count();
        others as u64 == per_node[0] + per_node[1]
    });
}

/// What is admitted in a loop for a time, or until something is so, in the order of time.
fn admissions(limiter: &FleetLimiter, mut is_over: impl FnMut() -> bool) -> Vec<Timestamp> {
    let mut admissions = Vec::new();
    while !is_over() {
        admissions.extend((0..100).filter_map(|_| limiter.check().ok()).map(|a| a.at()));
    }
    admissions
}

/// The most permits of any interval beyond the rate.
fn greatest_burst(admissions: &[Timestamp], quota: Quota) -> f64 {
    let per_second = f64::from(quota.permits()) / quota.period().as_secs_f64();
    let (mut level, mut last, mut most) = (0.0, Timestamp::ZERO, 0.0);
    for &at in admissions {
        level = f64::max(level - per_second * (at - last).as_secs_f64(), 0.0) + 1.0;
        (last, most) = (at, f64::max(most, level));
    }
    most
}

/// The slot of a limit moves to another node, with the limit's key, and is asked for all the while.
#[test]
fn a_limit_goes_on_when_its_slot_moves() {
    let (nodes, fleet) = cluster();
    let limiter = limiters(&fleet, 1).remove(0);
    until("a node grants", || is_admitted(&limiter));
    let has_key = |node: &&Node| node.ask::<u64>("DBSIZE") == 1;
    let from = nodes.iter().find(has_key).expect("a node has the key");
    let to = nodes.iter().find(|node| !has_key(node)).expect("another has not");
    let key = from.ask::<Vec<String>>("KEYS *").remove(0);
    let slot: u64 = from.run(&["CLUSTER", "KEYSLOT", &key]);
    let (from_id, to_id): (String, String) = (from.ask("CLUSTER MYID"), to.ask("CLUSTER MYID"));
    let for_a_time = |millis| {
        let end = Instant::now() + Duration::from_millis(millis);
        move || Instant::now() > end
    };
    let mut all = admissions(&limiter, for_a_time(300));
    let _: String = to.ask(&format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}"));
    let _: String = from.ask(&format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}"));
    all.extend(admissions(&limiter, for_a_time(300)));
    let port = to.port.to_string();
    let _: String = from.run(&["MIGRATE", "127.0.0.1", &port, &key, "0", "5000"]);
    all.extend(admissions(&limiter, for_a_time(600)));
    // The client follows no redirection, as the documentation of the store advises.
    let not = limiter.check().expect_err("the slot has two nodes");
    assert!(
        matches!(not, NotAdmitted::Unavailable(away) if away.cause() == Cause::Cluster),
        "{not:?}"
    );
    for node in [to, from] {
        let _: String = node.ask(&format!("CLUSTER SETSLOT {slot} NODE {to_id}"));
    }
    all.extend(admissions(&limiter, for_a_time(1_000)));
    let moved = SystemClock.now();
    until("the other node grants", || {
        all.extend(admissions(&limiter, for_a_time(100)));
        all.last().is_some_and(|&last| last > moved)
    });
    assert_eq!((from.ask::<u64>("DBSIZE"), to.ask::<u64>("DBSIZE")), (0, 1));
    assert_eq!(limiter.stats().losses, 0);
    let burst = greatest_burst(&all, quota());
    assert!((500.0..=1_001.0).contains(&burst), "{burst}");
}

/// A failover by Sentinel. The fleet asks the Sentinels for the new primary.
#[test]
fn a_fleet_follows_a_failover_of_sentinel() {
    let mut primary = Node::start(&[]);
    let replica = Node::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
    until("the replica is in line", || {
        replica.ask::<String>("INFO replication").contains("master_link_status:up")
    });
    let sentinel = Node::start(&["--sentinel"]);
    let _: String =
        sentinel.ask(&format!("SENTINEL MONITOR mymaster 127.0.0.1 {} 1", primary.port));
    let _: String = sentinel.ask("SENTINEL SET mymaster down-after-milliseconds 300");
    let _: String = sentinel.ask("SENTINEL SET mymaster failover-timeout 3000");
    until("the Sentinel knows the replica", || {
        sentinel.ask::<Vec<redis::Value>>("SENTINEL REPLICAS mymaster").len() == 1
    });

    let sentinels = [ConnectionAddr::Tcp("127.0.0.1".to_owned(), sentinel.port)];
    let kind = SentinelServerType::Master;
    let client = SentinelClientBuilder::new(sentinels, "mymaster", kind)
        .and_then(SentinelClientBuilder::build)
        .expect("a client");
    let fleet = Fleet::over(RedisStore::from_sentinel(client));
    let limiter = limiters(&fleet, 1).remove(0);
    until("the primary grants", || is_admitted(&limiter));

    primary.kill();
    until("the store is down", || !is_admitted(&limiter) && !fleet.is_up());
    until("the replica grants", || is_admitted(&limiter));
    assert_eq!(replica.ask::<u64>("DBSIZE"), 1);
    let cause = fleet.last_error().expect("it failed").cause();
    assert!([Cause::Unreachable, Cause::ReadOnly, Cause::Timeout, Cause::Other].contains(&cause));
}

/// A lease that too few replicas have is dropped: the limit is unavailable, and says why.
#[test]
fn a_lease_needs_its_replicas() {
    let primary = Node::start(&[]);
    let store = RedisStore::new(primary.url()).expect("an address");
    let fleet = Fleet::over(store.wait_for_replicas(1, Duration::from_millis(10)));
    let limiter = limiters(&fleet, 1).remove(0);
    until("too few replicas are the cause", || match limiter.check() {
        Err(NotAdmitted::Unavailable(unavailable)) => unavailable.cause() == Cause::Replicas,
        other => panic!("{other:?}"),
    });

    let replica = Node::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
    until("a replica makes it available", || is_admitted(&limiter));
    assert_eq!(replica.ask::<u64>("DBSIZE"), 1);
}
