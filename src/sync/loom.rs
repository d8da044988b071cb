//! The model checker's.

pub(crate) use loom::sync::atomic::AtomicU64;
pub(super) use loom::sync::atomic::{AtomicU64 as Wide, fence};
#[cfg(feature = "wait")]
pub(super) use loom::sync::{Mutex, MutexGuard};

pub(crate) fn is_word_lock_free() -> bool {
    true
}

pub(super) fn is_wide_lock_free() -> bool {
    true
}

pub(crate) fn wait_a_little() {
    loom::thread::yield_now();
}

pub(super) fn join([first, second]: [u64; 2]) -> u64 {
    let narrow = |word| u64::from(u32::try_from(word).expect("a word of the model fits 32 bits"));
    narrow(first) << 32 | narrow(second)
}

pub(super) fn split(bits: u64) -> [u64; 2] {
    [bits >> 32, bits & u64::from(u32::MAX)]
}

/// The thread's number among those of the execution, which is the same each time.
pub(crate) fn home() -> usize {
    let id = format!("{:?}", loom::thread::current().id());
    id.chars().filter_map(|c| c.to_digit(10)).fold(0, |number, digit| number * 10 + digit as usize)
}

/// No thread's: each has a number from the start.
pub(crate) const NO_HOME: usize = usize::MAX;

pub(crate) fn next_home() -> usize {
    home()
}

/// Threads stay where they are: one that moved would remember it in the next execution.
pub(crate) fn move_home(_to: usize) {}

/// One atomic instead of two: a copy that is torn is a wrong guess like one that is old, and the
/// orders of two loads and two stores more are too many to visit. The random scheduler tears them.
#[derive(Debug)]
pub(crate) struct Copies(Wide);

impl Copies {
    pub(crate) fn new(words: [u64; 2]) -> Self {
        Self(Wide::new(join(words)))
    }

    pub(crate) fn load(&self) -> [u64; 2] {
        split(self.0.load(super::order::COPY_LOAD))
    }

    pub(crate) fn change(&self, _: [u64; 2], next: [u64; 2]) {
        self.0.store(join(next), super::order::COPY_STORE);
    }

    /// Nothing, for the same reason: a later attempt then begins from a worse guess, which is a guess.
    pub(crate) fn correct(&self, _newer: [u64; 2]) {}
}
