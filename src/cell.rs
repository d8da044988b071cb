use crate::sync::{AtomicU64, Ordering, const_unless_modelled};
use crossbeam_utils::Backoff;

/// One shared word and the one loop that changes it.
///
/// # Ordering
///
/// Every access is `Relaxed`. The word is all the state there is, so there is no other memory to
/// order with it; and changes are read-modify-writes, which see the newest value in the word's own
/// modification order whatever their ordering. That order is the order in which the limiter
/// admits. A step that declines is the load, or the failed exchange, that read the word it
/// declined on.
#[derive(Debug)]
pub struct Cell(AtomicU64);

impl Cell {
    const_unless_modelled! {
        pub(crate) fn new(bits: u64) -> Self {
            Self(AtomicU64::new(bits))
        }
    }

    #[inline]
    pub(crate) fn load(&self) -> u64 {
        // Relaxed: see the type.
        self.0.load(Ordering::Relaxed)
    }

    /// Replaces the word by what `step` makes of it: `Ok` with the new word, or `Err` with the
    /// word on which `step` declined, which is then left as it was.
    ///
    /// Lock-free: an exchange is lost only to another that was won. `step` runs once more for
    /// each, so it must be pure. (It is `Copy` so that only the contended path needs it in memory.)
    /// A loser backs off, which moves a contended word in longer runs between the cores; it keeps
    /// the value that the lost exchange returned, for a loop that loads again would read a line
    /// that the next exchange must fetch once more to write.
    #[inline]
    pub(crate) fn update(&self, step: impl Fn(u64) -> Option<u64> + Copy) -> Result<u64, u64> {
        let seen = self.load();
        let Some(next) = step(seen) else { return Err(seen) };
        match self.exchange(seen, next) {
            Ok(next) => Ok(next),
            Err(newer) => self.update_contended(newer, step),
        }
    }

    /// The rest of [`update`](Self::update) after a lost exchange, out of line: the path that wins
    /// at once then needs no registers saved for this one.
    #[cold]
    #[inline(never)]
    fn update_contended(
        &self,
        mut seen: u64,
        step: impl Fn(u64) -> Option<u64> + Copy,
    ) -> Result<u64, u64> {
        let backoff = Backoff::new();
        loop {
            backoff.spin();
            let Some(next) = step(seen) else { return Err(seen) };
            match self.exchange(seen, next) {
                Ok(next) => return Ok(next),
                Err(newer) => seen = newer,
            }
        }
    }

    #[inline]
    fn exchange(&self, seen: u64, next: u64) -> Result<u64, u64> {
        // Relaxed, won or lost: see the type.
        self.0.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed).map(|_| next)
    }
}
