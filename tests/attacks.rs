//! Each test breaks a sentence of the documentation, which it names.

use casgate::algorithm::{Algorithm, FixedWindow, Rule, TokenBucket};
use casgate::clock::{Clock, ManualClock, UtcClock};
use casgate::word::Word;
use casgate::{
    Admitted, All, Allowance, Denied, KeyedLimiter, Limit, LimitN, Limiter, Quota, Reason,
    Snapshot, Timestamp, WhenFull,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const ZERO: Timestamp = Timestamp::ZERO;
const HOUR: u64 = 3_600;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs)
}

/// src/limiter/reservation.rs: "all, or none if a later admission or reservation has built on them"; "the
/// bucket's bound holds for those instants"; "never a permit too many". The word is the same again after a refund
/// and another reservation, so the cancellation takes the place of the later one away.
#[test]
fn a_cancelled_reservation_hands_out_the_place_of_a_later_one() {
    let limiter = Limiter::token_bucket(Quota::per_second(1));
    let first = limiter.check_at(ZERO).unwrap();
    let cancelled = limiter.reserve_at(1, Duration::MAX, ZERO).unwrap();
    limiter.refund(&first);
    let second = limiter.reserve_at(1, Duration::MAX, ZERO).unwrap();
    cancelled.cancel();
    let third = limiter.reserve_at(1, Duration::MAX, ZERO).unwrap();
    assert_ne!(second.ready_at(), third.ready_at(), "two permits at once of a burst of one");
}

/// src/keyed/reservation.rs: "It can be given back only if nothing was taken from the key since".
#[test]
fn a_dropped_keyed_reservation_hands_out_the_place_of_a_later_one() {
    let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100);
    let first = limiter.check_at("a", ZERO).unwrap();
    let dropped = limiter.reserve_at("a", 1, Duration::MAX, ZERO).unwrap();
    limiter.key("a").refund(&first);
    let second = limiter.reserve_at("a", 1, Duration::MAX, ZERO).unwrap();
    drop(dropped);
    let third = limiter.reserve_at("a", 1, Duration::MAX, ZERO).unwrap();
    assert_ne!(second.ready_at(), third.ready_at(), "two permits at once of a burst of one");
}

/// src/limiter/mod.rs: "No input panics" (with overflow checks, as in a debug build).
/// src/algorithm/sliding_window/ring.rs counts the free slots, less one, before the exchange: none is free if another
/// thread has claimed the slot since the view.
#[test]
fn a_sliding_window_of_one_does_not_panic_under_contention() {
    let limiter = Limiter::sliding_window(Quota::new(1, Duration::from_nanos(1)).unwrap());
    let time = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..300_000 {
                    let now = time.fetch_add(1, Ordering::Relaxed);
                    let _ = limiter.check_at(Timestamp::from_nanos(now));
                }
            });
        }
    });
}

/// src/limiter/mod.rs: "Linearizable. Each call takes effect at one instant between call and return".
/// src/algorithm/sliding_window/ring.rs, `view_and_free`: "Then no slot has been claimed since the view". It compares
/// what the head's slot holds and not the head, and slots that are unused, or that were claimed at one instant, hold the same.
#[test]
fn a_peek_never_shows_fewer_permits_than_there_ever_were() {
    const ROUNDS: usize = 300_000;
    let limiters: Vec<_> =
        (0..ROUNDS).map(|_| Limiter::sliding_window(Quota::per_hour(3))).collect();
    let (seen, least) = (AtomicU64::new(0), AtomicU64::new(3));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (round, limiter) in limiters.iter().enumerate() {
                while seen.load(Ordering::Relaxed) < round as u64 {
                    std::hint::spin_loop();
                }
                // Two of three, so one is left throughout.
                for _ in 0..2 {
                    assert!(limiter.is_allowed_at(ZERO));
                }
            }
        });
        scope.spawn(|| {
            for (round, limiter) in limiters.iter().enumerate() {
                seen.store(round as u64, Ordering::Relaxed);
                loop {
                    let left = limiter.peek_at(ZERO).remaining();
                    least.fetch_min(left.into(), Ordering::Relaxed);
                    if left <= 1 {
                        break;
                    }
                }
            }
        });
    });
    assert_eq!(least.into_inner(), 1);
}

