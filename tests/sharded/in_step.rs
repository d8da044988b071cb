//! Threads that do one thing after another together, and small irregularities for them.

use casgate::testing::race_within;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(300);

/// xorshift: any cheap irregularity will do.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: usize) -> Self {
        Self(0x9e37_79b9_7f4a_7c15u64.wrapping_mul(seed as u64 + 1))
    }

    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) % u64::from(bound)) as u32
    }

    /// Lets a little time go by: other interleavings.
    pub(crate) fn dawdle(&mut self) {
        (0..self.below(64)).for_each(|_| std::hint::spin_loop());
    }
}

/// Spins until it is so; gives up its turn now and then, for there are more threads than cores. False if another
/// thread has failed.
pub(crate) fn wait_until(failed: &AtomicBool, mut is_so: impl FnMut() -> bool) -> bool {
    loop {
        for _ in 0..100 {
            if is_so() {
                return true;
            }
            std::hint::spin_loop();
        }
        if failed.load(Relaxed) {
            return false;
        }
        std::thread::yield_now();
    }
}

/// Says so if its thread panics.
pub(crate) struct Guard<'a>(pub(crate) &'a AtomicBool);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Relaxed);
        }
    }
}

/// Calls `f(caller, round)` on a thread for each caller, which begin each round together.
pub(crate) fn in_step(
    callers: usize,
    rounds: usize,
    f: impl Fn(usize, usize) + Send + Sync + 'static,
) {
    let (arrived, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let both = Arc::new((arrived, failed));
    let outcomes = race_within(PATIENCE, callers, move |caller| {
        let (arrived, failed) = &*both;
        let (_guard, mut dice) = (Guard(failed), Dice::new(caller));
        for round in 0..rounds {
            arrived.fetch_add(1, Relaxed);
            let all = callers * (round + 1);
            if !wait_until(failed, || arrived.load(Relaxed) >= all) {
                return;
            }
            dice.dawdle();
            f(caller, round);
        }
    });
    for outcome in outcomes {
        outcome.unwrap_or_else(|failure| panic!("a caller {failure}"));
    }
}
