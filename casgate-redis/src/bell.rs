use crate::holder::Wanted;
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// How callers without permits wake the refresher, and what it hears of them.
///
/// A caller that [notes](Self::note) what it wants, and then [rings](Self::ring), is heard: by the
/// look that is under way, or by a later one. Nobody else need wake the refresher for that.
#[derive(Debug)]
pub(crate) struct Bell {
    /// What was noted since the last look, in the form of [`with`].
    missed: AtomicU64,
    /// Whether the refresher has been asked to look.
    is_rung: AtomicBool,
}

impl Bell {
    pub(crate) fn new() -> Self {
        Self { missed: AtomicU64::new(0), is_rung: AtomicBool::new(false) }
    }

    /// Takes note of a request for so many permits, at least one.
    pub(crate) fn note(&self, permits: u32) {
        let more = |missed| Some(with(missed, permits));
        // A write even where it changes nothing: a load alone could be of a value that a look has taken since.
        // Acquire and Release: a note that comes after a look's taking comes after what that look did before. So the
        // ring that follows finds the bell at rest, or rung since.
        let _ = self.missed.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more);
    }

    /// Takes note of a request that nobody waits for. It writes only what is news, so that many
    /// denials share the memory, and may be missed if a look is under way.
    pub(crate) fn hint(&self, permits: u32) {
        let seen = self.missed.load(Ordering::Relaxed);
        if with(seen, permits) != seen {
            self.note(permits);
        }
    }

    /// Rings. Returns whether the caller must ask the refresher to look; if not, another one has.
    #[must_use]
    pub(crate) fn ring(&self) -> bool {
        // Acquire and Release: who finds it rung knows that the refresher looks later, and so sees what was noted
        // before.
        !self.is_rung.swap(true, Ordering::AcqRel)
    }

    /// Returns what was noted, if anything, and forgets it: the beginning of a look.
    pub(crate) fn hear(&self) -> Option<Wanted> {
        // In this order. A note after it would else be heard by nobody, with the bell still rung.
        self.is_rung.swap(false, Ordering::AcqRel);
        let missed = self.missed.swap(0, Ordering::AcqRel);
        (missed > 0)
            .then(|| Wanted { least: u32::MAX - missed as u32, most: (missed >> 32) as u32 })
    }
}

/// What was noted, and a request more:
///
/// ```text
/// 63      32                 bits 0
/// | largest | u32::MAX − smallest |
/// ```
const fn with(missed: u64, permits: u32) -> u64 {
    let (most, least) = ((missed >> 32) as u32, u32::MAX - missed as u32);
    let most = if permits > most { permits } else { most };
    let least = if permits < least { permits } else { least };
    (most as u64) << 32 | (u32::MAX - least) as u64
}

#[cfg(all(test, not(casgate_loom)))]
mod tests {
    use super::*;

    #[test]
    fn it_tells_the_smallest_and_the_largest_once() {
        let bell = Bell::new();
        assert_eq!(bell.hear(), None);
        for permits in [3, 1, 7, u32::MAX, 2] {
            bell.note(permits);
        }
        assert_eq!(bell.hear(), Some(Wanted { least: 1, most: u32::MAX }));
        assert_eq!(bell.hear(), None);
        bell.hint(4);
        bell.hint(4);
        assert_eq!(bell.hear(), Some(Wanted { least: 4, most: 4 }));
    }

    #[test]
    fn it_is_rung_once_until_it_is_heard() {
        let bell = Bell::new();
        assert_eq!([bell.ring(), bell.ring()], [true, false]);
        assert_eq!(bell.hear(), None);
        assert!(bell.ring());
    }
}
