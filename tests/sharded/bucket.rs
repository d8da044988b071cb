//! The token bucket with cells, on one thread.

use super::{PERIOD, at, quota};
use casgate::clock::ManualClock;
use casgate::{Limit, Limiter, Quota, Reason, Timestamp};
use proptest::prelude::*;
use std::time::Duration;

/// What all cells can hold, as the documentation states it.
fn in_cells(burst: u32, cells: usize) -> u32 {
    let cells = cells.next_power_of_two() as u32;
    (burst / 8 / cells).min(255) * cells
}

fn quotas() -> impl Strategy<Value = Quota> {
    let some = (1..300u32, 300..5_000u64, prop_oneof![1..40u32, 1..2_000u32]);
    some.prop_map(|(l, w, b)| Quota::new(l, Duration::from_nanos(w)).unwrap().with_burst(b))
}

/// The most that the admissions of any interval exceed its time's worth by, in permits; `readings` ascend. An interval
/// is half a nanosecond longer here, as the documentation of the plain bucket states it.
fn most_beyond_the_pace(readings: &[u64], quota: Quota) -> i128 {
    let (permits, period) = (i128::from(quota.permits()), quota.period().as_nanos() as i128);
    let (mut lowest, mut most) = (i128::MAX, i128::MIN);
    for (before, &t) in (0i128..).zip(readings) {
        let worth = 2 * i128::from(t) * permits;
        lowest = lowest.min(2 * before * period - worth);
        most = most.max(2 * (before + 1) * period - worth - permits - lowest);
    }
    -(-most).div_euclid(2 * period)
}

fn cases(release: u32) -> ProptestConfig {
    ProptestConfig::with_cases(if cfg!(debug_assertions) { 300 } else { release })
}

proptest! {
    #![proptest_config(cases(10_000))]

    /// No more than the plain bucket with the burst, and no less than the one without what the cells hold.
    #[test]
    fn in_order_it_lies_between_two_plain_buckets(
        quota in quotas(),
        cells in 1..6usize,
        trace in prop::collection::vec((0..300u64, 1..60usize), 1..60),
    ) {
        let least = quota.burst() - in_cells(quota.burst(), cells);
        let sharded = Limiter::sharded_token_bucket(quota).with_cells(cells);
        let most = Limiter::token_bucket(quota);
        let least = Limiter::token_bucket(quota.with_burst(least));
        let (mut now, mut counts) = (0, [0; 3]);
        for (gap, calls) in trace {
            now += gap;
            for _ in 0..calls {
                counts[0] += u32::from(least.is_allowed_at(at(now)));
                counts[1] += u32::from(sharded.is_allowed_at(at(now)));
                counts[2] += u32::from(most.is_allowed_at(at(now)));
                prop_assert!(counts.is_sorted(), "{:?}", counts);
            }
            let left = sharded.peek_at(at(now)).remaining();
            prop_assert!(counts[1] + left <= counts[2] + most.peek_at(at(now)).remaining());
        }
    }

    /// With no other traffic.
    #[test]
    fn a_denial_says_exactly_when_it_ends(quota in quotas(), cells in 1..6usize, start in 0..9_999u64) {
        let limiter = Limiter::sharded_token_bucket(quota).with_cells(cells);
        let mut now = start;
        for _ in 0..5 {
            while let Ok(admitted) = limiter.check_at(at(now)) {
                prop_assert!(admitted.remaining() <= limiter.peek_at(at(now)).remaining());
                prop_assert_eq!((admitted.ticket(), admitted.limit()), (0, quota.burst()));
            }
            let denied = limiter.check_at(at(now)).unwrap_err();
            prop_assert_eq!((denied.remaining(), denied.limit()), (0, quota.burst()));
            prop_assert_eq!(limiter.peek_at(at(now)).remaining(), 0);
            let wait = denied.retry_after().unwrap().as_nanos() as u64;
            prop_assert!(!limiter.is_allowed_at(at(now + wait - 1)));
            now += wait;
            prop_assert!(limiter.is_allowed_at(at(now)));
        }
    }

    #[test]
    fn in_any_order_every_interval_keeps_the_bound(
        quota in quotas(),
        cells in 1..6usize,
        trace in prop::collection::vec((0..9_000u64, 1..60usize), 1..60),
    ) {
        let limiter = Limiter::sharded_token_bucket(quota).with_cells(cells);
        let mut readings = Vec::new();
        for (now, calls) in trace {
            readings.extend((0..calls).filter(|_| limiter.is_allowed_at(at(now))).map(|_| now));
        }
        readings.sort_unstable();
        prop_assert!(most_beyond_the_pace(&readings, quota) <= quota.burst().into());
    }

    /// A cell notes more than the timestamps at which it is spent, if they are near.
    #[test]
    fn near_timestamps_in_any_order_keep_the_bound(
        quota in quotas(),
        cells in 1..3usize,
        trace in prop::collection::vec((0..400u64, prop::collection::vec(0..300u64, 1..200)), 1..20),
    ) {
        let limiter = Limiter::sharded_token_bucket(quota).with_cells(cells);
        let (mut now, mut readings) = (0, Vec::new());
        for (gap, late) in trace {
            now += gap;
            let times = late.into_iter().map(|late| now.saturating_sub(late));
            readings.extend(times.filter(|&now| limiter.is_allowed_at(at(now))));
        }
        readings.sort_unstable();
        prop_assert!(most_beyond_the_pace(&readings, quota) <= quota.burst().into());
    }

    /// "A denial means that nothing was left": what the cells get later is for later timestamps.
    #[test]
    fn in_any_order_a_denied_timestamp_is_denied_again(
        quota in quotas(),
        cells in 1..6usize,
        times in prop::collection::vec(0..3_000u64, 1..400),
        calls in 1..60usize,
    ) {
        let limiter = Limiter::sharded_token_bucket(quota).with_cells(cells);
        let mut denied = None;
        for now in times {
            let admitted = (0..calls).filter(|_| limiter.is_allowed_at(at(now))).count();
            prop_assert!(admitted == 0 || denied < Some(now), "at {}, after {:?}", now, denied);
            if admitted < calls {
                prop_assert_eq!(limiter.peek_at(at(now)).remaining(), 0);
                denied = denied.max(Some(now));
            }
        }
    }

    /// What a peek says is left can be had, and no more.
    #[test]
    fn a_peek_is_of_what_can_be_had(
        quota in quotas(),
        cells in 1..6usize,
        trace in prop::collection::vec((0..2_000u64, 0..60usize), 1..10),
    ) {
        let limiter = Limiter::sharded_token_bucket(quota).with_cells(cells);
        let mut now = 0;
        for (gap, calls) in trace {
            now += gap;
            for _ in 0..calls {
                let _ = limiter.check_at(at(now));
            }
        }
        let left = limiter.peek_at(at(now)).remaining();
        let had = (0..=2_000).filter(|_| limiter.is_allowed_at(at(now))).count();
        prop_assert_eq!(had as u32, left);
    }
}

