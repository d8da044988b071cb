//! Wrong algorithms, each with one bug on purpose. The reference model must reject them all. Otherwise it
//! proves nothing about the right ones.

use crate::bound::{AnyWindow, Bound, Bucket, PerWindow, nanos};
use crate::judge::judge;
use crate::trace::{quotas, requests};
use casgate::algorithm::{FixedWindow, Rule, TokenBucket};
use casgate::word::Word;
use casgate::{Admitted, Denied, Quota, Timestamp};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestError, TestRunner};
use std::cell::Cell;

type Answer = Result<Admitted, Denied>;

/// Runs a wrong rule against the oracle, which must convict it, by whichever of its checks comes to see it
/// first: the right rule passes them all in the same shell.
fn convict<B: Bound, W: Fn(u32, Timestamp) -> Answer>(
    one_permit: bool,
    wrong: impl Fn(Quota) -> (W, B, u32),
) {
    let config = Config { cases: 100_000, failure_persistence: None, ..Config::default() };
    let verdict = TestRunner::new(config).run(
        &(quotas(), requests()).prop_map(move |(quota, mut trace)| {
            trace.iter_mut().for_each(|request| request.0 = if one_permit { 1 } else { request.0 });
            (quota, trace)
        }),
        |(quota, trace)| {
            let (ask, bound, limit) = wrong(quota);
            judge(ask, &bound, (quota, limit), 1, &trace)
        },
    );
    match verdict {
        Err(TestError::Fail(reason, _)) => {
            assert!(reason.to_string().contains("rules/judge.rs"), "not by the oracle: {reason}");
        }
        other => panic!("the oracle finds nothing wrong: {other:?}"),
    }
}

/// A rule's word in a cell, moved by a wrong step.
fn shell<R: Rule>(
    rule: R,
    step: impl Fn(R, Word, u32, Timestamp) -> Option<Word>,
) -> impl Fn(u32, Timestamp) -> Answer {
    let word = Cell::new(Word::default());
    move |n, now| {
        if n == 0 {
            return Ok(rule.admitted(word.get(), n, now));
        }
        match step(rule, word.get(), n, now) {
            Some(next) => {
                word.set(next);
                Ok(rule.admitted(next, n, now))
            }
            None => Err(rule.denied(word.get(), n, now)),
        }
    }
}

/// The right rule in the same shell stands before the same judge.
#[test]
fn the_shell_itself_is_not_what_is_convicted() {
    let config = Config { cases: 2_000, failure_persistence: None, ..Config::default() };
    let verdict = TestRunner::new(config).run(&(quotas(), requests()), |(quota, trace)| {
        let ask = shell(TokenBucket::new(quota), |rule, word, n, now| rule.decide(word, n, now));
        judge(ask, &Bucket::new(quota), (quota, quota.burst()), 1, &trace)
    });
    assert!(verdict.is_ok());
}

#[test]
fn an_interval_truncated_to_nanoseconds() {
    convict(false, |quota| {
        // Another quota: one permit per ⌊W/L⌋.
        let interval = std::time::Duration::from_nanos(nanos(quota) / u64::from(quota.permits()));
        let burst = quota.burst();
        let truncated = Quota::new(1, interval).unwrap().try_with_burst(burst);
        let rule = TokenBucket::new(truncated.unwrap());
        let ask = shell(rule, |rule, word, n, now| rule.decide(word, n, now));
        (ask, Bucket::new(quota), burst)
    });
}

#[test]
fn a_late_reading_taken_for_a_long_gap() {
    convict(false, |quota| {
        let newest = Cell::new(Timestamp::ZERO);
        let ask = shell(TokenBucket::new(quota), move |rule, word, n, now| {
            let wraps = now < newest.get();
            newest.set(now);
            rule.decide(if wraps { Word::default() } else { word }, n, now)
        });
        (ask, Bucket::new(quota), quota.burst())
    });
}

#[test]
fn a_refusal_that_spends() {
    convict(false, |quota| {
        let rule = TokenBucket::new(quota);
        let word = Cell::new(Word::default());
        let ask = move |n, now| {
            if n == 0 {
                return Ok(rule.admitted(word.get(), n, now));
            }
            let seen = word.get();
            match rule.decide(seen, n, now) {
                Some(next) => {
                    word.set(next);
                    Ok(rule.admitted(next, n, now))
                }
                None => {
                    word.set(Word::from_bits(seen.bits().saturating_add(1)));
                    Err(rule.denied(seen, n, now))
                }
            }
        };
        (ask, Bucket::new(quota), quota.burst())
    });
}

#[test]
fn an_older_window_let_in_again() {
    convict(false, |quota| {
        let ask = shell(FixedWindow::new(quota), |rule, word, n, now| {
            rule.decide(word, n, now).or_else(|| rule.decide(Word::default(), n, now))
        });
        (ask, PerWindow::new(quota), quota.permits())
    });
}

#[test]
fn a_fixed_window_is_not_a_sliding_one() {
    convict(true, |quota| {
        let ask = shell(FixedWindow::new(quota), |rule, word, n, now| rule.decide(word, n, now));
        let bound = AnyWindow { limit: quota.permits(), period: nanos(quota) };
        (ask, bound, quota.permits())
    });
}
