//! Eight threads ask in one window after another, each until it is denied. Counted at the end: every window has admitted
//! exactly its limit. Counted at each denial: nobody was denied while a permit was left, but those that other threads keep.
//!
//! A window of a bucket is an instant. Between two of them it refills.

use super::in_step::{Dice, Guard, wait_until};
use super::{PERIOD, at, quota};
use casgate::algorithm::{Algorithm, Sharded};
use casgate::{FixedWindow, Limiter, TokenBucket};
use std::fmt;
use std::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use std::sync::{Mutex, PoisonError};

const THREADS: usize = 8;

/// What is judged.
trait Asked: Sync {
    /// One permit of that window, for the thread with that number.
    fn admits(&self, thread: usize, window: usize) -> bool;
}

impl<A: Algorithm + Sync> Asked for Limiter<A>
where
    A::State: Sync,
{
    fn admits(&self, thread: usize, window: usize) -> bool {
        let now = at(window as u64 * PERIOD + thread as u64);
        // As users do: with the numbers, and without.
        if window % 2 == 0 { self.is_allowed_at(now) } else { self.check_at(now).is_ok() }
    }
}

/// How a storm ends that does not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    /// Denied, when so many calls at most had been admitted.
    DeniedEarly { window: usize, begun: u64 },
    /// The window has admitted so many in all.
    NotTheLimit { window: usize, admitted: u64 },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeniedEarly { window, begun } => {
                write!(f, "window {window}: denied when at most {begun} were admitted")
            }
            Self::NotTheLimit { window, admitted } => {
                write!(f, "window {window}: {admitted} were admitted")
            }
        }
    }
}

struct Storm<'a, A> {
    asked: &'a A,
    /// Of each window.
    limit: &'a (dyn Fn(usize) -> u64 + Sync),
    /// Permits that the threads may keep in all.
    kept: u64,
    /// By thread and window: how many calls were admitted there or have begun.
    begun: Vec<Vec<AtomicU32>>,
    /// By window: how many threads have come to it.
    come: Vec<AtomicU32>,
    broken: Mutex<Option<Broken>>,
    is_over: AtomicBool,
}

/// Lets a storm of so many windows loose on it.
fn storm(asked: &impl Asked, limit: u32, windows: usize) -> Result<(), Broken> {
    storm_of(asked, &|_| limit.into(), 0, windows)
}

fn storm_of(
    asked: &impl Asked,
    limit: &(dyn Fn(usize) -> u64 + Sync),
    kept: u64,
    windows: usize,
) -> Result<(), Broken> {
    let zeros = || (0..windows).map(|_| AtomicU32::new(0)).collect();
    let storm = Storm {
        asked,
        limit,
        kept,
        begun: (0..THREADS).map(|_| zeros()).collect(),
        come: zeros(),
        broken: Mutex::new(None),
        is_over: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let storm = &storm;
            scope.spawn(move || storm.relay(thread, windows));
        }
    });
    let broken = *storm.broken.lock().unwrap_or_else(PoisonError::into_inner);
    let counted = || {
        (0..windows).try_for_each(|window| match storm.begun(window) {
            admitted if admitted == limit(window) => Ok(()),
            admitted => Err(Broken::NotTheLimit { window, admitted }),
        })
    };
    broken.map_or_else(counted, Err)
}

impl<A: Asked> Storm<'_, A> {
    /// A thread ends after some windows, and another takes its number.
    fn relay(&self, number: usize, windows: usize) {
        let _guard = Guard(&self.is_over);
        let (mut dice, mut next) = (Dice::new(number), 0);
        while next < windows && !self.is_over.load(Relaxed) {
            let end = windows.min(next + 1 + dice.below(100) as usize);
            let seed = number + next;
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let mut dice = Dice::new(seed);
                    (next..end).all(|window| self.ask(number, window, &mut dice))
                });
            });
            next = end;
        }
    }

    /// Asks until it is denied, beginning together with at least one other thread and now and then with all. False if
    /// the storm is over.
    fn ask(&self, thread: usize, window: usize, dice: &mut Dice) -> bool {
        let together = if window % 64 == 0 { THREADS as u32 } else { 2 };
        let come = &self.come[window];
        come.fetch_add(1, Relaxed);
        if !wait_until(&self.is_over, || come.load(Relaxed) >= together) {
            return false;
        }
        dice.dawdle();
        let (mine, limit) = (&self.begun[thread][window], (self.limit)(window));
        for admitted in 0.. {
            // Whoever sees what the call has changed sees that it has begun.
            mine.store(admitted + 1, Relaxed);
            fence(Release);
            if !self.asked.admits(thread, window) {
                fence(Acquire);
                mine.store(admitted, Relaxed);
                let begun = self.begun(window);
                if begun + self.kept < limit {
                    return self.end(Broken::DeniedEarly { window, begun });
                }
                break;
            }
            let admitted = u64::from(admitted) + 1;
            if admitted > limit {
                return self.end(Broken::NotTheLimit { window, admitted });
            }
        }
        true
    }

    fn begun(&self, window: usize) -> u64 {
        self.begun.iter().map(|thread| u64::from(thread[window].load(Relaxed))).sum()
    }

    fn end(&self, broken: Broken) -> bool {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(broken);
        self.is_over.store(true, Relaxed);
        false
    }
}