/// One permit too many is found.
#[test]
fn the_pass_finds_one_too_many() {
    let quota = Quota::new(1, Duration::from_nanos(100)).unwrap();
    let even: Vec<u64> = (0..1_000).map(|i| i * 100).collect();
    assert_eq!(most_beyond_the_pace(&even, quota), 1);
    let one_more: Vec<u64> = (0..1_001).map(|i| i * 100 - 2 * u64::from(i > 0)).collect();
    assert_eq!(most_beyond_the_pace(&one_more, quota), 2);
}

#[test]
fn the_burst_is_found_at_first_and_the_parents_after_a_pause() {
    for (burst, cells) in [(1, 1), (7, 4), (64, 2), (1_000, 2), (100_000, 8), (1_000_000, 256)] {
        let per_day = Quota::per_day(10_000).with_burst(burst);
        let limiter = Limiter::sharded_token_bucket(per_day).with_cells(cells);
        let first = Timestamp::ZERO;
        assert_eq!(limiter.peek_at(first).remaining(), burst);
        let all = |now| (0..burst + 2).filter(|_| limiter.is_allowed_at(now)).count() as u32;
        assert_eq!(all(first), burst, "{cells} cells");
        let later = Timestamp::from_secs(86_400 * 101);
        assert_eq!(all(later), burst - in_cells(burst, cells), "{cells} cells");
    }
}

#[test]
fn a_far_future_timestamp_denies_nothing_that_the_cells_of_others_hold() {
    let limiter = Limiter::sharded_token_bucket(quota(1_000)).with_cells(4);
    assert!(limiter.is_allowed_at(Timestamp::from_secs(1 << 33)));
    assert!(!limiter.is_allowed_at(Timestamp::MAX) || limiter.peek_at(Timestamp::MAX).limit() > 0);
    let admitted = (0..2_000).filter(|_| limiter.is_allowed_at(at(0))).count();
    assert!(admitted <= 999);
}

/// A thread leaves a cell that gets no lease.
#[test]
fn after_a_far_future_timestamp_permits_come_from_another_cell() {
    let limiter =
        Limiter::sharded_token_bucket(Quota::per_second(1).with_burst(8_000)).with_cells(2);
    assert!(limiter.is_allowed_at(Timestamp::from_secs(1 << 33)));
    let admitted = (0..2_000).map(|_| limiter.check_at(at(0)).expect("a permit is there"));
    let by_cells = admitted.filter(|admitted| admitted.remaining() < 255).count();
    assert!(by_cells > 1_900, "{by_cells}");
}

#[test]
#[should_panic(expected = "at most 256 cells")]
fn more_cells_panic() {
    let _ = Limiter::sharded_token_bucket(quota(1)).with_cells(257);
}

#[test]
fn no_permits_are_always_admitted_by_the_trait_and_a_clock_that_steps_back_denies_more() {
    let clock = ManualClock::new();
    clock.set(Timestamp::from_secs(9));
    let limiter = Limiter::sharded_token_bucket(Quota::per_hour(100)).with_cells(2);
    let limiter = limiter.with_clock(&clock);
    let limit: &dyn Limit = &limiter;
    assert!((0..60).all(|_| limit.check().is_ok()));
    clock.set(Timestamp::from_secs(3));
    let admitted = (0..60).filter(|_| limit.check().is_ok()).count();
    assert!(admitted <= 40, "{admitted}");
    clock.set(Timestamp::from_secs(9));
    let rest = (0..60).filter(|_| limit.check().is_ok()).count();
    assert_eq!(admitted + rest, 40);
    assert_eq!(limit.check().unwrap_err().reason(), Reason::Quota { index: 0 });
}

#[test]
fn its_debug_form_names_its_words() {
    let text = format!("{:?}", Limiter::sharded_token_bucket(quota(64)).with_cells(2));
    assert!(text.contains("Limiter") && text.contains("cells"), "{text}");
}

#[test]
fn no_decision_allocates() {
    let limiter = Limiter::sharded_token_bucket(quota(90)).with_cells(2);
    let allocated = allocation_counter::measure(|| {
        for i in 0..1_000 {
            let now = at(i * PERIOD / 200);
            let _ = (limiter.check_at(now), limiter.is_allowed(), limiter.peek_at(now));
        }
    });
    assert_eq!(allocated.count_total, 0);
}
