use super::{FixedWindow, Rule, TokenBucket};
use crate::quota::Quota;
use crate::timestamp::Timestamp;
use crate::word::Word;

/// How many words an algorithm's numbers take.
pub(super) const FIELDS: usize = 5;

/// An algorithm whose quota can change: [`TokenBucket`] and [`FixedWindow`]. The trait is sealed.
pub trait Adjust: Rule + AdjustParts {}

impl<R: Rule + AdjustParts> Adjust for R {}

/// A rule that can be made from a quota, and written as words.
pub trait AdjustParts: Sized {
    fn from_quota(quota: Quota) -> Self;

    fn to_fields(&self) -> [u64; FIELDS];

    /// Given only what [`to_fields`](Self::to_fields) returned.
    fn from_fields(fields: [u64; FIELDS]) -> Self;

    /// The word of another rule of this kind that has as much spent at `now` as `word`, up to its
    /// limit.
    fn carry(&self, word: Word, to: &Self, now: Timestamp) -> Word;
}

macro_rules! adjust {
    ($rule:ty) => {
        impl AdjustParts for $rule {
            fn from_quota(quota: Quota) -> Self {
                Self::new(quota)
            }

            fn to_fields(&self) -> [u64; FIELDS] {
                self.fields()
            }

            #[inline(always)]
            fn from_fields(fields: [u64; FIELDS]) -> Self {
                Self::of_fields(fields)
            }

            fn carry(&self, word: Word, to: &Self, now: Timestamp) -> Word {
                self.carry(word, to, now)
            }
        }
    };
}

adjust!(FixedWindow);
adjust!(TokenBucket);
