use crate::scripted::{Calls, Scripted, eventually};
use casgate::Quota;
use casgate_redis::{
    Cause, Fleet, FleetLimiter, FleetQuota, NotAdmitted, OnUnavailable, StoreError,
};
use std::thread;
use std::time::{Duration, Instant};

/// Leases of 10 s, so that no test depends on their end.
fn quota() -> FleetQuota {
    let quota = Quota::per_second(100).with_burst(10_000);
    FleetQuota::rate(quota).lifetime(Duration::from_secs(10))
}

fn limiter(quota: FleetQuota) -> (Fleet, FleetLimiter, Calls) {
    let (store, calls) = Scripted::new();
    let fleet = Fleet::over(store);
    let limiter = fleet.limiter("api", quota).unwrap();
    (fleet, limiter, calls)
}

fn error(cause: Cause) -> StoreError {
    StoreError::new(cause, "")
}

#[test]
fn callers_wait_for_one_call_together() {
    let (fleet, limiter, calls) = limiter(quota());
    thread::scope(|scope| {
        let callers: Vec<_> = (0..4).map(|_| scope.spawn(|| limiter.check())).collect();
        let asked = calls.next();
        assert_eq!(asked.calls[0].0, "casgate:api:100/1000000000/10000/10000000000");
        // A lease lives for longer, but a reply is not waited for longer.
        assert_eq!(asked.timeout, Duration::from_secs(1));
        assert!(!fleet.is_up());
        let wanted = asked.wants()[0];
        asked.grant(&[wanted]);
        let admitted = callers.into_iter().map(|caller| caller.join().unwrap());
        assert_eq!(admitted.filter(Result::is_ok).count(), 4);
        assert!(fleet.is_up() && fleet.last_error().is_none());
        assert_eq!(limiter.peek().remaining() as i64, wanted - 4);
    });
    // While the lease lives, no more.
    for _ in 0..100 {
        limiter.check().unwrap();
    }
    // One that came when the call was sent has rung again.
    assert!(limiter.stats().calls <= 2);
}

