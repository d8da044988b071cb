use crate::sync::{AtomicPair, AtomicU64, Ordering, const_unless_modelled, order};
use core::fmt;
use crossbeam_utils::Backoff;

/// An atomic that a [`Cell`] can hold.
pub trait Atom {
    type Bits: Copy + fmt::Debug;

    fn load(&self) -> Self::Bits;

    /// What an attempt begins from: the value, or one that it had. Cheaper than a load where a load
    /// is dear.
    #[inline(always)]
    fn guess(&self) -> Self::Bits {
        self.load()
    }

    /// `Err` with the value, if it is not `guess`. A load is right without asking.
    #[inline(always)]
    fn confirm(&self, _guess: Self::Bits) -> Result<(), Self::Bits> {
        Ok(())
    }

    /// `Err` with what it found, which may be `seen` itself.
    fn exchange(&self, seen: Self::Bits, next: Self::Bits) -> Result<(), Self::Bits>;

    /// What follows an attempt that was lost to `newer`: later ones may begin from that.
    #[inline(always)]
    fn correct(&self, _newer: Self::Bits) {}
}

/// Every access is `Relaxed`. The word is all the state there is, so there is no other memory to
/// order with it; and changes are read-modify-writes, which see the newest value in the word's own
/// modification order whatever their ordering. That order is the order in which the limiter admits. A
/// step that declines is the load, or the failed exchange, that read the word it declined on.
impl Atom for AtomicU64 {
    type Bits = u64;

    #[inline]
    fn load(&self) -> u64 {
        // Relaxed: see the impl.
        self.load(Ordering::Relaxed)
    }

    #[inline]
    fn exchange(&self, seen: u64, next: u64) -> Result<(), u64> {
        // Relaxed, won or lost: see the impl.
        self.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed).map(drop)
    }
}

/// Two words in one order, for the same reasons; but one of them may stand for memory apart (the
/// quotas of an `Adjustable`), so a change releases what was written there before it, and a thread that
/// reads it acquires that.
impl Atom for AtomicPair {
    type Bits = [u64; 2];

    #[inline(always)]
    fn load(&self) -> [u64; 2] {
        // Acquire: see the impl.
        self.load(order::PAIR_LOAD)
    }

    #[inline(always)]
    fn exchange(&self, seen: [u64; 2], next: [u64; 2]) -> Result<(), [u64; 2]> {
        // Release if won, for what was seen was acquired when it was read; Acquire if lost, as a load.
        self.compare_exchange_weak(seen, next, order::PAIR_WON, order::PAIR_LOST).map(drop)
    }
}

/// One shared word, or two in one atomic, and the one loop that changes it.
pub struct Cell<A = AtomicU64>(A);

impl<A: Atom> fmt::Debug for Cell<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cell").field(&self.load()).finish()
    }
}

impl Cell {
    const_unless_modelled! {
        pub(crate) fn new(bits: u64) -> Self {
            Self(AtomicU64::new(bits))
        }
    }
}

#[cfg(feature = "alloc")]
impl Cell<AtomicPair> {
    const_unless_modelled! {
        pub(crate) fn pair(words: [u64; 2]) -> Self {
            Self(AtomicPair::new(words))
        }
    }
}

impl<A> Cell<A> {
    pub(crate) const fn of(atom: A) -> Self {
        Self(atom)
    }

    /// For changes that are no step of the loop.
    #[cfg(any(feature = "alloc", test))]
    pub(crate) const fn atom(&self) -> &A {
        &self.0
    }
}

impl<A: Atom> Cell<A> {
    #[inline]
    pub(crate) fn load(&self) -> A::Bits {
        self.0.load()
    }

    /// Replaces the word by what `step` makes of it: `Ok` with the new word, or `Err` with the
    /// word on which `step` declined, which is then left as it was.
    ///
    /// Lock-free: an exchange is lost to another that was won or, on some processors, to chance.
    /// `step` runs once more for each, so it must be pure.
    #[inline]
    pub(crate) fn update(
        &self,
        step: impl Fn(A::Bits) -> Option<A::Bits>,
    ) -> Result<A::Bits, A::Bits> {
        match self.attempt(&step) {
            Attempt::Won(next) => Ok(next),
            Attempt::Declined(seen) => Err(seen),
            Attempt::Lost(newer) => self.update_after(newer, step),
        }
    }

    /// One turn of [`update`](Self::update)'s loop. If the exchange is lost, a caller in a hurry
    /// leaves the rest to a cold function of its own, which calls
    /// [`update_after`](Self::update_after): the path that wins at once then saves no register and
    /// keeps nothing in memory for the other.
    #[inline(always)]
    pub(crate) fn attempt(&self, step: impl Fn(A::Bits) -> Option<A::Bits>) -> Attempt<A::Bits> {
        self.attempt_on(self.guess(), step)
    }

