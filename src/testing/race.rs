use crate::sync::unmodelled::{AtomicUsize, Ordering};
use std::any::Any;
use std::fmt;
use std::hint;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

/// How long [`race`] waits for its callers.
///
/// ```
/// assert_eq!(casgate::testing::DEADLINE.as_secs(), 30);
/// ```
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Why a caller of a race returned no value.
///
/// ```
/// use casgate::testing::Failure;
/// assert_eq!(Failure::Panicked("no".into()).to_string(), "panicked: no");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// It panicked, with this message.
    Panicked(String),
    /// It had not returned at the deadline. Its thread is left behind.
    Stuck,
    /// The system gave it no thread, for this reason.
    NotStarted(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::Stuck => write!(f, "stuck: not returned at the deadline"),
            Self::NotStarted(reason) => write!(f, "not started: {reason}"),
        }
    }
}

/// Calls `f(0)` to `f(callers - 1)` on a thread each, started together, and returns their values
/// in that order.
///
/// ```
/// use casgate::testing::race;
/// assert_eq!(race(3, |caller| caller * 10), [0, 10, 20]);
/// ```
///
/// # Panics
///
/// If a caller panicked, or has not returned within [`DEADLINE`], with the index and the failure of
/// each. Nobody hangs: threads that are stuck are left behind, which is why `f` may not borrow.
///
/// ```should_panic
/// casgate::testing::race(3, |caller| assert_ne!(caller, 1, "I lost"));
/// ```
#[track_caller]
pub fn race<T: Send + 'static>(
    callers: usize,
    f: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let outcomes = race_within(DEADLINE, callers, f);
    let failures: Vec<String> = outcomes
        .iter()
        .enumerate()
        .filter_map(|(caller, outcome)| Some((caller, outcome.as_ref().err()?)))
        .map(|(caller, failure)| format!("\n  caller {caller} {failure}"))
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {callers} callers failed:{}",
        failures.len(),
        failures.concat()
    );
    outcomes.into_iter().flatten().collect()
}

/// Races as [`race`] does, with another deadline, and returns the value or the failure of each
/// caller. The deadline counts from the common start, and the results are in the order of the
/// callers.
///
/// ```
/// use casgate::testing::{Failure, race_within};
/// use std::time::Duration;
///
/// let outcomes = race_within(Duration::from_secs(9), 2, |caller| {
///     assert_eq!(caller, 0, "only 0 is welcome");
/// });
/// assert!(outcomes[0].is_ok());
/// assert!(matches!(&outcomes[1], Err(Failure::Panicked(why)) if why.contains("welcome")));
/// ```
pub fn race_within<T: Send + 'static>(
    deadline: Duration,
    callers: usize,
    f: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Vec<Result<T, Failure>> {
    let f = Arc::new(f);
    let gate =
        Arc::new(Gate { expected: callers, passed: AtomicUsize::new(0), bar: RwLock::new(()) });
    let (arrivals, arrived) = mpsc::channel();
    let (results, finished) = mpsc::channel();
    let bar = gate.bar.write();
    let mut outcomes: Vec<Result<T, Failure>> = (0..callers)
        .map(|caller| {
            let (f, gate) = (Arc::clone(&f), Arc::clone(&gate));
            let (arrivals, results) = (arrivals.clone(), results.clone());
            thread::Builder::new()
                .name(format!("caller {caller}"))
                .spawn(move || run(caller, &*f, &gate, arrivals, &results))
                .map_or_else(
                    |error| Err(Failure::NotStarted(error.to_string())),
                    |_| Err(Failure::Stuck),
                )
        })
        .collect();
    drop((arrivals, results));

    // Ends when the last thread that started has dropped its end.
    while arrived.recv().is_ok() {}
    let start = Instant::now();
    drop(bar);

    while let Ok((caller, outcome)) =
        finished.recv_timeout(deadline.saturating_sub(start.elapsed()))
    {
        outcomes[caller] = outcome;
    }
    outcomes
}

/// Where the callers wait for each other.
struct Gate {
    expected: usize,
    passed: AtomicUsize,
    bar: RwLock<()>,
}

impl Gate {
    /// Sleeps until the bar is lifted, then spins until everybody is awake: the first would be
    /// done before the second has begun. Only for about as long as waking takes, since with more
    /// callers than cores the last ones run only if others sleep.
    fn pass(&self) {
        const SPINS: usize = 20_000;
        drop(self.bar.read().unwrap_or_else(PoisonError::into_inner));
        // Relaxed, here and below: only the number matters.
        self.passed.fetch_add(1, Ordering::Relaxed);
        let awake = || self.passed.load(Ordering::Relaxed) >= self.expected;
        (0..SPINS).take_while(|_| !awake()).for_each(|_| hint::spin_loop());
    }
}

/// A caller's thread.
fn run<T>(
    caller: usize,
    f: &dyn Fn(usize) -> T,
    gate: &Gate,
    arrivals: Sender<()>,
    results: &Sender<(usize, Result<T, Failure>)>,
) {
    drop(arrivals);
    gate.pass();
    let outcome = catch_unwind(AssertUnwindSafe(|| f(caller)))
        .map_err(|payload| Failure::Panicked(message(&*payload)));
    // Nobody receives it any more if the deadline has passed.
    let _ = results.send((caller, outcome));
}

fn message(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a payload that is not text".to_owned(),
    }
}
