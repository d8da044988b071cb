use crate::word::Word;

/// When and how the permits of a [`Lease`](crate::Lease) may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The permits taken.
    pub(crate) permits: u32,
    /// The first timestamp at which they may be spent, and how many nanoseconds it is to the last.
    pub(crate) from: u64,
    pub(crate) span: u64,
    /// What taking them left behind.
    pub(crate) taken: Word,
}
