//! [`FleetLimiter::check_n`](casgate_redis::FleetLimiter::check_n), "all or none", with more than a lease holds.

use crate::server::Server;
use crate::{at_rate, millis, until};
use casgate::Quota;
use casgate_redis::{Fleet, FleetLimiter, NotAdmitted};
use std::thread;
use std::time::Duration;

/// A limiter with a lease of which 11 permits are left, and most of the burst still in the store.
fn with_a_lease() -> (FleetLimiter, Server) {
    let quota = Quota::per_second(4).with_burst(1_000);
    let (quota, server) = at_rate(quota, Duration::from_secs(5));
    let limiter = Fleet::over(server.clone()).limiter("api", quota).unwrap();
    limiter.check_n(9).unwrap();
    assert_eq!(limiter.peek().remaining(), 11);
    (limiter, server)
}

/// "If no lease lives … that has the permits … the decision waits for one". The reply's lease had no place next to two
/// others, so it was dropped, again and again, until the burst was gone.
#[test]
fn a_request_larger_than_both_leases_is_admitted_by_one_call() {
    let (limiter, server) = with_a_lease();
    limiter.check_n(25).unwrap(); // of another lease, which is left with 15
    assert_eq!(limiter.peek().remaining(), 15);
    let before = server.granted().iter().sum::<u32>();
    let answer = limiter.check_n(100);
    let took = server.granted().iter().sum::<u32>() - before;
    assert!(answer.is_ok(), "{answer:?}");
    assert!(took <= 300, "{took} permits for a request of 100");
}

/// [`NotAdmitted::Unavailable`]: "The store does not answer". It answers, and was not asked: a smaller request that has
/// been served was taken for the least that is wanted.
#[test]
fn a_request_is_sent_though_a_smaller_one_came_before() {
    let (limiter, server) = with_a_lease();
    // While a request for 13 is under way, 12 find too few. The reply has 40 and serves both, so 15 are left.
    server.hold();
    let calls = server.calls("api");
    thread::scope(|scope| {
        let asks = |n| {
            let limiter = &limiter;
            scope.spawn(move || limiter.check_n(n))
        };
        let first = asks(13);
        until("the first is sent", || server.calls("api") > calls);
        let second = asks(12);
        thread::sleep(millis(50)); // it waits for the reply to the first
        server.release();
        let answers = [first.join().unwrap(), second.join().unwrap()];
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    });
    assert_eq!(limiter.peek().remaining(), 15);
    let answer = limiter.check_n(300);
    assert!(!matches!(answer, Err(NotAdmitted::Unavailable(_))), "{answer:?}");
    assert!(answer.is_ok(), "{answer:?}");
}
