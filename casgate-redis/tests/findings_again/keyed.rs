//! [`FleetKeyed`](casgate_redis::FleetKeyed), "Memory".

use crate::{at_rate, until};
use casgate::Quota;
use casgate_redis::{Fleet, FleetKeyed, OnUnavailable};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// "If there are only such keys, new keys are unavailable." While one thread finds out that a new key has no place,
/// another one finds the key's limiter in the map, and spends of its share; again and again.
#[test]
fn a_key_without_a_place_has_no_share_for_many_threads() {
    let (quota, server) = at_rate(Quota::per_hour(60).with_burst(10), Duration::from_millis(200));
    server.set_down(true);
    let fleet = Fleet::over(server);
    let quota = quota.on_unavailable(OnUnavailable::share(1));
    let users: FleetKeyed<u32> = fleet.keyed("user", quota, 4).unwrap();
    let mut key = 0;
    until("all places are kept", || {
        key += 1;
        users.check(&key).is_err()
    });
    let admitted = AtomicUsize::new(0);
    let end = Instant::now() + Duration::from_secs(2);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while Instant::now() < end {
                    let is_admitted = users.check(&u32::MAX).is_ok();
                    admitted.fetch_add(usize::from(is_admitted), Ordering::Relaxed);
                }
            });
        }
    });
    let admitted = admitted.into_inner();
    assert!(admitted <= 10, "{admitted} of a share of 10");
}