#[test]
fn a_future_waits_for_the_call_too_and_can_be_dropped() {
    use std::future::Future;
    use std::task::{Context, Poll, Waker};
    let (_fleet, limiter, calls) = limiter(quota());
    let mut context = Context::from_waker(Waker::noop());
    let (mut one, mut two) = (Box::pin(limiter.ask(3)), Box::pin(limiter.ask(5)));
    assert!(one.as_mut().poll(&mut context).is_pending());
    assert!(two.as_mut().poll(&mut context).is_pending());
    drop(one);
    let asked = calls.next();
    asked.grant(&[100]);
    eventually("the lease", || limiter.peek().remaining() == 100);
    assert!(matches!(two.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
    assert_eq!(limiter.peek().remaining(), 95);
}

#[test]
fn a_failure_is_told_and_the_store_is_asked_again() {
    let (fleet, limiter, calls) = limiter(quota());
    thread::scope(|scope| {
        let caller = scope.spawn(|| limiter.check());
        calls.next().answer(Err(error(Cause::Busy)));
        let Err(NotAdmitted::Unavailable(unavailable)) = caller.join().unwrap() else { panic!() };
        assert_eq!(unavailable.cause(), Cause::Busy);
        assert!(!unavailable.retry_after().is_zero());
        assert_eq!(fleet.last_error(), Some(error(Cause::Busy)));
        assert_eq!(limiter.stats().failures, 1);
    });
    // Nobody waits in an outage, though the limit is another one.
    let other = fleet.limiter("other", quota()).unwrap();
    let began = Instant::now();
    let probes = thread::scope(|scope| {
        let caller = scope.spawn(|| {
            let mut denied = 0;
            while other.stats().leased == 0 {
                denied += u32::from(other.check().is_err());
                assert!(began.elapsed() < Duration::from_secs(20));
            }
            denied
        });
        for _ in 0..3 {
            let asked = calls.next();
            assert_eq!(asked.calls.len(), 1);
            asked.answer(Err(error(Cause::Unreachable)));
        }
        let asked = calls.next();
        assert_eq!(asked.wants(), [1]); // a probe asks for as little as it can
        asked.grant(&[1]);
        caller.join().unwrap()
    });
    assert!(probes > 0 && fleet.is_up());
    assert_eq!(fleet.last_error(), Some(error(Cause::Unreachable)));
}

#[test]
fn an_error_of_one_call_is_that_limits_alone() {
    let (fleet, first, calls) = limiter(quota());
    let one = fleet.limiter("one", quota()).unwrap();
    let two = fleet.limiter("other", quota()).unwrap();
    thread::scope(|scope| {
        // The first call keeps the thread while both want something.
        let first = scope.spawn(|| first.check());
        let held = calls.next();
        one.charge(7);
        two.charge(7);
        held.grant(&[1]);
        let _ = first.join().unwrap();
        let asked = calls.next();
        let mut keys: Vec<_> = asked.calls.iter().map(|call| call.0.as_str()).collect();
        keys.sort_unstable();
        let [a, b] = keys[..] else { panic!("{keys:?}") };
        assert!(a.starts_with("casgate:one:") && b.starts_with("casgate:other:"));
        let reply = |key: &str| match key.starts_with("casgate:one:") {
            true => Err(error(Cause::OutOfMemory)),
            false => Ok(vec![50, 2_000, 1_000, 7, 1, 0]),
        };
        let replies = asked.calls.iter().map(|call| reply(&call.0)).collect();
        asked.answer(Ok(replies));
        eventually("the lease", || two.stats().leased == 50);
        assert!(fleet.is_up());
        assert_eq!(one.stats().failures, 1);
        assert_eq!(fleet.last_error(), Some(error(Cause::OutOfMemory)));
    });
}

#[test]
fn an_error_of_the_only_call_is_one_failure() {
    let (fleet, limiter, calls) = limiter(quota());
    thread::scope(|scope| {
        let caller = scope.spawn(|| limiter.check());
        calls.next().answer(Ok(vec![Err(error(Cause::ReadOnly))]));
        let Err(NotAdmitted::Unavailable(unavailable)) = caller.join().unwrap() else { panic!() };
        assert_eq!(unavailable.cause(), Cause::ReadOnly);
    });
    assert_eq!(limiter.stats().failures, 1);
    assert!(!fleet.is_up());
}

#[test]
fn replies_that_are_none_are_failures() {
    let (fleet, limiter, calls) = limiter(quota());
    for reply in [Ok(vec![]), Ok(vec![Ok(vec![1, 2])])] {
        thread::scope(|scope| {
            let caller = scope.spawn(|| {
                loop {
                    // Until it is asked: after the first failure that takes a while.
                    if let Err(NotAdmitted::Unavailable(_)) = limiter.check()
                        && limiter.stats().failures > 0
                        && fleet.last_error().is_some()
                    {
                        break;
                    }
                }
            });
            calls.next().answer(reply);
            caller.join().unwrap();
        });
        assert_eq!(fleet.last_error().map(|error| error.cause()), Some(Cause::Other));
    }
    assert_eq!(limiter.stats().leased, 0);
}

#[test]
fn a_caller_that_gets_no_reply_goes_on_after_half_a_lifetime() {
    let quota = quota().lifetime(Duration::from_millis(200)).on_unavailable(OnUnavailable::allow());
    let (_fleet, limiter, calls) = limiter(quota);
    let began = Instant::now();
    let admitted = limiter.check_n(7).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert_eq!((admitted.permits(), limiter.stats().allowed), (7, 7));
    // The next need not wait, be the call under way or not.
    limiter.check().unwrap();
    assert_eq!((limiter.stats().allowed, limiter.stats().calls), (8, 1));
    // What was spent in that way is told.
    let asked = calls.next();
    assert_eq!(asked.timeout, Duration::from_millis(200));
    asked.answer(Err(error(Cause::Timeout)));
    // It is asked again for as long as somebody asks.
    thread::scope(|scope| {
        let caller = scope.spawn(|| {
            while limiter.stats().calls < 2 {
                let _ = limiter.check();
            }
        });
        let asked = calls.next();
        assert_eq!(asked.calls[0].1[11], (1 << 53) - 1); // the bucket is empty
        asked.grant(&[0]);
        caller.join().unwrap();
    });
}

#[test]
fn many_limits_are_asked_for_in_batches() {
    let (fleet, first, calls) = limiter(quota());
    let limits: Vec<_> =
        (0..600).map(|i| fleet.limiter(&i.to_string(), quota()).unwrap()).collect();
    thread::scope(|scope| {
        let caller = scope.spawn(|| first.check());
        let held = calls.next();
        for limit in &limits {
            limit.charge(1);
        }
        held.grant(&[1]);
        caller.join().unwrap().unwrap();
        // That one may be asked for again at once.
        let mut sizes = Vec::new();
        while sizes.iter().sum::<usize>() < 600 {
            let asked = calls.next();
            sizes.push(asked.calls.len());
            let grants = vec![2; asked.calls.len()];
            asked.grant(&grants);
        }
        assert_eq!(*sizes.iter().max().unwrap(), 500);
        assert!(sizes.len() <= 3, "{sizes:?}");
    });
    eventually("all are served", || limits.iter().all(|limit| limit.stats().leased == 2));
}

#[test]
fn the_thread_ends_with_the_last_limiter() {
    let (fleet, limiter, calls) = limiter(quota());
    drop(fleet);
    thread::scope(|scope| {
        let caller = scope.spawn(|| limiter.check());
        calls.next().grant(&[50]);
        assert!(caller.join().unwrap().is_ok());
    });
    drop(limiter);
    calls.wait_for_the_end();
}

#[test]
fn those_who_wait_are_served_in_order_or_told_that_it_is_too_late() {
    use casgate_redis::AcquireError;
    use std::future::Future;
    use std::task::{Context, Waker};
    let (_fleet, limiter, calls) = limiter(quota());
    let mut context = Context::from_waker(Waker::noop());
    let patience = Duration::from_secs(60);
    let (mut one, mut two) =
        (Box::pin(limiter.acquire(60, patience)), Box::pin(limiter.acquire(1, patience)));
    assert!(one.as_mut().poll(&mut context).is_pending());
    assert!(two.as_mut().poll(&mut context).is_pending());
    let asked = calls.next();
    assert_eq!(asked.calls[0].1[10], 60); // the first in line alone
    asked.grant(&[60]);
    eventually("the first", || one.as_mut().poll(&mut context).is_ready());
    assert!(two.as_mut().poll(&mut context).is_pending());
    // It is the first then, and asks.
    calls.next().grant(&[0]);
    // A denial of a quarter of a lifetime is within the patience, and not within this one.
    drop(two);
    let mut late = Box::pin(limiter.acquire(1, Duration::from_millis(10)));
    let mut result = None;
    eventually("an end", || {
        match late.as_mut().poll(&mut context) {
            std::task::Poll::Ready(ready) => result = Some(ready),
            std::task::Poll::Pending => {}
        }
        result.is_some()
    });
    assert_eq!(result.unwrap().unwrap_err(), AcquireError::TooLate);
    let mut never = Box::pin(limiter.acquire(1 << 25, patience));
    let std::task::Poll::Ready(Err(never)) = never.as_mut().poll(&mut context) else { panic!() };
    assert_eq!(never, AcquireError::NeverFits);
}
