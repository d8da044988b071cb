//! [`FleetLimiter::refund`](casgate_redis::FleetLimiter::refund).

use crate::{at_rate, until};
use casgate::Quota;
use casgate_redis::{Fleet, OnUnavailable};
use std::thread;
use std::time::{Duration, Instant};

/// "Gives back the permits of an admission …, for others of this process." One that waited for a lease was not woken, so
/// it waited for half a lifetime though its permits were there. If some of them were spent by then, it took the store
/// for down, which nobody had asked.
#[test]
fn a_refund_serves_those_who_wait() {
    let quota = Quota::per_second(100).with_burst(10_000);
    let (quota, server) = at_rate(quota, Duration::from_secs(10));
    let quota = quota.on_unavailable(OnUnavailable::allow());
    let fleet = Fleet::over(server.clone());
    let limiter = fleet.limiter("api", quota.clone()).unwrap();
    let other = fleet.limiter("other", quota).unwrap();
    limiter.check().unwrap();
    until("no lease is on its way", || server.calls("api") as u64 == limiter.stats().calls);
    // The thread that asks is busy with another limit.
    server.hold();
    other.charge(1);
    until("it is busy", || server.calls("other") > 0);
    let mut taken = Vec::new();
    while limiter.peek().remaining() > 0 {
        taken.push(limiter.check_n(limiter.peek().remaining()).unwrap());
    }
    let largest = taken.iter().max_by_key(|admitted| admitted.permits()).unwrap();
    let start = Instant::now();
    thread::scope(|scope| {
        let waits = scope.spawn(|| (limiter.check_n(largest.permits()), start.elapsed()));
        thread::sleep(Duration::from_millis(100));
        limiter.refund(largest);
        let (answer, waited) = waits.join().unwrap();
        server.release();
        assert!(answer.is_ok() && limiter.stats().allowed == 0, "{answer:?}");
        assert!(waited < Duration::from_secs(3), "it waited for {waited:?}");
    });
}
