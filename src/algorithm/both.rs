use super::{Change, Line, Machine, Rule, WeightedMachine, take_from};
use super::{Outstanding, RuleParts};
use crate::cell::{Attempt, Cell};
use crate::decision::{Admitted, Denied, Snapshot};
use crate::mirrored::Mirrored;
use crate::sync::AtomicPair;
use crate::timestamp::Timestamp;
use crate::word::Word;
use core::fmt::DebugStruct;
use core::num::NonZeroU64;
use core::time::Duration;

/// Two algorithms, one decision: both admit, or neither spends anything.
///
/// Their two words are changed together, by compare-and-swap of one 128-bit atomic. So no caller
/// ever sees one quota charged and the other not. The bounds of both algorithms hold. A decision
/// begins from a copy of the words, since 128 bits are slow to load. Only the exchange, or for a
/// denial a load, decides whether the copy was right.
/// [`Denied::reason`] says which denied.
///
/// - `remaining` is the smaller of the two. `limit` is that of the same algorithm; but in a denial it is
///   that of the one that denies, whichever has less left.
/// - `retry_after` is the longer wait of those that deny, or `None` if the two never admit the
///   request together.
/// - `reset_after` is the longer of the two.
/// - The ticket is that of the first algorithm.
///
/// # Machines without a 128-bit atomic
///
/// AArch64 always has one. On x86-64 the processor's instruction is detected when the program runs,
/// and only the first x86-64 processors lack it. With one, a `Both` is as lock-free as the others,
/// and an admission costs [more](crate::guide::choosing#what-it-costs). Elsewhere `portable-atomic` takes
/// a lock out of a global table. The decisions are the same, but a thread stopped in the middle of
/// one stops others. Call [`Limiter::is_lock_free`](crate::Limiter::is_lock_free) to find out.
///
/// ```
/// use casgate::algorithm::Both;
/// use casgate::{FixedWindow, Limiter, Quota, Reason, Timestamp, TokenBucket};
///
/// // Ten a second, and a thousand an hour.
/// static API: Limiter<Both<TokenBucket, FixedWindow>> = Limiter::both(
///     TokenBucket::new(Quota::per_second(10)),
///     FixedWindow::new(Quota::per_hour(1_000)),
/// );
///
/// let now = Timestamp::ZERO;
/// assert!(API.check_n_at(10, now).is_ok());
/// let denied = API.check_at(now).unwrap_err();
/// assert_eq!(denied.reason(), Reason::Quota { index: 0 });
/// assert_eq!(denied.retry_after().unwrap().as_millis(), 100);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Both<A, B> {
    pub(crate) first: A,
    pub(crate) second: B,
}

impl<A: Rule, B: Rule> Both<A, B> {
    /// Both words after the decision of each; `None` if one of them denies.
    #[inline(always)]
    fn step(&self, [first, second]: [u64; 2], n: u32, now: Timestamp) -> Option<[u64; 2]> {
        let first = self.first.decide(Word::from_bits(first), n, now)?;
        let second = self.second.decide(Word::from_bits(second), n, now)?;
        Some([first.bits(), second.bits()])
    }

    #[inline]
    fn join(one: Snapshot, other: Snapshot) -> Snapshot {
        let scarcer = if other.remaining < one.remaining { other } else { one };
        Snapshot { reset_after: one.reset_after.max(other.reset_after), ..scarcer }
    }
}

impl<A: Rule, B: Rule> Machine for Both<A, B> {
    type State = Cell<Mirrored>;
    type Seen = [Word; 2];
    type Newer = [u64; 2];

    fn is_lock_free() -> bool {
        AtomicPair::is_lock_free()
    }

    fn look(&self, state: &Self::State) -> [Word; 2] {
        state.load().map(Word::from_bits)
    }

    #[inline(always)]
    fn decide(
        &self,
        state: &Self::State,
        n: u32,
        now: Timestamp,
        _: bool,
    ) -> Result<[Word; 2], [Word; 2]> {
        match self.attempt(state, n, now) {
            Attempt::Won(next) => Ok(next),
            Attempt::Declined(seen) => Err(seen),
            Attempt::Lost(newer) => self.decide_after(state, newer, n, now),
        }
    }

    #[inline(always)]
    fn attempt(&self, state: &Self::State, n: u32, now: Timestamp) -> Attempt<[Word; 2], [u64; 2]> {
        match state.attempt(|words| self.step(words, n, now)) {
            Attempt::Won(next) => Attempt::Won(next.map(Word::from_bits)),
            Attempt::Declined(seen) => Attempt::Declined(seen.map(Word::from_bits)),
            Attempt::Lost(newer) => Attempt::Lost(newer),
        }
    }

    #[cold]
    #[inline(never)]
    fn decide_after(
        &self,
        state: &Self::State,
        lost_to: [u64; 2],
        n: u32,
        now: Timestamp,
    ) -> Result<[Word; 2], [Word; 2]> {
        let words = |bits: [u64; 2]| bits.map(Word::from_bits);
        let outcome = state.update_after(lost_to, |words| self.step(words, n, now));
        outcome.map(words).map_err(words)
    }

    #[inline(always)]
    fn admitted(&self, _: &Self::State, words: [Word; 2], n: u32, now: Timestamp) -> Admitted {
        let [first, second] = words;
        let one = self.first.admitted(first, n, now);
        Admitted { after: Self::join(one.after, self.second.snapshot(second, now)), ..one }
    }

