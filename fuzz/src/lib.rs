//! The reference model of `tests/rules`, the text of a quota, and the walk to a client, before inputs that coverage guides.

mod address;
#[path = "../../tests/rules/bound.rs"]
mod bound;
mod field;
mod input;
#[path = "../../tests/rules/judge.rs"]
mod judge;
#[path = "../../casgate-tower/tests/address_laws/laws.rs"]
mod laws;
#[path = "../../casgate-tower/tests/address_laws/scene.rs"]
mod scene;
#[path = "../../tests/rules/step.rs"]
mod step;
mod text;

pub use address::{address, seeded_address};
pub use field::{careless, fields, written};
pub use input::Input;
pub use text::{forgetful, text};

use bound::{AnyWindow, Bucket, PerWindow, nanos};
use casgate::Limiter;
use input::Rule;
use judge::{judge, slack};

/// Judges a rule.
///
/// # Panics
///
/// If the reference model rejects it.
pub fn rules(input: &Input) {
    let Some(quota) = input.quota() else { return };
    let mut trace = input.trace();
    let verdict = match input.rule {
        Rule::FixedWindow => {
            let limiter = Limiter::fixed_window(quota);
            let ask = |n, now| limiter.check_n_at(n, now);
            judge(ask, &PerWindow::new(quota), (quota, quota.permits()), 0, &trace)
        }
        Rule::TokenBucket => {
            let limiter = Limiter::token_bucket(quota);
            let ask = |n, now| limiter.check_n_at(n, now);
            judge(ask, &Bucket::new(quota), (quota, quota.burst()), slack(quota), &trace)
        }
        Rule::SlidingWindow if quota.permits() > 3_000 => return,
        Rule::SlidingWindow => {
            let limiter = Limiter::sliding_window(quota);
            trace.iter_mut().for_each(|request| request.0 = 1);
            let bound = AnyWindow { limit: quota.permits(), period: nanos(quota) };
            judge(|_, now| limiter.check_at(now), &bound, (quota, quota.permits()), 0, &trace)
        }
    };
    verdict.unwrap_or_else(|broken| panic!("{broken}\n{quota:?}\n{trace:?}"));
}

/// Checks a fixed window that drops a denial for one limit in 2³² only: random traces do not meet
/// it, and the fuzzer, which sees the comparison fail, must.
///
/// # Panics
///
/// If the reference model rejects it.
pub fn seeded(input: &Input) {
    let Some(quota) = input.quota() else { return };
    let limiter = Limiter::fixed_window(quota);
    let ask = |n, now| {
        let outcome = limiter.check_n_at(n, now);
        if outcome.is_err() && quota.permits() == 1_234_567_891 {
            limiter.reset();
            return limiter.check_n_at(n, now);
        }
        outcome
    };
    let verdict = judge(ask, &PerWindow::new(quota), (quota, quota.permits()), 0, &input.trace());
    verdict.unwrap_or_else(|broken| panic!("{broken}\n{quota:?}"));
}
