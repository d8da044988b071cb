use super::{AtomicU64, Ordering, order};

/// Two words, each in an atomic of its own, that are written apart and can be read torn.
///
/// The first may stand for memory apart: it releases and acquires that. The second stands for
/// nothing.
#[derive(Debug)]
pub(crate) struct Copies([AtomicU64; 2]);

impl Copies {
    pub(crate) const fn new([first, second]: [u64; 2]) -> Self {
        Self([AtomicU64::new(first), AtomicU64::new(second)])
    }

    #[inline(always)]
    pub(crate) fn load(&self) -> [u64; 2] {
        // Acquire, to the Release in `store`: what the first word stands for.
        let first = self.0[0].load(order::COPY_LOAD);
        // Relaxed: see the type.
        [first, self.0[1].load(Ordering::Relaxed)]
    }

    #[inline(always)]
    fn store(&self, [first, second]: [u64; 2]) {
        // Release, to the Acquire in `load`: what the first word stands for, which this thread wrote
        // or acquired.
        self.0[0].store(first, order::COPY_STORE);
        // Relaxed: see the type.
        self.0[1].store(second, Ordering::Relaxed);
    }

    /// As [`store`](Self::store), of what has changed.
    #[inline(always)]
    pub(crate) fn change(&self, seen: [u64; 2], next: [u64; 2]) {
        if seen[0] == next[0] {
            self.0[1].store(next[1], Ordering::Relaxed);
        } else {
            self.store(next);
        }
    }

    /// What both are to hold from now on.
    #[inline]
    pub(crate) fn correct(&self, newer: [u64; 2]) {
        self.store(newer);
    }
}
