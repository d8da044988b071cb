//! Wrong limiters, which the pairs must refute.

use super::subjects::{Kept, QUOTA, Subject, learned, plain, weighted};
use super::{Has, Step};
use casgate::{Admitted, FixedWindow, Limiter, SlidingWindow, Timestamp};
use std::sync::Arc;

/// A limiter that counts what is left after it has decided, in a second step.
#[derive(Debug)]
pub struct CountsAfterwards(Limiter<SlidingWindow>);

impl Subject for CountsAfterwards {
    fn fresh() -> Self {
        Self(Limiter::sliding_window(QUOTA))
    }

    fn has(has: Has) -> bool {
        has == Has::All
    }

    fn step(self: &Arc<Self>, step: Step, now: Timestamp, _: &Admitted, _: &mut Kept) -> String {
        match step {
            Step::Check => {
                let is_admitted = self.0.is_allowed_at(now);
                learned((is_admitted, self.0.peek_at(now).remaining()))
            }
            other => plain(&self.0, other, now),
        }
    }
}

/// A limiter that gives back in two steps: it looks, and then spends as much less.
#[derive(Debug)]
pub struct RefundsInTwoSteps(Limiter<FixedWindow>);

impl Subject for RefundsInTwoSteps {
    fn fresh() -> Self {
        Self(Limiter::fixed_window(QUOTA))
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
        match step {
            Step::Refund => {
                let spent = 3 - self.0.peek_at(now).remaining();
                self.0.reset();
                self.0.charge_at(spent - first.permits(), now);
                String::new()
            }
            other => weighted(&self.0, other, now, first),
        }
    }
}
