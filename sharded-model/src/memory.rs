//! The shared words.

/// Cells at most.
pub(crate) const CELLS: usize = 3;

/// A word: what is left of one window. Index 0 is older than every window.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Share {
    pub(crate) index: u8,
    pub(crate) left: u8,
    pub(crate) marked: bool,
}

impl Share {
    pub(crate) const fn of(index: u8, left: u8) -> Self {
        Self { index, left, marked: false }
    }

    pub(crate) const fn marked(self) -> Self {
        Self { marked: true, ..self }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) parent: Share,
    pub(crate) cells: [Share; CELLS],
}

impl Memory {
    /// The newest window that a word is of.
    pub(crate) fn newest(&self) -> u8 {
        let words = self.cells.iter().chain([&self.parent]);
        words.map(|word| word.index).max().unwrap_or(0)
    }
}
