//! The methods that the oracle does not call, each by its effect.

use casgate::algorithm::Weighted;
use casgate::clock::{Clock, ManualClock};
use casgate::{
    FixedWindow, Ipv6Prefix, KeyedLimiter, Limiter, Quota, QuotaError, Timestamp, TokenBucket,
    WhenFull,
};
use std::cell::Cell;
use std::net::{IpAddr, Ipv6Addr};
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
    let clocks: [Behind; 6] = Default::default();
    let bucket = Limiter::token_bucket(quota).with_clock(&clocks[0]);
    let window = Limiter::fixed_window(quota).with_clock(&clocks[1]);
    let sliding = Limiter::sliding_window(quota).with_clock(&clocks[2]);
    let lent = Limiter::fixed_window(quota).with_clock(&clocks[3]);
    let lease = lent.lease(64);
    let keyed = KeyedLimiter::<u64>::token_bucket(quota, 1).with_clock(&clocks[4]);
    let keyed_window = KeyedLimiter::<u64, _>::fixed_window(quota, 1).with_clock(&clocks[5]);
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
    follow(&clocks[4], &|| keyed.check(&1).is_ok());
    follow(&clocks[5], &|| keyed_window.is_allowed(&1));
}

/// As above, of a newcomer for whom the only set has no slot until 100 ns.
#[test]
fn the_precise_clock_is_read_for_a_newcomer_too() {
    let quota = Quota::new(1, Duration::from_nanos(100)).unwrap();
    let clock = Behind::default();
    let keyed = KeyedLimiter::<u64, _>::fixed_window(quota, 1)
        .when_full(WhenFull::RefuseNewcomers)
        .with_clock(&clock);
    assert!((0..64).all(|key| keyed.is_allowed_at(&key, Timestamp::from_nanos(50))));
    for (now, passed, precise) in [(99, false, 0), (100, true, 1)] {
        clock.now.set(now);
        assert_eq!((keyed.is_allowed(&64), clock.precise.get()), (passed, precise), "at {now}");
    }
}

#[test]
fn a_limit_for_each_key_on_a_clock() {
    let clock = ManualClock::new();
    let keyed = KeyedLimiter::<str>::token_bucket(Quota::per_second(2), 10).with_clock(&clock);
    let keyed = keyed.counted();
    assert!(keyed.is_empty());
    assert!(keyed.is_allowed("a") && keyed.check_n("b", 2).is_ok() && keyed.check("b").is_err());
    assert_eq!((keyed.len(), keyed.is_empty()), (2, false));
    assert_eq!((keyed.peek("a").remaining(), keyed.peek("b").remaining()), (1, 0));
    keyed.reset("b");
    assert_eq!((keyed.len(), keyed.peek("b").remaining()), (1, 2));
    keyed.reset("nobody");
    assert_eq!(keyed.check_n("nobody", 0).unwrap().remaining(), 2);
    let stats = keyed.stats();
    assert_eq!((stats.admitted, stats.denied), (Some(3), Some(1)));
    assert_eq!((stats.inserted, stats.evicted, stats.refused), (2, 0, 0));
    assert!(keyed.check_n_at("a", 2, clock.now()).is_err());
    clock.advance(Duration::from_millis(500));
    assert!(keyed.is_empty() && keyed.check_n("a", 2).is_ok());
}

/// A bucket's lease ends when the bucket would have refilled what it took, and comes back only if nobody has built on it.
#[test]
fn a_lease_of_a_bucket() {
    let quota = Quota::new(16, Duration::from_nanos(16)).unwrap();
    let at = Timestamp::from_nanos;
    let left = |limiter: &Limiter<_>, now| limiter.peek_at(at(now)).remaining();

    let limiter = Limiter::token_bucket(quota);
    let lease = limiter.lease(64);
    assert!(lease.is_allowed_at(at(100)));
    assert_eq!(lease.held(), 1, "an eighth, one of it spent");
    assert!(lease.is_allowed_at(at(102)));
    assert_eq!(lease.held(), 0, "the last instant is still in it");
    drop(lease);

    let limiter = Limiter::token_bucket(quota);
    let lease = limiter.lease(64);
    assert!(lease.is_allowed_at(at(100)) && lease.is_allowed_at(at(103)));
    assert_eq!(lease.held(), 1, "taken anew");
    let before = left(&limiter, 103);
    drop(lease);
    assert_eq!(left(&limiter, 103), before + 1, "given back");

    let limiter = Limiter::token_bucket(quota);
    let lease = limiter.lease(64);
    assert!(lease.is_allowed_at(at(100)) && limiter.is_allowed_at(at(100)));
    let before = left(&limiter, 100);
    assert!(lease.is_allowed_at(at(101)));
    assert_eq!((lease.held(), left(&limiter, 100)), (0, before), "it spends what it holds");

    let limiter = Limiter::token_bucket(quota);
    let lease = limiter.lease(64);
    assert!(lease.is_allowed_at(at(100)) && limiter.is_allowed_at(at(100)));
    let before = left(&limiter, 100);
    drop(lease);
    assert_eq!(left(&limiter, 100), before, "somebody has built on it");
}

