//! [`FleetKeyed`](casgate_redis::FleetKeyed), "Memory".

use crate::server::Server;
use crate::{at_rate, millis, until};
use casgate::Quota;
use casgate_redis::protocol::WindowQuota;
use casgate_redis::{Fleet, FleetKeyed, FleetQuota, NotAdmitted, OnUnavailable};
use std::thread;
use std::time::Duration;

/// "Keys whose spent permits are not reported to the store yet, because of an outage or a charge, keep their places."
/// When the store was back nothing was reported, unless the key was asked for again. So a map full of such keys stayed
/// full.
#[test]
fn keys_that_spent_in_an_outage_are_forgotten_after_it() {
    let (quota, server) = at_rate(Quota::per_second(100), millis(20));
    let quota = quota.on_unavailable(OnUnavailable::share(1));
    server.set_down(true);
    let fleet = Fleet::over(server.clone());
    let users: FleetKeyed<u32> = fleet.keyed("user", quota, 8).unwrap();
    let mut key = 0;
    let mut is_full = || {
        key += 1;
        matches!(users.check(&key), Err(NotAdmitted::Unavailable(_)))
    };
    until("all places are kept", &mut is_full);
    // Long enough that the store was asked for each of them in vain.
    let calls = server.batches().len();
    until("the store was asked in vain", || {
        server.batches().len() > calls + 30 || is_idle(&server)
    });
    server.set_down(false);
    let mut key = 1_000_000;
    until("a new key has a place", || {
        key += 1;
        users.check(&key).is_ok()
    });
}

/// The same in windows, of which they spent more than there is.
#[test]
fn keys_of_windows_are_forgotten_after_an_outage() {
    let quota = Quota::per_minute(10);
    let server = Server::of_windows(WindowQuota::new(quota).unwrap());
    let quota = FleetQuota::window(quota).lifetime(millis(20));
    server.set_down(true);
    let fleet = Fleet::over(server.clone());
    let users: FleetKeyed<u32> =
        fleet.keyed("user", quota.on_unavailable(OnUnavailable::allow()), 8).unwrap();
    let mut key = 0;
    until("all places are kept", || {
        key += 1;
        (0..15).any(|_| matches!(users.check(&key), Err(NotAdmitted::Unavailable(_))))
    });
    server.set_down(false);
    let mut key = 1_000_000;
    until("a new key has a place", || {
        key += 1;
        users.get(&key).is_ok()
    });
}

/// Whether the server is not called any more.
fn is_idle(server: &crate::server::Server) -> bool {
    let calls = server.batches().len();
    thread::sleep(Duration::from_secs(1));
    calls == server.batches().len()
}

/// "That returns no permits": the share of an evicted key was full when the key came again in the same outage.
#[test]
fn eviction_in_an_outage_forgives_nothing() {
    let (quota, server) = at_rate(Quota::per_hour(60).with_burst(60), millis(20));
    let fleet = Fleet::over(server.clone());
    let probe = fleet.limiter("probe", quota.clone()).unwrap();
    let quota = quota.on_unavailable(OnUnavailable::share(1));
    let users: FleetKeyed<u32> = fleet.keyed("user", quota, 2).unwrap();
    until("the key is exhausted", || users.check_n(&0, 7).is_err());
    server.set_down(true);
    until("the outage is known", || probe.check().is_err() && !fleet.is_up());
    assert!(users.check_n(&0, 7).is_err());
    for key in (1..6).cycle().take(500) {
        let _ = (users.get(&key).map(|user| user.peek()), users.get(&key));
    }
    let answer = users.check_n(&0, 7);
    assert!(answer.is_err(), "{answer:?}");
}

/// The same while there are only keys that keep their places: what has no place has no share.
#[test]
fn a_key_without_a_place_has_no_share() {
    for capacity in [1, 2, 10, 64, 1_000] {
        let (quota, server) = at_rate(Quota::per_hour(60).with_burst(10), millis(20));
        server.set_down(true);
        let fleet = Fleet::over(server);
        let quota = quota.on_unavailable(OnUnavailable::share(1));
        let users: FleetKeyed<u32> = fleet.keyed("user", quota, capacity).unwrap();
        for round in 0..3 {
            for key in 0..2 * capacity as u32 {
                let admitted = (0..15).filter(|_| users.check(&key).is_ok()).count();
                assert!(
                    admitted <= if round == 0 { 10 } else { 1 },
                    "{key} of {capacity}: {admitted}"
                );
            }
        }
    }
}

/// "It has room for as many keys as its capacity", and "a key takes about 1 KB". The thread that asks kept the memory of
/// evicted keys until their next permit, which can be a day.
#[cfg(target_os = "linux")]
#[test]
fn evicted_keys_leave_no_memory_behind() {
    let (quota, server) = at_rate(Quota::per_day(2), millis(200));
    let fleet = Fleet::over(server.clone());
    let users: FleetKeyed<u32> = fleet.keyed("user", quota, 100).unwrap();
    let resident = || {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4
    };
    let visit = || {
        for key in 0..20_000 {
            while users.check(&key).is_ok() {}
            server.forget_calls();
        }
    };
    // Each takes the two permits of a key. After that its next one is half a day away.
    visit();
    visit();
    let before = resident();
    visit();
    let grown = resident().saturating_sub(before);
    assert!(grown < 5_000, "{grown} KB for 20,000 keys, of which 100 have a place");
}
