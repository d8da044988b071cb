use super::Outstanding;
use super::{Change, FixedWindow, Machine, Rule, TokenBucket, WeightedMachine, take_from};
use crate::cell::Cell;
use crate::decision::{Admitted, Denied, Snapshot};
use crate::quota::Quota;
use crate::sync::{
    AtomicPair, AtomicU64, Ordering, const_unless_modelled, fence, order, wait_a_little,
};
use crate::timestamp::Timestamp;
use crate::word::Word;
use core::fmt::{self, DebugStruct};
use core::time::Duration;

/// An algorithm whose quota can change while others check.
///
/// [`Limiter::adjustable_token_bucket`] and [`Limiter::adjustable_fixed_window`] make one.
/// [`Limiter::set_quota`] changes the quota, and says what becomes of the spent permits.
///
/// Each decision is made wholly by the one quota that is in force at the instant of the decision.
/// Changes and checks have one order. A check never waits: a thread stopped in the middle of
/// `set_quota` stops no check. It does stop other `set_quota`s, which wait for each other. On
/// machines without a 128-bit atomic a lock takes its place: see [`Both`](super::Both).
///
/// # How it works
///
/// The algorithm's word shares a 128-bit atomic with a generation, which counts the changes. The
/// quota is too large for that. It lies next to the atomic in one of two places, for even and odd
/// generations. A check reads the pair, then the generation's place, and then one more word. That
/// word shows whether a later change has begun to write there, and if so the check starts again.
/// The exchange of the check fails if the generation has changed meanwhile.
///
/// [`Limiter::adjustable_token_bucket`]: crate::Limiter::adjustable_token_bucket
/// [`Limiter::adjustable_fixed_window`]: crate::Limiter::adjustable_fixed_window
/// [`Limiter::set_quota`]: crate::Limiter::set_quota
///
/// ```
/// use casgate::algorithm::Adjustable;
/// use casgate::{Limiter, Quota, Timestamp, TokenBucket};
///
/// static API: Limiter<Adjustable<TokenBucket>> =
///     Limiter::adjustable_token_bucket(Quota::per_second(100));
///
/// let now = Timestamp::ZERO;
/// assert!(API.check_n_at(30, now).is_ok());
/// API.set_quota_at(Quota::per_second(40), now);
/// assert_eq!(API.peek_at(now).remaining(), 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adjustable<R>(core::marker::PhantomData<fn() -> R>);

/// How many words an algorithm's numbers take.
const FIELDS: usize = 6;

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

/// The shared state.
pub struct Live {
    /// The generation and the word.
    cell: Cell<AtomicPair>,
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

const_unless_modelled! {
    fn written(fields: [u64; FIELDS]) -> [AtomicU64; FIELDS] {
        let [a, b, c, d, e, f] = fields;
        [
            AtomicU64::new(a),
            AtomicU64::new(b),
            AtomicU64::new(c),
            AtomicU64::new(d),
            AtomicU64::new(e),
            AtomicU64::new(f),
        ]
    }
}

impl Live {
    const_unless_modelled! {
        pub(crate) fn new(rule: [u64; FIELDS]) -> Self {
            let rules = [written(rule), written(rule)];
            Self { cell: Cell::pair([0, 0]), begun: AtomicU64::new(0), rules }
        }
    }

    fn place(&self, generation: u64) -> &[AtomicU64; FIELDS] {
        &self.rules[(generation & 1) as usize]
    }

    /// The rule of that generation; `None` if a later one may have been written over it.
    #[inline]
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

    /// Replaces the word by what `step` makes of it and the rule in force: `Ok` with both, or `Err`
    /// with those on which it declined.
    #[inline]
    fn update<R: Adjust>(
        &self,
        step: impl Fn(R, Word) -> Option<Word>,
    ) -> Result<(R, Word), (R, Word)> {
        loop {
            let in_force = core::cell::Cell::new(None);
            let outcome = self.cell.update(|[generation, bits]| {
                let rule = self.rule(generation);
                in_force.set(rule);
                let next = step(rule?, Word::from_bits(bits))?;
                Some([generation, next.bits()])
            });
            let answer = |bits| in_force.get().map(|rule: R| (rule, Word::from_bits(bits)));
            match outcome {
                Ok([_, bits]) => {
                    if let Some(answer) = answer(bits) {
                        return Ok(answer);
                    }
                }
                Err([_, bits]) => {
                    if let Some(answer) = answer(bits) {
                        return Err(answer);
                    }
                }
            }
        }
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

impl<R> Adjustable<R> {
    pub(crate) const fn new() -> Self {
        Self(core::marker::PhantomData)
    }
}

impl<R: Adjust> Machine for Adjustable<R> {
    type State = Live;
    type Seen = (R, Word);

    fn is_lock_free() -> bool {
        AtomicPair::is_lock_free()
    }

    fn look(&self, state: &Live) -> (R, Word) {
        let (Ok(seen) | Err(seen)) = state.update(|_, _| None);
        seen
    }

    #[inline]
    fn decide(
        &self,
        state: &Live,
        n: u32,
        now: Timestamp,
        _: bool,
    ) -> Result<(R, Word), (R, Word)> {
        state.update(|rule: R, word| rule.decide(word, n, now))
    }

    #[inline]
    fn admitted(&self, _: &Live, (rule, word): (R, Word), n: u32, now: Timestamp) -> Admitted {
        rule.admitted(word, n, now)
    }

    #[inline]
    fn denied(&self, _: &Live, (rule, word): (R, Word), n: u32, now: Timestamp) -> Denied {
        rule.denied(word, n, now)
    }

    #[inline]
    fn is_late(&self, _: &Live, (rule, word): (R, Word), now: Timestamp) -> bool {
        rule.is_late(word, now)
    }

    #[inline]
    fn is_due_within(
        &self,
        _: &Live,
        (rule, word): (R, Word),
        n: u32,
        now: Timestamp,
        lag: Duration,
    ) -> bool {
        rule.is_due_within(word, n, now, lag)
    }

    fn peek(&self, state: &Live, now: Timestamp) -> Snapshot {
        let (rule, word) = self.look(state);
        rule.snapshot(word, now)
    }

    fn describe(&self, state: &Live, out: &mut DebugStruct<'_, '_>) {
        let (rule, word) = self.look(state);
        rule.describe(word, out);
    }
}

impl<R: Adjust> WeightedMachine for Adjustable<R> {
    fn change(&self, state: &Live, change: Change) -> (R, Word) {
        let outcome = state.update(|rule: R, word| {
            let next = change.apply(&rule, 0, word);
            (next != word).then_some(next)
        });
        let (Ok(seen) | Err(seen)) = outcome;
        seen
    }

    fn take_up_to(&self, state: &Live, n: u32, now: Timestamp) -> u32 {
        // Written again by each run of the step, of which the last one counts.
        let taken = core::cell::Cell::new(0);
        let outcome = state.update(|rule: R, word| {
            let (n, next) = take_from(&rule, word, n, now)?;
            taken.set(n);
            Some(next)
        });
        outcome.map_or(0, |_| taken.get())
    }

    fn save(&self, state: &Live, now: Timestamp) -> [Outstanding; 2] {
        let (rule, word) = self.look(state);
        [Outstanding::of(rule.snapshot(word, now)), Outstanding::default()]
    }
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

            #[inline]
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
