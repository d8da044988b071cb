//! No decision allocates or calls the store, while a lease lives or a denial stands.

use allocation_counter::measure;
use casgate::clock::{Clock, SystemClock};
use casgate::{LimitN, Quota};
use casgate_redis::{Call, Fleet, FleetKeyed, FleetLimiter, FleetQuota, Store, StoreError};
use futures_util::FutureExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A store that grants all that is wanted, or nothing for an hour, and counts.
struct Counting {
    grants: bool,
    calls: Arc<AtomicU64>,
}

impl Store for Counting {
    fn call(
        &mut self,
        calls: &[Call<'_>],
        _: Duration,
    ) -> Result<Vec<Result<Vec<i64>, StoreError>>, StoreError> {
        self.calls.fetch_add(calls.len() as u64, Ordering::Relaxed);
        let hour = 3_600_000_000;
        let reply = |call: &Call<'_>| {
            let granted = if self.grants { call.arguments[9] } else { 0 };
            let tat = if self.grants { 1 } else { hour + call.arguments[3] };
            Ok(vec![granted, tat, 1, 1, 1, 0])
        };
        Ok(calls.iter().map(reply).collect())
    }
}

/// A lease has 83,000 permits and lives for ten minutes.
fn quota() -> FleetQuota {
    let quota = Quota::per_hour(1_000_000);
    FleetQuota::rate(quota).lifetime(Duration::from_secs(600))
}

fn fleet(grants: bool) -> (Fleet, Arc<AtomicU64>) {
    let calls = Arc::default();
    (Fleet::over(Counting { grants, calls: Arc::clone(&calls) }), calls)
}

/// Every way to ask a limiter, of which all are admitted or none.
fn decide(limiter: &FleetLimiter, admits: bool) {
    for _ in 0..1_000 {
        assert_eq!(limiter.check().is_ok(), admits);
        assert_eq!(limiter.check_n(2).is_ok(), admits);
        assert_eq!(limiter.check_n_at(2, SystemClock.now()).is_ok(), admits);
        assert_eq!(LimitN::check_n(limiter, 2).is_ok(), admits);
        assert_eq!(limiter.ask(1).now_or_never().expect("at once").is_ok(), admits);
        if let Ok(admitted) = limiter.check() {
            limiter.refund(&admitted);
        }
        let _ = (limiter.peek(), limiter.stats());
    }
}

/// Asserts that decisions allocate nothing and call nobody, after what a first one needs.
fn assert_free(calls: &AtomicU64, decide: impl Fn()) {
    let before = calls.load(Ordering::Relaxed);
    assert_eq!(measure(decide).count_total, 0);
    assert_eq!(calls.load(Ordering::Relaxed), before);
}

#[test]
fn a_decision_by_a_lease_allocates_and_calls_nothing() {
    let (fleet, calls) = fleet(true);
    let limiter = fleet.limiter("api", quota()).unwrap();
    assert!(limiter.check().is_ok());
    assert_free(&calls, || decide(&limiter, true));
}

#[test]
fn a_denial_allocates_and_calls_nothing() {
    let (fleet, calls) = fleet(false);
    let limiter = fleet.limiter("api", quota()).unwrap();
    assert!(limiter.check().is_err());
    assert_free(&calls, || decide(&limiter, false));
}

#[test]
fn a_decision_for_a_key_that_has_a_place_allocates_and_calls_nothing() {
    for admits in [true, false] {
        let (fleet, calls) = fleet(admits);
        let users: FleetKeyed<u32> = fleet.keyed("user", quota(), 16).unwrap();
        for user in 0..4 {
            let _ = users.check(&user);
        }
        assert_free(&calls, || {
            for request in 0..1_000 {
                assert_eq!(users.check(&(request % 4)).is_ok(), admits);
            }
        });
    }
}

/// The counters see the call for the first lease, and what it takes to wait for that.
#[test]
fn a_decision_without_a_lease_calls() {
    let (fleet, calls) = fleet(true);
    let limiter = fleet.limiter("api", quota()).unwrap();
    let allocated = measure(|| assert!(limiter.check().is_ok()));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert!(allocated.count_total > 0);
}