/// The same of two quotas, of which one is due and the other is not, and of a request that is never due.
#[test]
fn the_precise_clock_is_not_read_for_one_of_two() {
    let fast = Quota::new(2, Duration::from_nanos(200)).unwrap();
    let slow = Quota::new(1, Duration::from_nanos(1_000)).unwrap();
    let clock = Behind::default();
    let both = Limiter::both(TokenBucket::new(slow), FixedWindow::new(fast.with_burst(1)))
        .with_clock(&clock);
    let other = Limiter::both(TokenBucket::new(fast.with_burst(1)), FixedWindow::new(slow))
        .with_clock(&clock);
    assert!(both.is_allowed() && other.is_allowed());
    clock.now.set(100);
    assert!(!both.is_allowed() && !other.is_allowed());
    assert_eq!(clock.precise.get(), 0, "one is due, the other is not");
    clock.now.set(1_000);
    assert!(both.is_allowed() && other.is_allowed());
    assert_eq!(clock.precise.get(), 2);

    let bucket = Limiter::token_bucket(SIXTEEN).with_clock(&clock);
    assert_eq!(bucket.check_n(17).unwrap_err().retry_after(), None);
    let adjustable = Limiter::adjustable_token_bucket(slow).with_clock(&clock);
    assert!(adjustable.is_allowed() && !adjustable.is_allowed());
    assert_eq!(clock.precise.get(), 2);
    clock.now.set(1_500);
    assert!(!adjustable.is_allowed());
    assert_eq!(clock.precise.get(), 2, "not due for long");
    clock.now.set(1_999);
    assert!(adjustable.is_allowed());
    assert_eq!(clock.precise.get(), 3, "it was due at 1997");
}

#[test]
fn what_is_given_back_is_there_again() {
    fn follow<A: Weighted>(limiter: &Limiter<A>) {
        let now = Timestamp::from_secs(5);
        let left = || limiter.peek_at(now).remaining();
        assert!(limiter.check_n_at(16, now).is_ok());
        assert_eq!(left(), 0);
        limiter.refund(3);
        assert_eq!(left(), 3);
        limiter.reset();
        assert_eq!(left(), 16);
        assert!(limiter.check_n_at(16, now).is_ok());
    }
    follow(&Limiter::token_bucket(SIXTEEN));
    follow(&Limiter::fixed_window(SIXTEEN));
    follow(&Limiter::both(TokenBucket::new(SIXTEEN), FixedWindow::new(SIXTEEN)));
    follow(&Limiter::adjustable_token_bucket(SIXTEEN));
    follow(&Limiter::adjustable_fixed_window(SIXTEEN));
}

#[test]
fn a_reset_window_stays_the_newest() {
    let limiter = Limiter::fixed_window(SIXTEEN);
    assert!(limiter.is_allowed_at(Timestamp::from_secs(5)));
    limiter.reset();
    assert!(!limiter.is_allowed_at(Timestamp::from_secs(4)));
    assert_eq!(limiter.peek_at(Timestamp::from_secs(6)).remaining(), 16);
}

#[test]
fn of_two_quotas_the_scarcer_is_told() {
    let (two, three) = (Quota::per_second(2), Quota::per_hour(3));
    let limiter = Limiter::both(TokenBucket::new(two), FixedWindow::new(three));
    assert!(limiter.check_n_at(2, Timestamp::ZERO).is_ok());
    let later = Timestamp::from_millis(500);
    let seen = limiter.peek_at(later);
    assert_eq!((seen.remaining(), seen.limit()), (1, 2), "equally scarce: the first");
    assert_eq!(seen.reset_after(), Duration::from_millis(3_599_500), "until both are full");

    let denied = limiter.check_n_at(2, later).unwrap_err();
    assert_eq!((denied.refused_by(), denied.limit(), denied.remaining()), (1, 3, 1));
    assert_eq!(denied.reset_after(), Duration::from_millis(3_599_500));
    let equal = Limiter::both(FixedWindow::new(three), FixedWindow::new(three));
    assert!(equal.check_n_at(3, Timestamp::ZERO).is_ok());
    assert_eq!(equal.check_at(Timestamp::ZERO).unwrap_err().refused_by(), 0);

    // Refused by the first, which has more left than the second.
    let one = Quota::per_second(4);
    let limiter = Limiter::both(TokenBucket::new(one), FixedWindow::new(Quota::per_second(5)));
    assert!(limiter.check_n_at(4, Timestamp::ZERO).is_ok());
    let denied = limiter.check_n_at(5, Timestamp::from_millis(750)).unwrap_err();
    assert_eq!((denied.refused_by(), denied.limit(), denied.remaining()), (0, 4, 1));
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

#[test]
fn an_address_is_cut_to_its_prefix() {
    let all = IpAddr::V6(Ipv6Addr::from_bits(u128::MAX));
    for (prefix, cut) in [
        (Ipv6Prefix::Bits64, "ffff:ffff:ffff:ffff::"),
        (Ipv6Prefix::Bits56, "ffff:ffff:ffff:ff00::"),
        (Ipv6Prefix::Bits48, "ffff:ffff:ffff::"),
    ] {
        assert_eq!(prefix.of(all).to_string(), cut);
        for v4 in ["198.51.100.7", "::ffff:198.51.100.7"] {
            assert_eq!(prefix.of(v4.parse().unwrap()).to_string(), "198.51.100.7");
        }
    }
    assert_eq!(Ipv6Prefix::default(), Ipv6Prefix::Bits64);
}