    /// See [`Atom::guess`].
    #[inline(always)]
    pub(crate) fn guess(&self) -> A::Bits {
        self.0.guess()
    }

    /// [`attempt`](Self::attempt) by a caller that has loaded or guessed the word.
    #[inline(always)]
    pub(crate) fn attempt_on(
        &self,
        seen: A::Bits,
        step: impl FnOnce(A::Bits) -> Option<A::Bits>,
    ) -> Attempt<A::Bits> {
        let Some(next) = step(seen) else {
            return match self.0.confirm(seen) {
                Ok(()) => Attempt::Declined(seen),
                Err(newer) => Attempt::Lost(newer),
            };
        };
        match self.0.exchange(seen, next) {
            Ok(()) => Attempt::Won(next),
            Err(newer) => Attempt::Lost(newer),
        }
    }

    /// The rest of [`update`](Self::update) after an exchange was lost to `seen`.
    ///
    /// A loser backs off, which moves a contended word in longer runs between the cores; it keeps
    /// the value that the lost exchange returned, for a loop that loads again would read a line
    /// that the next exchange must fetch once more to write.
    #[inline]
    pub(crate) fn update_after(
        &self,
        mut seen: A::Bits,
        step: impl Fn(A::Bits) -> Option<A::Bits>,
    ) -> Result<A::Bits, A::Bits> {
        self.0.correct(seen);
        let backoff = Backoff::new();
        loop {
            backoff.spin();
            let Some(next) = step(seen) else { return Err(seen) };
            match self.0.exchange(seen, next) {
                Ok(()) => return Ok(next),
                Err(newer) => seen = newer,
            }
        }
    }
}

/// How an [attempt](Cell::attempt) ended: with the new word, with the word on which the step
/// declined, or with the word to which the exchange was lost.
#[derive(Clone, Copy, Debug)]
pub enum Attempt<B, N = B> {
    Won(B),
    Declined(B),
    Lost(N),
}

#[cfg(all(test, feature = "alloc", not(any(casgate_loom, casgate_shuttle))))]
mod tests {
    use super::*;
    use crate::algorithm::{FixedWindow, Rule, TokenBucket};
    use crate::word::Word;
    use crate::{Quota, Timestamp};

    /// A word that counts its exchanges, and loses as many of them as the test says.
    struct Counting {
        bits: core::cell::Cell<u64>,
        exchanges: core::cell::Cell<u32>,
        to_lose: core::cell::Cell<u32>,
    }

    impl Atom for Counting {
        type Bits = u64;

        fn load(&self) -> u64 {
            self.bits.get()
        }

        fn exchange(&self, seen: u64, next: u64) -> Result<(), u64> {
            self.exchanges.set(self.exchanges.get() + 1);
            if self.to_lose.get() > 0 {
                self.to_lose.set(self.to_lose.get() - 1);
                return Err(self.bits.get());
            }
            assert_eq!(self.bits.get(), seen);
            self.bits.set(next);
            Ok(())
        }
    }

    fn cell(bits: Word, to_lose: u32) -> Cell<Counting> {
        Cell::of(Counting {
            bits: bits.bits().into(),
            exchanges: 0.into(),
            to_lose: to_lose.into(),
        })
    }

    fn ask(rule: &impl Rule, cell: &Cell<Counting>) -> bool {
        let step = |bits| rule.decide(Word::from_bits(bits), 1, Timestamp::ZERO).map(Word::bits);
        cell.update(step).is_ok()
    }

    /// An exchange is the only way to write.
    #[test]
    fn a_denial_writes_nothing() {
        fn deny(rule: &impl Rule) {
            let full = rule.decide(Word::default(), 3, Timestamp::ZERO).unwrap();
            let cell = cell(full, 0);
            assert!(!ask(rule, &cell));
            assert_eq!((cell.load(), cell.atom().exchanges.get()), (full.bits(), 0));
        }
        let quota = Quota::per_second(3);
        deny(&FixedWindow::new(quota));
        deny(&TokenBucket::new(quota));
    }

    #[test]
    fn an_admission_is_one_exchange_and_one_more_for_each_that_is_lost() {
        let rule = TokenBucket::new(Quota::per_second(3));
        for lost in 0..5 {
            let cell = cell(Word::default(), lost);
            assert!(ask(&rule, &cell));
            assert_eq!(cell.atom().exchanges.get(), lost + 1);
        }
    }
}
