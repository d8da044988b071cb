//! What is raced: every limiter.

use super::super::{WINDOW, at};
use super::{Has, Step};
use casgate::algorithm::{Adjust, Adjustable, Algorithm, Both, Rule, Weighted};
use casgate::{
    Admitted, FixedWindow, Limiter, OwnedLease, OwnedReservation, Quota, SlidingWindow, Timestamp,
    TokenBucket,
};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// What a thread keeps between two steps of an operation.
#[derive(Debug, Default)]
pub struct Kept {
    reservation: Option<OwnedReservation>,
    window: Option<OwnedLease<FixedWindow>>,
    bucket: Option<OwnedLease>,
}

/// A limiter of 3 in a window.
pub trait Subject: Send + Sync + 'static {
    /// One that nobody has asked yet.
    fn fresh() -> Self;

    /// Whether it has the operation.
    fn has(has: Has) -> bool;

    /// Takes a step at `now`, and returns all that the caller learns. `first` was admitted before the race.
    fn step(
        self: &Arc<Self>,
        step: Step,
        now: Timestamp,
        first: &Admitted,
        kept: &mut Kept,
    ) -> String;
}

pub(super) const QUOTA: Quota = match Quota::new(3, Duration::from_nanos(WINDOW)) {
    Ok(quota) => quota,
    Err(_) => panic!("a quota"),
};

pub(super) fn learned(answer: impl Debug) -> String {
    format!("{answer:?}")
}

/// What every limiter does.
pub(super) fn plain<A: Algorithm>(limiter: &Limiter<A>, step: Step, now: Timestamp) -> String {
    match step {
        Step::Check => learned(limiter.check_at(now)),
        Step::IsAllowed => learned(limiter.is_allowed_at(now)),
        Step::Peek => learned(limiter.peek_at(now)),
        other => panic!("{other:?} is not for this limiter"),
    }
}

/// What all but the sliding window do.
pub(super) fn weighted<A: Weighted>(
    limiter: &Limiter<A>,
    step: Step,
    now: Timestamp,
    first: &Admitted,
) -> String {
    match step {
        Step::CheckN(n) => learned(limiter.check_n_at(n, now)),
        Step::Save => learned(limiter.save_at(now)),
        Step::TakeUpTo(n) => learned(limiter.take_up_to_at(n, now)),
        Step::Drain => learned(limiter.drain_at(now)),
        Step::Charge(n) => learned(limiter.charge_at(n, now)),
        Step::DenyUntil => {
            limiter.deny_until(at(2 * WINDOW));
            String::new()
        }
        Step::Reset => {
            limiter.reset();
            String::new()
        }
        Step::Refund => {
            limiter.refund(first);
            String::new()
        }
        Step::RefundN(n) => {
            limiter.refund_n(n);
            String::new()
        }
        Step::Restore => {
            let saved = casgate::Saved::from_words([2, WINDOW, 2, WINDOW]);
            limiter.restore_at(saved, Duration::from_nanos(1), now);
            String::new()
        }
        other => plain(limiter, other, now),
    }
}

/// What a lease does.
fn leased<R: Rule>(
    limiter: &Arc<Limiter<R>>,
    step: Step,
    now: Timestamp,
    first: &Admitted,
    kept: &mut Option<OwnedLease<R>>,
) -> String {
    match step {
        Step::Lease => {
            let lease = kept.insert(limiter.lease_owned(2));
            learned((lease.is_allowed_at(now), lease.held()))
        }
        Step::Drop if kept.is_some() => {
            *kept = None;
            String::new()
        }
        other => weighted(limiter, other, now, first),
    }
}

impl Subject for Limiter<FixedWindow> {
    fn fresh() -> Self {
        Self::fixed_window(QUOTA)
    }

    fn has(has: Has) -> bool {
        matches!(has, Has::All | Has::Weighted | Has::Word)
    }

    fn step(
        self: &Arc<Self>,
        step: Step,
        now: Timestamp,
        first: &Admitted,
        kept: &mut Kept,
    ) -> String {
        leased(self, step, now, first, &mut kept.window)
    }
}

impl Subject for Limiter<TokenBucket> {
    fn fresh() -> Self {
        Self::token_bucket(QUOTA)
    }

    fn has(has: Has) -> bool {
        has != Has::Adjustable
    }

    fn step(
        self: &Arc<Self>,
        step: Step,
        now: Timestamp,
        first: &Admitted,
        kept: &mut Kept,
    ) -> String {
        match (step, kept.reservation.take()) {
            (Step::Reserve, _) => {
                let reserved = self.reserve_owned_at(2, Duration::from_nanos(WINDOW), now);
                let ready_at = learned(reserved.as_ref().map(|reserved| reserved.ready_at()));
                kept.reservation = reserved.ok();
                ready_at
            }
            (Step::Commit, reserved) => learned(reserved.map(|reserved| reserved.commit())),
            (Step::Cancel, reserved) => learned(reserved.map(|reserved| reserved.cancel())),
            (other, _) => leased(self, other, now, first, &mut kept.bucket),
        }
    }
}

impl Subject for Limiter<Both<TokenBucket, FixedWindow>> {
    fn fresh() -> Self {
        Self::both(TokenBucket::new(QUOTA), FixedWindow::new(QUOTA))
    }

    fn has(has: Has) -> bool {
        matches!(has, Has::All | Has::Weighted)
    }

    fn step(
        self: &Arc<Self>,
        step: Step,
        now: Timestamp,
        first: &Admitted,
        _: &mut Kept,
    ) -> String {
        weighted(self, step, now, first)
    }
}

fn adjusted<R: Adjust>(
    limiter: &Limiter<Adjustable<R>>,
    step: Step,
    now: Timestamp,
    first: &Admitted,
) -> String {
    match step {
        Step::SetQuota => {
            let quota = Quota::new(5, Duration::from_nanos(WINDOW)).expect("a quota");
            limiter.set_quota_at(quota, now);
            String::new()
        }
        other => weighted(limiter, other, now, first),
    }
}

macro_rules! adjustable {
    ($rule:ty, $new:ident) => {
        impl Subject for Limiter<Adjustable<$rule>> {
            fn fresh() -> Self {
                Self::$new(QUOTA)
            }

            fn has(has: Has) -> bool {
                matches!(has, Has::All | Has::Weighted | Has::Adjustable)
            }

            fn step(
                self: &Arc<Self>,
                step: Step,
                now: Timestamp,
                first: &Admitted,
                _: &mut Kept,
            ) -> String {
                adjusted(self, step, now, first)
            }
        }
    };
}

adjustable!(TokenBucket, adjustable_token_bucket);
adjustable!(FixedWindow, adjustable_fixed_window);

impl Subject for Limiter<SlidingWindow> {
    fn fresh() -> Self {
        Self::sliding_window(QUOTA)
    }

    fn has(has: Has) -> bool {
        has == Has::All
    }

    fn step(self: &Arc<Self>, step: Step, now: Timestamp, _: &Admitted, _: &mut Kept) -> String {
        plain(self, step, now)
    }
}
