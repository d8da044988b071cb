//! What the pure functions promise, on random traces.

use casgate::{Quota, Timestamp};
use casgate_redis::protocol::{
    LeaseQuota, LeaseQuotaError, Leases, Request, Returned, ServerTime, State, WindowQuota,
    WindowRequest, WindowState,
};
use proptest::prelude::*;
use std::time::Duration;

prop_compose! {
    fn quota()(
        permits in 1..5_000_u32, micros in 1..100_000_u64, burst in 2..5_000_u32, part in 1..100_u128,
    ) -> Option<LeaseQuota> {
        let period = Duration::from_nanos((micros * 1_000).max(permits.into()));
        let quota = Quota::new(permits, period).ok()?.with_burst(burst);
        let refill = period.as_nanos() * u128::from(burst) / u128::from(permits);
        LeaseQuota::new(quota, Duration::from_nanos((refill * part / 100) as u64)).ok()
    }
}

fn valid_quota() -> impl Strategy<Value = LeaseQuota> {
    quota().prop_filter_map("too small a burst", |quota| quota)
}

/// Whether no interval has more than `burst + rate · (time + more)`, with `events` of nanoseconds and permits in order.
fn obeys(quota: &Quota, events: &[(u64, u32)], less: Duration) -> bool {
    let (permits, period) = (i128::from(quota.permits()), quota.period().as_nanos() as i128);
    (0..events.len()).all(|i| {
        let mut sum = 0;
        events[i..].iter().all(|event| {
            sum += i128::from(event.1);
            let time = i128::from(event.0 - events[i].0) - less.as_nanos() as i128;
            sum * period <= i128::from(quota.burst()) * period + permits * time
        })
    })
}

proptest! {
    #[test]
    fn the_server_obeys_its_curve(
        quota in valid_quota(),
        calls in prop::collection::vec((0..3_000_u64, 0..3_000_u32, 0..50_u32, any::<u64>()), 1..60),
    ) {
        let (mut now, mut state, mut grants) = (1_000_000, None, Vec::new());
        for (wait, want, least, carried) in calls {
            now += wait;
            let request = Request::new(want).at_least(least).carrying(ServerTime::from_micros(carried % (2 * now)));
            let (next, grant) = State::grant(state, &quota, &request, ServerTime::from_micros(now));
            prop_assert!(grant.permits == 0 || grant.permits >= least);
            prop_assert!(grant.permits <= request.want());
            grants.push((now * 1_000, grant.permits));
            state = Some(next);
        }
        prop_assert!(obeys(&quota.quota(), &grants, quota.lifetime()));
    }

    #[test]
    fn the_fleet_obeys_its_curve(
        quota in valid_quota(), offset in 0..1_000_000_u64,
        steps in prop::collection::vec((0..300_000_u64, 0..3_usize, 0..2_000_u32, prop::option::of(0..300_000_u64)), 1..100),
    ) {
        let (mut nanos, mut state, mut spent) = (1_000_000_000, None, Vec::new());
        let mut holders = [const { Leases::new() }; 3];
        for (wait, holder, permits, sent_ago) in steps {
            nanos += wait;
            let here = Timestamp::from_nanos(nanos);
            let holder = &mut holders[holder];
            if let Some(ago) = sent_ago {
                // By another clock than the holder's, in whole microseconds.
                let now = ServerTime::from_micros((nanos + offset) / 1_000);
                let (next, grant) = State::grant(state, &quota, &Request::new(permits), now);
                state = Some(next);
                // A third lease is dropped.
                let _ = holder.add(grant.lease(Timestamp::from_nanos(nanos - ago), &quota), here);
            } else {
                // All at the last instant is the worst.
                let permits = (permits as u64).min(holder.left(here)) as u32;
                for _ in 0..permits {
                    prop_assert!(holder.spend(1, here));
                }
                spent.push((nanos, permits));
            }
        }
        prop_assert!(obeys(&quota.quota(), &spent, Duration::ZERO));
    }

    #[test]
    fn the_wait_is_exact(
        quota in valid_quota(), now in 0..1_u64 << 52, taken in any::<u32>(), permits in any::<u32>(),
    ) {
        let permits = permits % quota.burst() + 1;
        let time = ServerTime::from_micros;
        let (state, _) = State::grant(None, &quota, &Request::new(taken), time(now));
        let all = Request::new(permits).at_least(permits);
        let (state, grant) = State::grant(Some(state), &quota, &all, time(now));
        let wait = grant.retry_after(&quota, permits).unwrap().as_micros() as u64;
        let granted = |now| State::grant(Some(state), &quota, &all, time(now)).1.permits;
        prop_assert_eq!(granted(now + wait), permits);
        if wait > 0 {
            prop_assert_eq!(granted(now + wait - 1), 0);
        }
        prop_assert_eq!(grant.retry_after(&quota, quota.burst() + 1), None);
    }

    /// A clock that stepped back denies until a permit refills, be the step ever so large.
    #[test]
    fn a_clock_that_steps_back_denies_for_a_permit(quota in valid_quota(), back in 1..1_u64 << 50) {
        let now = 1 << 51;
        let time = ServerTime::from_micros;
        let (state, grant) = State::grant(None, &quota, &Request::new(u32::MAX), time(now));
        let (state, denied) = State::grant(Some(state), &quota, &grant.next(1), time(now - back));
        let wait = denied.retry_after(&quota, 1).unwrap().as_micros() as u64;
        let one = quota.quota().period().as_nanos().div_ceil(1_000 * u128::from(quota.quota().permits()));
        prop_assert!(u128::from(wait) <= one);
        let (_, grant) = State::grant(Some(state), &quota, &denied.next(1), time(now - back + wait));
        prop_assert_eq!(grant.permits, 1);
    }

    #[test]
    fn a_window_obeys_its_limit(
        limit in 1..100_u32,
        steps in prop::collection::vec((0..400_000_u64, 0..3_usize, 0..100_u32, 0..100_u32, any::<bool>()), 1..80),
    ) {
        let quota = WindowQuota::new(Quota::per_second(limit)).unwrap();
        let (mut now, mut state, mut sequence) = (0, None, 0);
        // Of each holder the window and the permits it has, and its requests, which may run again.
        let mut holders = [(0, 0_u32); 3];
        let mut sent = Vec::new();
        let (mut window, mut net) = (0, 0);
        for (wait, i, want, back, again) in steps {
            now += wait;
            let request = match sent.last() {
                Some(&old) if again => old,
                _ => {
                    let mut request = WindowRequest::new(want, i as u64).among(2);
                    let (of, permits) = &mut holders[i];
                    let back = back.min(*permits);
                    if back > 0 {
                        *permits -= back;
                        sequence += 1;
                        if *of == window {
                            net -= back;
                        }
                        request = request.returning(Returned { permits: back, window: *of, sequence });
                    }
                    sent.push(request);
                    request
                }
            };
            let (next, grant) = WindowState::grant(state, &quota, &request, ServerTime::from_micros(now));
            state = Some(next);
            if grant.window != window {
                (window, net) = (grant.window, 0);
            }
            net += grant.permits;
            prop_assert!(net <= limit, "{net} of {limit}");
            if !again {
                let (of, permits) = &mut holders[i];
                *permits = if *of == window { *permits + grant.permits } else { grant.permits };
                *of = window;
            }
        }
    }
}

