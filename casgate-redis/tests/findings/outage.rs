//! [`OnUnavailable`].

use crate::server::Server;
use crate::{at_rate, millis, until};
use casgate::{Limit, Quota, Timestamp};
use casgate_redis::protocol::WindowQuota;
use casgate_redis::{AcquireError, Fleet, FleetLimiter, FleetQuota, OnUnavailable};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

/// `check_n`: "The reason is `NeverFits` if `n` exceeds what Redis grants at once". More than a share was told so too,
/// so a wait in an outage ended for good.
#[test]
fn more_than_a_share_is_not_never() {
    let (quota, server) = at_rate(Quota::per_second(100), millis(100));
    server.set_down(true);
    let quota = quota.on_unavailable(OnUnavailable::share(4));
    let limiter = Fleet::over(server.clone()).limiter("api", quota).unwrap();
    let not = limiter.check_n(50).unwrap_err();
    assert!(not.retry_after().is_some(), "{not:?}");
    let mut wait = pin!(limiter.acquire(50, Duration::from_secs(60)));
    let mut polls = 0;
    until("it waits in the outage, and after it is served", || {
        polls += 1;
        server.set_down(polls < 300);
        match wait.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => {
                assert_ne!(result, Err(AcquireError::NeverFits));
                result.is_ok()
            }
            Poll::Pending => false,
        }
    });
}

/// `for_at_most`: "counted from the first decision that would need it". A limit that nobody asked between two outages
/// counted from the first decision of the first of them.
#[test]
fn the_phases_begin_again_with_each_outage() {
    let (quota, server) = at_rate(Quota::per_second(1_000), millis(20));
    let brief = OnUnavailable::deny().for_at_most(millis(500)).then(OnUnavailable::allow());
    let fleet = Fleet::over(server.clone());
    let (rare, busy) = (
        fleet.limiter("rare", quota.clone().on_unavailable(brief)).unwrap(),
        fleet.limiter("busy", quota).unwrap(),
    );
    server.set_down(true);
    assert!(busy.check().is_err() && rare.check().is_err());
    server.set_down(false);
    until("the store is back", || busy.check().is_ok());
    thread::sleep(millis(600));
    server.set_down(true);
    until("the next outage is known", || busy.check().is_err() && !fleet.is_up());
    assert!(rare.check().is_err());
    assert_eq!(rare.stats().allowed, 0);
}

/// `check_at`: a timestamp "that is older than now, or later, is taken for now". A later one found all leases over, and
/// as nobody asked the store, the store was down: so the limit admitted what it allows then.
#[test]
fn a_timestamp_of_the_future_is_no_outage() {
    let quota = Quota::per_second(4).with_burst(1_000);
    let (quota, server) = at_rate(quota, Duration::from_secs(5));
    let quota = quota.on_unavailable(OnUnavailable::allow());
    let limiter = Fleet::over(server).limiter("api", quota).unwrap();
    for n in [9, 25] {
        limiter.check_n(n).unwrap(); // of two leases, which are left with 11 and 15
    }
    assert!(limiter.peek().remaining() > 0);
    for at in [Timestamp::MAX, Timestamp::ZERO] {
        let admitted = Limit::check_at(&limiter, at).unwrap();
        assert!(admitted.at() < Timestamp::MAX && admitted.at() > Timestamp::ZERO);
    }
    assert_eq!(limiter.stats().allowed, 0);
}

/// 100 in a minute, of which a process has admitted 40 in an outage. After it nobody asks the process.
fn a_window_after_an_outage(on_unavailable: OnUnavailable) -> (FleetLimiter, FleetLimiter, Server) {
    let quota = Quota::per_minute(100);
    let server = Server::of_windows(WindowQuota::new(quota).unwrap());
    server.set_down(true);
    let quota = FleetQuota::window(quota).lifetime(millis(40)).on_unavailable(on_unavailable);
    let limiter = || Fleet::over(server.clone()).limiter("api", quota.clone()).unwrap();
    let (own, other) = (limiter(), limiter());
    for _ in 0..40 {
        own.check().unwrap();
    }
    server.set_down(false);
    until("it is reported", || server.used("api") == 40);
    (own, other, server)
}

/// The permits that are admitted until no more are.
fn rest(limiter: &FleetLimiter) -> u32 {
    let mut admitted = 0;
    until("the window has no more", || match limiter.check() {
        Ok(_) => {
            admitted += 1;
            false
        }
        Err(not) => not.retry_after().unwrap() > Duration::from_secs(1),
    });
    admitted
}

/// "The process reports them to the store when it answers again." Of a window it did not, so the window had its whole
/// limit besides.
#[test]
fn what_is_spent_in_an_outage_is_of_the_window() {
    for on_unavailable in [OnUnavailable::allow(), OnUnavailable::share(2)] {
        let (own, _, _server) = a_window_after_an_outage(on_unavailable.clone());
        assert_eq!(rest(&own), 60);
        let (_own, other, _server) = a_window_after_an_outage(on_unavailable);
        assert_eq!(rest(&other), 60);
    }
}
