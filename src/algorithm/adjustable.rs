use super::Outstanding;
use super::live::{InForce, Live};
use super::{Adjust, Change, Line, Machine, Rule, RuleParts, WeightedMachine, take_from};
use crate::cell::Attempt;
use crate::decision::{Admitted, Denied, Snapshot};
use crate::sync::AtomicPair;
use crate::timestamp::Timestamp;
use core::fmt::DebugStruct;
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
/// generations. A check begins from a copy of the pair, which is cheaper to read, and reads the
/// generation's place. If a later change has begun to write there, the pair has a later generation.
/// So the check's exchange fails, as it does whenever the pair is no longer what the copy said. A
/// denial reads the pair to find out. Then the check starts again, from the pair. Now a further word
/// shows whether a change has begun to write to the place.
///
/// # Why 128 bits
///
/// A thread can be stopped between its last read and its exchange, while the quota changes any
/// number of times. The exchange must then fail, or a permit is taken from one quota's budget by
/// another's numbers. So each pair of a generation and a state needs bits of its own. A state alone
/// takes nearly 64: an instant to a fraction of a nanosecond, up to a far future that a reset undoes.
/// Fewer bits for the generation would begin again after some changes, and then the exchange could
/// succeed.
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

impl<R> Adjustable<R> {
    pub(crate) const fn new() -> Self {
        Self(core::marker::PhantomData)
    }
}

impl<R: Adjust> Machine for Adjustable<R> {
    type State = Live;
    type Seen = InForce<R>;
    type Newer = [u64; 2];

    fn is_lock_free() -> bool {
        AtomicPair::is_lock_free()
    }

    fn look(&self, state: &Live) -> InForce<R> {
        let (Ok(seen) | Err(seen)) = state.update(|_| None);
        seen
    }

    #[inline(always)]
    fn decide(
        &self,
        state: &Live,
        n: u32,
        now: Timestamp,
        _: bool,
    ) -> Result<InForce<R>, InForce<R>> {
        match self.attempt(state, n, now) {
            Attempt::Won(next) => Ok(next),
            Attempt::Declined(seen) => Err(seen),
            Attempt::Lost(newer) => self.decide_after(state, newer, n, now),
        }
    }

    #[inline(always)]
    fn attempt(&self, state: &Live, n: u32, now: Timestamp) -> Attempt<InForce<R>, [u64; 2]> {
        state.attempt(n, now)
    }

    #[cold]
    #[inline(never)]
    fn decide_after(
        &self,
        state: &Live,
        lost_to: [u64; 2],
        n: u32,
        now: Timestamp,
    ) -> Result<InForce<R>, InForce<R>> {
        let step = |InForce { rule, word, .. }: InForce<R>| Rule::decide(&rule, word, n, now);
        state.update_after(lost_to, step)
    }

    #[inline(always)]
    fn admitted(&self, _: &Live, seen: InForce<R>, n: u32, now: Timestamp) -> Admitted {
        Rule::admitted(&seen.rule, seen.word, n, now)
    }

    #[inline(always)]
    fn denied(&self, _: &Live, seen: InForce<R>, n: u32, now: Timestamp) -> Denied {
        Rule::denied(&seen.rule, seen.word, n, now)
    }

    #[inline(always)]
    fn is_late(&self, _: &Live, seen: InForce<R>, now: Timestamp) -> bool {
        RuleParts::is_late(&seen.rule, seen.word, now)
    }

    #[inline(always)]
    fn is_due_within(
        &self,
        _: &Live,
        seen: InForce<R>,
        n: u32,
        now: Timestamp,
        lag: Duration,
    ) -> bool {
        RuleParts::is_due_within(&seen.rule, seen.word, n, now, lag)
    }

    fn peek(&self, state: &Live, now: Timestamp) -> Snapshot {
        let InForce { rule, word, .. } = self.look(state);
        rule.snapshot(word, now)
    }

    fn describe(&self, state: &Live, out: &mut DebugStruct<'_, '_>) {
        let InForce { rule, word, .. } = self.look(state);
        RuleParts::describe(&rule, word, out);
    }
}

impl<R: Adjust> Line for Adjustable<R> {
    const BOOKS: bool = true;

    fn first_fit(&self, state: &Live, ahead: u64, n: u32, now: Timestamp) -> Option<Timestamp> {
        let InForce { rule, word, .. } = self.look(state);
        RuleParts::first_fit(&rule, word, ahead, n, now)
    }

    fn with_first_fit(
        &self,
        seen: InForce<R>,
        n: u32,
        now: Timestamp,
    ) -> Option<(InForce<R>, Timestamp)> {
        let (word, ready_at) = RuleParts::with_first_fit(&seen.rule, seen.word, n, now)?;
        Some((seen.with(word), ready_at))
    }

    fn replace(
        &self,
        state: &Live,
        step: impl Fn(InForce<R>) -> Option<InForce<R>>,
    ) -> Result<InForce<R>, InForce<R>> {
        state.update(|seen| step(seen).map(|next| next.word))
    }

    /// A word means nothing under another rule.
    fn is_same(one: InForce<R>, other: InForce<R>) -> bool {
        one.pair() == other.pair()
    }
}

impl<R: Adjust> WeightedMachine for Adjustable<R> {
    fn change(&self, state: &Live, change: Change) -> InForce<R> {
        let outcome = state.update(|InForce { rule, word, .. }| {
            let next = change.apply(&rule, 0, word);
            (next != word).then_some(next)
        });
        let (Ok(seen) | Err(seen)) = outcome;
        seen
    }

    fn take_up_to(&self, state: &Live, n: u32, now: Timestamp) -> u32 {
        // Written again by each run of the step, of which the last one counts.
        let taken = core::cell::Cell::new(0);
        let outcome = state.update(|InForce { rule, word, .. }: InForce<R>| {
            let (n, next) = take_from(&rule, word, n, now)?;
            taken.set(n);
            Some(next)
        });
        outcome.map_or(0, |_| taken.get())
    }

    fn save(&self, state: &Live, now: Timestamp) -> [Outstanding; 2] {
        let InForce { rule, word, .. } = self.look(state);
        [Outstanding::of(rule.snapshot(word, now)), Outstanding::default()]
    }
}