/// However many holders are counted, a lease has what refills in half its lifetime, if the server has it.
#[test]
fn many_holders_do_not_starve_one() {
    let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100)).unwrap();
    let (mut state, now) = (None, ServerTime::from_micros(1 << 50));
    for holder in 1..=1_000 {
        let (next, grant) = State::grant(state, &quota, &Request::new(0), now);
        assert_eq!((grant.permits, grant.holders), (0, holder));
        state = Some(next);
    }
    let (_, grant) = State::grant(state, &quota, &Request::new(1_000), now);
    assert_eq!(grant.permits, 50);
}

/// A holder is counted once in an epoch, and the epoch before counts on.
#[test]
fn holders_are_counted_by_epochs() {
    let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100)).unwrap();
    let epoch = 200_000;
    let ask = |state, request: Request, now| {
        let (state, grant) = State::grant(state, &quota, &request, ServerTime::from_micros(now));
        (Some(state), grant)
    };
    let (state, first) = ask(None, Request::new(1), epoch);
    let (state, second) = ask(state, Request::new(1), epoch);
    let (state, again) = ask(state, first.next(1), 2 * epoch - 1);
    assert_eq!((first.holders, second.holders, again.holders), (1, 2, 2));
    let (state, next) = ask(state, again.next(1), 2 * epoch);
    assert_eq!(next.holders, 2);
    let (_, alone) = ask(state, next.next(1), 3 * epoch);
    assert_eq!(alone.holders, 1);
}

/// Why the quota belongs in the name of the key: a smaller one forgives what a larger one granted.
#[test]
fn two_quotas_of_one_key_forgive_debts() {
    let quota = |burst| {
        LeaseQuota::new(Quota::per_second(100).with_burst(burst), Duration::from_millis(100))
            .unwrap()
    };
    let (large, small) = (quota(1_000), quota(100));
    let now = ServerTime::from_micros(1 << 50);
    let (state, first) = State::grant(None, &large, &Request::new(990), now);
    let (state, denied) = State::grant(Some(state), &small, &Request::new(1), now);
    let (_, forgiven) = State::grant(Some(state), &large, &Request::new(990), now);
    assert_eq!((first.permits, denied.permits), (990, 0));
    assert!(forgiven.permits > 0);
}

#[test]
fn quotas_outside_of_the_range_are_errors() {
    let new = |permits, nanos, burst, lifetime| {
        let quota = Quota::new(permits, Duration::from_nanos(nanos)).unwrap().with_burst(burst);
        LeaseQuota::new(quota, Duration::from_nanos(lifetime)).map(|quota| quota.burst())
    };
    let (second, day) = (1_000_000_000, 86_400_000_000_000);
    assert_eq!(new(10, second, 10, 1_000), Err(LeaseQuotaError::LifetimeTooShort));
    assert_eq!(new(10, second, 10, 1_001), Ok(9)); // 2 µs
    // Nine permits and a part, one permit, and less than one.
    assert_eq!(new(10, second, 10, second / 20), Ok(9));
    assert_eq!(new(10, second, 10, 9 * second / 10), Ok(1));
    let too_small = |least| Err(LeaseQuotaError::BurstTooSmall { least });
    assert_eq!(new(10, second, 10, 9 * second / 10 + 1), too_small(11));
    assert_eq!(new(10, second, 11, 9 * second / 10 + 1), Ok(1));
    assert_eq!(new(10, second, 10, u64::MAX), too_small(184_467_440_739));
    assert_eq!(new(3, second, 1, 1_001), too_small(2));
    assert_eq!(new(3, second, 2, 1_001), Ok(1));
    // 94 million are within the range, whatever the period, and a billion that have no common divisor with it are not.
    assert!(new(94_000_000, day - 1_000, 94_000_000, second).is_ok());
    assert!(new(93_999_999, day, 94_000_000, second).is_ok());
    assert!(new(1_000_000_000, day, 1_000_000_000, second).is_ok());
    assert_eq!(new(999_999_937, day, 999_999_937, second), Err(LeaseQuotaError::Inexact));
}