/// src/algorithm/mod.rs, `Rule::charge`: "The word after `n` permits are spent at `now`". Only `decide` asks for one
/// permit at least. Panics with overflow checks; without them it spends until the end of time.
#[test]
fn a_rule_can_be_charged_nothing() {
    let rule = FixedWindow::new(Quota::per_second(2));
    assert_eq!(rule.charge(Word::default(), 0, ZERO), Word::default());
}

/// src/limiter/spend.rs: "Denies everything before `until`, for example what an upstream server said in its
/// `Retry-After`", and "`reset` undoes it". The refund of the request that the server turned away does too.
#[test]
fn a_refund_does_not_undo_deny_until() {
    let limiter = Limiter::token_bucket(Quota::per_hour(5));
    let failed = limiter.check_n_at(4, ZERO).unwrap();
    limiter.deny_until(at(HOUR));
    limiter.refund(&failed);
    assert!(limiter.check_at(at(HOUR - 1)).is_err());
    assert!(limiter.check_at(at(HOUR / 2)).is_err());
}

/// src/limiter/spend.rs: "Denies everything before `until`". src/algorithm/token_bucket.rs, `carry`.
#[test]
fn a_new_quota_does_not_undo_deny_until_of_a_bucket() {
    let limiter = Limiter::adjustable_token_bucket(Quota::per_hour(1));
    limiter.deny_until(at(24 * HOUR));
    limiter.set_quota_at(Quota::per_second(1_000), ZERO);
    assert!(limiter.check_at(at(23 * HOUR + 1)).is_err());
}

/// src/limiter/spend.rs: "Denies everything before `until`". src/algorithm/fixed_window.rs, `carry`.
#[test]
fn a_new_quota_does_not_undo_deny_until_of_a_window() {
    let limiter = Limiter::adjustable_fixed_window(Quota::per_hour(1));
    limiter.deny_until(at(47 * HOUR));
    limiter.set_quota_at(Quota::per_day(1), ZERO);
    assert!(limiter.check_at(at(24 * HOUR)).is_err());
}

/// src/limiter/adjust.rs: "of L permits with k spent, a new limit L′ leaves L′ − k, or none"; "a fixed window of another period
/// counts what was spent in the window that `now` was in to the one it is in then". 15 are spent, 10 of them in that window.
#[test]
fn a_new_quota_does_not_forgive_a_debt() {
    let limiter = Limiter::adjustable_fixed_window(Quota::per_hour(10));
    limiter.charge_at(15, ZERO);
    limiter.set_quota_at(Quota::per_day(10), ZERO);
    assert_eq!(limiter.peek_at(ZERO).remaining(), 0);
}

/// The same, to a larger limit: "a raise adds the difference at once".
#[test]
fn a_raise_reaches_a_limiter_in_debt() {
    let limiter = Limiter::adjustable_fixed_window(Quota::per_hour(10));
    limiter.charge_at(15, ZERO);
    limiter.set_quota_at(Quota::per_hour(20), ZERO);
    assert_eq!(limiter.peek_at(ZERO).remaining(), 5);
}

/// src/limiter/spend.rs: "Denies everything before `until`". A lease goes on, and src/limiter/lease.rs does not say so.
#[test]
fn a_lease_ends_with_deny_until() {
    let limiter = Limiter::fixed_window(Quota::per_hour(80));
    let lease = limiter.lease(64);
    assert!(lease.is_allowed_at(ZERO));
    limiter.deny_until(at(HOUR));
    assert!(!lease.is_allowed_at(at(1)));
}

/// src/keyed/tier.rs: "Any number of permits, which are not counted". src/keyed/give_back.rs: "Gives back the permits of an
/// admission of this key". Nothing was taken, so there is nothing to give back; but the permits of another tier come back.
#[test]
fn what_an_unlimited_tier_did_not_count_is_not_given_back() {
    let limiter =
        KeyedLimiter::token_bucket(Quota::per_hour(5), 100).with_tiers([Allowance::Unlimited]);
    let ada = limiter.key("ada");
    assert!(ada.check_n_at(5, ZERO).is_ok());
    let admitted = ada.tier(1).check_n_at(5, ZERO).unwrap();
    ada.tier(1).refund(&admitted);
    assert!(ada.check_at(ZERO).is_err(), "five more");
}

