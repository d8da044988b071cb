//! The random scheduler's: every access is a point at which another thread may run, and a weak exchange
//! sometimes fails without cause, as it may on some processors.

use core::sync::atomic::Ordering;
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::atomic::AtomicBool;
use std::sync::{Mutex as OwnMutex, MutexGuard as OwnGuard, PoisonError};

pub(super) use shuttle::sync::atomic::fence;
#[cfg(feature = "wait")]
pub(super) use shuttle::sync::{Mutex, MutexGuard};

/// An atomic of any width. The scheduler orders all accesses as if they were sequentially consistent, so the
/// orderings are not looked at.
#[derive(Debug)]
pub struct Atomic<T> {
    /// Where the scheduler may switch.
    turn: AtomicBool,
    /// Never held across a turn, so never waited for.
    bits: OwnMutex<T>,
}

pub(crate) type AtomicU64 = Atomic<u64>;
pub(super) type Wide = Atomic<[u64; 2]>;

impl<T: Copy + PartialEq> Atomic<T> {
    pub(crate) const fn new(bits: T) -> Self {
        Self { turn: AtomicBool::new(false), bits: OwnMutex::new(bits) }
    }

    fn access(&self) -> OwnGuard<'_, T> {
        self.turn.load(Ordering::SeqCst);
        self.bits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn load(&self, _: Ordering) -> T {
        *self.access()
    }

    pub(crate) fn store(&self, bits: T, _: Ordering) {
        *self.access() = bits;
    }

    pub(crate) fn compare_exchange(
        &self,
        seen: T,
        next: T,
        _won: Ordering,
        _lost: Ordering,
    ) -> Result<T, T> {
        let mut bits = self.access();
        if *bits != seen {
            return Err(*bits);
        }
        *bits = next;
        Ok(seen)
    }

    pub(crate) fn compare_exchange_weak(
        &self,
        seen: T,
        next: T,
        won: Ordering,
        lost: Ordering,
    ) -> Result<T, T> {
        if thread_rng().gen_ratio(1, 8) {
            return Err(self.load(lost));
        }
        self.compare_exchange(seen, next, won, lost)
    }
}

pub(crate) fn is_word_lock_free() -> bool {
    true
}

pub(super) fn is_wide_lock_free() -> bool {
    true
}

pub(crate) fn wait_a_little() {
    shuttle::thread::yield_now();
}

pub(super) const fn join(words: [u64; 2]) -> [u64; 2] {
    words
}

pub(super) const fn split(words: [u64; 2]) -> [u64; 2] {
    words
}

/// The thread's number among those of the execution, which is the same each time.
pub(crate) fn home() -> usize {
    let id = format!("{:?}", shuttle::thread::current().id());
    id.chars().filter_map(|c| c.to_digit(10)).fold(0, |number, digit| number * 10 + digit as usize)
}

/// No thread's: each has a number from the start.
pub(crate) const NO_HOME: usize = usize::MAX;

pub(crate) fn next_home() -> usize {
    home()
}

/// Threads stay where they are: one that moved would remember it in the next execution.
pub(crate) fn move_home(_to: usize) {}
