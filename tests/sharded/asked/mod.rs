//! Every public operation of the limiters that are only asked, next to every other on real threads: of the bucket with
//! cells, and of the window of which threads keep permits. The [`judge`] knows no order: it counts.

mod judge;
mod subjects;
mod wrong;

use super::in_step::{Dice, in_step};
use judge::{Broken, Promise, Record};
use std::sync::{Arc, Mutex};
use subjects::{Kept, Stocked, Subject};

/// What a caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Check,
    CheckAt,
    IsAllowed,
    IsAllowedAt,
    Peek,
    PeekAt,
    /// By the trait.
    Limit,
    /// Takes a place in a queue in front of it, or leaves the queue.
    Place,
    /// Prints it.
    Describe,
    /// Asks on a thread that ends then, with all that it keeps.
    End,
    /// Asks another limiter, of which this thread keeps permits then, and after that this one.
    Elsewhere,
}

impl Act {
    /// Whether it comes at a timestamp that the caller has. Otherwise it comes at the clock's.
    const fn is_at(self) -> bool {
        matches!(
            self,
            Self::CheckAt | Self::IsAllowedAt | Self::PeekAt | Self::End | Self::Elsewhere
        )
    }
}

/// The public methods of each operation. Those without are of the threads, of a trait or of a queue.
const OPERATIONS: [(&[&str], Act); 11] = [
    (&["check"], Act::Check),
    (&["check_at"], Act::CheckAt),
    (&["is_allowed"], Act::IsAllowed),
    (&["is_allowed_at"], Act::IsAllowedAt),
    (&["peek"], Act::Peek),
    (&["peek_at"], Act::PeekAt),
    (&[], Act::Limit),
    (&[], Act::Place),
    (&[], Act::Describe),
    (&[], Act::End),
    (&[], Act::Elsewhere),
];

/// What a caller learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Admitted,
    /// There was nothing, at the newest timestamp.
    Denied,
    /// There was no place at once, by a peek.
    NoPlace,
    Left(u32),
    Nothing,
}

/// One call.
#[derive(Clone, Copy, Debug)]
struct Call {
    caller: usize,
    act: Act,
    at: u64,
    answer: Answer,
}

/// What two callers do to a limiter, and those before and after them.
struct Run<S> {
    limiter: S,
    promise: Promise,
    /// Two timestamps. The clock shows the second.
    times: [u64; 2],
    calls: Mutex<Vec<Call>>,
}

/// The number of who asks before the race.
const BEFORE: usize = 2;

impl<S: Subject> Run<S> {
    fn call(&self, caller: usize, act: Act, at: u64) {
        let answer = self.limiter.act(act, at);
        self.calls.lock().unwrap().push(Call { caller, act, at, answer });
    }

    /// Two calls of each operation at once, and what is left then.
    fn finish(&self) -> Result<(), Broken> {
        let newest = self.times[1];
        let left = self.limiter.left(newest);
        // On a thread that keeps nothing yet.
        let drain =
            || (0..).take_while(|_| self.limiter.act(Act::CheckAt, newest) == Answer::Admitted);
        let more = std::thread::scope(|scope| scope.spawn(|| drain().count()).join().unwrap());
        let calls = self.calls.lock().unwrap();
        judge::judge(self.promise, &Record { calls: &calls, newest, left, more: more as u32 })
    }
}

const ROUNDS: usize = if cfg!(debug_assertions) { 40 } else { 500 };

/// The first run that breaks a promise.
fn race<S: Subject>(acts: [Act; 2], rounds: usize) -> Result<(), (Broken, String)> {
    let runs: Arc<Vec<Run<S>>> = Arc::new((0..rounds).map(S::run).collect());
    let shared = Arc::clone(&runs);
    in_step(2, rounds, move |caller, round| {
        let (run, mut dice) = (&shared[round], Dice::new(2 * round + caller));
        for _ in 0..2 {
            let act = acts[caller];
            let at = if act.is_at() { run.times[dice.below(2) as usize] } else { run.times[1] };
            run.call(caller, act, at);
        }
    });
    runs.iter().try_for_each(|run| {
        run.finish().map_err(|broken| (broken, format!("{:?}", run.calls.lock().unwrap())))
    })
}

fn every_pair<S: Subject>() {
    for (i, &(_, first)) in OPERATIONS.iter().enumerate() {
        for &(_, second) in &OPERATIONS[i..] {
            if let Err((broken, calls)) = race::<S>([first, second], ROUNDS) {
                panic!("{first:?} next to {second:?}: {broken:?}\n{calls}");
            }
        }
    }
}

#[test]
fn every_operation_of_a_bucket_next_to_every_other() {
    every_pair::<Stocked>();
}

#[test]
fn every_operation_of_private_permits_next_to_every_other() {
    every_pair::<Kept>();
}

/// Those that make a limiter, or look at what never changes.
const OTHERS: [&str; 7] = [
    "sharded_fixed_window",
    "sharded_token_bucket",
    "with_clock",
    "with_cells",
    "private",
    "is_lock_free",
    "clock",
];

#[test]
fn no_operation_is_missing() {
    let sources = [
        include_str!("../../../src/limiter/sharded.rs"),
        include_str!("../../../src/limiter/at.rs"),
        include_str!("../../../src/limiter/now.rs"),
        include_str!("../../../src/limiter/mod.rs"),
    ];
    let methods = sources.iter().flat_map(|source| source.split("    pub fn ").skip(1));
    let names = methods.map(|rest| rest.split(['(', '<']).next().unwrap_or(rest));
    let raced: Vec<&str> = OPERATIONS.iter().flat_map(|(methods, _)| *methods).copied().collect();
    let mut count = 0;
    for name in names {
        assert!(raced.contains(&name) || OTHERS.contains(&name), "{name} is in no pair");
        count += 1;
    }
    assert!(count > 12, "{count} were found");
}
