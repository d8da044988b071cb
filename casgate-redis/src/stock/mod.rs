//! The leases of one limit in this process, as the threads share them.

#[cfg(all(test, not(casgate_loom)))]
mod tests;
mod word;

pub(crate) use word::Word;

use crate::sync::{AtomicU32, AtomicU64, Ordering};
use casgate::Timestamp;
use crossbeam_utils::{Backoff, CachePadded};
use word::choose;

/// Two leases: one that is spent, and the next. Which is which depends on their deadlines alone.
///
/// Two leases are never merged: one deadline for both would let the permits of one be spent too
/// late. A permit is spent by one exchange of the word that holds it, with the deadline in the same
/// word.
///
/// A word is all the state there is of its lease, and exchanges see the newest value in the word's
/// own order. So all accesses are `Relaxed`, but for those that order a new lease with its low
/// mark.
#[derive(Debug)]
pub(crate) struct Stock {
    words: CachePadded<[AtomicU64; 2]>,
    /// The thread that takes a word to so many permits or fewer says so: it is time to ask for the
    /// next lease.
    low: AtomicU32,
}

/// Permits were spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spent {
    /// What the lease has left.
    pub(crate) left: u32,
    /// When it ends, in ticks.
    pub(crate) tick: u64,
    /// Of all who spend from a lease, one sees this.
    pub(crate) is_low: bool,
}

impl Stock {
    pub(crate) fn new() -> Self {
        Self {
            words: CachePadded::new([AtomicU64::new(0), AtomicU64::new(0)]),
            low: AtomicU32::new(0),
        }
    }

    /// Spends so many permits, at least one, of one lease that has them at `now`.
    #[inline]
    pub(crate) fn spend(&self, permits: u32, now: Timestamp) -> Option<Spent> {
        let words = self.words();
        let index = choose(words, permits, now)?;
        let (seen, next) = (words[index], words[index].less(permits));
        // The processor guesses the outcome of a branch. So it knows the address before it has compared the words,
        // which saves a quarter of a decision.
        //
        // Acquire: synchronizes with the exchange that put the lease, so its low mark is seen, or a later one.
        let is_spent = match index {
            0 => self.exchange(0, seen, next, Ordering::Acquire),
            _ => self.exchange(1, seen, next, Ordering::Acquire),
        };
        if is_spent { Some(self.spent(seen, next)) } else { self.spend_contended(permits, now) }
    }

    /// The way of those whose exchange failed. Not inlined, so that [`spend`](Self::spend) can be.
    #[cold]
    fn spend_contended(&self, permits: u32, now: Timestamp) -> Option<Spent> {
        let backoff = Backoff::new();
        loop {
            backoff.spin();
            let words = self.words();
            let index = choose(words, permits, now)?;
            let (seen, next) = (words[index], words[index].less(permits));
            if self.exchange(index, seen, next, Ordering::Acquire) {
                return Some(self.spent(seen, next));
            }
        }
    }

    #[inline]
    fn spent(&self, seen: Word, next: Word) -> Spent {
        let low = self.low.load(Ordering::Relaxed);
        let is_low = next.permits() <= low && seen.permits() > low;
        Spent { left: next.permits(), tick: next.tick(), is_low }
    }

    /// The permits that can be spent at `now`, of each lease.
    pub(crate) fn left(&self, now: Timestamp) -> [u32; 2] {
        self.words().map(|word| word.left(now))
    }

    /// The permits of both, whether or not they are over.
    pub(crate) fn permits(&self) -> u64 {
        self.words().iter().map(|word| u64::from(word.permits())).sum()
    }

    /// Puts a lease in the place of the one that has the fewest permits at `now`, if it has more.
    /// Returns the permits that lost their place, which nobody spends after that. Who takes the
    /// lease to half of its permits will know.
    pub(crate) fn put(&self, lease: Word, now: Timestamp) -> u32 {
        loop {
            let words = self.words();
            let index = usize::from(words[1].left(now) < words[0].left(now));
            if words[index].left(now) >= lease.left(now) {
                return lease.permits();
            }
            self.low.store(lease.permits() / 2, Ordering::Relaxed);
            // Release: synchronizes with those who spend of the lease. They see its low mark, or a later one.
            if self.exchange(index, words[index], lease, Ordering::Release) {
                return words[index].permits();
            }
        }
    }

    /// Takes back what is left of leases that are over at `now`. Nobody spends it after that.
    pub(crate) fn take_over(&self, now: Timestamp) -> u32 {
        let mut taken = 0;
        for (index, place) in self.words.iter().enumerate() {
            loop {
                let word = Word::from_bits(place.load(Ordering::Relaxed));
                if word.lives(now) || word == Word::default() {
                    break;
                }
                // With its deadline, also of a lease that is spent: so permits which are given back late are lost, and
                // not taken in a later window.
                if self.exchange(index, word, Word::default(), Ordering::Relaxed) {
                    taken += word.permits();
                    break;
                }
            }
        }
        taken
    }

    /// Takes up to so many permits, of both leases if need be. Returns how many, and whether it is
    /// [low](Spent::is_low) by that.
    pub(crate) fn drain(&self, permits: u32, now: Timestamp) -> (u32, bool) {
        let (mut taken, mut is_low) = (0, false);
        while taken < permits {
            let most = self.left(now).into_iter().max().unwrap_or(0);
            let part = most.min(permits - taken);
            if part == 0 {
                break;
            }
            if let Some(spent) = self.spend(part, now) {
                taken += part;
                is_low |= spent.is_low;
            }
        }
        (taken, is_low)
    }

    /// Gives unspent permits back to the lease that they are of, which ends in that tick, if it
    /// lives at `now`.
    pub(crate) fn give_back(&self, permits: u32, tick: u64, now: Timestamp) -> bool {
        for (index, place) in self.words.iter().enumerate() {
            loop {
                let word = Word::from_bits(place.load(Ordering::Relaxed));
                let lives = word.tick() == tick && word.lives(now);
                let Some(more) = word.more(permits).filter(|_| lives) else { break };
                if self.exchange(index, word, more, Ordering::Relaxed) {
                    return true;
                }
            }
        }
        false
    }

    #[inline]
    fn words(&self) -> [Word; 2] {
        [0, 1].map(|index: usize| Word::from_bits(self.words[index].load(Ordering::Relaxed)))
    }

    /// The one write.
    #[inline]
    fn exchange(&self, index: usize, seen: Word, next: Word, won: Ordering) -> bool {
        self.words[index]
            .compare_exchange_weak(seen.bits(), next.bits(), won, Ordering::Relaxed)
            .is_ok()
    }
}
