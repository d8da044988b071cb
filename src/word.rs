//! The state words: how a rule's state is laid out in 64 bits. Pure and `const`, no atomics.

/// The whole state of an algorithm that needs no more than 64 bits.
///
/// A fixed window's:
///
/// ```text
/// 63                     bits 0
/// | window index | count |
/// ```
///
/// The index is that of the newest window in which permits were spent, the count how many of them.
/// Only a [`Split`] knows where one field ends. A token bucket's is one number, the instant at
/// which the bucket is full again, in [units](crate::TokenBucket#exactness) of its own.
///
/// Words are ordered as the limiter admits: to spend permits makes a word larger. The word of a new
/// limiter is zero.
///
/// ```
/// use casgate::word::{Split, Word};
///
/// let split = Split::for_limit(100);
/// assert!(Word::default() < split.pack(4, 99) && split.pack(4, 99) < split.pack(5, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(u64);

impl Word {
    /// Returns the word as it stands in memory.
    ///
    /// ```
    /// assert_eq!(casgate::word::Word::default().bits(), 0);
    /// ```
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Returns the word that [`bits`](Self::bits) came from.
    ///
    /// ```
    /// use casgate::word::Word;
    /// assert_eq!(Word::from_bits(7).bits(), 7);
    /// ```
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The same window with `n` more permits spent. The caller has seen that they fit.
    pub(crate) const fn plus(self, n: u32) -> Self {
        Self(self.0 + n as u64)
    }
}

/// Where the count of a [`Word`] ends and the window index begins, chosen from the limit: the
/// count takes the bits that the limit needs, the index gets the rest.
///
/// # The index never wraps
///
/// For every quota up to one permit per nanosecond, every instant of the clock's first 292 years
/// has a window index that fits its field. *Proof.* Let the limit L need c bits, so
/// 2^(c−1) ≤ L < 2^c, and let the window be W nanoseconds. One permit per nanosecond at most means
/// L ≤ W. An instant t < 2^63 then has the index ⌊t/W⌋ ≤ t/L < 2^63 / 2^(c−1) = 2^(64−c), and the
/// index has 64 − c bits. ∎ Where W ≥ 2L the same holds for all 584 years of a [`Timestamp`].
///
/// [`Timestamp`]: crate::Timestamp
///
/// ```
/// use casgate::word::Split;
///
/// let split = Split::for_limit(100); // 7 bits of count
/// let word = split.pack(5, 99);
/// assert_eq!((split.index(word), split.count(word)), (5, 99));
/// assert_eq!(split.max_index(), u64::MAX >> 7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Split {
    count_bits: u32,
}

impl Split {
    /// Returns the split whose count field holds every number up to `limit`, and has no bit more.
    ///
    /// ```
    /// use casgate::word::Split;
    /// assert_eq!(Split::for_limit(1).max_index(), u64::MAX >> 1);
    /// assert_eq!(Split::for_limit(u32::MAX).max_index(), u64::MAX >> 32);
    /// ```
    #[must_use]
    pub const fn for_limit(limit: u32) -> Self {
        Self { count_bits: u32::BITS - limit.leading_zeros() }
    }

    /// How many bits the count takes.
    #[cfg(feature = "std")]
    pub(crate) const fn count_bits(self) -> u32 {
        self.count_bits
    }

    /// Returns the word of window `index` with `count` permits spent. A number that is larger than
    /// its field counts as the largest that fits.
    ///
    /// ```
    /// # use casgate::word::Split;
    /// let split = Split::for_limit(3);
    /// assert_eq!(split.pack(2, 1).bits(), 0b10_01);
    /// assert_eq!(split.pack(2, 7), split.pack(2, 3));
    /// ```
    #[must_use]
    #[inline]
    pub const fn pack(self, index: u64, count: u32) -> Word {
        let (last, most) = (self.max_index(), ((1 << self.count_bits) - 1_u64) as u32);
        let index = if index < last { index } else { last };
        Word(index << self.count_bits | if count < most { count } else { most } as u64)
    }

    /// Returns the window index of `word`.
    ///
    /// ```
    /// # use casgate::word::Split;
    /// let split = Split::for_limit(3);
    /// assert_eq!(split.index(split.pack(2, 1)), 2);
    /// ```
    #[must_use]
    pub const fn index(self, word: Word) -> u64 {
        word.0 >> self.count_bits
    }

    /// Returns the permits spent in that window.
    ///
    /// ```
    /// # use casgate::word::Split;
    /// let split = Split::for_limit(3);
    /// assert_eq!(split.count(split.pack(2, 1)), 1);
    /// ```
    #[must_use]
    pub const fn count(self, word: Word) -> u32 {
        (word.0 & !(u64::MAX << self.count_bits)) as u32
    }

    /// Returns the last window index that the word can hold.
    ///
    /// ```
    /// # use casgate::word::Split;
    /// assert_eq!(Split::for_limit(3).max_index(), u64::MAX >> 2);
    /// ```
    #[must_use]
    pub const fn max_index(self) -> u64 {
        u64::MAX >> self.count_bits
    }
}
