//! [`Unavailable`](casgate_redis::Unavailable) and what a store is asked while it fails.

use crate::{at_rate, millis, until};
use casgate::Quota;
use casgate_redis::{Cause, Fleet, NotAdmitted, StoreError};
use std::thread;
use std::time::{Duration, Instant};

fn denied_by_acl() -> StoreError {
    StoreError::new(Cause::Authentication, "NOPERM no permissions to access a key")
}

/// [`NotAdmitted::Unavailable`]: "The store does not answer." For one key it answers with an error, as for a key of
/// another type or one that an ACL keeps away. That made every limit of the process unavailable.
#[test]
fn a_key_that_fails_makes_no_other_unavailable() {
    let (quota, server) = at_rate(Quota::per_second(1_000), millis(100));
    server.set_fault(|key| key.contains("bad").then(denied_by_acl));
    let fleet = Fleet::over(server.clone());
    let bad = fleet.limiter("bad", quota.clone()).unwrap();
    let good: Vec<_> =
        (0..20).map(|n| fleet.limiter(&format!("good{n}"), quota.clone()).unwrap()).collect();
    for limiter in &good {
        for _ in 0..20 {
            let _ = bad.check();
        }
        let answer = limiter.check();
        assert!(answer.is_ok(), "{answer:?}");
    }
}

/// `Unavailable::retry_after`: "how long until the store is asked again". For a key that failed next to one that did
/// not, the store was asked again by each decision.
#[test]
fn a_key_that_fails_is_asked_again_when_it_says() {
    let (quota, server) = at_rate(Quota::per_second(100_000), millis(200));
    server.set_fault(|key| key.contains("bad").then(denied_by_acl));
    let fleet = Fleet::over(server.clone());
    let (bad, good) =
        (fleet.limiter("bad", quota.clone()).unwrap(), fleet.limiter("good", quota).unwrap());
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        let _ = (bad.check(), good.check_n(100));
        thread::sleep(Duration::from_micros(100));
    }
    let calls = server.calls("bad");
    // The pauses grow to 100 ms at a mean.
    assert!(calls <= 60, "{calls} calls in two seconds");
}

/// [`FleetStats`](casgate_redis::FleetStats): `calls` are "requests to the store", `failures` "those that failed".
#[test]
fn no_more_requests_fail_than_are_sent() {
    let (quota, server) = at_rate(Quota::per_second(1_000), millis(100));
    server.set_fault(|_| Some(denied_by_acl()));
    let limiter = Fleet::over(server).limiter("api", quota).unwrap();
    assert!(limiter.check().is_err());
    until("a failure is counted", || limiter.stats().failures > 0);
    thread::sleep(millis(20));
    let stats = limiter.stats();
    assert!(stats.failures <= stats.calls, "{stats:?}");
}

/// `Fleet::connect`: "ask `is_up` after the first decision", and `Unavailable::cause`: "how the store failed last". The
/// caller was woken before either was noted.
#[test]
fn who_is_woken_sees_how_the_call_ended() {
    let (quota, server) = at_rate(Quota::per_second(1_000).with_burst(9_000), millis(2_000));
    for _ in 0..300 {
        server.set_down(false);
        server.forget();
        let fleet = Fleet::over(server.clone());
        let answer = fleet.limiter("api", quota.clone()).unwrap().check();
        assert!(answer.is_ok() && fleet.is_up(), "{answer:?}");
        server.set_down(true);
        match fleet.limiter("other", quota.clone()).unwrap().check() {
            Err(NotAdmitted::Unavailable(not)) => assert_eq!(not.cause(), Cause::Unreachable),
            answer => panic!("{answer:?}"),
        }
        assert!(!fleet.is_up());
    }
}

/// `Fleet::is_up`: "whether the last call to the store had a reply". A call that panicked had none, and was the last one.
#[test]
fn a_store_that_panics_is_one_that_fails() {
    let (quota, server) = at_rate(Quota::per_second(1_000), millis(100));
    let fleet = Fleet::over(server.clone());
    let limiter = fleet.limiter("api", quota.clone()).unwrap();
    assert!(limiter.check().is_ok() && fleet.is_up());
    server.panic_once();
    let other = fleet.limiter("other", quota).unwrap();
    assert!(matches!(other.check(), Err(NotAdmitted::Unavailable(_))));
    until("the store is asked again", || other.check().is_ok());
}

/// "When Redis is back, the full rate is back after at most two lifetimes more": a limit whose leases live for long let
/// the store keep silent as long, and all limits of the process wait for the one call.
#[test]
fn a_long_lease_gives_the_store_no_longer_to_reply() {
    let (quota, server) = at_rate(Quota::per_hour(1_000), Duration::from_secs(60));
    let limiter = Fleet::over(server.clone()).limiter("slow", quota).unwrap();
    assert!(limiter.check().is_ok());
    let timeout = server.timeouts()[0];
    assert!(timeout <= Duration::from_secs(2), "{timeout:?}");
}

/// "If the store is known to be down, a decision is at once what the limit says for that." When the pause was over and
/// another limit was the one to probe, the decision waited for half a lifetime.
#[test]
fn decisions_in_an_outage_are_at_once() {
    let (quota, server) = at_rate(Quota::per_second(1_000).with_burst(9_000), millis(1_000));
    server.set_down(true);
    let fleet = Fleet::over(server);
    let limiters: Vec<_> =
        (0..16).map(|n| fleet.limiter(&format!("{n}"), quota.clone()).unwrap()).collect();
    assert!(limiters[0].check().is_err());
    let late: usize = thread::scope(|scope| {
        let threads: Vec<_> = limiters
            .iter()
            .map(|limiter| {
                scope.spawn(move || {
                    let start = Instant::now();
                    let mut late = 0;
                    while start.elapsed() < Duration::from_secs(6) {
                        let asked = Instant::now();
                        assert!(limiter.check().is_err());
                        late += usize::from(asked.elapsed() > millis(450));
                        thread::sleep(Duration::from_micros(50));
                    }
                    late
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(late <= 2, "{late} decisions waited");
}

/// A lease costs one call: a limit whose alarm is due and that a caller has queued was asked for twice in one batch.
#[test]
fn a_limit_is_asked_for_once_in_a_batch() {
    let (quota, server) = at_rate(Quota::per_second(10_000).with_burst(10_000), millis(100));
    let fleet = Fleet::over(server.clone());
    let (limiter, other) =
        (fleet.limiter("api", quota.clone()).unwrap(), fleet.limiter("other", quota).unwrap());
    for _ in 0..20 {
        let start = Instant::now();
        while limiter.check_n(10).is_err() {}
        server.hold();
        let calls = server.calls("other");
        thread::scope(|scope| {
            scope.spawn(|| other.check_n(3_000));
            until("a call is under way", || {
                let _ = limiter.check_n(10);
                server.calls("other") > calls || start.elapsed() > millis(200)
            });
            // Its alarm is due while the call is under way, and it is queued.
            while start.elapsed() < millis(90) {
                if limiter.peek().remaining() > 20 {
                    let _ = limiter.check_n(10);
                }
                thread::sleep(Duration::from_micros(500));
            }
            server.release();
        });
    }
    for batch in server.batches() {
        let mut keys = batch.clone();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), batch.len(), "{batch:?}");
    }
}