/// In full in a release build.
fn windows(limit: u32) -> usize {
    match limit {
        _ if cfg!(not(debug_assertions)) => 10_000,
        100_000.. => 10,
        _ => 500,
    }
}

#[track_caller]
fn judge<A: Algorithm + Sync>(limit: u32, limiters: &[Limiter<A>])
where
    A::State: Sync,
{
    for limiter in limiters {
        if let Err(broken) = storm(limiter, limit, windows(limit)) {
            panic!("limit {limit}: {broken}");
        }
    }
}

/// With as many cells as there are cores, and with more than there are permits.
fn window(permits: u32) {
    let limiter = || Limiter::sharded_fixed_window(quota(permits));
    judge(permits, &[limiter(), limiter().with_cells(4)]);
}

#[test]
fn a_window_of_one() {
    window(1);
}

#[test]
fn a_window_of_seven() {
    window(7);
}

#[test]
fn a_window_of_a_thousand() {
    window(1_000);
}

#[test]
fn a_window_of_a_hundred_thousand() {
    window(100_000);
}

/// What other threads keep is theirs, but they spend it: in the end nothing is lost.
#[test]
fn a_window_of_which_threads_keep_some() {
    for (limit, batch) in [(1, 16), (7, 2), (1_000, 16), (1_000, 100)] {
        let sharded = Limiter::sharded_fixed_window(quota(limit)).with_cells(4);
        let kept = THREADS as u64 * u64::from(batch - 1);
        let outcome =
            storm_of(&sharded.private(batch), &|_| limit.into(), kept, windows(100_000) * 5);
        outcome.unwrap_or_else(|broken| panic!("limit {limit}, {batch} kept: {broken}"));
    }
}

/// The same instant for all threads.
struct Instants(Limiter<Sharded<TokenBucket>>);

impl Asked for Instants {
    fn admits(&self, _: usize, window: usize) -> bool {
        self.0.admits(0, window)
    }
}

/// The burst at first. Then the cells are empty, and the parent's.
fn bucket(permits: u32) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for cells in [cores.next_power_of_two(), 4, 8] {
        let limiter = Limiter::sharded_token_bucket(quota(permits)).with_cells(cells);
        let in_cells = (permits / 8 / cells as u32).min(255) * cells as u32;
        let limit = |window| u64::from(if window == 0 { permits } else { permits - in_cells });
        let outcome = storm_of(&Instants(limiter), &limit, 0, windows(permits) / 2);
        outcome.unwrap_or_else(|broken| panic!("{permits} permits, {cells} cells: {broken}"));
    }
}

#[test]
fn a_bucket_of_one() {
    bucket(1);
}

#[test]
fn a_bucket_of_seven() {
    bucket(7);
}

#[test]
fn a_bucket_of_a_thousand() {
    bucket(1_000);
}

#[test]
fn a_bucket_of_ten_thousand() {
    bucket(10_000);
}

/// The plain algorithm passes too: what is judged is no property of cells.
#[test]
fn the_plain_window_passes() {
    judge(7, &[Limiter::fixed_window(quota(7))]);
}

/// Two limiters of half the quota: a thread asks its own alone.
struct OwnCellAlone([Limiter<FixedWindow>; 2]);

impl Asked for OwnCellAlone {
    fn admits(&self, thread: usize, window: usize) -> bool {
        self.0[thread % 2].admits(thread, window)
    }
}

/// The same, but a thread asks the other too, unless the window is known to be spent. It is thought to be as soon as
/// one cell is.
struct SpentTooEarly {
    cells: [Limiter<FixedWindow>; 2],
    spent: AtomicU32,
}

impl Asked for SpentTooEarly {
    fn admits(&self, thread: usize, window: usize) -> bool {
        let is_spent = || self.spent.load(Relaxed) as usize > window;
        if is_spent() {
            return false;
        }
        if self.cells[thread % 2].admits(thread, window) {
            return true;
        }
        self.spent.fetch_max(window as u32 + 1, Relaxed);
        self.cells[1 - thread % 2].admits(thread, window)
    }
}

fn halves(permits: u32) -> [Limiter<FixedWindow>; 2] {
    let half = |permits| Limiter::fixed_window(quota(permits));
    [half(permits / 2), half(permits - permits / 2)]
}

#[test]
fn a_thread_that_asks_its_own_cell_alone_is_found() {
    for limit in [7, 1_000] {
        let broken = storm(&OwnCellAlone(halves(limit)), limit, 2_000);
        assert!(broken.is_err(), "limit {limit}");
    }
}

#[test]
fn a_window_that_is_called_spent_too_early_is_found() {
    let wrong = SpentTooEarly { cells: halves(1_000), spent: AtomicU32::new(0) };
    let broken = storm(&wrong, 1_000, 2_000).expect_err("found");
    assert!(matches!(broken, Broken::DeniedEarly { .. }), "{broken}");
}

#[test]
fn one_permit_too_many_or_too_few_is_found() {
    for (limit, wrong) in [(1, 2), (7, 8), (1_000, 1_001), (7, 6), (1_000, 999)] {
        let broken = storm(&Limiter::fixed_window(quota(wrong)), limit, 100);
        assert!(broken.is_err(), "limit {limit}, and {wrong}");
    }
}
