//! "If the last reply was short, a decision without permits is a denial, at once and without a call."

use crate::at_rate;
use crate::server::Server;
use casgate::Quota;
use casgate_redis::protocol::WindowQuota;
use casgate_redis::{Fleet, FleetLimiter, FleetQuota};
use std::time::Duration;

/// The calls for requests of ever fewer permits, where the store has fewer than any of them.
fn calls_for_fewer_and_fewer(limiter: &FleetLimiter, server: &Server) -> usize {
    limiter.check_n(93).unwrap();
    let calls = server.calls("api");
    for n in (10..=90).rev() {
        assert!(limiter.check_n(n).is_err());
    }
    server.calls("api") - calls
}

/// A denial of many permits says nothing about fewer ones, but its reply tells how many the store has. Each smaller
/// request asked the store again.
#[test]
fn a_reply_that_tells_what_is_left_denies_all_that_want_more() {
    let quota = Quota::per_minute(100);
    let server = Server::of_windows(WindowQuota::new(quota).unwrap());
    let quota = FleetQuota::window(quota).lifetime(Duration::from_secs(20));
    let limiter = Fleet::over(server.clone()).limiter("api", quota).unwrap();
    let calls = calls_for_fewer_and_fewer(&limiter, &server);
    assert!(calls <= 4, "{calls} calls for 81 denials");
}

/// The same, at a rate.
#[test]
fn a_reply_without_permits_denies_all_that_want_more_than_the_bucket_has() {
    let (quota, server) = at_rate(Quota::per_hour(100).with_burst(100), Duration::from_secs(20));
    let limiter = Fleet::over(server.clone()).limiter("api", quota).unwrap();
    let calls = calls_for_fewer_and_fewer(&limiter, &server);
    assert!(calls <= 4, "{calls} calls for 81 denials");
}
