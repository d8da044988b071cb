use crate::explore::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::scenarios::fleet::Rung;

/// What is wrong with a [`WrongBell`].
#[derive(Debug)]
#[repr(u8)]
pub enum BellBug {
    /// Writes only what is news, by a load that may be of a value which a look has taken since.
    ElidesNotes,
    /// Hears first, and takes the ring away afterwards: a note in between is nobody's.
    HearsFirst,
    /// Takes the ring away by a store, which sees no note before it.
    Stores,
    /// Takes the largest request first, and then the smallest: a note in between is torn, and half of it forgotten.
    Torn,
}

/// A bell with one bug. Right, it would be two words that are raised and lowered, the smallest first.
#[derive(Debug)]
pub struct WrongBell<const BUG: u8> {
    least: AtomicU32,
    most: AtomicU32,
    is_rung: AtomicBool,
}

impl<const BUG: u8> WrongBell<BUG> {
    const fn is(bug: BellBug) -> bool {
        BUG == bug as u8
    }

    fn rest(&self) {
        if Self::is(BellBug::Stores) {
            self.is_rung.store(false, Ordering::Relaxed);
        } else {
            self.is_rung.swap(false, Ordering::AcqRel);
        }
    }
}

impl<const BUG: u8> Rung for WrongBell<BUG> {
    fn at_rest() -> Self {
        Self {
            least: AtomicU32::new(u32::MAX),
            most: AtomicU32::new(0),
            is_rung: AtomicBool::new(false),
        }
    }

    fn note(&self, permits: u32) {
        let elides = Self::is(BellBug::ElidesNotes);
        if Self::is(BellBug::Torn) {
            self.most.fetch_max(permits, Ordering::AcqRel);
            self.least.fetch_min(permits, Ordering::AcqRel);
            return;
        }
        if !elides || self.least.load(Ordering::Relaxed) > permits {
            self.least.fetch_min(permits, Ordering::AcqRel);
        }
        if !elides || self.most.load(Ordering::Relaxed) < permits {
            self.most.fetch_max(permits, Ordering::AcqRel);
        }
    }

    fn ring(&self) -> bool {
        !self.is_rung.swap(true, Ordering::AcqRel)
    }

    fn hear(&self) -> Option<[u32; 2]> {
        if !Self::is(BellBug::HearsFirst) {
            self.rest();
        }
        let most = self.most.swap(0, Ordering::AcqRel);
        let least = self.least.swap(u32::MAX, Ordering::AcqRel);
        if Self::is(BellBug::HearsFirst) {
            self.rest();
        }
        (most > 0).then_some([least.min(most), most])
    }
}
