use crate::algorithm::FixedWindow;
use crate::timestamp::Timestamp;
use core::num::NonZeroU64;

/// What one word has left of one window:
///
/// ```text
/// 63                          1      0
/// | window index + 1 |  left  | mark |
/// ```
///
/// Zero is older than every window. In one window `left` only falls in a cell, and the mark only
/// comes: it freezes a cell, and says of the parent that the cells are being frozen. So no word
/// that a cell has left ever comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u64);

impl Share {
    pub(super) const NONE: Self = Self(0);

    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    #[inline(always)]
    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(super) const fn is_marked(self) -> bool {
        self.0 & 1 == 1
    }

    pub(super) const fn marked(self) -> Self {
        Self(self.0 | 1)
    }

    /// The same window with one permit fewer, which it has.
    #[inline(always)]
    pub(super) const fn less_one(self) -> Self {
        Self(self.0 - 2)
    }

    /// The same window with `n` permits fewer, if it has them and is not marked.
    #[inline(always)]
    pub(super) const fn minus(self, n: u32, layout: Layout) -> Option<Self> {
        if !self.is_marked() && n <= layout.left(self) {
            Some(Self(self.0 - ((n as u64) << 1)))
        } else {
            None
        }
    }
}

/// Where the fields of a [`Share`] lie, and which window a timestamp is in.
///
/// The index fits for 146 years: as in [`Split`](crate::word::Split), with one bit less.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    period: NonZeroU64,
    /// Of `left` and the mark.
    bits: u32,
}

impl Layout {
    #[inline(always)]
    pub(super) const fn of(rule: &FixedWindow) -> Self {
        Self { period: rule.period(), bits: rule.split().count_bits() + 1 }
    }

    /// The index of the window of `now`, plus 1; `None` past the last that the word can represent.
    pub(super) const fn index_at(self, now: Timestamp) -> Option<u64> {
        let before = now.as_nanos() / self.period.get();
        if before < u64::MAX >> self.bits { Some(before + 1) } else { None }
    }

    #[inline(always)]
    pub(super) const fn index(self, share: Share) -> u64 {
        share.0 >> self.bits
    }

    #[inline(always)]
    pub(super) const fn left(self, share: Share) -> u32 {
        ((share.0 & !(u64::MAX << self.bits)) >> 1) as u32
    }

    pub(super) const fn pack(self, index: u64, left: u32) -> Share {
        Share(index << self.bits | (left as u64) << 1)
    }

    /// Whether `now` is in the word's window. No division, and no subtraction that wraps: the word
    /// may be of a later window. A word of none passes for one of the last window, with nothing left.
    #[inline(always)]
    pub(super) const fn is_current(self, share: Share, now: Timestamp) -> bool {
        let start = self.index(share).wrapping_sub(1).wrapping_mul(self.period.get());
        match now.as_nanos().checked_sub(start) {
            Some(elapsed) => elapsed < self.period.get(),
            None => false,
        }
    }

    /// When window `index` ends.
    pub(super) const fn end(self, index: u64) -> u64 {
        index.saturating_mul(self.period.get())
    }

    /// When the window after `index` begins; `None` past the last that the clock or the word can represent.
    pub(super) const fn after(self, index: u64) -> Option<u64> {
        if index < u64::MAX >> self.bits { index.checked_mul(self.period.get()) } else { None }
    }
}