    #[inline(always)]
    fn denied(
        &self,
        _: &Self::State,
        [first, second]: [Word; 2],
        n: u32,
        now: Timestamp,
    ) -> Denied {
        let one = self.first.denied(first, n, now);
        let other = Denied { by: 1, ..self.second.denied(second, n, now) };
        // Of those that deny, the one that does for longer: permanently, if there is no wait.
        let wait = |denied: Denied| denied.wait.map_or(u64::MAX, NonZeroU64::get);
        let first_fits = self.first.decide(first, n, now).is_some();
        let second_fits = self.second.decide(second, n, now).is_some();
        let second_denies = first_fits || (!second_fits && wait(other) > wait(one));
        let denied = if second_denies { other } else { one };
        // Past the horizon of the other rule the request never fits.
        let both_fit = |wait: &NonZeroU64| {
            let then = now + Duration::from_nanos(wait.get());
            self.first.decide(first, n, then).is_some()
                && self.second.decide(second, n, then).is_some()
        };
        let denied = Denied { wait: denied.wait.filter(both_fit), ..denied };
        let joined = Self::join(self.first.snapshot(first, now), self.second.snapshot(second, now));
        Denied { now: Snapshot { limit: denied.now.limit, ..joined }, ..denied }
    }

    #[inline(always)]
    fn is_late(&self, _: &Self::State, [first, second]: [Word; 2], now: Timestamp) -> bool {
        self.first.is_late(first, now) || self.second.is_late(second, now)
    }

    #[inline(always)]
    fn is_due_within(
        &self,
        _: &Self::State,
        [first, second]: [Word; 2],
        n: u32,
        now: Timestamp,
        lag: Duration,
    ) -> bool {
        fn fits_within<R: Rule>(
            rule: &R,
            word: Word,
            n: u32,
            now: Timestamp,
            lag: Duration,
        ) -> bool {
            rule.decide(word, n, now).is_some() || rule.is_due_within(word, n, now, lag)
        }
        fits_within(&self.first, first, n, now, lag)
            && fits_within(&self.second, second, n, now, lag)
    }

    fn peek(&self, state: &Self::State, now: Timestamp) -> Snapshot {
        let [first, second] = self.look(state);
        Self::join(self.first.snapshot(first, now), self.second.snapshot(second, now))
    }

    fn describe(&self, state: &Self::State, out: &mut DebugStruct<'_, '_>) {
        let [first, second] = self.look(state);
        self.first.describe(first, out);
        self.second.describe(second, out);
    }
}

impl<A: Rule, B: Rule> Line for Both<A, B> {
    const BOOKS: bool = true;

    fn first_fit(
        &self,
        state: &Self::State,
        ahead: u64,
        n: u32,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let [first, second] = self.look(state);
        let first = RuleParts::first_fit(&self.first, first, ahead, n, now)?;
        let second = RuleParts::first_fit(&self.second, second, ahead, n, now)?;
        Some(first.max(second))
    }

    /// Each from `now` on, and the one that is ready first once more from when the other is.
    fn with_first_fit(
        &self,
        [first, second]: [Word; 2],
        n: u32,
        now: Timestamp,
    ) -> Option<([Word; 2], Timestamp)> {
        let (one, ready) = RuleParts::with_first_fit(&self.first, first, n, now)?;
        let (other, other_ready) = RuleParts::with_first_fit(&self.second, second, n, ready)?;
        if other_ready == ready {
            return Some(([one, other], ready));
        }
        let (one, ready) = RuleParts::with_first_fit(&self.first, first, n, other_ready)?;
        (ready == other_ready).then_some(([one, other], ready))
    }

    fn replace(
        &self,
        state: &Self::State,
        step: impl Fn([Word; 2]) -> Option<[Word; 2]>,
    ) -> Result<[Word; 2], [Word; 2]> {
        let words = |bits: [u64; 2]| bits.map(Word::from_bits);
        let step = |bits| step(words(bits)).map(|next| next.map(Word::bits));
        state.update(step).map(words).map_err(words)
    }

    fn is_same(one: [Word; 2], other: [Word; 2]) -> bool {
        one == other
    }
}

impl<A: Rule, B: Rule> WeightedMachine for Both<A, B> {
    fn change(&self, state: &Self::State, change: Change) -> [Word; 2] {
        let outcome = state.update(|seen| {
            let [first, second] = seen.map(Word::from_bits);
            let next = [change.apply(&self.first, 0, first), change.apply(&self.second, 1, second)];
            let next = next.map(Word::bits);
            (next != seen).then_some(next)
        });
        let (Ok(words) | Err(words)) = outcome;
        words.map(Word::from_bits)
    }

    fn take_up_to(&self, state: &Self::State, n: u32, now: Timestamp) -> u32 {
        // Written again by each run of the step, of which the last one counts.
        let taken = core::cell::Cell::new(0);
        let outcome = state.update(|seen| {
            let [first, second] = seen.map(Word::from_bits);
            let left = self.second.snapshot(second, now).remaining();
            let (n, first) = take_from(&self.first, first, n.min(left), now)?;
            let second = self.second.decide(second, n, now)?;
            taken.set(n);
            Some([first.bits(), second.bits()])
        });
        outcome.map_or(0, |_| taken.get())
    }

    fn save(&self, state: &Self::State, now: Timestamp) -> [Outstanding; 2] {
        let [first, second] = self.look(state);
        [self.first.snapshot(first, now), self.second.snapshot(second, now)].map(Outstanding::of)
    }
}