/// src/all.rs: "If one denies, those before it are given back what they were charged, so no bound is exceeded". A key of an
/// unlimited tier is charged nothing.
#[test]
fn a_denied_request_to_all_gives_nobody_permits() {
    let keyed =
        KeyedLimiter::token_bucket(Quota::per_hour(5), 100).with_tiers([Allowance::Unlimited]);
    let single = Limiter::token_bucket(Quota::per_hour(1));
    let ada = keyed.key("ada");
    assert!(ada.check_n_at(5, ZERO).is_ok());
    let unlimited = ada.tier(1);
    let all = All::new([(&unlimited as &dyn LimitN, 5), (&single, 1), (&single, 1)]);
    assert!(all.check_at(ZERO).is_err());
    assert!(ada.check_at(ZERO).is_err(), "a denied request gave five permits");
}

/// src/decision.rs, `Admitted::permits`: "Returns the permits that were spent". src/keyed/give_back.rs: "Gives back the permits
/// of an admission of this key". More than the limit was charged, and counts as the limit.
#[test]
fn a_charge_above_the_limit_of_a_key_is_refunded_whole() {
    let limiter = KeyedLimiter::token_bucket(Quota::per_second(5), 100);
    let charged = limiter.charge_at("a", 10, ZERO).unwrap();
    limiter.key("a").refund(&charged);
    assert_eq!(charged.permits(), 10);
    assert_eq!(limiter.peek_at("a", ZERO).remaining(), 5);
}

/// The same of an unlimited tier.
#[test]
fn a_charge_to_an_unlimited_tier_says_how_much() {
    let limiter =
        KeyedLimiter::token_bucket(Quota::per_second(5), 100).with_tiers([Allowance::Unlimited]);
    assert_eq!(limiter.key("a").tier(1).charge_at(7, ZERO).unwrap().permits(), 7);
}

/// src/limiter/give_back.rs: "A fixed window takes them back as long as it is still the window of the admission". It is,
/// but the limiter is in debt.
#[test]
fn a_window_in_debt_takes_permits_back() {
    let limiter = Limiter::fixed_window(Quota::per_hour(5));
    let admitted = limiter.check_n_at(3, ZERO).unwrap();
    limiter.charge_at(3, ZERO);
    limiter.refund(&admitted);
    assert_eq!(limiter.peek_at(ZERO).remaining(), 2);
}

/// The same, of the charge itself: the reservation of a cost that turns out not to be one.
#[test]
fn a_window_takes_back_what_it_was_charged_above_its_limit() {
    let limiter = Limiter::fixed_window(Quota::per_hour(5));
    let charged = limiter.charge_at(7, ZERO);
    limiter.refund(&charged);
    assert_eq!(limiter.peek_at(ZERO).remaining(), 5);
}

/// The same of a key: src/keyed/give_back.rs, "to a window only while it is still that of the admission".
#[test]
fn a_window_of_a_key_in_debt_takes_permits_back() {
    let limiter = KeyedLimiter::fixed_window(Quota::per_hour(5), 100);
    let admitted = limiter.check_n_at("a", 3, ZERO).unwrap();
    limiter.charge_at("a", 3, ZERO).unwrap();
    limiter.key("a").refund(&admitted);
    assert_eq!(limiter.peek_at("a", ZERO).remaining(), 2);
}

/// src/limiter/give_back.rs, `refund_n`: "Gives `n` permits back, or all if fewer are spent, whenever they were spent."
#[test]
fn all_permits_of_a_window_in_debt_come_back() {
    let limiter = Limiter::fixed_window(Quota::per_hour(5));
    limiter.charge_at(7, ZERO);
    limiter.refund_n(7);
    assert_eq!(limiter.peek_at(ZERO).remaining(), 5);
}

