//! The methods that the oracle does not call, each by its effect.

use casgate::algorithm::{Several, Weighted};
use casgate::clock::{Clock, ManualClock};
use casgate::{
    FixedWindow, Ipv6Prefix, KeyedError, KeyedLimiter, Limiter, Quota, QuotaError, Reason,
    Timestamp, TokenBucket, WhenFull,
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

const MICRO: u64 = 1_000;

/// A clock whose cheap timestamp is 3 µs behind, and which counts the precise ones.
#[derive(Default)]
struct Behind {
    now: Cell<u64>,
    precise: Cell<u32>,
}

impl Behind {
    fn set(&self, micros: u64) {
        self.now.set(micros * MICRO);
    }
}

impl Clock for Behind {
    fn max_lag(&self) -> Duration {
        Duration::from_micros(3)
    }

    fn now(&self) -> Timestamp {
        self.precise.set(self.precise.get() + 1);
        Timestamp::from_nanos(self.now.get())
    }

    fn recent(&self) -> Timestamp {
        Timestamp::from_nanos(self.now.get().saturating_sub(3 * MICRO))
    }
}

/// One per 100 µs, asked at 100 µs when it has just come due and at 150 µs when it has not.
#[test]
fn the_precise_clock_is_read_only_where_it_matters() {
    let quota = Quota::new(1, Duration::from_micros(100)).unwrap();
    let clocks: [Behind; 8] = Default::default();
    let bucket = Limiter::token_bucket(quota).with_clock(&clocks[0]);
    let window = Limiter::fixed_window(quota).with_clock(&clocks[1]);
    let sliding = Limiter::sliding_window(quota).with_clock(&clocks[2]);
    let lent = Limiter::fixed_window(quota).with_clock(&clocks[3]);
    let lease = lent.lease(64);
    let keyed = KeyedLimiter::token_bucket(quota, 1).with_clock(&clocks[4]);
    let keyed_window = KeyedLimiter::fixed_window(quota, 1).with_clock(&clocks[5]);
    let placed = KeyedLimiter::token_bucket(quota, 1).with_clock(&clocks[6]);
    let place = placed.locate(&1);
    let many = KeyedLimiter::token_bucket(quota, 1).with_clock(&clocks[7]);
    let follow = |clock: &Behind, passes: &dyn Fn() -> bool| {
        for (now, passed, precise) in [
            (0, true, 0),   // at the cheap timestamp
            (0, false, 0),  // and not due for long
            (99, false, 0), // a cheap timestamp of 96, still too early
            (100, true, 1),
            (150, false, 1),
        ] {
            clock.set(now);
            assert_eq!((passes(), clock.precise.get()), (passed, precise), "at {now}");
        }
    };
    follow(&clocks[0], &|| bucket.check().is_ok());
    follow(&clocks[1], &|| window.is_allowed());
    follow(&clocks[2], &|| sliding.is_allowed());
    follow(&clocks[3], &|| lease.is_allowed());
    follow(&clocks[4], &|| keyed.check(&1).is_ok());
    follow(&clocks[5], &|| keyed_window.is_allowed(&1));
    follow(&clocks[6], &|| placed.at(place).check().is_ok());
    follow(&clocks[7], &|| {
        let mut passed = false;
        many.check_many(&[1], |_, answer| passed = answer.is_ok());
        passed
    });
}

/// As above, of a new key for which the only set has no slot until 100 µs.
#[test]
fn the_precise_clock_is_read_for_a_new_key_too() {
    let quota = Quota::new(1, Duration::from_micros(100)).unwrap();
    let clock = Behind::default();
    let keyed =
        KeyedLimiter::fixed_window(quota, 1).when_full(WhenFull::DenyNewKeys).with_clock(&clock);
    assert!((0..160).all(|key| keyed.is_allowed_at(&key, Timestamp::from_micros(50))));
    for (now, passed, precise) in [(99, false, 0), (100, true, 1)] {
        clock.set(now);
        assert_eq!((keyed.is_allowed(&160), clock.precise.get()), (passed, precise), "at {now}");
    }
}

#[test]
fn a_limit_for_each_key_on_a_clock() {
    let clock = ManualClock::new();
    let keyed = KeyedLimiter::token_bucket(Quota::per_second(2), 10).with_clock(&clock).counted();
    assert!(keyed.is_empty());
    assert!(keyed.is_allowed("a") && keyed.check_n("b", 2).is_ok() && keyed.check("b").is_err());
    assert_eq!((keyed.len(), keyed.is_empty()), (2, false));
    assert_eq!((keyed.peek("a").remaining(), keyed.peek("b").remaining()), (1, 0));
    keyed.reset("b");
    assert_eq!((keyed.len(), keyed.peek("b").remaining()), (1, 2));
    keyed.reset("nobody");
    keyed.refund_n("nobody", 1);
    assert_eq!(keyed.peek("nobody").remaining(), 2);
    let stats = keyed.stats();
    assert_eq!((stats.admitted, stats.denied), (Some(2), Some(1)));
    assert_eq!((stats.inserted, stats.evicted, stats.denied_full), (2, 0, 0));
    assert!(keyed.check_n_at("a", 2, clock.now()).is_err());
    clock.advance(Duration::from_millis(500));
    assert!(keyed.is_empty() && keyed.check_n("a", 2).is_ok());
    assert_eq!(keyed.take_up_to("b", 5), 2);
    assert!(keyed.charge("c", 3).is_ok());
    assert_eq!(keyed.check("c").unwrap_err().retry_after(), Some(Duration::from_secs(1)));
    let reserved = keyed.reserve("c", 1, Duration::MAX).unwrap();
    assert_eq!(reserved.delay(), Duration::from_secs(1));
    assert_eq!(reserved.cancel(), 1);
    keyed.set_quota(0, Quota::per_second(4)).unwrap();
    assert_eq!(keyed.peek("a").limit(), 4);
    keyed.clear();
    assert!(keyed.is_empty());
}

#[test]
fn a_request_for_zero_permits_is_counted_as_admitted() {
    let keyed = KeyedLimiter::token_bucket(SIXTEEN, 10).counted();
    assert!(keyed.check_n("a", 0).is_ok());
    assert_eq!((keyed.stats().admitted, keyed.stats().denied), (Some(1), Some(0)));
}

/// Each method without a time is the one with the time that the clock shows.
#[test]
fn methods_of_a_key_ask_its_clock() {
    let clock = ManualClock::new();
    clock.advance(Duration::from_secs(7));
    let quota = Quota::per_second(4);
    let ours = KeyedLimiter::token_bucket(quota, 10).with_clock(&clock);
    let other = KeyedLimiter::token_bucket(quota, 10);
    let (now, a, b) = (clock.now(), ours.key("a"), other.key("a"));
    assert_eq!(a.check(), b.check_at(now));
    assert_eq!(a.check_n(9), b.check_n_at(9, now));
    assert_eq!(a.is_allowed(), b.is_allowed_at(now));
    assert_eq!(a.take_up_to(1), b.take_up_to_at(1, now));
    assert_eq!(a.charge(5), b.charge_at(5, now));
    assert_eq!(a.peek(), b.peek_at(now));
    let (wait, ready) = (Duration::MAX, |at: casgate::KeyedReservation<'_>| at.ready_at());
    assert_eq!(a.reserve(2, wait).map(ready), b.reserve_at(2, wait, now).map(ready));
    a.refund_n(1);
    b.refund_n(1);
    assert_eq!(ours.peek("a"), other.peek_at("a", now));
    a.reset();
    assert!(a.check_n(4).is_ok());
}

#[test]
fn a_tier_that_is_not_there_is_none_and_an_error() {
    let keyed = KeyedLimiter::token_bucket(Quota::per_second(2), 10).with_tiers([SIXTEEN]);
    assert!(keyed.key("a").get_tier(1).is_some() && keyed.key("a").get_tier(2).is_none());
    assert_eq!(keyed.set_quota(2, SIXTEEN), Err(KeyedError::NoSuchTier));
    let fast = Quota::per_second(2_000_001);
    assert_eq!(keyed.set_quota(1, fast), Err(KeyedError::TooFast));
    let slow = Quota::per_day(1).with_burst(2 * 365 + 1);
    assert_eq!(keyed.set_quota(1, slow), Err(KeyedError::TooLong));
    assert_eq!(keyed.key("a").tier(1).peek().limit(), 16, "nothing was changed");
    assert_eq!(
        KeyedLimiter::token_bucket(SIXTEEN, 1).try_with_tiers(vec![SIXTEEN; 65_536]).unwrap_err(),
        KeyedError::TooManyTiers
    );
    let most = KeyedLimiter::token_bucket(SIXTEEN, 1).with_tiers(vec![SIXTEEN; 65_535]);
    assert!(most.key("a").tier(u16::MAX).check().is_ok());
}

#[test]
#[should_panic(expected = "no such tier")]
fn a_tier_that_is_not_there_says_so() {
    let _ = KeyedLimiter::token_bucket(SIXTEEN, 1).key("a").tier(1);
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
    let fast = Quota::new(2, Duration::from_micros(200)).unwrap();
    let slow = Quota::new(1, Duration::from_micros(1_000)).unwrap();
    let clock = Behind::default();
    let both = Limiter::both(TokenBucket::new(slow), FixedWindow::new(fast.with_burst(1)))
        .with_clock(&clock);
    let other = Limiter::both(TokenBucket::new(fast.with_burst(1)), FixedWindow::new(slow))
        .with_clock(&clock);
    assert!(both.is_allowed() && other.is_allowed());
    clock.set(100);
    assert!(!both.is_allowed() && !other.is_allowed());
    assert_eq!(clock.precise.get(), 0, "one is due, the other is not");
    clock.set(1_000);
    assert!(both.is_allowed() && other.is_allowed());
    assert_eq!(clock.precise.get(), 2);

    let bucket = Limiter::token_bucket(SIXTEEN).with_clock(&clock);
    assert_eq!(bucket.check_n(17).unwrap_err().retry_after(), None);
    let adjustable = Limiter::adjustable_token_bucket(slow).with_clock(&clock);
    assert!(adjustable.is_allowed() && !adjustable.is_allowed());
    assert_eq!(clock.precise.get(), 2);
    clock.set(1_500);
    assert!(!adjustable.is_allowed());
    assert_eq!(clock.precise.get(), 2, "not due for long");
    clock.set(1_999);
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
        limiter.refund_n(3);
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
fn methods_are_functions_by_their_path() {
    fn follow<A: Several>(limiter: &Limiter<A>) {
        [limiter].into_iter().for_each(Limiter::reset);
        let [Ok(admitted)] = [16].map(|n| Limiter::check_n(limiter, n)) else { panic!() };
        [&admitted].into_iter().for_each(|admitted| Limiter::refund(limiter, admitted));
        assert_eq!(Limiter::take_up_to(limiter, 20), 16);
        Limiter::<A>::reset(limiter);
        assert!(Limiter::check(limiter).is_ok() && Limiter::is_allowed(limiter));
    }
    let quota = Quota::per_day(16);
    follow(&Limiter::token_bucket(quota));
    follow(&Limiter::fixed_window(quota));
    follow(&Limiter::sharded_fixed_window(quota));
    // Of a type that is inferred, too.
    let limiters = [Limiter::fixed_window(quota), Limiter::fixed_window(quota)];
    limiters.iter().for_each(Limiter::reset);
    assert!(limiters.iter().map(Limiter::check).all(|answer| answer.is_ok()));
}

#[test]
fn a_reset_undoes_a_timestamp_from_the_far_future() {
    fn follow<A: Weighted>(limiter: &Limiter<A>) {
        for far in [Timestamp::from_secs(7), Timestamp::from_nanos(1 << 61), Timestamp::MAX] {
            let _ = limiter.check_at(far);
            limiter.deny_until(far);
            assert!(!limiter.is_allowed_at(Timestamp::from_secs(4)));
            limiter.reset();
            assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 16);
            assert!(limiter.check_n_at(16, Timestamp::ZERO).is_ok());
        }
    }
    follow(&Limiter::token_bucket(SIXTEEN));
    follow(&Limiter::fixed_window(SIXTEEN));
    follow(&Limiter::both(TokenBucket::new(SIXTEEN), FixedWindow::new(SIXTEEN)));
    follow(&Limiter::adjustable_token_bucket(SIXTEEN));
    follow(&Limiter::adjustable_fixed_window(SIXTEEN));
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
    assert_eq!(
        (denied.reason(), denied.limit(), denied.remaining()),
        (Reason::Quota { index: 1 }, 3, 1)
    );
    assert_eq!(denied.reset_after(), Duration::from_millis(3_599_500));
    let equal = Limiter::both(FixedWindow::new(three), FixedWindow::new(three));
    assert!(equal.check_n_at(3, Timestamp::ZERO).is_ok());
    assert_eq!(equal.check_at(Timestamp::ZERO).unwrap_err().reason(), Reason::Quota { index: 0 });

    // Denied by the first, which has more left than the second.
    let one = Quota::per_second(4);
    let limiter = Limiter::both(TokenBucket::new(one), FixedWindow::new(Quota::per_second(5)));
    assert!(limiter.check_n_at(4, Timestamp::ZERO).is_ok());
    let denied = limiter.check_n_at(5, Timestamp::from_millis(750)).unwrap_err();
    assert_eq!((denied.reason(), denied.limit(), denied.remaining()), (Reason::NeverFits, 4, 1));
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
    let before = limiter.check_at(Timestamp::ZERO).unwrap().ticket();
    let reserved = limiter.reserve_at(1, Duration::ZERO, Timestamp::ZERO).unwrap();
    let after = limiter.check_at(Timestamp::ZERO).unwrap().ticket();
    assert!(before < reserved.ticket() && reserved.ticket() < after);
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

#[test]
fn links_from_other_crates_lead_to_this_version() {
    let root =
        concat!("html_root_url = \"https://docs.rs/casgate/", env!("CARGO_PKG_VERSION"), "\"");
    assert!(include_str!("../src/lib.rs").contains(root));
}
