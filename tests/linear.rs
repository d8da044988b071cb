//! The two checkers of linearizability: that they convict, that they agree, and what they say of the
//! limiters on real threads.

use casgate::algorithm::Rule;
use casgate::testing::{History, Trace, race};
use casgate::word::Word;
use casgate::{FixedWindow, Limiter, Quota, Timestamp, TokenBucket};
use proptest::prelude::*;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Whether it panics, which is how a checker convicts.
fn convicts(check: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(check)).is_err()
}

/// A hundred thousand calls by four threads, whose readings come from a counter that all of them move:
/// some late, many equal.
fn on_real_threads<R: Rule + Send + Sync + 'static>(
    limiter: Limiter<R>,
    rule: &R,
    nanos_per_call: u64,
) {
    let history = Arc::new(History::default());
    let recorder = Arc::clone(&history);
    let clock = AtomicU64::new(0);
    race(4, move |caller| {
        for i in 0..25_000u32 {
            let step = if i % 8 == 0 { nanos_per_call } else { 0 };
            let now = clock.fetch_add(step, Relaxed);
            let n = [1, 1, 1, 2, 3, 0, 9, 1][i as usize % 8];
            let at = Timestamp::from_nanos(now);
            let _ = recorder.record(caller, n, at, |n, now| limiter.check_n_at(n, now));
        }
    });
    assert_eq!(history.calls().len(), 100_000);
    history.assert_linearizable(rule);
    let admitted = history.calls().iter().filter(|call| call.outcome.is_ok()).count();
    assert!((10_000..90_000).contains(&admitted), "{admitted} of 100,000: too few of a kind");
}

const QUOTA: Quota = Quota::per_second(7_000_001).with_burst(8);

#[test]
fn a_window_on_real_threads() {
    let quota = Quota::new(8, Duration::from_nanos(1_000)).unwrap();
    on_real_threads(Limiter::fixed_window(quota), &FixedWindow::new(quota), 100);
}

#[test]
fn a_bucket_on_real_threads() {
    on_real_threads(Limiter::token_bucket(QUOTA), &TokenBucket::new(QUOTA), 150);
}

/// A call, within which others are made before and after it takes effect.
#[derive(Clone, Debug)]
struct Nested {
    n: u32,
    now: u64,
    before: Vec<Nested>,
    after: Vec<Nested>,
}

fn nested() -> impl Strategy<Value = Vec<Nested>> {
    let leaf = (0..4u32, 0..40u64).prop_map(|(n, now)| Nested {
        n,
        now,
        before: Vec::new(),
        after: Vec::new(),
    });
    let tree = leaf.prop_recursive(3, 9, 2, |inner| {
        let some = prop::collection::vec(inner, 0..2);
        (0..4u32, 0..40u64, some.clone(), some).prop_map(|(n, now, before, after)| Nested {
            n,
            now,
            before,
            after,
        })
    });
    prop::collection::vec(tree, 1..4)
}

/// Both recorders around one shared word; `stale` loads the word before the calls that come within,
/// and so decides on what it was.
struct Both<R> {
    rule: R,
    word: Cell<Word>,
    stale: bool,
    history: History,
    trace: Trace<(u32, Timestamp), Result<casgate::Admitted, casgate::Denied>>,
}

impl<R: Rule> Both<R> {
    fn call(&self, call: &Nested) {
        let now = Timestamp::from_nanos(call.now);
        let _ = self.history.record(0, call.n, now, |n, now| {
            self.trace.record(0, (n, now), |(n, now)| {
                let early = self.word.get();
                call.before.iter().for_each(|inner| self.call(inner));
                let seen = if self.stale { early } else { self.word.get() };
                let outcome = if n == 0 {
                    Ok(self.rule.admitted(seen, n, now))
                } else if let Some(next) = self.rule.decide(seen, n, now) {
                    self.word.set(next);
                    Ok(self.rule.admitted(next, n, now))
                } else {
                    Err(self.rule.denied(seen, n, now))
                };
                call.after.iter().for_each(|inner| self.call(inner));
                outcome
            })
        });
    }

    /// The verdicts: of the exact search, and of the tickets' order.
    fn verdicts(&self) -> (bool, bool) {
        let exact = convicts(|| self.trace.assert_linearizable(&self.rule));
        let ordered = convicts(|| self.history.assert_linearizable(&self.rule));
        (exact, ordered)
    }
}

fn verdicts<R: Rule>(rule: R, stale: bool, calls: &[Nested]) -> (bool, bool) {
    let both = Both {
        rule,
        word: Cell::default(),
        stale,
        history: History::default(),
        trace: Trace::default(),
    };
    calls.iter().for_each(|call| both.call(call));
    both.verdicts()
}

fn quiet<T>(run: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let value = run();
    std::panic::set_hook(hook);
    value
}

#[test]
fn the_two_agree_and_acquit_the_right_and_convict_the_stale() {
    let quota = Quota::new(3, Duration::from_nanos(20)).unwrap();
    let mut runner = proptest::test_runner::TestRunner::default();
    let mut convicted = 0;
    let strategy = nested();
    quiet(|| {
        for _ in 0..3_000 {
            let calls = proptest::strategy::ValueTree::current(
                &strategy.new_tree(&mut runner).expect("a tree"),
            );
            for right in [
                verdicts(TokenBucket::new(quota), false, &calls),
                verdicts(FixedWindow::new(quota), false, &calls),
            ] {
                assert_eq!(right, (false, false), "{calls:?}");
            }
            for (exact, ordered) in [
                verdicts(TokenBucket::new(quota), true, &calls),
                verdicts(FixedWindow::new(quota), true, &calls),
            ] {
                assert_eq!(exact, ordered, "{calls:?}");
                convicted += u32::from(exact);
            }
        }
    });
    assert!(convicted > 100, "{convicted} convicted");
}

#[test]
fn the_picture_is_of_the_shortest_part() {
    let rule = FixedWindow::new(Quota::per_second(1));
    let trace = Trace::default();
    let told = |word| Ok(rule.admitted(word, 1, Timestamp::ZERO));
    let first = rule.decide(Word::default(), 1, Timestamp::ZERO).unwrap();
    let _ = trace.record(0, (1, Timestamp::ZERO), |_| {
        trace.record(1, (1, Timestamp::ZERO), |_| told(first)) // admitted, as it may be
    });
    let _ = trace
        .record(2, (1, Timestamp::from_secs(1)), |_| Err(rule.denied(first, 1, Timestamp::ZERO)));
    let panic = quiet(|| {
        catch_unwind(AssertUnwindSafe(|| trace.assert_linearizable(&rule))).expect_err("convicts")
    });
    let picture = panic.downcast_ref::<String>().expect("a message");
    // The outer call repeats the inner one's ticket; the third came later and is not needed.
    assert!(
        picture.contains("caller 0 |[--]|") && picture.contains("caller 1 | [] |"),
        "{picture}"
    );
    assert!(!picture.contains("caller 2"), "{picture}");
}
