use crate::sync::{AtomicU32, Ordering};

/// What callers asked for that found too few permits, since somebody looked.
#[derive(Debug)]
pub(crate) struct Missed {
    least: AtomicU32,
    most: AtomicU32,
}

/// Requests that found too few permits: the smallest of them, and the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) least: u32,
    pub(crate) most: u32,
}

impl Missed {
    pub(crate) fn new() -> Self {
        Self { least: AtomicU32::new(u32::MAX), most: AtomicU32::new(0) }
    }

    /// Takes note of a request for so many permits. Writes only what is news, so that many denials share the memory.
    pub(crate) fn note(&self, permits: u32) {
        if self.most.load(Ordering::Relaxed) < permits {
            self.most.fetch_max(permits, Ordering::Relaxed);
        }
        if self.least.load(Ordering::Relaxed) > permits {
            self.least.fetch_min(permits, Ordering::Relaxed);
        }
    }

    /// Returns what was noted, if anything, and forgets it.
    pub(crate) fn take(&self) -> Option<Wanted> {
        let most = self.most.swap(0, Ordering::Relaxed);
        let least = self.least.swap(u32::MAX, Ordering::Relaxed);
        // A note that falls between the two is half here and half in the next: a smaller `least` at worst.
        (most > 0).then_some(Wanted { least: least.min(most), most })
    }
}
