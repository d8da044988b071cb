//! A limit of a process, with replies by hand.

mod outage;
mod window;

use super::*;
use crate::answer::Unavailable;
use crate::fleet::Handle;
use crate::holder::{Step, Trip};
use crate::protocol::Script;
use crate::quota::FleetQuota;
use crate::store::{Cause, StoreError};
use casgate::{Quota, Reason};
use core::time::Duration;

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A limit without a refresher.
struct Alone {
    shared: Arc<Shared>,
    handle: Arc<Handle>,
}

impl Alone {
    fn new(quota: impl Into<FleetQuota>) -> Self {
        let handle = Handle::unattended();
        let shared = Shared::new("test", &quota.into(), Arc::clone(&handle)).unwrap();
        Self { shared: Arc::new(shared), handle }
    }

    /// 1,000 per second, a burst of 400, leases of 100 ms.
    fn rate() -> Self {
        Self::new(Quota::per_second(1_000).with_burst(400))
    }

    /// How often the refresher was asked to look.
    fn told(&self) -> usize {
        self.handle.inbox().wait(Timestamp::ZERO).unwrap().len()
    }

    fn look(&self, now: u64) -> Step {
        self.shared.look(at(now), false)
    }

    fn asks(&self, now: u64) -> Vec<i64> {
        match self.look(now) {
            Step::Ask { arguments, .. } => arguments,
            step => panic!("{step:?}"),
        }
    }

    /// What it wants of a lease script.
    fn want(&self, now: u64) -> (i64, i64) {
        let arguments = self.asks(now);
        (arguments[9], arguments[10])
    }

    /// A reply of so many permits to a call that was sent a millisecond before.
    fn grant(&self, permits: i64, now: u64) -> Timestamp {
        // The bucket is empty by then.
        self.grant_of(permits, 0, now)
    }

    /// The same, of a bucket that has so many left.
    fn grant_of(&self, permits: i64, left: i64, now: u64) -> Timestamp {
        let trip = Trip { sent: at(now - 1), received: at(now), random: 0.5 };
        let micros = 1_000 * now as i64;
        let tat = micros + 300_000 - 1_000 * left;
        self.shared.settle(&[permits, tat, micros, 7, 2, 0], trip).unwrap()
    }

    fn spend(&self, permits: u32, now: u64) -> Option<Admitted> {
        self.shared.spend(permits, at(now), at(now))
    }

    fn miss(&self, permits: u32, now: u64) -> Result<Admitted, Miss> {
        self.shared.miss(permits, at(now))
    }

    fn denied(&self, permits: u32, now: u64) -> casgate::Denied {
        match self.miss(permits, now) {
            Err(Miss::Not(NotAdmitted::Denied(denied))) => denied,
            other => panic!("{other:?}"),
        }
    }

    fn unavailable(&self, permits: u32, now: u64) -> Unavailable {
        match self.miss(permits, now) {
            Err(Miss::Not(NotAdmitted::Unavailable(unavailable))) => unavailable,
            other => panic!("{other:?}"),
        }
    }

    fn fail(&self, until: u64) {
        self.shared.fail(at(until));
        let error = StoreError::new(Cause::Busy, "");
        self.handle.inbox().tell(false, Some(error), at(until));
    }
}

#[test]
fn the_first_request_asks_for_a_lease_and_waits() {
    let limit = Alone::rate();
    assert!(limit.spend(1, 10).is_none());
    assert!(matches!(limit.miss(7, 10), Err(Miss::Soon)));
    assert!(matches!(limit.miss(3, 10), Err(Miss::Soon)));
    assert_eq!(limit.told(), 1); // once for both
    // What any lease may have, and no fewer than the smallest of them.
    assert_eq!(limit.want(10), (50, 3));
    // Again when three quarters of its life are over. It ends a microsecond early.
    assert_eq!(limit.grant(50, 11), at(110 - 25) - Duration::from_micros(1));
    let admitted = limit.spend(7, 12).unwrap();
    assert_eq!((admitted.permits(), admitted.remaining(), admitted.limit()), (7, 43, 400));
    assert_eq!(admitted.reset_after(), millis(299));
    assert_eq!(limit.shared.stats().calls, 1);
    assert_eq!(limit.shared.stats().leased, 50);
}

