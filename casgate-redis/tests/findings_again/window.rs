//! [`FleetQuota::window`].

use crate::server::Server;
use crate::until;
use casgate::Quota;
use casgate_redis::protocol::WindowQuota;
use casgate_redis::{Fleet, FleetLimiter, FleetQuota};
use std::time::{Duration, Instant};

fn hundred_a_minute(lifetime: Duration) -> (FleetLimiter, Server) {
    let quota = Quota::per_minute(100);
    let server = Server::of_windows(WindowQuota::new(quota).unwrap());
    let quota = FleetQuota::window(quota).lifetime(lifetime);
    (Fleet::over(server.clone()).limiter("api", quota).unwrap(), server)
}

/// "It returns the permits that it does not spend in a lifetime." The process that returned some did not ask for them
/// again until the window ended, if it had been told before that the window is used up.
#[test]
fn what_is_returned_can_be_leased_again() {
    let (limiter, server) = hundred_a_minute(Duration::from_millis(400));
    let all = limiter.check_n(100).unwrap();
    limiter.refund(&all);
    limiter.check_n(40).unwrap();
    // All are leased, and the lease has 60.
    assert!(limiter.check_n(70).is_err());
    until("the 60 are returned", || server.used("api") == 40);
    let start = Instant::now();
    while limiter.check_n(50).is_err() {
        assert!(start.elapsed() < Duration::from_secs(5), "60 are free, and none is admitted");
        std::thread::sleep(Duration::from_millis(5));
    }
}
