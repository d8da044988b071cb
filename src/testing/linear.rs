use crate::algorithm::Rule;
use crate::word::Word;
use crate::{Admitted, Denied, Timestamp};
use std::collections::HashSet;
use std::fmt::{self, Debug};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The specification of an object: what it does when one caller at a time uses it.
///
/// Every [`Rule`] is one. For a limiter, a queue or a lock of your own, write one, record
/// concurrent calls in a [`Trace`], and ask whether some order of them explains their answers. The
/// limiter in this example checks first and acts later. Two callers can both check, and are both
/// admitted. No order of the two explains that:
///
/// ```should_panic
/// use casgate::testing::{Sequential, Trace};
/// use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
///
/// struct AtMost(u32);
///
/// impl Sequential for AtMost {
///     type State = u32;
///     type Op = ();
///     type Outcome = bool;
///
///     fn initial(&self) -> u32 {
///         0
///     }
///
///     fn apply(&self, spent: &mut u32, (): &()) -> bool {
///         *spent += 1;
///         *spent <= self.0
///     }
/// }
///
/// struct CheckThenAct(AtomicU32);
///
/// impl CheckThenAct {
///     fn allows(&self, in_between: impl FnOnce()) -> bool {
///         let fits = self.0.load(SeqCst) < 1;
///         in_between();
///         if fits {
///             self.0.fetch_add(1, SeqCst);
///         }
///         fits
///     }
/// }
///
/// let (limiter, trace) = (CheckThenAct(AtomicU32::new(0)), Trace::default());
/// trace.record(0, (), |()| {
///     limiter.allows(|| {
///         trace.record(1, (), |()| limiter.allows(|| {}));
///     })
/// });
/// trace.assert_linearizable(&AtMost(1));
/// ```
pub trait Sequential {
    /// What it remembers.
    type State: Clone + Eq + Hash;
    /// What is asked of it.
    type Op: Clone + Debug;
    /// What it answers.
    type Outcome: Clone + Debug + PartialEq;

    /// What it remembers before the first call.
    fn initial(&self) -> Self::State;

    /// One call.
    fn apply(&self, state: &mut Self::State, op: &Self::Op) -> Self::Outcome;
}

/// Its operations are requests: permits, and a timestamp.
impl<R: Rule> Sequential for R {
    type State = Word;
    type Op = (u32, Timestamp);
    type Outcome = Result<Admitted, Denied>;

    fn initial(&self) -> Word {
        Word::default()
    }

    fn apply(&self, word: &mut Word, &(n, now): &(u32, Timestamp)) -> Result<Admitted, Denied> {
        if n > 0 {
            let denied = || self.denied(*word, n, now);
            *word = self.decide(*word, n, now).ok_or_else(denied)?;
        }
        Ok(self.admitted(*word, n, now))
    }
}

#[derive(Clone, Debug)]
struct Entry<O, R> {
    caller: usize,
    op: O,
    outcome: R,
    invoked: usize,
    returned: usize,
}

/// The calls of concurrent callers on any object, and whether an order explains them.
///
/// Its own bookkeeping is invisible to a model checker. See [`Sequential`] for an example.
#[derive(Debug)]
pub struct Trace<O, R>(Mutex<(usize, Vec<Entry<O, R>>)>);

impl<O, R> Default for Trace<O, R> {
    fn default() -> Self {
        Self(Mutex::new((0, Vec::new())))
    }
}

impl<O: Clone + Debug, R: Clone + Debug + PartialEq> Trace<O, R> {
    /// Makes a call and records it unless it panics.
    ///
    /// ```
    /// use casgate::testing::Trace;
    /// let trace = Trace::default();
    /// assert_eq!(trace.record(0, 20, |op| op + 1), 21);
    /// ```
    pub fn record(&self, caller: usize, op: O, call: impl FnOnce(O) -> R) -> R {
        let step = |log: &mut (usize, Vec<_>)| {
            log.0 += 1;
            log.0 - 1
        };
        let invoked = step(&mut self.log());
        let outcome = call(op.clone());
        let mut log = self.log();
        let returned = step(&mut log);
        log.1.push(Entry { caller, op, outcome: outcome.clone(), invoked, returned });
        outcome
    }

