//! Runs a scenario over every interleaving, or on real threads many times.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(casgate_loom)]
pub use loom::thread;
#[cfg(not(casgate_loom))]
pub use std::thread;

/// How often real threads repeat a scenario.
#[cfg(not(casgate_loom))]
const REPETITIONS: usize = 2_000;

/// `scenario`, and how often it has been run.
fn counted(
    scenario: impl Fn() + Send + Sync + 'static,
) -> (Arc<AtomicUsize>, impl Fn() + Send + Sync + 'static) {
    let executions = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&executions);
    let counted = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        scenario();
    };
    (executions, counted)
}

/// Runs `scenario` in every interleaving and prints how many executions there were.
///
/// # Panics
///
/// If an execution panics, or if there was only one, for then nothing was interleaved.
pub fn explore(name: &str, scenario: impl Fn() + Send + Sync + 'static) {
    explore_bounded(name, None, scenario);
}

/// [`explore`], for a scenario too large for that: only the interleavings in which threads are
/// preempted at most `preemptions` times.
///
/// # Panics
///
/// As [`explore`].
pub fn explore_bounded(
    name: &str,
    preemptions: Option<usize>,
    scenario: impl Fn() + Send + Sync + 'static,
) {
    let (executions, counted) = counted(scenario);
    run(preemptions, counted);
    let executions = executions.load(Ordering::Relaxed);
    println!("{name}: {executions} executions");
    assert!(executions > 1, "{name}: nothing was interleaved");
}

/// No bound on executions or time.
#[cfg(casgate_loom)]
fn run(preemptions: Option<usize>, scenario: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    // Limits that would end a run early and call it a success, were they set in the environment.
    assert!(model.max_permutations.is_none() && model.max_duration.is_none());
    model.preemption_bound = preemptions;
    model.check(scenario);
}

#[cfg(not(casgate_loom))]
fn run(_preemptions: Option<usize>, scenario: impl Fn() + Send + Sync + 'static) {
    for _ in 0..REPETITIONS {
        scenario();
    }
}

/// Runs `scenario`, which an assertion must refute, and prints how it did.
///
/// # Panics
///
/// If no execution fails, or if one fails otherwise than by an assertion whose message contains
/// `verdict`: by a limit of the model checker, for instance.
#[cfg(casgate_loom)]
pub fn refute(name: &str, verdict: &str, scenario: impl Fn() + Send + Sync + 'static) {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let (executions, counted) = counted(scenario);
    let panic = catch_unwind(AssertUnwindSafe(|| run(None, counted)))
        .expect_err(&format!("{name}: the model checker found nothing wrong"));
    let message = panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .expect("a panic with a message");
    assert!(message.contains(verdict), "{name}: refuted for another reason: {message}");
    let executions = executions.load(Ordering::Relaxed);
    println!("{name}: refuted by execution {executions}: {message}");
}
