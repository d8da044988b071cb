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

impl<R: Copy> InForce<R> {
    #[inline(always)]
    pub(super) fn with(self, word: Word) -> Self {
        Self { word, ..self }
    }

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

    /// What stands in that generation's place: its rule, if the pair is found to be of that generation
    /// once more. Else perhaps a later rule, or fields of both.
    #[inline(always)]
    fn read<R: Adjust>(&self, [generation, bits]: [u64; 2]) -> InForce<R> {
        // Relaxed: the pair was read with Acquire, so these are no older than its generation's; and
        // the fence shows whether one is newer.
        let fields = self.place(generation).each_ref().map(|field| field.load(Ordering::Relaxed));
        // Acquire, to the Release fence in `set`: who read a field of a later generation then finds the
        // pair past this one, and `begun` at the later one.
        fence(order::RULE_FENCE);
        InForce { rule: R::from_fields(fields), generation, word: Word::from_bits(bits) }
    }

    /// The word of that pair with its rule; `None` if a later one may have been written over it.
    #[inline]
    fn in_force<R: Adjust>(&self, pair: [u64; 2]) -> Option<InForce<R>> {
        let seen: InForce<R> = self.read(pair);
        // Acquire: a thread that reads that a later change has begun finds the one before it in the pair. (Relaxed
        // would do, one loop later: the next loop's fence acquires what was read here. But then the
        // model checker must follow that loop everywhere, and no longer visits every execution.)
        let intact = self.begun.load(Ordering::Acquire) < seen.generation + 2;
        intact.then_some(seen)
    }

    /// Decides by the rule in force, in one attempt. The rule may be torn. Then the pair is past its
    /// generation: the exchange is lost, or the denial not confirmed.
    #[inline(always)]
    pub(super) fn attempt<R: Adjust>(
        &self,
        n: u32,
        now: Timestamp,
    ) -> Attempt<InForce<R>, [u64; 2]> {
        let guess = self.cell.guess();
        let seen: InForce<R> = self.read(guess);
        let step = |_| Some(seen.with(seen.rule.decide(seen.word, n, now)?).pair());
        match self.cell.attempt_on(guess, step) {
            Attempt::Won([_, bits]) => Attempt::Won(seen.with(Word::from_bits(bits))),
            Attempt::Declined(_) => Attempt::Declined(seen),
            Attempt::Lost(newer) => Attempt::Lost(newer),
        }
    }

    /// Replaces the word by what `step` makes of it and the rule in force: `Ok` with the new one, or
    /// `Err` with the one on which it declined.
    pub(super) fn update<R: Adjust>(
        &self,
        step: impl Fn(InForce<R>) -> Option<Word>,
    ) -> Result<InForce<R>, InForce<R>> {
        self.turns(None, step)
    }

    /// [`update`](Self::update) after an exchange was lost to `newer`.
    pub(super) fn update_after<R: Adjust>(
        &self,
        newer: [u64; 2],
        step: impl Fn(InForce<R>) -> Option<Word>,
    ) -> Result<InForce<R>, InForce<R>> {
        self.turns(Some(newer), step)
    }