    /// Asserts that some order of the calls explains all answers. In that order each call takes
    /// effect at one instant between its invocation and its return.
    ///
    /// An exact search (Wing and Gong, *Testing and Verifying Concurrent Objects*, 1993, with the
    /// memory of Lowe, *Testing for Linearizability*, 2017): exponential in the number of calls
    /// that overlap, so for some tens of calls.
    ///
    /// ```
    /// use casgate::testing::Trace;
    /// use casgate::{FixedWindow, Limiter, Quota, Timestamp};
    ///
    /// const QUOTA: Quota = Quota::per_second(1);
    /// let (limiter, trace) = (Limiter::fixed_window(QUOTA), Trace::default());
    /// for caller in 0..2 {
    ///     let request = (1, Timestamp::ZERO);
    ///     let _ = trace.record(caller, request, |(n, now)| limiter.check_n_at(n, now));
    /// }
    /// trace.assert_linearizable(&FixedWindow::new(QUOTA));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such order, with a picture of the shortest part of the history that has none.
    #[track_caller]
    pub fn assert_linearizable<S>(&self, specification: &S)
    where
        S: Sequential<Op = O, Outcome = R>,
    {
        let mut calls = self.log().1.clone();
        calls.sort_by_key(|call| call.invoked);
        if explains(specification, &calls, usize::MAX) {
            return;
        }
        // What no order explains at some step, none explains later: bisect for the first such step.
        let mut ends: Vec<usize> = calls.iter().map(|call| call.returned).collect();
        ends.sort_unstable();
        let first = ends.partition_point(|&end| explains(specification, &calls, end));
        let end = ends[first];
        calls.retain(|call| call.invoked < end);
        panic!("not linearizable: no order explains\n{}", Picture(&calls, end));
    }

    fn log(&self) -> MutexGuard<'_, (usize, Vec<Entry<O, R>>)> {
        // No step of the log can panic halfway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an order explains what had happened by step `end`. A call that had not returned by then
/// may have taken effect or not.
fn explains<S: Sequential>(
    specification: &S,
    calls: &[Entry<S::Op, S::Outcome>],
    end: usize,
) -> bool {
    let finished: Vec<usize> = (0..calls.len()).filter(|&i| calls[i].returned <= end).collect();
    let begun = |i: usize| calls[i].invoked < end;
    let mut seen = HashSet::new();
    // Which calls have taken effect, and the state they left.
    let mut open = vec![(vec![false; calls.len()], specification.initial())];
    while let Some((done, state)) = open.pop() {
        if finished.iter().all(|&i| done[i]) {
            return true;
        }
        // The next to take effect was invoked before any that has not taken effect returned.
        let deadline = finished.iter().filter(|&&i| !done[i]).map(|&i| calls[i].returned).min();
        let next =
            (0..calls.len()).filter(|&i| !done[i] && begun(i) && Some(calls[i].invoked) < deadline);
        for i in next {
            let mut after = state.clone();
            let outcome = specification.apply(&mut after, &calls[i].op);
            if calls[i].returned > end || outcome == calls[i].outcome {
                let mut done = done.clone();
                done[i] = true;
                if seen.insert((done.clone(), after.clone())) {
                    open.push((done, after));
                }
            }
        }
    }
    false
}

/// A line a call, with a bar from its invocation to its return; open if that came after the end.
struct Picture<'a, O, R>(&'a [Entry<O, R>], usize);

impl<O: Debug, R: Debug> fmt::Display for Picture<'_, O, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &Self(calls, end) = self;
        for Entry { caller, op, outcome, invoked, returned } in calls {
            let bar: String = (0..=end)
                .map(|step| match step {
                    step if step == *invoked => '[',
                    step if step == *returned => ']',
                    step if invoked < &step && &step < returned => '-',
                    _ => ' ',
                })
                .collect();
            write!(f, "  caller {caller} |{bar}| {op:?}: ")?;
            if *returned <= end {
                writeln!(f, "{outcome:?}")?;
            } else {
                writeln!(f, "not yet returned")?;
            }
        }
        Ok(())
    }
}
