//! Threads whose timestamps cross at a bucket with cells: what one was denied, nobody gets.

use super::at;
use super::in_step::{Dice, in_step};
use casgate::algorithm::Sharded;
use casgate::{Limiter, Quota, TokenBucket};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is judged. It refills by one permit a nanosecond.
trait Asked: Send + Sync + 'static {
    fn full(burst: u32, cells: usize) -> Self;
    fn admits(&self, caller: usize, now: u64) -> bool;
}

fn one_in(nanos: u64, burst: u32) -> Quota {
    Quota::new(1, Duration::from_nanos(nanos)).unwrap().with_burst(burst)
}

impl Asked for Limiter<Sharded<TokenBucket>> {
    fn full(burst: u32, cells: usize) -> Self {
        Limiter::sharded_token_bucket(one_in(1, burst)).with_cells(cells)
    }

    fn admits(&self, _: usize, now: u64) -> bool {
        self.is_allowed_at(at(now))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    /// Although a call at this timestamp or a later one had been denied before.
    AdmittedAfterDenial { at: u64, denied: u64 },
    /// So many were admitted of so many.
    Bound { sum: u64, of: u64 },
}

struct Run<L> {
    limiter: L,
    burst: u32,
    /// The first is that before the race.
    times: [u64; 4],
    /// For each of them.
    admitted: [AtomicU64; 4],
    /// The newest that was denied, and one more.
    denied: AtomicU64,
    broken: Mutex<Option<Broken>>,
}

impl<L: Asked> Run<L> {
    fn new(dice: &mut Dice) -> Self {
        let burst = [8, 16, 17, 64, 100, 512, 4_000][dice.below(7) as usize];
        let limiter = L::full(burst, 1 << dice.below(4));
        let mut times = [0; 4];
        for i in 1..4 {
            times[i] = times[i - 1] + u64::from(dice.below(burst / 8 + 3));
        }
        let run = Self {
            limiter,
            burst,
            times,
            admitted: [const { AtomicU64::new(0) }; 4],
            denied: AtomicU64::new(0),
            broken: Mutex::new(None),
        };
        // To a lease at an older timestamp than others spend at, a full one shows most; to a denial, an empty one.
        let spent = if dice.below(3) == 0 { 0 } else { burst };
        for _ in 0..spent {
            run.ask(0, 0);
        }
        run
    }

    fn ask(&self, caller: usize, i: usize) -> bool {
        let (now, denied) = (self.times[i], self.denied.load(SeqCst));
        let is_admitted = self.limiter.admits(caller, now);
        if is_admitted {
            self.admitted[i].fetch_add(1, SeqCst);
            if now < denied {
                let broken = Broken::AdmittedAfterDenial { at: now, denied: denied - 1 };
                *self.broken.lock().unwrap() = Some(broken);
            }
        } else {
            self.denied.fetch_max(now + 1, SeqCst);
        }
        is_admitted
    }

    /// What can be had at the newest timestamp counts too.
    fn judge(&self) -> Result<(), Broken> {
        while self.ask(0, 3) {}
        if let Some(broken) = *self.broken.lock().unwrap() {
            return Err(broken);
        }
        for from in 0..4 {
            for to in from..4 {
                let sum = self.admitted[from..=to].iter().map(|n| n.load(SeqCst)).sum();
                let of = u64::from(self.burst) + self.times[to] - self.times[from];
                if sum > of {
                    return Err(Broken::Bound { sum, of });
                }
            }
        }
        Ok(())
    }
}

const ROUNDS: usize = if cfg!(debug_assertions) { 1_000 } else { 5_000 };

/// The first run that breaks a sentence.
fn race<L: Asked>(callers: usize) -> Result<(), Broken> {
    let mut dice = Dice::new(callers);
    let runs: Arc<Vec<Run<L>>> = Arc::new((0..ROUNDS).map(|_| Run::new(&mut dice)).collect());
    let shared = Arc::clone(&runs);
    in_step(callers, ROUNDS, move |caller, round| {
        let (run, mut dice) = (&shared[round], Dice::new(callers * round + caller));
        for _ in 0..dice.below(run.burst / 4 + 12) {
            run.ask(caller, 1 + dice.below(3) as usize);
        }
    });
    runs.iter().try_for_each(Run::judge)
}

#[test]
fn what_was_denied_is_denied_again_and_every_interval_keeps_the_bound() {
    for callers in 2..=4 {
        let outcome = race::<Limiter<Sharded<TokenBucket>>>(callers);
        assert_eq!(outcome, Ok(()), "{callers} callers");
    }
}

/// Half of the permits for each of two callers.
impl Asked for [Limiter<TokenBucket>; 2] {
    fn full(burst: u32, _: usize) -> Self {
        [(); 2].map(|()| Limiter::token_bucket(one_in(2, burst / 2)))
    }

    fn admits(&self, caller: usize, now: u64) -> bool {
        self[caller].is_allowed_at(at(now))
    }
}

/// One permit more than its burst.
struct Generous(Limiter<TokenBucket>);

impl Asked for Generous {
    fn full(burst: u32, _: usize) -> Self {
        Self(Limiter::token_bucket(one_in(1, burst + 1)))
    }

    fn admits(&self, _: usize, now: u64) -> bool {
        self.0.is_allowed_at(at(now))
    }
}

#[test]
fn a_denial_while_another_caller_can_have_a_permit_is_found() {
    let outcome = race::<[Limiter<TokenBucket>; 2]>(2);
    assert!(matches!(outcome, Err(Broken::AdmittedAfterDenial { .. })), "{outcome:?}");
}

#[test]
fn one_permit_too_many_is_found() {
    let outcome = race::<Generous>(2);
    assert!(matches!(outcome, Err(Broken::Bound { .. })), "{outcome:?}");
}
