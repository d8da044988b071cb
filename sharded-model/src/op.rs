//! What a caller can ask for.

/// An operation in window `at`. A timestamp is no more than that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Op {
    Check {
        n: u8,
        at: u8,
    },
    TakeUpTo {
        n: u8,
        at: u8,
    },
    /// Of an admission of `n` permits.
    Refund {
        n: u8,
        at: u8,
    },
    Reset,
    Peek {
        at: u8,
    },
}

impl Op {
    /// Permits.
    pub(crate) const fn n(self) -> u8 {
        match self {
            Self::Check { n, .. } | Self::TakeUpTo { n, .. } | Self::Refund { n, .. } => n,
            Self::Reset | Self::Peek { .. } => 0,
        }
    }

    /// The window; 0 for a reset, which has yet to find it.
    pub(crate) const fn at(self) -> u8 {
        match self {
            Self::Check { at, .. }
            | Self::TakeUpTo { at, .. }
            | Self::Refund { at, .. }
            | Self::Peek { at } => at,
            Self::Reset => 0,
        }
    }

    /// Whether it asks the caller's own cell first.
    pub(crate) const fn begins_at_a_cell(self) -> bool {
        matches!(self, Self::Check { .. })
    }
}
