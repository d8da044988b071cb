use crate::scripted::Scripted;
use casgate::Quota;
use casgate_redis::protocol::LeaseQuotaError;
use casgate_redis::{Fleet, FleetQuota, FleetQuotaError, OnUnavailable, StateLoss};
use std::collections::HashSet;
use std::time::Duration;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The key of a limit in the store.
fn key(quota: FleetQuota) -> String {
    let (store, calls) = Scripted::new();
    let limiter = Fleet::over(store).limiter("a", quota).unwrap();
    limiter.charge(1);
    let asked = calls.next();
    asked.calls[0].0.clone()
}

#[test]
fn limits_with_other_quotas_are_other_limits() {
    let quota = Quota::per_second(100).with_burst(200);
    let rate = FleetQuota::rate(quota);
    let keys: HashSet<_> = [
        rate.clone(),
        FleetQuota::rate(Quota::per_second(101).with_burst(200)).lifetime(millis(500)),
        FleetQuota::rate(Quota::per_second(100).with_burst(201)).lifetime(millis(500)),
        FleetQuota::rate(Quota::per_minute(100).with_burst(200)),
        rate.clone().lifetime(millis(499)),
        rate.clone().on_state_loss(StateLoss::StartEmpty),
        FleetQuota::window(quota),
        FleetQuota::window(Quota::per_second(101)),
        FleetQuota::window(Quota::per_minute(100)),
    ]
    .map(key)
    .into();
    assert_eq!(keys.len(), 9);
    // What a process does by itself is its own affair, and so is how long its leases of a window live.
    assert_eq!(key(rate.clone().on_unavailable(OnUnavailable::allow())), key(rate.clone()));
    assert_eq!(key(rate.clone().lifetime(millis(500))), key(rate));
    let window = FleetQuota::window(quota);
    assert_eq!(key(window.clone().lifetime(millis(20))), key(window.clone()));
    // Nor has its burst an effect.
    assert_eq!(key(FleetQuota::window(Quota::per_second(100))), key(window));
}

#[test]
fn a_lease_lives_for_a_quarter_of_the_refill() {
    let rate = |permits, burst| {
        FleetQuota::rate(Quota::per_second(permits).with_burst(burst)).get_lifetime()
    };
    assert_eq!(rate(100, 80), millis(200));
    assert_eq!((rate(100, 200), rate(100, 100_000)), (millis(500), millis(500)));
    assert_eq!((rate(100, 8), rate(100, 2)), (millis(20), millis(20)));
    let window = |period| FleetQuota::window(Quota::new(100, period).unwrap()).get_lifetime();
    assert_eq!(window(millis(300)), millis(300));
    assert_eq!(window(Duration::from_secs(86_400)), millis(500));
    let set = FleetQuota::window(Quota::per_second(1)).lifetime(millis(30));
    assert_eq!(set.get_lifetime(), millis(30));
}

/// With the default lifetime too, which is longer for a larger burst.
#[test]
fn the_least_burst_of_an_error_is_enough_and_no_less_is() {
    let error = |quota: Quota| {
        let (store, _calls) = Scripted::new();
        match Fleet::over(store).limiter("a", quota) {
            Ok(_) => None,
            Err(FleetQuotaError::Rate(LeaseQuotaError::BurstTooSmall { least })) => Some(least),
            Err(error) => panic!("{error}"),
        }
    };
    let slow = [Quota::per_day(1), Quota::per_minute(1), Quota::per_minute(60)];
    for rate in slow.into_iter().chain([4, 49, 50, 51, 100, 1_000].map(Quota::per_second)) {
        let least = error(rate.with_burst(1)).expect("a burst of one has no leases");
        let least = u32::try_from(least).unwrap();
        assert_eq!(error(rate.with_burst(least)), None, "{rate:?}");
        assert_eq!(error(rate.with_burst(least - 1)), Some(least.into()), "{rate:?}");
    }
}

#[test]
fn quotas_that_no_fleet_can_keep_are_errors() {
    let error = |quota: FleetQuota| {
        let (store, _calls) = Scripted::new();
        Fleet::over(store).limiter("a", quota).map(drop)
    };
    let quota = Quota::per_second(100);
    assert_eq!(error(FleetQuota::rate(quota).lifetime(millis(10))), Ok(()));
    let short = Err(FleetQuotaError::LifetimeTooShort);
    assert_eq!(error(FleetQuota::rate(quota).lifetime(Duration::from_nanos(9_999_999))), short);
    assert_eq!(error(FleetQuota::window(quota).lifetime(millis(9))), short);
    assert_eq!(error(FleetQuota::window(Quota::new(100, millis(9)).unwrap())), short);
    // All of the burst refills while a lease lives.
    let too_small = |least| Err(FleetQuotaError::Rate(LeaseQuotaError::BurstTooSmall { least }));
    assert_eq!(error(FleetQuota::rate(quota).lifetime(millis(1_000))), too_small(101));
    assert_eq!(error(FleetQuota::rate(Quota::per_second(100).with_burst(2))), too_small(3));
    let text = error(FleetQuota::rate(Quota::per_hour(1))).unwrap_err().to_string();
    assert_eq!(
        text,
        "the burst is too small: leases of this lifetime need 2 or more; a FleetQuota::window needs no burst"
    );
    let odd = Quota::new(1, Duration::from_nanos(20_000_001)).unwrap();
    let Err(error @ FleetQuotaError::Window(_)) = error(FleetQuota::window(odd)) else { panic!() };
    assert_eq!(error.to_string(), "a window of the fleet must be whole microseconds");
}
