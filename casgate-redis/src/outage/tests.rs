use super::*;
use core::time::Duration;

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_000 + millis)
}

/// 1,000 per second, a burst of 400.
fn outage(policy: OnUnavailable) -> Outage {
    let quota = FleetQuota::rate(Quota::per_second(1_000).with_burst(400));
    Outage::new(&quota.on_unavailable(policy))
}

/// How many of single permits are admitted at that instant, when the store has recovered so often.
fn admitted(outage: &Outage, now: Timestamp, recoveries: u64) -> usize {
    let is_admitted = |_: &usize| matches!(outage.decide(1, now, recoveries), Alone::Shared(_));
    (0..1_000).take_while(is_admitted).count()
}

#[test]
fn what_is_decided_is_counted() {
    let denies = outage(OnUnavailable::deny());
    assert!(matches!(denies.decide(3, at(0), 0), Alone::Unavailable));
    assert_eq!((denies.denied(), denies.spent()), (3, 0));
    let allows = outage(OnUnavailable::allow());
    assert!(matches!(allows.decide(3, at(0), 0), Alone::Allowed));
    assert_eq!((allows.allowed(), allows.spent(), allows.denied()), (3, 3, 0));
    let shares = outage(OnUnavailable::share(4));
    assert!(matches!(shares.decide(100, at(0), 0), Alone::Shared(_)));
    assert!(matches!(shares.decide(1, at(0), 0), Alone::Denied(_)));
    assert_eq!((shares.shared(), shares.spent(), shares.denied()), (100, 100, 0));
}

#[test]
fn a_share_is_full_if_there_never_was_contact_and_else_empty() {
    let outage = outage(OnUnavailable::share(4));
    assert_eq!(admitted(&outage, at(0), 0), 100);
    assert_eq!(admitted(&outage, at(20), 0), 5); // 250 per second
    outage.end(4);
    assert_eq!(admitted(&outage, at(100), 1), 0);
    assert_eq!(admitted(&outage, at(140), 1), 10);
    assert_eq!(admitted(&outage, at(10_000), 1), 100);
}

#[test]
fn a_share_is_by_the_larger_number_of_processes() {
    for (expected, told, share) in [(4, 0, 100), (0, 0, 400), (4, 2, 100), (4, 8, 50), (900, 0, 1)]
    {
        let outage = outage(OnUnavailable::share(expected));
        // The store told of so many, and is then away for long enough for a full bucket.
        outage.end(told);
        let _ = outage.decide(1, at(0), 1);
        assert_eq!(admitted(&outage, at(100_000), 1), share, "{expected} expected, {told} told");
    }
    // The last number counts, and none is no number.
    let outage = outage(OnUnavailable::share(1));
    for told in [8, 2, 0] {
        outage.end(told);
    }
    let _ = outage.decide(1, at(0), 1);
    assert_eq!(admitted(&outage, at(100_000), 1), 200);
}

#[test]
fn a_share_that_is_no_quota_is_none() {
    // A permit in the longest period: the half of it is less.
    let quota = Quota::new(1, Duration::from_nanos(1 << 61)).unwrap();
    let quota = FleetQuota::rate(quota).on_unavailable(OnUnavailable::share(2));
    assert!(matches!(Outage::new(&quota).decide(1, at(0), 0), Alone::Unavailable));
}

#[test]
fn phases_count_from_the_first_decision_of_an_outage() {
    let policy = OnUnavailable::allow().for_at_most(Duration::from_millis(50));
    let outage = outage(policy.then(OnUnavailable::deny()));
    let is_allowed = |now| matches!(outage.decide(1, at(now), 0), Alone::Allowed);
    assert_eq!([0, 49, 50].map(is_allowed), [true, true, false]);
    outage.end(0);
    assert_eq!([60, 109, 110].map(is_allowed), [true, true, false]);
}

/// Though nobody asked for this limit while the store was there.
#[test]
fn an_outage_ends_when_the_store_has_recovered() {
    let policy = OnUnavailable::allow().for_at_most(Duration::from_millis(50));
    let outage = outage(policy.then(OnUnavailable::deny()));
    let is_allowed =
        |now, recoveries| matches!(outage.decide(1, at(now), recoveries), Alone::Allowed);
    assert_eq!([is_allowed(0, 3), is_allowed(60, 3), is_allowed(60, 4)], [true, false, true]);
}
