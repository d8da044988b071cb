use casgate::Timestamp;

/// A lease in one word, its deadline rounded down to a tick:
///
/// ```text
/// 63                              24        bits 0
/// | deadline, in ticks of 2^20 ns | permits |
/// ```
///
/// The deadline has 40 bits, so it never wraps: it reaches 36 years past the origin of the clock. A
/// later one counts as that, and so nothing is spent after it. Of two words with permits, the
/// smaller ends first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word(u64);

const PERMIT_BITS: u32 = 24;
/// A little more than a millisecond.
const TICK_BITS: u32 = 20;
const LAST_TICK: u64 = u64::MAX >> PERMIT_BITS;

impl Word {
    /// The most permits that one lease can hold.
    pub(crate) const MOST: u32 = (1 << PERMIT_BITS) - 1;

    pub(crate) fn new(permits: u32, ends: Timestamp) -> Self {
        let tick = (ends.as_nanos() >> TICK_BITS).min(LAST_TICK);
        Self(tick << PERMIT_BITS | u64::from(permits.min(Self::MOST)))
    }

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// The permits, whether or not it is over.
    pub(crate) const fn permits(self) -> u32 {
        self.0 as u32 & Self::MOST
    }

    pub(crate) const fn tick(self) -> u64 {
        self.0 >> PERMIT_BITS
    }

    /// Whether it is not over at `now`.
    #[inline]
    pub(crate) const fn lives(self, now: Timestamp) -> bool {
        now.as_nanos() >> TICK_BITS < self.tick()
    }

    /// The permits that can be spent at `now`.
    #[inline]
    pub(crate) const fn left(self, now: Timestamp) -> u32 {
        if self.lives(now) { self.permits() } else { 0 }
    }

    /// What remains when so many of its permits are spent. The caller has seen that it has them.
    #[inline]
    pub(crate) const fn less(self, permits: u32) -> Self {
        Self(self.0 - permits as u64)
    }

    /// The same lease with more permits, or `None` if they don't fit.
    pub(crate) const fn more(self, permits: u32) -> Option<Self> {
        if permits <= Self::MOST - self.permits() {
            Some(Self(self.0 + permits as u64))
        } else {
            None
        }
    }
}

/// From which of two leases so many permits can be spent: the one that ends first, if it has them.
#[inline]
pub(crate) fn choose(words: [Word; 2], permits: u32, now: Timestamp) -> Option<usize> {
    let first = usize::from(words[1] < words[0]);
    if words[first].left(now) >= permits {
        Some(first)
    } else if words[1 - first].left(now) >= permits {
        Some(1 - first)
    } else {
        None
    }
}

#[cfg(all(test, not(casgate_loom)))]
mod tests {
    use super::*;
    use std::time::Duration;

    const TICK: Duration = Duration::from_nanos(1 << TICK_BITS);

    #[test]
    fn a_lease_is_never_alive_at_its_deadline() {
        for nanos in
            [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 123_456_789_012, u64::MAX >> 4, u64::MAX]
        {
            let ends = Timestamp::from_nanos(nanos);
            let word = Word::new(5, ends);
            assert_eq!(word.left(ends), 0, "{nanos}");
            assert_eq!(word.left(Timestamp::MAX), 0, "{nanos}");
            // It gives up less than a tick.
            let last = ends.as_nanos().min(LAST_TICK << TICK_BITS);
            if let Some(before) = Timestamp::from_nanos(last).checked_sub(TICK) {
                assert_eq!(word.left(before), 5, "{nanos}");
            }
        }
    }

    #[test]
    fn permits_and_deadline_do_not_mix() {
        let now = Timestamp::from_secs(1);
        let word = Word::new(u32::MAX, now + TICK);
        assert_eq!(word.permits(), Word::MOST);
        let spent = word.less(Word::MOST);
        assert_eq!((spent.permits(), spent.tick()), (0, word.tick()));
        assert_eq!(spent.more(Word::MOST), Some(word));
        assert_eq!(word.more(1), None);
    }

    #[test]
    fn what_ends_first_is_spent_first() {
        let at = |secs| Timestamp::from_secs(secs);
        let (soon, late) = (Word::new(2, at(2)), Word::new(9, at(3)));
        for (words, permits, now, chosen) in [
            ([soon, late], 2, at(1), Some(0)),
            ([late, soon], 2, at(1), Some(1)),
            ([late, soon], 3, at(1), Some(0)),
            ([soon, late], 10, at(1), None),
            ([soon, late], 1, at(2), Some(1)),
            ([soon, late], 1, at(3), None),
            ([Word::default(), late], 1, at(1), Some(1)),
            ([soon.less(2), late], 1, at(1), Some(1)),
        ] {
            assert_eq!(choose(words, permits, now), chosen, "{words:?} {permits} {now}");
        }
    }
}
