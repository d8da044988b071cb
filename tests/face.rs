//! The methods that the oracle does not call, each by its effect.

use casgate::clock::{Clock, ManualClock};
use casgate::{Limiter, Quota, QuotaError, Timestamp};
use std::cell::Cell;
use std::time::Duration;

const SIXTEEN: Quota = Quota::per_second(16);

#[test]
fn a_lease_takes_an_eighth_and_gives_back_the_rest() {
    let clock = ManualClock::new();
    let limiter = Limiter::fixed_window(SIXTEEN).with_clock(&clock);
    let left = || limiter.peek().remaining();
    let lease = limiter.lease(64);
    assert_eq!((lease.held(), left()), (0, 16));
    assert!(lease.check().is_ok());
    assert_eq!((lease.held(), left()), (1, 14), "two of sixteen, one of them spent");
    assert!(lease.is_allowed());
    assert_eq!((lease.held(), left()), (0, 14), "nothing was taken anew");
    drop(lease);
    assert_eq!(left(), 14, "nothing was left to give back");

    let lease = limiter.lease(64);
    let passed = (0..20).filter(|_| lease.is_allowed()).count();
    assert_eq!((passed, left()), (14, 0));
    assert!(!lease.is_allowed() && !lease.is_allowed_at(clock.now()));
    assert_eq!(lease.check().unwrap_err().retry_after(), Some(Duration::from_secs(1)));
    drop(lease);

    clock.advance(Duration::from_secs(1));
    let lease = limiter.lease(64);
    assert!(lease.check().is_ok());
    assert_eq!(left(), 14);
    drop(lease);
    assert_eq!(left(), 15, "one was given back");
}

#[test]
fn a_lease_ends_with_its_window() {
    let limiter = Limiter::fixed_window(SIXTEEN);
    let lease = limiter.lease(64);
    let at = Timestamp::from_nanos;
    assert!(lease.is_allowed_at(at(1_000_000_000)));
    assert!(lease.is_allowed_at(at(1_999_999_999)));
    assert_eq!(lease.held(), 0, "the last instant is still in it");
    assert!(lease.is_allowed_at(at(2_000_000_000)));
    assert!(lease.is_allowed_at(at(2_999_999_999)));
    assert!(lease.is_allowed_at(at(2_999_999_999)));
    assert!(lease.is_allowed_at(at(3_000_000_000)));
    assert_eq!(lease.held(), 1);
    assert!(lease.is_allowed_at(at(4_000_000_000)), "of the fifth window");
    assert_eq!((lease.held(), limiter.peek_at(at(4_000_000_000)).remaining()), (1, 14));
}

/// A clock whose cheap reading is 3 ns behind, and which counts the precise ones.
#[derive(Default)]
struct Behind {
    now: Cell<u64>,
    precise: Cell<u32>,
}

impl Clock for Behind {
    const MAX_LAG: Duration = Duration::from_nanos(3);

    fn now(&self) -> Timestamp {
        self.precise.set(self.precise.get() + 1);
        Timestamp::from_nanos(self.now.get())
    }

    fn recent(&self) -> Timestamp {
        Timestamp::from_nanos(self.now.get().saturating_sub(3))
    }
}

/// One per 100 ns, asked at 100 ns when it has just come due and at 150 ns when it has not.
#[test]
fn the_precise_clock_is_read_only_where_it_matters() {
    let quota = Quota::new(1, Duration::from_nanos(100)).unwrap();
    let clocks: [Behind; 4] = Default::default();
    let bucket = Limiter::token_bucket(quota).with_clock(&clocks[0]);
    let window = Limiter::fixed_window(quota).with_clock(&clocks[1]);
    let sliding = Limiter::sliding_window(quota).with_clock(&clocks[2]);
    let lent = Limiter::fixed_window(quota).with_clock(&clocks[3]);
    let lease = lent.lease(64);
    let follow = |clock: &Behind, passes: &dyn Fn() -> bool| {
        for (now, passed, precise) in [
            (0, true, 0),   // at the cheap reading
            (0, false, 0),  // and not due for long
            (99, false, 0), // a cheap reading of 96, still too early
            (100, true, 1),
            (150, false, 1),
        ] {
            clock.now.set(now);
            assert_eq!((passes(), clock.precise.get()), (passed, precise), "at {now}");
        }
    };
    follow(&clocks[0], &|| bucket.check().is_ok());
    follow(&clocks[1], &|| window.is_allowed());
    follow(&clocks[2], &|| sliding.is_allowed());
    follow(&clocks[3], &|| lease.is_allowed());
}

#[test]
fn what_is_given_back_is_there_again() {
    let now = Timestamp::ZERO;
    let bucket = Limiter::token_bucket(SIXTEEN);
    let window = Limiter::fixed_window(SIXTEEN);
    assert!(bucket.check_n_at(16, now).is_ok() && window.check_n_at(16, now).is_ok());
    bucket.refund(3);
    window.refund(3);
    assert_eq!((bucket.peek_at(now).remaining(), window.peek_at(now).remaining()), (3, 3));
    bucket.reset();
    window.reset();
    assert_eq!((bucket.peek_at(now).remaining(), window.peek_at(now).remaining()), (16, 16));
}

#[test]
fn a_quota_set_now_is_in_force() {
    let limiter = Limiter::adjustable_fixed_window(SIXTEEN).with_clock(ManualClock::new());
    assert!(limiter.check().is_ok());
    limiter.set_quota(Quota::per_second(4));
    let seen = limiter.peek();
    assert_eq!((seen.limit(), seen.remaining()), (4, 3));
}

#[test]
fn tickets_of_reservations_go_on_from_those_before() {
    let limiter = Limiter::token_bucket(SIXTEEN);
    let ticket = |reserved: &casgate::Reservation<'_>| reserved.ticket();
    let before = limiter.check_at(Timestamp::ZERO).unwrap().ticket();
    let reserved = limiter.reserve_at(1, Duration::ZERO, Timestamp::ZERO).unwrap();
    let after = limiter.check_at(Timestamp::ZERO).unwrap().ticket();
    assert!(before < ticket(&reserved) && ticket(&reserved) < after);
}

#[test]
fn the_longest_refill_is_two_to_the_61_nanoseconds() {
    let longest = Duration::from_nanos(1 << 61);
    for permits in [1, 2, 7] {
        let quota = Quota::new(permits, longest).unwrap();
        assert_eq!(quota.try_with_burst(permits).unwrap().burst(), permits);
        assert_eq!(quota.try_with_burst(permits + 1), Err(QuotaError::BurstTooLong));
    }
    assert!(QuotaError::BurstTooLong.to_string().contains("burst"));
}
