use crate::scripted::{Scripted, eventually};
use casgate::Quota;
use casgate_redis::{Cause, Fleet, FleetKeyed, FleetQuota, FleetQuotaError, NotAdmitted};
use std::thread;
use std::time::Duration;

fn quota() -> FleetQuota {
    let quota = Quota::per_second(100).with_burst(10_000);
    FleetQuota::rate(quota).lifetime(Duration::from_secs(10))
}

#[test]
fn each_key_has_a_limit_of_its_own() {
    let (store, calls) = Scripted::new();
    let fleet = Fleet::over(store);
    let users: FleetKeyed<String> = fleet.keyed("user", quota(), 10).unwrap();
    assert!(users.is_empty());
    for name in ["ann", "bob"] {
        thread::scope(|scope| {
            let caller = scope.spawn(|| users.check_n(name, 3));
            let asked = calls.next();
            let key = format!("casgate:user:{name}:100/1000000000/10000/10000000000");
            assert_eq!(asked.calls[0].0, key);
            asked.grant(&[50]);
            assert_eq!(caller.join().unwrap().unwrap().remaining(), 47);
        });
    }
    assert_eq!((users.len(), users.is_empty()), (2, false));
    assert_eq!(users.check("ann").unwrap().remaining(), 46);
    assert_eq!(users.get("bob").unwrap().peek().remaining(), 47);
}

#[test]
fn a_new_key_takes_the_place_of_another() {
    let (store, _calls) = Scripted::new();
    let fleet = Fleet::over(store);
    // Also where the parts of the memory are not equal.
    for capacity in [1, 2, 8, 1_001] {
        let users: FleetKeyed<u64> = fleet.keyed("user", quota(), capacity).unwrap();
        for key in 0..3_000 {
            users.get(&key).unwrap();
            assert!(users.len() <= capacity + capacity / 10, "{} of {capacity}", users.len());
        }
    }
}

#[test]
fn keys_in_use_keep_their_places() {
    let (store, _calls) = Scripted::new();
    let users: FleetKeyed<u64> = Fleet::over(store).keyed("user", quota(), 4).unwrap();
    let held: Vec<_> = (0..4).map(|key| users.get(&key).unwrap()).collect();
    assert_eq!(users.get(&4).unwrap_err().cause(), Cause::Full);
    drop(held);
    users.get(&4).unwrap();
}

#[test]
fn keys_that_owe_keep_their_places() {
    let (store, calls) = Scripted::new();
    let users: FleetKeyed<u64> = Fleet::over(store).keyed("user", quota(), 4).unwrap();
    let owing: Vec<u64> =
        (0..1_000).take_while(|key| users.get(key).map(|user| user.charge(5)).is_ok()).collect();
    assert_eq!((owing.len(), users.len()), (4, 4));
    let Err(NotAdmitted::Unavailable(full)) = users.check(&2_000) else { panic!() };
    assert_eq!(full.cause(), Cause::Full);
    assert_eq!(
        full.to_string(),
        "the limit is unavailable, for no place is free for a new key; retry in 1s"
    );
    assert!(owing.iter().all(|key| users.get(key).is_ok()));
    // Paid, they can go.
    let mut paid = 0;
    while paid < owing.len() {
        let asked = calls.next();
        paid += asked.calls.len();
        let grants = vec![9; asked.calls.len()];
        asked.grant(&grants);
    }
    eventually("a place", || users.get(&2_000).is_ok());
}

#[test]
fn a_quota_that_no_key_can_have_is_an_error_at_once() {
    let (store, _calls) = Scripted::new();
    let quota = FleetQuota::rate(Quota::per_second(100)).lifetime(Duration::from_millis(9));
    let users = Fleet::over(store).keyed::<u64>("user", quota, 4);
    assert_eq!(users.unwrap_err(), FleetQuotaError::LifetimeTooShort);
}