    fn turns<R: Adjust>(
        &self,
        mut lost_to: Option<[u64; 2]>,
        step: impl Fn(InForce<R>) -> Option<Word>,
    ) -> Result<InForce<R>, InForce<R>> {
        loop {
            let seen = core::cell::Cell::new(None);
            let turn = |pair| {
                seen.set(self.in_force(pair));
                let seen: InForce<R> = seen.get()?;
                Some(seen.with(step(seen)?).pair())
            };
            let outcome = match lost_to {
                Some(newer) => self.cell.update_after(newer, turn),
                None => self.cell.update(turn),
            };
            if let Some(seen) = seen.get() {
                let word = |[_, bits]: [u64; 2]| seen.with(Word::from_bits(bits));
                return outcome.map(word).map_err(word);
            }
            lost_to = Some(self.cell.load());
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
            // Release, to the fence in `read`: the generation just loaded. Relaxed if lost.
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
        // Release, to the Acquire fence in `read`.
        fence(order::SET_FENCE);
        for (field, value) in self.place(generation).iter().zip(next.to_fields()) {
            // Relaxed: released to those who see `begun` by the fence, and to those who see the new
            // generation by the exchange.
            field.store(value, Ordering::Relaxed);
        }
        // Not torn: nobody else writes before the exchange.
        let before: R = self.read([generation - 1, 0]).rule;
        let _ = self.cell.update(|[_, bits]| {
            Some([generation, before.carry(Word::from_bits(bits), &next, now).bits()])
        });
    }
}

#[cfg(all(test, not(any(casgate_loom, casgate_shuttle))))]
mod tests {
    use super::*;
    use crate::algorithm::{Adjustable, FixedWindow, Machine, TokenBucket};
    use core::fmt::Debug;
    use core::time::Duration;

    const WORDS: [u64; 5] = [0, 1, 1 << 32, 1 << 63, u64::MAX];
    const TIMES: [u64; 6] = [0, 1, 1 << 32, 1 << 61, u64::MAX >> 1, u64::MAX];

    /// The slowest, the fastest and the largest ones.
    fn quotas() -> [Quota; 8] {
        let quota = |permits, nanos, burst| {
            let quota = Quota::new(permits, Duration::from_nanos(nanos)).unwrap();
            quota.with_burst(burst)
        };
        [
            quota(1, 1, u32::MAX),
            quota(1, 1 << 61, 1),
            quota(3, (1 << 61) - 1, 3),
            quota(5, 7, u32::MAX),
            quota(7, 1_000_000_000, 1),
            quota(1_000_000_000, 1_000_000_000, 2),
            quota(u32::MAX, u32::MAX.into(), 1),
            quota(u32::MAX, 1 << 61, u32::MAX),
        ]
    }

    /// Checks that begin from generation 0, whose place a setter of generation 2 has written in part
    /// before it was stopped.
    fn check_while_torn<R: Adjust + Debug + PartialEq>() {
        let fields = quotas().map(|quota| R::from_quota(quota).to_fields());
        for (before, after) in fields.iter().flat_map(|&a| fields.iter().map(move |&b| (a, b))) {
            let in_force = R::from_quota(Quota::per_second(2));
            let word = in_force.decide(Word::default(), 1, Timestamp::ZERO).unwrap();
            for mix in 0..1 << FIELDS {
                let field = |i: usize| if mix >> i & 1 == 0 { before[i] } else { after[i] };
                let live = Live {
                    cell: Cell::mirrored([1, word.bits()]),
                    begun: AtomicU64::new(2),
                    rules: [written(core::array::from_fn(field)), written(in_force.to_fields())],
                };
                for (guess, at) in WORDS.into_iter().flat_map(|w| TIMES.map(|at| (w, at))) {
                    for n in [1, 3, u32::MAX] {
                        live.mislead([0, guess]);
                        let now = Timestamp::from_nanos(at);
                        let decided = Adjustable::<R>::new().decide(&live, n, now, true);
                        let expected = in_force.decide(word, n, now);
                        let (Ok(seen) | Err(seen)) = decided;
                        let left = expected.unwrap_or(word);
                        assert_eq!(decided.is_ok(), expected.is_some(), "{n} at {now}");
                        assert_eq!((seen.rule, seen.pair()), (in_force, [1, left.bits()]));
                        // As before.
                        let back = |seen: InForce<R>| Some(word).filter(|_| seen.word != word);
                        let _ = live.update(back);
                    }
                }
            }
        }
    }

    #[test]
    fn a_torn_rule_decides_nothing_and_does_not_panic() {
        check_while_torn::<TokenBucket>();
        check_while_torn::<FixedWindow>();
    }
}