/// src/limiter/spend.rs, `charge_at`: "A timestamp older than one already seen counts as that one." Then the window of the
/// admission is the newest one, and src/limiter/give_back.rs takes it back there.
#[test]
fn a_late_charge_to_a_window_can_be_refunded() {
    let limiter = Limiter::fixed_window(Quota::per_hour(5));
    assert!(limiter.check_at(at(HOUR)).is_ok());
    let late = limiter.charge_at(2, ZERO);
    assert_eq!(limiter.peek_at(at(HOUR)).remaining(), 2);
    limiter.refund(&late);
    assert_eq!(limiter.peek_at(at(HOUR)).remaining(), 4);
}

/// src/limiter/save.rs: "With another quota it is full again at the same instant."
#[test]
fn a_window_of_another_limit_is_full_at_the_same_instant() {
    let old = Limiter::fixed_window(Quota::per_minute(10));
    assert!(old.check_n_at(7, at(50)).is_ok());
    let saved = old.save_at(at(50));
    assert_eq!(old.peek_at(at(50)).reset_after().as_secs(), 10);
    let new = Limiter::fixed_window(Quota::per_minute(5));
    new.restore_at(saved, Duration::ZERO, at(50));
    assert_eq!(new.peek_at(at(50)).reset_after().as_secs(), 10);
}

/// src/limiter/save.rs: "A token bucket is never early". It admitted nothing any more; restored, it does after 195 years.
#[test]
fn what_denies_for_ever_still_does_when_it_is_restored() {
    let quota = Quota::new(3, Duration::from_secs(10)).unwrap();
    let old = Limiter::token_bucket(quota);
    old.deny_until(Timestamp::MAX);
    let new = Limiter::token_bucket(quota);
    new.restore_at(old.save_at(ZERO), Duration::ZERO, ZERO);
    let late = Timestamp::from_nanos(u64::MAX / 3 - 11_000_000_000);
    assert!(old.check_at(late).is_err());
    assert!(new.check_at(late).is_err());
}

/// src/decision.rs: "Tickets are unique", except that "a permit that is given back … is handed out again with the same ticket".
/// It is not: the ticket of another admission is, which was not given back.
#[test]
fn no_two_admissions_that_stand_have_one_ticket() {
    for limiter in [
        &Limiter::fixed_window(Quota::per_hour(5)) as &dyn LimitN,
        &Limiter::token_bucket(Quota::per_hour(5)),
    ] {
        let first = limiter.check_n_at(1, ZERO).unwrap();
        let second = limiter.check_n_at(1, ZERO).unwrap();
        limiter.refund(&first);
        let third = limiter.check_n_at(1, ZERO).unwrap();
        assert_ne!(second.ticket(), third.ticket());
    }
}

/// The same, without any of the three that src/decision.rs names: a lease gives permits back.
#[test]
fn a_lease_leaves_tickets_unique() {
    let limiter = Limiter::fixed_window(Quota::per_hour(80));
    let lease = limiter.lease(64);
    assert!(lease.is_allowed_at(ZERO));
    let first = limiter.check_at(ZERO).unwrap();
    drop(lease);
    let tickets: Vec<_> = (0..20).map(|_| limiter.check_at(ZERO).unwrap().ticket()).collect();
    assert!(!tickets.contains(&first.ticket()));
}

/// src/decision.rs: "Tickets are unique and grow strictly". Charges beyond the last word share one.
#[test]
fn tickets_of_huge_charges_are_unique() {
    let limiter = Limiter::token_bucket(Quota::per_day(1));
    let tickets = [(); 2].map(|()| limiter.charge_at(u32::MAX, ZERO).ticket());
    assert!(tickets[0] < tickets[1], "{tickets:?}");
}

/// src/decision.rs: "Tickets of a `KeyedLimiter` are unique for one key in one tier."
#[test]
fn tickets_of_an_unlimited_tier_are_unique() {
    let limiter =
        KeyedLimiter::token_bucket(Quota::per_hour(5), 100).with_tiers([Allowance::Unlimited]);
    let ask = || limiter.key("a").tier(1).check_at(ZERO).unwrap().ticket();
    assert_ne!(ask(), ask());
}

/// src/limiter/reservation.rs, `cancel`: "all, or none if a later admission or reservation has built on them". Nobody has.
#[test]
fn a_refund_does_not_lose_a_reservation() {
    let limiter = Limiter::token_bucket(Quota::per_second(5));
    let admitted = limiter.check_at(ZERO).unwrap();
    let reserved = limiter.reserve_at(4, Duration::ZERO, ZERO).unwrap();
    limiter.refund(&admitted);
    assert_eq!(reserved.cancel(), 4);
}

