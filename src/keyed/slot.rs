//! A slot of the table and the packing of a rule's state into it.

use crate::Timestamp;
use crate::algorithm::Rule;
use crate::cell::Atom;
use crate::quota::Quota;
use crate::sync::{AtomicU64, Ordering, order};
use crate::word::Word;

/// A slot, from the highest bit: the tag of its key, and the low bits of the rule's word. Zero if it has
/// never been used.
pub(crate) const STATE_BITS: u32 = 40;
const STATE: u64 = (1 << STATE_BITS) - 1;
pub(crate) const TAG_BITS: u32 = 64 - STATE_BITS;

/// A slot. Whoever finds a state also finds the `top` and the floors that were raised for it.
#[derive(Debug)]
pub(crate) struct Way(AtomicU64);

impl Way {
    pub(crate) fn unused() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl Atom for Way {
    type Bits = u64;

    #[inline]
    fn load(&self) -> u64 {
        // Acquire: see the type.
        self.0.load(order::WAY_LOAD)
    }

    #[inline]
    fn exchange(&self, seen: u64, next: u64) -> Result<(), u64> {
        // Release if won, Acquire if lost: see the type.
        self.0.compare_exchange_weak(seen, next, order::WAY_WON, order::WAY_LOST).map(drop)
    }
}

pub(crate) const fn tag_of(bits: u64) -> u64 {
    bits >> STATE_BITS
}

/// One quota and what its keys' states have in common.
#[derive(Debug)]
pub(crate) struct Class<R> {
    pub(crate) quota: Quota,
    pub(crate) rule: R,
    /// No state of the class is a larger word than this.
    top: AtomicU64,
    /// How far `top` is raised beyond what needs it, so that it seldom is.
    headroom: u64,
}

impl<R: Rule> Class<R> {
    pub(crate) fn new(quota: Quota) -> Self {
        let rule = R::in_few_bits(quota);
        let headroom = rule.fresh(Timestamp::from_millis(1)).bits().max(rule.most_owed());
        Self { quota, rule, top: AtomicU64::new(headroom), headroom }
    }

    /// The word of which `bits` keeps the low ones: the largest up to `top`.
    #[inline]
    pub(crate) fn word(&self, bits: u64) -> Word {
        // Relaxed: what is needed for `bits` came with them.
        let top = self.top.load(Ordering::Relaxed);
        Word::from_bits(top.saturating_sub(top.wrapping_sub(bits) & STATE))
    }

    /// The floor that must be if this slot is given away: above its word, so that no slot is ever again what it was
    /// before an insertion.
    #[inline]
    pub(crate) fn given_away(&self, bits: u64) -> Word {
        self.rule.word_from(self.word(bits).bits().saturating_add(1))
    }

    /// The slot that keeps `word` for `tag`.
    #[inline]
    pub(crate) fn bits(&self, tag: u64, word: Word) -> u64 {
        let mut top = self.top.load(Ordering::Relaxed);
        if word.bits() > top {
            top = word.bits().saturating_add(self.headroom);
            // Relaxed: the exchange that makes the word visible releases it.
            self.top.fetch_max(top, Ordering::Relaxed);
        }
        // A word so old that it could be taken for a newer one owes nothing, whichever it is.
        let word = self.rule.word_from(word.bits().max(top.saturating_sub(STATE / 2)));
        tag << STATE_BITS | word.bits() & STATE
    }

    /// The slot after `n` permits are spent from it, unless they don't fit or it is another key's.
    #[inline(always)]
    pub(crate) fn decide(&self, tag: u64, bits: u64, n: u32, now: Timestamp) -> Option<u64> {
        if tag_of(bits) != tag {
            return None;
        }
        self.rule.decide(self.word(bits), n, now).map(|word| self.bits(tag, word))
    }
}
