//! The state of an algorithm whose quota changes: its word, and the rule in force.

use super::adjust::{Adjust, FIELDS};
use crate::cell::{Attempt, Cell};
use crate::mirrored::Mirrored;
use crate::quota::Quota;
use crate::sync::{AtomicU64, Ordering, const_unless_modelled, fence, order, wait_a_little};
use crate::timestamp::Timestamp;
use crate::word::Word;
use core::fmt;

/// The shared state.
pub struct Live {
    /// The generation and the word.
    cell: Cell<Mirrored>,
    /// The newest generation that was begun. Others than its owner write nothing until `cell` has
    /// reached it.
    begun: AtomicU64,
    /// The rules of even and odd generations.
    rules: [[AtomicU64; FIELDS]; 2],
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("cell", &self.cell).finish_non_exhaustive()
    }
}

/// The word, with the rule that decides on it.
#[derive(Clone, Copy, Debug)]
pub struct InForce<R> {
    pub(super) rule: R,
    pub(super) generation: u64,
    pub(super) word: Word,
}

impl<R> InForce<R> {
    /// As it stands in the cell.
    #[inline(always)]
    pub(crate) fn pair(self) -> [u64; 2] {
        [self.generation, self.word.bits()]
    }
}

const_unless_modelled! {
    fn written(fields: [u64; FIELDS]) -> [AtomicU64; FIELDS] {
        let [a, b, c, d, e] = fields;
        [
            AtomicU64::new(a),
            AtomicU64::new(b),
            AtomicU64::new(c),
            AtomicU64::new(d),
            AtomicU64::new(e),
        ]
    }
}

impl Live {
    const_unless_modelled! {
        pub(crate) fn new(rule: [u64; FIELDS]) -> Self {
            let rules = [written(rule), written(rule)];
            Self { cell: Cell::mirrored([0, 0]), begun: AtomicU64::new(0), rules }
        }
    }

    #[inline(always)]
    fn place(&self, generation: u64) -> &[AtomicU64; FIELDS] {
        &self.rules[(generation & 1) as usize]
    }

    /// The rule of that generation; `None` if a later one may have been written over it.
    #[inline(always)]
    fn rule<R: Adjust>(&self, generation: u64) -> Option<R> {
        // Relaxed: the pair was read with Acquire, so these are no older than its generation's; and
        // the fence shows whether one is newer.
        let fields = self.place(generation).each_ref().map(|field| field.load(Ordering::Relaxed));
        // Acquire, to the Release fence in `set`: if a field was read that was written after that
        // one, then `begun` is read as at least what was stored before it.
        fence(order::RULE_FENCE);
        // Acquire: a thread that reads that a later change has begun finds the one before it in the pair. (Relaxed
        // would do, one loop later: the next loop's fence acquires what was read here. But then the
        // model checker must follow that loop everywhere, and no longer visits every execution.)
        let intact = self.begun.load(Ordering::Acquire) < generation + 2;
        intact.then(|| R::from_fields(fields))
    }

    /// The word of that pair with its rule; `None` as [`rule`](Self::rule).
    #[inline(always)]
    fn in_force<R: Adjust>(&self, [generation, bits]: [u64; 2]) -> Option<InForce<R>> {
        let rule = self.rule(generation)?;
        Some(InForce { rule, generation, word: Word::from_bits(bits) })
    }

    /// One turn of [`update`](Self::update); the rest is [`update_after`](Self::update_after).
    #[inline(always)]
    pub(super) fn attempt<R: Adjust>(
        &self,
        step: impl Fn(InForce<R>) -> Option<Word>,
    ) -> Attempt<InForce<R>, [u64; 2]> {
        let guess = self.cell.guess();
        let Some(seen) = self.in_force(guess) else { return Attempt::Lost(self.cell.load()) };
        let step = |_| Some(InForce { word: step(seen)?, ..seen }.pair());
        match self.cell.attempt_on(guess, step) {
            Attempt::Won([_, bits]) => {
                Attempt::Won(InForce { word: Word::from_bits(bits), ..seen })
            }
            Attempt::Declined(_) => Attempt::Declined(seen),
            Attempt::Lost(newer) => Attempt::Lost(newer),
        }
    }

    /// Replaces the word by what `step` makes of it and the rule in force: `Ok` with the new one, or
    /// `Err` with the one on which it declined.
    #[inline]
    pub(super) fn update<R: Adjust>(
        &self,
        step: impl Fn(InForce<R>) -> Option<Word>,
    ) -> Result<InForce<R>, InForce<R>> {
        match self.attempt(&step) {
            Attempt::Won(next) => Ok(next),
            Attempt::Declined(seen) => Err(seen),
            Attempt::Lost(newer) => self.update_after(newer, step),
        }
    }

    /// The rest of [`update`](Self::update) after an exchange was lost to `newer`.
    pub(super) fn update_after<R: Adjust>(
        &self,
        mut newer: [u64; 2],
        step: impl Fn(InForce<R>) -> Option<Word>,
    ) -> Result<InForce<R>, InForce<R>> {
        loop {
            let seen = core::cell::Cell::new(None);
            let outcome = self.cell.update_after(newer, |pair| {
                seen.set(self.in_force(pair));
                let seen = seen.get()?;
                Some(InForce { word: step(seen)?, ..seen }.pair())
            });
            if let Some(seen) = seen.get() {
                let word = |[_, bits]: [u64; 2]| InForce { word: Word::from_bits(bits), ..seen };
                return outcome.map(word).map_err(word);
            }
            newer = self.cell.load();
        }
    }

    /// Makes attempts begin from that pair.
    #[cfg(test)]
    pub(crate) fn mislead(&self, pair: [u64; 2]) {
        self.cell.mislead(pair);
    }

    /// Puts the rule of `quota` in force.
    pub(crate) fn set<R: Adjust>(&self, quota: Quota, now: Timestamp) {
        let next = R::from_quota(quota);
        let generation = loop {
            let [generation, _] = self.cell.load();
            // Release, to the fence in `rule`: the generation just read. Relaxed if lost.
            let turn = self.begun.compare_exchange(
                generation,
                generation + 1,
                order::BEGUN_TAKE,
                Ordering::Relaxed,
            );
            if turn.is_ok() {
                break generation + 1;
            }
            wait_a_little();
        };
        // Release, to the Acquire fence in `rule`.
        fence(order::SET_FENCE);
        for (field, value) in self.place(generation).iter().zip(next.to_fields()) {
            // Relaxed: released to those who see `begun` by the fence, and to those who see the new
            // generation by the exchange.
            field.store(value, Ordering::Relaxed);
        }
        let before: R = self.rule(generation - 1).expect("only its owner writes a generation");
        let _ = self.cell.update(|[_, bits]| {
            Some([generation, before.carry(Word::from_bits(bits), &next, now).bits()])
        });
    }
}
