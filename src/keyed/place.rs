//! Where a key belongs.

use super::owner::TAG_BITS;
use super::table::{GROUPS, SLOTS};

/// Where a key is looked for, from its hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    pub(super) home: u32,
    /// Of which the tag is a part.
    pub(super) mix: u64,
}

impl Place {
    /// Never zero: the highest bit is set.
    #[inline(always)]
    pub(crate) const fn tag(self) -> u64 {
        const HIGHEST: u64 = 1 << (TAG_BITS - 1);
        self.mix & (HIGHEST - 1) | HIGHEST
    }

    /// A hint at the tag: a byte. That of an unused slot is 0, and so are those of some keys.
    #[inline(always)]
    pub(crate) const fn mark(self) -> u8 {
        self.mix as u8
    }

    pub(crate) const fn set(self) -> usize {
        self.home as usize / GROUPS
    }

    pub(crate) const fn home(self) -> usize {
        self.home as usize
    }

    /// The first slot of that one of a group's two lines in which the key would rather be.
    pub(crate) const fn near(self) -> usize {
        (self.mix >> 16) as usize & (SLOTS / 2)
    }
}