#[test]
fn zero_permits_are_admitted_without_a_lease() {
    let limit = Alone::rate();
    assert_eq!(limit.spend(0, 10).unwrap().permits(), 0);
    assert_eq!(limit.told(), 0);
}

#[test]
fn more_than_the_server_grants_at_once_never_fit() {
    let limit = Alone::rate();
    let denied = limit.denied(301, 10);
    assert_eq!((denied.reason(), denied.retry_after()), (Reason::NeverFits, None));
    assert_eq!(denied.limit(), 300);
    assert_eq!(limit.told(), 0);
    assert!(matches!(limit.miss(300, 10), Err(Miss::Soon)));
    assert_eq!(limit.want(10), (300, 300));
}

#[test]
fn the_caller_that_takes_a_lease_to_half_asks_for_the_next() {
    let limit = Alone::rate();
    let _ = limit.miss(1, 10);
    limit.asks(10);
    limit.grant(50, 11);
    limit.told();
    assert!(limit.spend(24, 12).is_some());
    assert_eq!(limit.told(), 0);
    assert!(limit.spend(1, 12).is_some());
    assert_eq!(limit.told(), 1);
    assert_eq!(limit.want(12), (100, 1)); // 25 in a millisecond: it doubles
    limit.grant(100, 13);
    // Two leases are there, and no more is asked for.
    assert!(limit.spend(20, 13).is_some());
    limit.shared.ask();
    assert_eq!(limit.look(13), Step::Rest);
}

#[test]
fn a_charge_that_takes_a_lease_to_half_asks_for_the_next() {
    let limit = Alone::rate();
    let _ = limit.miss(1, 10);
    limit.asks(10);
    limit.grant(50, 11);
    limit.told();
    limit.shared.charge(20, at(12));
    assert_eq!(limit.told(), 0);
    limit.shared.charge(10, at(12));
    assert_eq!(limit.told(), 1);
    assert!(!limit.shared.is_owing(at(12)));
    assert_eq!(limit.shared.snapshot(at(12)).remaining(), 20);
}

#[test]
fn what_is_charged_beyond_the_leases_is_paid_by_the_next() {
    let limit = Alone::rate();
    limit.shared.charge(70, at(10));
    assert_eq!(limit.told(), 1);
    assert!(limit.shared.is_owing(at(12)));
    assert_eq!(limit.want(10).0, 70); // as much as it owes
    limit.grant(60, 11);
    assert_eq!((limit.shared.is_owing(at(12)), limit.spend(1, 12)), (true, None));
    let _ = limit.asks(100);
    limit.grant(60, 101);
    assert!(!limit.shared.is_owing(at(12)));
    assert_eq!(limit.shared.snapshot(at(102)).remaining(), 50);
    assert_eq!(limit.shared.stats().leased, 120);
}

#[test]
fn a_short_reply_denies_until_the_next_request() {
    let limit = Alone::rate();
    let _ = limit.miss(2, 10);
    limit.asks(10);
    // A quarter of a lifetime, which is longer than a permit takes; and the random part is in the middle.
    assert_eq!(limit.grant(0, 11), at(36));
    limit.told();
    // A caller that comes then finds the next lease here: the call takes a millisecond, and one is to spare.
    assert_eq!(limit.denied(2, 12).retry_after(), Some(millis(26)));
    // Each permit besides takes its interval.
    assert_eq!(limit.denied(4, 12).retry_after(), Some(millis(28)));
    assert_eq!((limit.told(), limit.look(12)), (0, Step::LookAt(at(36))));
    // Then a caller asks, if the refresher has not.
    let _ = limit.denied(2, 38);
    assert_eq!(limit.told(), 1);
    assert_eq!(limit.want(38), (50, 2));
}