/// src/limiter/reservation.rs, `cancel`: "the word is then what it was before, and the bound holds as if they had never been made".
/// A late timestamp shows that it is not.
#[test]
fn a_cancelled_reservation_leaves_the_word_as_it_was() {
    let limiter = Limiter::token_bucket(Quota::per_hour(5));
    assert_eq!(limiter.reserve_at(1, Duration::ZERO, at(10 * HOUR)).unwrap().cancel(), 1);
    assert_eq!(limiter.peek_at(ZERO).remaining(), 5);
}

/// src/all.rs: "all of them admit, or nothing is spent". A window that was charged and given back has moved on.
#[test]
fn a_denied_request_to_all_leaves_a_window_where_it_was() {
    let window = Limiter::fixed_window(Quota::per_hour(5));
    let single = Limiter::token_bucket(Quota::per_hour(1));
    let all = All::new([(&window as &dyn LimitN, 1), (&single, 1), (&single, 1)]);
    assert!(all.check_at(at(5 * HOUR)).is_err());
    assert!(window.check_at(at(4 * HOUR)).is_ok());
}

/// src/decision/denied.rs, of the answer that src/all.rs passes on: "the same request is denied at every earlier instant and
/// admitted at that one. `None` if no wait helps". No wait helps: it needs two permits of one.
#[test]
fn all_with_one_limiter_twice_tells_when_to_retry() {
    let limiter = Limiter::token_bucket(Quota::per_hour(5));
    let all = All::new([(&limiter as &dyn LimitN, 3), (&limiter, 3)]);
    let denied = all.check_at(ZERO).unwrap_err().denied();
    if let Some(wait) = denied.retry_after() {
        assert!(all.check_at(ZERO + wait).is_ok(), "retry in {wait:?}");
    }
}

/// src/algorithm/both.rs: "`remaining` is the smaller of the two, and `limit` that of the rule it comes from". Of a denial it
/// is that of the rule that denies.
#[test]
fn the_limit_of_a_denial_of_both_belongs_to_what_remains() {
    let limiter = Limiter::both(
        TokenBucket::new(Quota::per_second(10)),
        FixedWindow::new(Quota::per_hour(11)),
    );
    assert!(limiter.check_n_at(8, ZERO).is_ok());
    let denied = limiter.check_n_at(5, ZERO).unwrap_err();
    assert_eq!(denied.reason(), Reason::Quota { index: 1 });
    assert_eq!((denied.remaining(), denied.limit()), (2, 10));
}

/// A clock whose cheap timestamps are of the distant past.
struct Lagging(Timestamp, Timestamp);

impl Clock for Lagging {
    fn now(&self) -> Timestamp {
        self.1
    }

    fn recent(&self) -> Timestamp {
        self.0
    }

    fn max_lag(&self) -> Duration {
        Duration::MAX
    }
}

/// src/clock/mod.rs: "If it denies, the check takes a precise timestamp and decides again in two cases: The permit becomes free
/// within `max_lag`". It does, but the cheap timestamp and the lag are past the last that the algorithm tells.
#[test]
fn a_bucket_decides_again_whatever_the_lag() {
    let limiter = Limiter::token_bucket(Quota::per_second(1)).with_clock(Lagging(ZERO, at(10)));
    assert!(limiter.check_at(ZERO).is_ok());
    assert!(limiter.check().is_ok());
}

/// The same.
#[test]
fn a_sliding_window_decides_again_whatever_the_lag() {
    let limiter = Limiter::sliding_window(Quota::per_second(1)).with_clock(Lagging(ZERO, at(10)));
    assert!(limiter.check_at(ZERO).is_ok());
    assert!(limiter.check().is_ok());
}

/// src/decision.rs, `Snapshot::remaining`: "Returns the permits that would be admitted at this instant." An unlimited tier
/// needs no slot.
#[test]
fn an_unlimited_tier_shows_its_permits_in_a_full_table() {
    let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 1)
        .with_tiers([Allowance::Unlimited])
        .when_full(WhenFull::DenyNewKeys);
    assert!((0..10_000).any(|key| limiter.check_at(&key, ZERO).is_err()), "the table is full");
    let vip = limiter.key("vip").tier(1);
    assert!(vip.check_at(ZERO).is_ok());
    assert_eq!(vip.peek_at(ZERO).remaining(), u32::MAX);
}

