//! [`FleetQuota::window`].

use crate::server::{MINUTE, Server};
use crate::{millis, until};
use casgate::{Quota, Reason};
use casgate_redis::protocol::WindowQuota;
use casgate_redis::{Cause, Fleet, FleetLimiter, FleetQuota, NotAdmitted, StoreError};
use std::collections::HashMap;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

fn hundred_a_minute(lifetime: Duration) -> (FleetLimiter, Server) {
    let quota = Quota::per_minute(100);
    let server = Server::of_windows(WindowQuota::new(quota).unwrap());
    let quota = FleetQuota::window(quota).lifetime(lifetime);
    (Fleet::over(server.clone()).limiter("api", quota).unwrap(), server)
}

/// "At most the limit in each aligned window". Permits of a window were returned to the next one, if its first reply came
/// before they were taken back.
#[test]
fn permits_are_not_returned_to_the_next_window() {
    let (limiter, server) = hundred_a_minute(Duration::from_secs(1));
    let boundary = MINUTE + 60_000_000;
    server.set_clock(boundary - 400_000);
    server.hold_after(1);
    let admitted = limiter.check_n(3).unwrap();
    until("the next lease is asked for", || server.calls("api") == 2);
    limiter.refund(&admitted);
    server.release();
    // Two leases, of 3 and of a few, which nobody spends.
    until("the next lease is here", || limiter.stats().leased > 3);
    // The next request is on its way while the window ends.
    server.hold();
    let mut admitted = 0;
    thread::scope(|scope| {
        let calls = server.calls("api");
        let asks = scope.spawn(|| limiter.check_n(50));
        until("it is sent", || server.calls("api") > calls);
        until("the window is over", || server.clock() > boundary + 10_000);
        server.release();
        admitted += asks.join().unwrap().map_or(0, |admitted| admitted.permits());
    });
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        admitted += limiter.check().map_or(0, |admitted| admitted.permits());
        if admitted > 100 {
            break;
        }
    }
    assert!(admitted <= 100, "{admitted} of 100 in one window");
}

/// "It returns the permits that it does not spend in a lifetime." What came late was lost until the window ended.
#[test]
fn a_late_lease_is_returned() {
    let (limiter, server) = hundred_a_minute(millis(100));
    server.set_delay(millis(150));
    let _ = limiter.check_n(40);
    until("it was granted", || server.used("api") > 0);
    server.set_delay(Duration::ZERO);
    until("it is returned", || server.used("api") == 0);
}

/// The same, of a lease that was over when the next one took its place.
#[test]
fn a_lease_that_ends_during_a_call_is_returned() {
    let (limiter, server) = hundred_a_minute(millis(400));
    let first = limiter.check_n(40).unwrap();
    limiter.refund(&first);
    let start = Instant::now();
    server.hold();
    let calls = server.calls("api");
    thread::scope(|scope| {
        scope.spawn(|| limiter.check_n(50));
        until("it is sent", || server.calls("api") > calls);
        thread::sleep(millis(420).saturating_sub(start.elapsed()));
        server.release();
    });
    until("all is returned but what was spent", || [0, 50].contains(&server.used("api")));
}

/// The same, of a limit that nobody asks any more: what it returned counted as spent, so it leased as much again.
#[test]
fn an_idle_limit_leases_no_more() {
    let (limiter, server) = hundred_a_minute(millis(100));
    for _ in 0..20 {
        let admitted = limiter.check().unwrap();
        limiter.refund(&admitted);
    }
    until("all is returned", || {
        let (calls, used) = (server.calls("api"), server.used("api"));
        thread::sleep(millis(500));
        used == server.used("api") && calls == server.calls("api")
    });
    assert!(server.used("api") <= 20, "{}", server.used("api"));
}

/// `check_n`: "all or none", and "`NeverFits` if `n` exceeds what Redis grants at once". Redis granted half of what was
/// left, so a request for more was denied for now, again and again.
#[test]
fn all_that_a_window_has_left_is_admitted_together() {
    for n in [51, 80, 100, 101] {
        let (limiter, _server) = hundred_a_minute(millis(100));
        let start = Instant::now();
        loop {
            match limiter.check_n(n) {
                Ok(_) => break assert!(n <= 100),
                Err(NotAdmitted::Denied(denied)) if denied.reason() == Reason::NeverFits => {
                    break assert!(n > 100, "{n}");
                }
                Err(not) => {
                    assert!(start.elapsed() < Duration::from_secs(3), "{n}: {not:?}");
                    thread::sleep(not.retry_after().unwrap().min(millis(100)));
                }
            }
        }
    }
}

/// "At most the limit in each aligned window", of processes that refund, with replies that are late or lost.
#[test]
fn no_window_admits_more_than_its_limit() {
    let most = most_in_a_window(100);
    assert!((51..=100).contains(&most), "{most}");
}

/// The count above finds a server that grants more.
#[test]
fn a_server_that_grants_more_is_found() {
    assert!(most_in_a_window(400) > 100);
}

fn most_in_a_window(limit: u32) -> u32 {
    let quota = Quota::new(limit, millis(250)).unwrap();
    let server = Server::of_windows(WindowQuota::new(quota).unwrap());
    let mut calls = 0_u32;
    server.set_fault(move |_| {
        calls += 1;
        thread::sleep(Duration::from_micros(u64::from(calls * calls % 17) * 1_500));
        let lost = calls.is_multiple_of(11);
        lost.then(|| StoreError::new(Cause::Timeout, "it was lost"))
    });
    let windows = Mutex::new(HashMap::<u64, u32>::new());
    thread::scope(|scope| {
        for seed in 0..3_u64 {
            let fleet = Fleet::over(server.clone());
            let quota = FleetQuota::window(quota).lifetime(millis(40));
            let limiter = fleet.limiter("api", quota).unwrap();
            let (server, windows) = (&server, &windows);
            scope.spawn(move || {
                let window = || server.clock() / 250_000;
                let start = Instant::now();
                for step in seed.. {
                    if start.elapsed() > Duration::from_secs(4) {
                        break;
                    }
                    let (before, n) = (window(), step % 7 + 1);
                    let answer = limiter.check_n(n as u32);
                    // What may be of either of two windows counts in none.
                    let Some(admitted) = answer.ok().filter(|_| before == window()) else {
                        thread::sleep(millis(1));
                        continue;
                    };
                    if step % 5 == 0 {
                        limiter.refund(&admitted);
                        continue;
                    }
                    *windows.lock().unwrap().entry(before).or_default() += n as u32;
                    if step % 3 == 0 {
                        thread::sleep(millis(step % 20));
                    }
                }
            });
        }
    });
    let windows = windows.into_inner().unwrap();
    windows.into_values().max().unwrap()
}
