//! [`FleetLimiter::check_n`](casgate_redis::FleetLimiter::check_n), "all or none", with more than a lease holds.

use crate::server::Server;
use crate::{at_rate, millis, until};
use casgate::Quota;
use casgate_redis::{Fleet, FleetLimiter, NotAdmitted};
use std::thread;
use std::time::Duration;

/// A limiter with a lease of which some permits are left, and most of the burst still in the store.
fn with_a_lease() -> (FleetLimiter, Server) {
    let quota = Quota::per_second(4).with_burst(1_000);
    let (quota, server) = at_rate(quota, Duration::from_secs(5));
    let limiter = Fleet::over(server.clone()).limiter("api", quota).unwrap();
    limiter.check_n(4).unwrap();
    (limiter, server)
}

/// Tries until the leases are as the test needs them: the next one may be asked for early.
fn attempts(attempt: impl Fn() -> Option<()>) {
    assert!((0..100).any(|_| attempt().is_some()), "the leases were never as the test needs them");
}

/// "If no lease lives … that has the permits … the decision waits for one". The reply's lease had no place next to two
/// others, so it was dropped, again and again, until the burst was gone.
#[test]
fn a_request_larger_than_both_leases_is_admitted_by_one_call() {
    attempts(|| {
        let (limiter, server) = with_a_lease();
        limiter.check_n(limiter.peek().remaining() + 1).unwrap(); // of another lease
        let before = server.granted().iter().sum::<u32>();
        if server.granted().len() != 2 {
            return None;
        }
        let answer = limiter.check_n(100);
        let took = server.granted().iter().sum::<u32>() - before;
        assert!(answer.is_ok(), "{answer:?}");
        assert!(took <= 300, "{took} permits for a request of 100");
        Some(())
    });
}

/// [`NotAdmitted::Unavailable`]: "The store does not answer". It answers, and was not asked: a smaller request that has
/// been served was taken for the least that is wanted.
#[test]
fn a_request_is_sent_though_a_smaller_one_came_before() {
    attempts(|| {
        let (limiter, server) = with_a_lease();
        // While a request for 13 is under way, 12 find too few.
        server.hold();
        if server.granted().len() != 1 {
            return None;
        }
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
        let answer = limiter.check_n(300);
        assert!(!matches!(answer, Err(NotAdmitted::Unavailable(_))), "{answer:?}");
        assert!(answer.is_ok(), "{answer:?}");
        Some(())
    });
}