/// src/limiter/spend.rs: "Begins with `n` permits instead of a full limiter". The limiter need not be full.
#[test]
fn a_limiter_that_has_spent_begins_with_as_many_as_it_is_told() {
    let limiter = Limiter::token_bucket(Quota::per_hour(10)).with_clock(ManualClock::new());
    assert!(limiter.check_n(3).is_ok());
    assert_eq!(limiter.starting_with(4).peek().remaining(), 4);
}

/// src/clock/utc.rs: panics "if the offset in all exceeds 292 years". In all it is 200.
#[test]
fn offsets_count_in_all() {
    const YEAR: Duration = Duration::from_secs(365 * 86_400);
    let clock = UtcClock::new().behind_by(YEAR * 200).ahead_by(YEAR * 400);
    assert_eq!(clock, UtcClock::new().ahead_by(YEAR * 200));
}

/// src/clock/utc.rs: "A fixed window keeps its place in time, so there only a new limiter helps." src/limiter/give_back.rs says that
/// a reset "also undoes a timestamp from the far future", and it does.
#[test]
fn a_reset_does_not_move_a_fixed_window_back() {
    let limiter = Limiter::fixed_window(Quota::per_hour(1));
    assert!(limiter.is_allowed_at(at(24 * HOUR)));
    limiter.reset();
    assert!(!limiter.is_allowed_at(ZERO), "the sentence of `UtcClock` is wrong");
}

/// src/quota/text.rs: "Writes the shortest form".
#[test]
fn no_text_of_a_quota_is_shorter_than_that_which_is_written() {
    let text = "1/600s";
    assert!(text.parse::<Quota>().unwrap().to_string().len() <= text.len());
}

/// src/limiter/spend.rs, `deny_until`: "A fixed window begins with the first window that begins at `until` or later." The last
/// one that the word tells is left out.
#[test]
fn the_last_window_can_be_waited_for() {
    let limiter = Limiter::fixed_window(Quota::new(1, Duration::from_nanos(1)).unwrap());
    let last = Timestamp::from_nanos(u64::MAX >> 1);
    assert!(limiter.is_allowed_at(last));
    limiter.reset();
    limiter.deny_until(last);
    assert!(limiter.is_allowed_at(last));
}

/// src/keyed/give_back.rs: "to a window only while it is still that of the admission". The admission's minute is over. In another
/// tier the hour is not, and permits come back that another admission has spent.
#[test]
fn a_refund_of_an_old_window_gives_nothing_back_in_another_tier() {
    let limiter =
        KeyedLimiter::fixed_window(Quota::per_minute(5), 100).with_tiers([Quota::per_hour(5)]);
    let key = limiter.key("a");
    let old = key.check_n_at(5, ZERO).unwrap();
    assert!(key.tier(1).check_n_at(5, at(120)).is_ok());
    key.tier(1).refund(&old);
    assert!(key.tier(1).check_at(at(120)).is_err());
}

/// src/keyed/stats.rs, `denied_full`: "Requests denied because the key's set was full". One request counts twice with `check_many`,
/// which asks again for what is denied.
#[test]
fn a_request_that_finds_the_table_full_counts_once() {
    let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 1)
        .when_full(WhenFull::DenyNewKeys)
        .with_clock(ManualClock::new());
    let newcomer = (0..10_000).find(|key| limiter.check(key).is_err()).unwrap();
    let before = limiter.stats().denied_full;
    let mut answers = 0;
    limiter.check_many(&[newcomer], |_, answer| answers += u64::from(answer.is_err()));
    assert_eq!(limiter.stats().denied_full - before, answers);
}

