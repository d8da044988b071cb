//! What is sent together.

use casgate::clock::{Clock, SystemClock};
use casgate::{Quota, Timestamp};
use casgate_redis::{Call, Fleet, FleetQuota, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) const TESTS: &[(&str, fn())] =
    &[("batches: a limit is asked for once", a_limit_is_asked_for_once)];

/// A server that grants nothing, and counts.
#[derive(Default)]
struct Empty {
    calls: Arc<AtomicU64>,
    doubles: Arc<AtomicU64>,
}

impl Store for Empty {
    fn call(
        &mut self,
        calls: &[Call<'_>],
        _: Duration,
    ) -> Result<Vec<Result<Vec<i64>, StoreError>>, StoreError> {
        let doubles = calls.iter().enumerate();
        let doubles =
            doubles.filter(|(index, call)| calls[..*index].iter().any(|c| c.key == call.key));
        self.doubles.fetch_add(doubles.count() as u64, Ordering::Relaxed);
        self.calls.fetch_add(calls.len() as u64, Ordering::Relaxed);
        // One permit each, that all may come again.
        Ok(calls.iter().map(|_| Ok(vec![1, 10_000, 10_000, 1, 1, 0])).collect())
    }
}

/// A caller who comes at the instant at which the refresher looks by itself: the limit is named twice.
fn a_limit_is_asked_for_once() {
    let (calls, doubles) = (Arc::default(), Arc::default());
    let store = Empty { calls: Arc::clone(&calls), doubles: Arc::clone(&doubles) };
    let quota = FleetQuota::rate(Quota::per_second(10_000)).lifetime(Duration::from_millis(10));
    let limiter = Fleet::over(store).limiter("one", quota).expect("a quota");
    let started: Timestamp = SystemClock.now();
    while calls.load(Ordering::Relaxed) < 300
        && SystemClock.now() - started < Duration::from_secs(20)
    {
        let _ = limiter.check();
        std::thread::yield_now();
    }
    assert!(calls.load(Ordering::Relaxed) >= 300, "the store is not asked");
    assert_eq!(doubles.load(Ordering::Relaxed), 0);
}
