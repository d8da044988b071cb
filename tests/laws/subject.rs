//! What the laws judge: every [`Rule`], and wrong ones that the crate's sealed trait would not admit.

use casgate::algorithm::Rule;
use casgate::word::Word;
use casgate::{Admitted, Denied, Quota, Snapshot, Timestamp};

/// What differs from rule to rule, as its documentation states it.
pub(crate) trait Stated {
    /// Whether an admission is of no more use to a refund once the limiter is full again. Otherwise it always is.
    const REFUNDS_EXPIRE: bool;

    /// After `deny_until` the first permit comes less than so many nanoseconds late: 1 if it comes at once.
    fn late_by(quota: Quota) -> u64;
}

/// The methods of a [`Rule`], with answers that a wrong rule can make up. Each is the right one unless it is overridden.
pub(crate) trait Subject {
    type Right: Rule + Stated;

    /// The rule that answers where nothing is overridden.
    fn right(&self) -> Self::Right;

    fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word> {
        Rule::decide(&self.right(), word, n, now)
    }

    fn admitted(&self, word: Word, n: u32, now: Timestamp) -> Admission {
        Rule::admitted(&self.right(), word, n, now).into()
    }

    fn denied(&self, word: Word, n: u32, now: Timestamp) -> Denial {
        Rule::denied(&self.right(), word, n, now).into()
    }

    fn snapshot(&self, word: Word, now: Timestamp) -> Numbers {
        Rule::snapshot(&self.right(), word, now).into()
    }

    fn refund(&self, word: Word, n: u32) -> Word {
        Rule::refund(&self.right(), word, n)
    }

    /// Gives back the admission of `n` permits at `at` that left `taken` behind.
    fn refund_of(&self, word: Word, (taken, n, at): (Word, u32, Timestamp)) -> Word {
        Rule::refund_of(&self.right(), word, &Rule::admitted(&self.right(), taken, n, at))
    }

    fn charge(&self, word: Word, n: u32, now: Timestamp) -> Word {
        Rule::charge(&self.right(), word, n, now)
    }

    fn deny_until(&self, word: Word, until: Timestamp) -> Word {
        Rule::deny_until(&self.right(), word, until)
    }
}

impl<R: Rule + Stated> Subject for R {
    type Right = R;

    fn right(&self) -> R {
        *self
    }
}

/// A [`Snapshot`]. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset_after: u64,
}

/// An [`Admitted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Admission {
    pub(crate) ticket: u64,
    pub(crate) permits: u32,
    pub(crate) numbers: Numbers,
}

/// A [`Denied`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Denial {
    pub(crate) retry_after: Option<u64>,
    pub(crate) numbers: Numbers,
}

fn nanos(duration: std::time::Duration) -> u64 {
    duration.as_nanos().try_into().expect("made of 64 bits")
}

macro_rules! numbers {
    ($answer:ident) => {
        Numbers {
            limit: $answer.limit(),
            remaining: $answer.remaining(),
            reset_after: nanos($answer.reset_after()),
        }
    };
}

impl From<Snapshot> for Numbers {
    fn from(snapshot: Snapshot) -> Self {
        numbers!(snapshot)
    }
}

impl From<Admitted> for Admission {
    fn from(admitted: Admitted) -> Self {
        let numbers = numbers!(admitted);
        Self { ticket: admitted.ticket(), permits: admitted.permits(), numbers }
    }
}

impl From<Denied> for Denial {
    fn from(denied: Denied) -> Self {
        Self { retry_after: denied.retry_after().map(nanos), numbers: numbers!(denied) }
    }
}