/// src/decision.rs: "Tickets of a `KeyedLimiter` are unique for one key in one tier." Not if the key was in another in between.
#[test]
fn tickets_are_unique_for_a_key_that_comes_back_to_its_tier() {
    let limiter = KeyedLimiter::token_bucket(Quota::per_hour(10), 100)
        .with_tiers([Quota::per_hour(10).with_burst(1)]);
    let key = limiter.key("a");
    let first: Vec<_> = (0..5).map(|_| key.check_at(ZERO).unwrap().ticket()).collect();
    assert!(key.tier(1).check_at(ZERO).is_err());
    assert!(!first.contains(&key.check_at(ZERO).unwrap().ticket()));
}

/// The same. `clear` gives permits back too, and is not among what is named there.
#[test]
fn tickets_are_unique_after_clear() {
    let limiter = KeyedLimiter::token_bucket(Quota::per_hour(10), 100);
    let first = limiter.check_at("a", ZERO).unwrap();
    limiter.clear();
    assert_ne!(limiter.check_at("a", ZERO).unwrap().ticket(), first.ticket());
}

/// src/decision.rs, `Snapshot::reset_after`: "zero if it is full". Past the last timestamp that the algorithm tells it is zero too.
#[test]
fn a_limiter_that_admits_nothing_any_more_is_not_full() {
    let limiter = Limiter::token_bucket(Quota::per_second(5));
    let seen = limiter.peek_at(Timestamp::MAX);
    assert_eq!(seen.remaining(), 0);
    assert!(!seen.reset_after().is_zero());
}

/// src/limiter/adjust.rs: "The new pace holds from `now` on". A debt is repaid at the old one.
#[test]
fn a_debt_is_repaid_at_the_new_pace() {
    let limiter = Limiter::adjustable_token_bucket(Quota::per_hour(10));
    limiter.charge_at(15, ZERO);
    limiter.set_quota_at(Quota::per_second(1_000).with_burst(10), ZERO);
    assert!(limiter.check_at(at(1)).is_ok());
}

/// src/limiter/adjust.rs: "of L permits with k spent, a new limit L′ leaves L′ − k". L is 10, k is 15 and L′ is 20.
#[test]
fn a_raise_reaches_a_bucket_in_debt() {
    let limiter = Limiter::adjustable_token_bucket(Quota::per_hour(10));
    limiter.charge_at(15, ZERO);
    limiter.set_quota_at(Quota::per_hour(20), ZERO);
    assert_eq!(limiter.peek_at(ZERO).remaining(), 5);
}

/// Another thread, which acts while `All` has charged what comes before it.
struct Meanwhile<'a, A: Algorithm>(&'a Limiter<A>, fn(&Limiter<A>), Denied);

impl<A: Algorithm> Limit for Meanwhile<'_, A> {
    fn check(&self) -> Result<Admitted, Denied> {
        self.check_at(ZERO)
    }

    fn check_at(&self, _: Timestamp) -> Result<Admitted, Denied> {
        (self.1)(self.0);
        Err(self.2)
    }

    fn peek(&self) -> Snapshot {
        self.peek_at(ZERO)
    }

    fn peek_at(&self, now: Timestamp) -> Snapshot {
        Limiter::fixed_window(Quota::per_hour(1)).peek_at(now)
    }
}

impl<A: Algorithm> LimitN for Meanwhile<'_, A> {
    fn check_n(&self, _: u32) -> Result<Admitted, Denied> {
        self.check_at(ZERO)
    }

    fn check_n_at(&self, _: u32, now: Timestamp) -> Result<Admitted, Denied> {
        self.check_at(now)
    }

    fn refund(&self, _: &Admitted) {}
}

fn a_denial() -> Denied {
    Limiter::fixed_window(Quota::per_hour(1)).check_n_at(2, ZERO).unwrap_err()
}

/// src/all.rs: "those before it are given back what they were charged, so no bound is exceeded". A reset in between has given it
/// back already.
#[test]
fn all_gives_back_once_what_a_reset_has_given_back() {
    let limiter = Limiter::token_bucket(Quota::per_hour(5));
    let meanwhile = |limiter: &Limiter<TokenBucket>| {
        limiter.reset();
        assert!(limiter.check_n_at(5, ZERO).is_ok());
    };
    let other = Meanwhile(&limiter, meanwhile, a_denial());
    assert!(All::new([(&limiter as &dyn LimitN, 2), (&other, 1)]).check_at(ZERO).is_err());
    assert!(limiter.check_n_at(2, ZERO).is_err(), "seven since the reset");
}

