use super::Machine;
use crate::timestamp::Timestamp;
use core::cell::Cell;

/// What a queue of waiters needs of an algorithm: permits taken ahead of time, if it has them.
pub trait Line: Machine {
    /// Whether permits can be taken ahead of time. If not, the methods with a body need no other.
    const BOOKS: bool = false;

    /// The first instant from `now` on at which `n` permits fit behind `ahead` others, if nobody
    /// else asks; `None` if there is none. Exact if nothing is ahead and for single permits.
    /// Larger requests may leave permits of a window unused: then it is too early.
    fn first_fit(
        &self,
        state: &Self::State,
        ahead: u64,
        n: u32,
        now: Timestamp,
    ) -> Option<Timestamp>;

    /// What was seen, with `n` permits taken at the first instant from `now` on at which they fit;
    /// `None` if there is none, or if permits cannot be taken ahead of time.
    fn with_first_fit(
        &self,
        _seen: Self::Seen,
        _n: u32,
        _now: Timestamp,
    ) -> Option<(Self::Seen, Timestamp)> {
        None
    }

    /// Replaces the state by what `step` makes of it: `Ok` with the new state, `Err` with the one on
    /// which `step` declined.
    fn replace(
        &self,
        state: &Self::State,
        _step: impl Fn(Self::Seen) -> Option<Self::Seen>,
    ) -> Result<Self::Seen, Self::Seen> {
        Err(self.look(state))
    }

    fn is_same(_one: Self::Seen, _other: Self::Seen) -> bool {
        false
    }

    /// Takes `n` permits at the first instant from `now` on at which they fit, if that is by
    /// `latest`; or only what is there now.
    fn take_place(
        &self,
        state: &Self::State,
        n: u32,
        now: Timestamp,
        latest: Timestamp,
    ) -> Option<Place<Self::Seen>> {
        if !Self::BOOKS {
            let taken = (now <= latest).then(|| self.decide(state, n, now, true))?.ok()?;
            return Some(Place { given: taken, taken, ready_at: now });
        }
        // Written again by each run of the step, of which the last one counts.
        let place = Cell::new(None);
        let outcome = self.replace(state, |given| {
            let (taken, ready_at) = self.with_first_fit(given, n, now)?;
            place.set(Some(Place { given, taken, ready_at }));
            (ready_at <= latest).then_some(taken)
        });
        outcome.ok().and(place.get())
    }

    /// Puts the state back from `taken` to `given`, if it is still `taken`.
    fn give_back(&self, state: &Self::State, taken: Self::Seen, given: Self::Seen) -> bool {
        self.replace(state, |seen| Self::is_same(seen, taken).then_some(given)).is_ok()
    }
}

/// Permits taken ahead of time.
#[cfg_attr(not(feature = "wait"), allow(dead_code))] // only a queue reads it
#[derive(Clone, Copy, Debug)]
pub struct Place<S> {
    /// The state without them, and with them.
    pub(crate) given: S,
    pub(crate) taken: S,
    /// The first instant at which they may be used.
    pub(crate) ready_at: Timestamp,
}
