//! Numbers that are told, and those that are taken.

use crate::{at_rate, millis, until};
use casgate::Quota;
use casgate_redis::protocol::WindowQuota;
use casgate_redis::{Fleet, FleetQuota, NotAdmitted};
use std::thread;
use std::time::{Duration, Instant};

/// [`casgate::Denied::retry_after`]: "With no other traffic, the same request is denied at every earlier instant and
/// admitted at that one." The lease was asked for at that instant, so the request came too early by a round trip.
#[test]
fn a_caller_that_waits_as_told_is_admitted() {
    let (quota, server) = at_rate(Quota::per_second(20).with_burst(10), millis(200));
    server.set_fault(|_| {
        thread::sleep(millis(5));
        None
    });
    let limiter = Fleet::over(server).limiter("api", quota).unwrap();
    until("it is exhausted", || limiter.check().is_err());
    let mut admitted = 0;
    for _ in 0..40 {
        while limiter.check().is_ok() {}
        let Err(NotAdmitted::Denied(denied)) = limiter.check() else { continue };
        thread::sleep(denied.retry_after().unwrap());
        admitted += u32::from(limiter.check().is_ok());
    }
    // On a busy machine the thread that asks may be late. None was admitted before.
    assert!(admitted >= 4, "{admitted} of 40");
}

/// `lifetime`: "how long a lease lives, 10 ms at least". With the longest of all a check panicked.
#[test]
fn a_window_may_have_the_longest_lifetime() {
    let quota = Quota::per_day(100);
    let server = crate::server::Server::of_windows(WindowQuota::new(quota).unwrap());
    let fleet = Fleet::over(server);
    for lifetime in [Duration::MAX, Duration::MAX / 2, Duration::from_secs(1 << 40)] {
        let quota = FleetQuota::window(quota).lifetime(lifetime);
        let limiter = fleet.limiter("api", quota).unwrap();
        assert!(limiter.check().is_ok());
    }
}

/// `FleetStats::losses`: "how often the store had lost the state". It had let it lapse, which was in time, though the
/// reply before came late.
#[test]
fn a_state_that_lapsed_is_no_loss() {
    let (quota, server) = at_rate(Quota::per_second(1_000).with_burst(1_000), millis(100));
    let limiter = Fleet::over(server.clone()).limiter("api", quota).unwrap();
    server.set_delay(millis(350)); // of the reply, which is after the grant
    let start = Instant::now();
    let _ = limiter.check();
    // The second request is for what the caller noted when it gave up. It is granted after 350 ms, for a time that is
    // over after 951. Its reply comes after 700.
    until("two requests were sent", || server.batches().len() == 2);
    thread::sleep(millis(1_000).saturating_sub(start.elapsed()));
    server.set_delay(Duration::ZERO);
    until("it was asked again", || limiter.check().is_ok());
    assert_eq!(limiter.stats().losses, 0);
}

/// The same sentence, for many permits: they were counted twice.
#[test]
fn the_wait_for_many_permits_is_that_in_which_they_refill() {
    let (quota, server) = at_rate(Quota::per_second(100).with_burst(100), millis(100));
    let limiter = Fleet::over(server).limiter("api", quota).unwrap();
    until("it is exhausted", || limiter.check_n(60).is_err());
    let wait = limiter.check_n(60).unwrap_err().retry_after().unwrap();
    assert!(wait <= millis(700), "{wait:?} for 60 permits, at 100 a second");
}