/// The bucket has the one permit that is left of those that were too few for two.
#[test]
fn a_denied_request_does_not_stop_a_smaller_one() {
    let limit = Alone::rate();
    let _ = limit.miss(2, 10);
    limit.asks(10);
    limit.grant_of(0, 1, 11);
    limit.told();
    assert!(matches!(limit.miss(1, 12), Err(Miss::Soon)));
    assert_eq!((limit.told(), limit.want(12)), (1, (50, 1)));
    limit.grant(1, 13);
    assert!(limit.spend(1, 14).is_some());
    // A short reply says that there is no more.
    assert!(limit.denied(1, 15).retry_after().is_some());
    assert_eq!(limit.look(15), Step::LookAt(at(38)));
}

/// And no smaller one asks before its permits can have refilled.
#[test]
fn fewer_permits_are_denied_until_they_refill() {
    let limit = Alone::rate();
    let _ = limit.miss(60, 10);
    limit.asks(10);
    assert_eq!(limit.grant(0, 11), at(71));
    limit.told();
    for (permits, wait) in [(60, 61), (61, 62), (30, 31), (1, 26)] {
        assert_eq!(limit.denied(permits, 12).retry_after(), Some(millis(wait)), "{permits}");
    }
    assert_eq!((limit.told(), limit.look(12)), (0, Step::LookAt(at(36))));
    assert!(limit.denied(31, 43).retry_after().is_some());
    assert_eq!(limit.told(), 0);
    assert!(matches!(limit.miss(30, 43), Err(Miss::Soon)));
    assert_eq!((limit.told(), limit.want(43)), (1, (61, 1))); // for all that were denied
}

#[test]
fn an_old_denial_says_nothing() {
    let limit = Alone::rate();
    let _ = limit.miss(2, 10);
    limit.asks(10);
    limit.grant(0, 11);
    assert!(limit.denied(2, 138).retry_after().is_some());
    assert!(matches!(limit.miss(2, 139), Err(Miss::Soon))); // a lifetime after it
}

#[test]
fn a_lease_that_arrives_late_is_dropped() {
    let limit = Alone::rate();
    let _ = limit.miss(1, 10);
    limit.asks(10);
    let trip = Trip { sent: at(10), received: at(110), random: 0.5 };
    limit.shared.settle(&[50, 400_000, 100_000, 7, 2, 0], trip).unwrap();
    assert_eq!(limit.spend(1, 110), None);
    assert_eq!(limit.shared.snapshot(at(0)).remaining(), 0);
}

#[test]
fn a_reply_that_is_none_changes_nothing() {
    let limit = Alone::rate();
    let _ = limit.miss(1, 10);
    limit.asks(10);
    let trip = Trip { sent: at(10), received: at(11), random: 0.5 };
    assert!(limit.shared.settle(&[50], trip).is_err());
    assert_eq!(limit.spend(1, 11), None);
}

#[test]
fn one_alarm_counts_at_a_time_the_earliest() {
    let limit = Alone::rate();
    assert!(limit.shared.set_alarm(at(50)));
    assert!(!limit.shared.set_alarm(at(50)) && !limit.shared.set_alarm(at(60)));
    assert!(limit.shared.set_alarm(at(40)));
    assert!(!limit.shared.take_alarm(at(50)));
    assert!(limit.shared.take_alarm(at(40)));
    assert!(!limit.shared.take_alarm(at(40)) && limit.shared.set_alarm(at(50)));
}

#[test]
fn refunded_permits_are_spent_again_while_their_lease_lives() {
    let limit = FleetLimiter { shared: Alone::rate().shared };
    let now = SystemClock.now();
    let lease = crate::stock::Word::new(10, now + Duration::from_secs(60));
    assert_eq!(limit.shared.stock.put(lease, now), 0);
    let admitted = limit.check_n(10).unwrap();
    limit.refund(&admitted);
    assert_eq!(limit.peek().remaining(), 10);
    limit.shared.stock.take_over(now + Duration::from_secs(61));
    limit.refund(&admitted);
    assert_eq!(limit.peek().remaining(), 0);
}
