//! Runs a scenario over every interleaving, over many random ones, or on real threads many times.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(casgate_shuttle)]
use std::{
    collections::hash_map::RandomState, env, hash::BuildHasher, str::FromStr, sync::LazyLock,
};

#[cfg(casgate_shuttle)]
pub use shuttle::{sync::Mutex, sync::atomic, thread};
#[cfg(not(any(casgate_loom, casgate_shuttle)))]
pub use std::{sync::Mutex, sync::atomic, thread};
#[cfg(casgate_loom)]
pub use {crate::thread, loom::sync::Mutex, loom::sync::atomic};

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

/// Runs `scenario` in every interleaving, or as many as the build explores, and prints how many executions
/// there were.
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
    run(preemptions, 1, counted);
    let executions = executions.load(Ordering::Relaxed);
    println!("{name}: {executions} executions");
    assert!(executions > 1, "{name}: nothing was interleaved");
}

/// No bound on executions or time.
#[cfg(casgate_loom)]
fn run(preemptions: Option<usize>, _patience: usize, scenario: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    // Limits that would end a run early and call it a success, were they set in the environment.
    assert!(model.max_permutations.is_none() && model.max_duration.is_none());
    model.preemption_bound = preemptions;
    // An execution of the keyed table is longer than the default allows.
    model.max_branches = 20_000;
    model.check(scenario);
}

/// Random schedules, of which half are those of few preemptions at random places (Burckhardt et al., "A
/// Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", 2010: PCT).
///
/// `CASGATE_SCHEDULES` is how many there are, `CASGATE_SEED` the seed of the first half and of the second;
/// without them 10,000 (ten times as many where a bug is to be found) from a seed that differs from run to run. A failure prints the seed, and what the schedule was.
#[cfg(casgate_shuttle)]
fn run(preemptions: Option<usize>, patience: usize, scenario: impl Fn() + Send + Sync + 'static) {
    use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};

    fn number<T: FromStr>(name: &str) -> Option<T> {
        let text = env::var(name).ok()?;
        Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
    }
    static SEED: LazyLock<u64> = LazyLock::new(|| {
        let seed = number("CASGATE_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
        println!("CASGATE_SEED={seed} repeats this run");
        seed
    });

    let each = number("CASGATE_SCHEDULES").unwrap_or(10_000) * patience / 2;
    let scenario = Arc::new(scenario);
    let run = |scheduler: Box<dyn Scheduler + Send>| {
        let mut config = shuttle::Config::new();
        config.silence_warnings = true; // of orderings, which are the model checker's part
        let scenario = Arc::clone(&scenario);
        shuttle::Runner::new(scheduler, config).run(move || scenario());
    };
    run(Box::new(RandomScheduler::new_from_seed(*SEED, each)));
    run(Box::new(PctScheduler::new_from_seed(*SEED, preemptions.unwrap_or(3), each)));
}

/// How often real threads repeat a scenario.
#[cfg(not(any(casgate_loom, casgate_shuttle)))]
const REPETITIONS: usize = 2_000;

#[cfg(not(any(casgate_loom, casgate_shuttle)))]
fn run(_preemptions: Option<usize>, _patience: usize, scenario: impl Fn() + Send + Sync + 'static) {
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
#[cfg(any(casgate_loom, casgate_shuttle))]
pub fn refute(name: &str, verdict: &str, scenario: impl Fn() + Send + Sync + 'static) {
    refute_bounded(name, verdict, None, scenario);
}

/// [`refute`], with at most so many preemptions.
///
/// # Panics
///
/// As [`refute`].
#[cfg(any(casgate_loom, casgate_shuttle))]
pub fn refute_bounded(
    name: &str,
    verdict: &str,
    preemptions: Option<usize>,
    scenario: impl Fn() + Send + Sync + 'static,
) {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let (executions, counted) = counted(scenario);
    let panic = catch_unwind(AssertUnwindSafe(|| run(preemptions, 10, counted)))
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