/// src/all.rs: "If one denies, those before it are given back what they were charged". Not if a window is in debt by then.
#[test]
fn all_gives_back_what_a_window_in_debt_was_charged() {
    let limiter = Limiter::fixed_window(Quota::per_hour(5));
    let meanwhile = |limiter: &Limiter<FixedWindow>| {
        limiter.charge_at(5, ZERO);
    };
    let other = Meanwhile(&limiter, meanwhile, a_denial());
    assert!(All::new([(&limiter as &dyn LimitN, 2), (&other, 1)]).check_at(ZERO).is_err());
    assert_eq!(limiter.peek_at(at(HOUR)).remaining(), 5, "the debt was five, and one window's");
}

/// src/limiter/spend.rs: "Denies everything before `until`". A request of `All` that is denied in the end undoes that.
#[test]
fn all_does_not_undo_deny_until() {
    let limiter = Limiter::token_bucket(Quota::per_hour(5));
    let meanwhile = |limiter: &Limiter<TokenBucket>| limiter.deny_until(at(HOUR));
    let other = Meanwhile(&limiter, meanwhile, a_denial());
    assert!(All::new([(&limiter as &dyn LimitN, 2), (&other, 1)]).check_at(ZERO).is_err());
    assert!(limiter.check_at(at(HOUR - 600)).is_err());
}

/// src/decision.rs, `Snapshot::remaining`: "Returns the permits that would be admitted at this instant." Of a key that was charged
/// beyond the last timestamp of its tier and is asked in another.
#[test]
fn a_peek_at_the_end_of_time_agrees_with_a_check() {
    let quota = |permits, nanos| Quota::new(permits, Duration::from_nanos(nanos)).unwrap();
    let limiter = KeyedLimiter::fixed_window(quota(2, 19_046), 100).with_tiers([quota(3, 17_039)]);
    let key = limiter.key("a");
    key.charge_at(3, Timestamp::MAX).unwrap();
    let left = key.tier(1).peek_at(Timestamp::MAX).remaining();
    assert_eq!(key.tier(1).check_at(Timestamp::MAX).is_ok(), left > 0, "{left} left");
}

/// src/limiter/save.rs: "Spends at `now` what was outstanding": one permit of ten. For a shorter window it counts as a debt of
/// sixty windows, of which nothing is left.
#[test]
fn one_permit_restored_to_a_shorter_window_is_one_permit() {
    let old = Limiter::fixed_window(Quota::per_hour(10));
    assert!(old.check_at(ZERO).is_ok());
    let new = Limiter::fixed_window(Quota::per_minute(10));
    new.restore_at(old.save_at(ZERO), Duration::ZERO, ZERO);
    assert_eq!(new.peek_at(ZERO).remaining(), 9);
}

/// The same of a debt: 15 were outstanding, and 20 are spent.
#[test]
fn a_debt_of_a_window_is_restored_as_it_was() {
    let (old, new) = [(); 2].map(|()| Limiter::fixed_window(Quota::per_minute(10))).into();
    old.charge_at(15, ZERO);
    new.restore_at(old.save_at(ZERO), Duration::ZERO, ZERO);
    assert_eq!(old.peek_at(at(60)).remaining(), 5);
    assert_eq!(new.peek_at(at(60)).remaining(), 5);
}

/// src/limiter/spend.rs: "Begins with `n` permits instead of a full limiter, as of now." Of the clock before `with_clock`.
#[test]
fn a_limiter_begins_with_as_many_permits_on_another_clock() {
    let limiter = Limiter::token_bucket(Quota::per_hour(100)).starting_with(10);
    assert_eq!(limiter.with_clock(ManualClock::new()).peek().remaining(), 10);
}

/// src/decision.rs: "A request for zero permits takes no ticket: it reports that of the last admission before it."
#[test]
fn a_request_for_nothing_reports_the_last_ticket() {
    let limiter = Limiter::fixed_window(Quota::per_hour(5));
    let ticket = limiter.check_at(ZERO).unwrap().ticket();
    limiter.deny_until(at(HOUR));
    assert_eq!(limiter.check_n_at(0, ZERO).unwrap().ticket(), ticket);
}
