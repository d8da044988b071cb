//! A fleet whose processes ask less than once in a lease's lifetime.

use crate::{at_rate, millis};
use casgate::Quota;
use casgate_redis::Fleet;
use std::thread;
use std::time::Instant;

/// "One rate limit for a whole fleet of processes": four that are balanced share a quota of which they ask half. Each
/// took a lease twice as large as the last and let it lapse.
#[test]
fn requests_that_are_far_apart_waste_no_permits() {
    let quota = Quota::per_second(20);
    let (quota, server) = at_rate(quota, millis(250));
    let limiters: Vec<_> = (0..4)
        .map(|_| Fleet::over(server.clone()).limiter("user", quota.clone()).unwrap())
        .collect();
    let start = Instant::now();
    let mut admitted = 0;
    for request in 0..50_u32 {
        thread::sleep((millis(100) * request).saturating_sub(start.elapsed()));
        admitted += u32::from(limiters[request as usize % 4].check().is_ok());
    }
    let granted: u32 = server.granted().iter().sum();
    assert!(admitted >= 47, "{admitted} of 50 admitted, at half of the rate; {granted} granted");
    assert!(granted <= 80, "{granted} permits for {admitted}");
}
