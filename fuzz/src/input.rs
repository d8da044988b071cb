//! What the fuzzer makes of its bytes: a quota and a trace.

use crate::step::Step;
use arbitrary::Arbitrary;
use casgate::Quota;
use std::time::Duration;

#[derive(Arbitrary, Debug)]
pub struct Input {
    pub(crate) rule: Rule,
    permits: u32,
    period: u64,
    burst: Option<u32>,
    trace: Vec<(u32, Move)>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Rule {
    FixedWindow,
    TokenBucket,
    SlidingWindow,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Move {
    Same,
    Interval(u8),
    Period(u8),
    Back(u8),
    Due,
    JustBefore,
    Far(u64),
}

impl Input {
    /// `None` for what no quota can be, which the fuzzer learns to avoid.
    pub(crate) fn quota(&self) -> Option<Quota> {
        let quota = Quota::new(self.permits, Duration::from_nanos(self.period)).ok()?;
        match self.burst {
            Some(burst) => quota.try_with_burst(burst).ok(),
            None => Some(quota),
        }
    }

    /// The reference model's time grows with the square of the requests.
    pub(crate) fn trace(&self) -> Vec<(u32, Step)> {
        let step = |step| match step {
            Move::Same => Step::Same,
            Move::Interval(parts) => Step::Interval(parts.into()),
            Move::Period(parts) => Step::Period(parts.into()),
            Move::Back(parts) => Step::Back(parts.into()),
            Move::Due => Step::Due,
            Move::JustBefore => Step::JustBefore,
            Move::Far(reading) => Step::Far(reading),
        };
        self.trace.iter().take(40).map(|&(n, to)| (n, step(to))).collect()
    }
}
