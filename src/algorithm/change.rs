//! What becomes of a word other than by a decision.

use super::Outstanding;
use super::Rule;
use crate::decision::Admitted;
use crate::timestamp::Timestamp;
use crate::word::Word;

/// A change of the whole state that cannot be denied.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    Reset,
    Refund(u32),
    RefundOf(Admitted),
    Charge(u32, Timestamp),
    DenyUntil(Timestamp),
    /// What is outstanding for each quota.
    Restore([Outstanding; 2], Timestamp),
}

impl Change {
    /// The word of the `index`th quota after the change.
    pub(super) fn apply<R: Rule>(self, rule: &R, index: usize, word: Word) -> Word {
        match self {
            // As if nothing had been.
            Self::Reset => Word::default(),
            Self::Refund(n) => rule.refund(word, n),
            Self::RefundOf(admitted) => rule.refund_of(word, &admitted),
            Self::Charge(0, _) => word,
            Self::Charge(n, now) => rule.charge(word, n, now),
            Self::DenyUntil(until) => rule.deny_until(word, until),
            Self::Restore(parts, now) => match parts[index] {
                Outstanding { permits: 0, .. } => word,
                part => rule.restore(word, part, now),
            },
        }
    }
}

/// As many permits as the word has at `now`, up to `n`, and the word without them; `None` if it has
/// none.
pub(super) fn take_from<R: Rule>(
    rule: &R,
    word: Word,
    n: u32,
    now: Timestamp,
) -> Option<(u32, Word)> {
    let n = rule.snapshot(word, now).remaining().min(n);
    if n == 0 { None } else { rule.decide(word, n, now).map(|word| (n, word)) }
}
