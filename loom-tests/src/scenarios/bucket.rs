//! Refills, and reservations.

use super::{Request, WINDOW, at, join, quota, run};
use crate::gate::Gate;
use crate::turn::Turn;
use casgate::testing::History;
use casgate::{Limiter, Quota, Reservation, Timestamp, TokenBucket};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// An empty bucket of one per window, and callers at and around its refill at 10 ns: `expected` of
/// them pass with timestamps from 10 on, none with an earlier one, and the bound holds for every
/// two timestamps.
///
/// # Panics
///
/// If not.
pub fn refill<G: Gate>(scripts: &[&[Request]], expected: RangeInclusive<u64>) {
    let gate = Arc::new(G::with_quota(quota(1)));
    let history = Arc::new(History::default());
    let _ = history.record(0, 1, at(0), |n, now| gate.check_n_at(n, now));
    run(&gate, &history, scripts, 1);
    G::assert_explained(quota(1), &history);
    let early = history.admitted(at(1)..at(WINDOW));
    let due = history.admitted(at(WINDOW)..at(u64::MAX));
    assert!(early == 0, "{early} admitted before the refill\n{history}");
    assert!(expected.contains(&due), "{due} admitted of {expected:?} that were due\n{history}");
    let readings: Vec<u64> = history.calls().iter().map(|call| call.now.as_nanos()).collect();
    for &from in &readings {
        for &to in readings.iter().filter(|&&to| to >= from) {
            let admitted = history.admitted(at(from)..at(to + 1));
            let bound = 1 + (to - from) / WINDOW;
            assert!(admitted <= bound, "{admitted} admitted in [{from}, {to}]\n{history}");
        }
    }
    history.assert_tickets_in_order();
}

/// A bucket that gives places ahead of time.
pub trait Planner: Send + Sync + 'static {
    /// A bucket nobody has asked yet.
    fn with_quota(quota: Quota) -> Self;

    /// The bucket within.
    fn bucket(&self) -> &Limiter<TokenBucket>;

    /// Gives back a reservation of one permit; returns how many came back.
    fn cancel(&self, reserved: Reservation<&Limiter>) -> u32;
}

impl Planner for Limiter<TokenBucket> {
    fn with_quota(quota: Quota) -> Self {
        Limiter::token_bucket(quota)
    }

    fn bucket(&self) -> &Limiter<TokenBucket> {
        self
    }

    fn cancel(&self, reserved: Reservation<&Limiter>) -> u32 {
        reserved.cancel()
    }
}

/// Gives back whatever is cancelled, even if others have built on it: one of the wrong planners.
#[derive(Debug)]
pub struct FullRefund(Limiter<TokenBucket>);

impl Planner for FullRefund {
    fn with_quota(quota: Quota) -> Self {
        Self(Limiter::token_bucket(quota))
    }

    fn bucket(&self) -> &Limiter<TokenBucket> {
        &self.0
    }

    fn cancel(&self, reserved: Reservation<&Limiter>) -> u32 {
        reserved.commit();
        self.0.refund_n(1);
        1
    }
}

/// Looks whether anybody has built on it, then gives back in a second step: another.
#[derive(Debug)]
pub struct TwoStepCancel(Limiter<TokenBucket>);

impl Planner for TwoStepCancel {
    fn with_quota(quota: Quota) -> Self {
        Self(Limiter::token_bucket(quota))
    }

    fn bucket(&self) -> &Limiter<TokenBucket> {
        &self.0
    }

    fn cancel(&self, reserved: Reservation<&Limiter>) -> u32 {
        let full_in = self.0.peek_at(at(0)).reset_after().as_nanos() as u64;
        let latest = full_in == reserved.ready_at().as_nanos() + WINDOW;
        reserved.commit();
        if latest {
            self.0.refund_n(1);
        }
        u32::from(latest)
    }
}

/// One caller reserves and cancels, one reserves, one checks when the first place is due: those that
/// keep their places are a window apart, and the bucket counts them and no others.
///
/// # Panics
///
/// If not.
pub fn cancel_races<P: Planner>() {
    let planner = Arc::new(P::with_quota(quota(1)));
    let reserve = |planner: &P| {
        let reserved = planner.bucket().reserve_at(1, Duration::MAX, at(0)).expect("a place");
        let place = reserved.ready_at().as_nanos();
        reserved.commit();
        place
    };
    let first = reserve(&planner);
    let turn = Turn::default();
    let callers = [
        turn.spawn(&planner, |planner| {
            let reserved = planner.bucket().reserve_at(1, Duration::MAX, at(0)).expect("a place");
            let place = reserved.ready_at().as_nanos();
            (planner.cancel(reserved) == 0).then_some(place)
        }),
        turn.spawn(&planner, move |planner| Some(reserve(planner))),
        turn.spawn(&planner, |planner| {
            planner.bucket().is_allowed_at(at(WINDOW)).then_some(WINDOW)
        }),
    ];
    let mut places: Vec<u64> = join(callers).into_iter().flatten().chain([first]).collect();
    places.sort_unstable();
    let apart = places.windows(2).all(|pair| pair[1] >= pair[0] + WINDOW);
    assert!(apart, "two in one place: {places:?}");
    let full_at = planner.bucket().peek_at(Timestamp::ZERO).reset_after().as_nanos() as u64;
    let last = places.last().expect("the first place is kept");
    assert!(full_at == last + WINDOW, "full at {full_at}, places {places:?}");
}
