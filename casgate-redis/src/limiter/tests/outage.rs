//! A store that is down, or has lost its state.

use super::*;
use crate::outage::OnUnavailable;

#[test]
fn a_failure_makes_the_limit_unavailable_until_it_is_over() {
    let limit = Alone::rate();
    let _ = limit.miss(1, 10);
    limit.asks(10);
    limit.told();
    limit.fail(40);
    let unavailable = limit.unavailable(2, 15);
    assert_eq!(unavailable.retry_after(), millis(25));
    assert_eq!(unavailable.cause(), Cause::Busy);
    assert_eq!(limit.told(), 0); // the refresher looks by itself
    // Never zero.
    assert_eq!(limit.unavailable(2, 40).retry_after(), millis(1));
    assert_eq!(limit.told(), 1);
    assert_eq!((limit.shared.stats().failures, limit.shared.stats().unavailable), (1, 4));
    // A probe asks for as little as it can.
    let Step::Ask { arguments, .. } = limit.shared.look(at(40), true) else { panic!() };
    assert_eq!(arguments[9..11], [2, 2]);
    limit.grant(2, 42);
    limit.handle.inbox().tell(true, None, Timestamp::ZERO);
    assert!(limit.spend(2, 43).is_some());
    assert!(matches!(limit.miss(1, 43), Err(Miss::Soon)));
}

#[test]
fn a_new_limit_need_not_find_out_that_the_store_is_down() {
    let limit = Alone::rate();
    let error = StoreError::new(Cause::Unreachable, "");
    limit.handle.inbox().tell(false, Some(error), at(40));
    assert_eq!(limit.unavailable(1, 30).cause(), Cause::Unreachable);
    // The store is asked again then, and for a while nobody else need find out.
    assert_eq!(limit.unavailable(1, 140).cause(), Cause::Unreachable);
    assert!(matches!(limit.miss(1, 141), Err(Miss::Soon)));
    limit.handle.inbox().expect_at(at(80));
    assert_eq!(limit.unavailable(1, 50).retry_after(), millis(30));
    limit.handle.inbox().tell(true, None, Timestamp::ZERO);
    assert!(matches!(limit.miss(1, 50), Err(Miss::Soon)));
}

/// "If the store is known to be down, a decision is at once what the limit says for that." A
/// smaller request than one that was denied waited for a lease.
#[test]
fn a_smaller_request_need_not_find_out_that_the_store_is_down() {
    let limit = Alone::rate();
    let _ = limit.miss(60, 10);
    limit.asks(10);
    limit.grant_of(0, 9, 11);
    let error = StoreError::new(Cause::Unreachable, "");
    limit.handle.inbox().tell(false, Some(error), at(60));
    assert_eq!(limit.unavailable(9, 12).retry_after(), millis(48));
    assert!(limit.denied(30, 33).retry_after().is_some());
    assert_eq!(limit.unavailable(30, 45).retry_after(), millis(15));
}

#[test]
fn a_wait_in_vain_is_a_denial_if_the_store_answers_and_an_outage_if_not() {
    let limit = Alone::rate();
    let _ = limit.miss(1, 10);
    limit.asks(10);
    limit.grant(50, 16); // sent at 15
    let lost = |since, now| limit.shared.give_up(60, at(since), at(now));
    let Err(NotAdmitted::Denied(denied)) = lost(15, 60) else { panic!() };
    assert_eq!(denied.retry_after(), Some(millis(25)));
    let Err(NotAdmitted::Unavailable(unavailable)) = lost(16, 60) else { panic!() };
    assert_eq!(unavailable.retry_after(), millis(100));
    // The others know it then, until it is found to be otherwise.
    assert_eq!(limit.unavailable(60, 61).retry_after(), millis(99));
    limit.asks(62);
    limit.grant(100, 63);
    assert!(matches!(limit.miss(60, 64), Err(Miss::Soon)));
}

#[test]
fn what_is_spent_in_an_outage_empties_the_bucket() {
    let quota = Quota::per_second(1_000).with_burst(400);
    let limit = Alone::new(FleetQuota::rate(quota).on_unavailable(OnUnavailable::allow()));
    let _ = limit.miss(1, 10);
    limit.asks(10);
    limit.fail(40);
    assert_eq!(limit.miss(5, 20).unwrap().permits(), 5);
    assert!(limit.shared.is_owing(at(50)));
    assert_eq!(limit.shared.stats().allowed, 5);
    let carried = |arguments: Vec<i64>| arguments[11];
    assert_eq!(carried(limit.asks(50)), (1 << 53) - 1);
    // Some more while that is under way: the next tells of them.
    let _ = limit.miss(5, 51);
    limit.grant(0, 52);
    assert!(limit.shared.is_owing(at(50)));
    assert_eq!(carried(limit.asks(80)), (1 << 53) - 1);
    limit.grant(0, 81);
    assert!(!limit.shared.is_owing(at(50)));
    let _ = limit.miss(1, 110);
    assert_eq!(carried(limit.asks(110)), 81_000 + 300_000);
}

#[test]
fn a_loss_of_state_is_counted() {
    let limit = Alone::rate();
    let reply = |missing, now: u64| {
        let trip = Trip { sent: at(now - 1), received: at(now), random: 0.5 };
        limit.shared.settle(&[1, 400_000, 100_000, 7, 2, missing], trip).unwrap();
        limit.shared.stats().losses
    };
    // The first of all is none, nor is one after the time for which the server keeps a state.
    assert_eq!([reply(1, 10), reply(0, 100), reply(1, 498), reply(1, 897)], [0, 0, 1, 1]);
}
