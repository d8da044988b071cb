//! Those who wait, in the order of their arrival. One thread at a time works on them, under the lock of the queue.

use super::error::AcquireError;
use crate::algorithm::{Algorithm, Place};
use crate::decision::Admitted;
use crate::limiter::Limiter;
use crate::timestamp::Timestamp;
use core::fmt;
use core::task::Waker;
use core::time::Duration;
use std::collections::BTreeMap;

/// How far ahead places are taken: far enough for the waiters that a timer of milliseconds wakes together.
pub(super) const HORIZON: Duration = Duration::from_millis(2);

/// The waiters. Those at the front are *settled*: each has a place in the state of the limiter, or none to hope for.
/// The others are queued.
pub(super) struct Waiters<S> {
    /// By arrival.
    pub(super) all: BTreeMap<u64, Waiter<S>>,
    arrivals: u64,
    /// The arrival before which all are settled.
    pub(super) settled: u64,
    /// How many are not, and their permits.
    pub(super) queued: usize,
    pub(super) permits_queued: u64,
    /// Permits of all arrivals so far.
    permits_arrived: u128,
    pub(super) closed: bool,
}

pub(super) struct Waiter<S> {
    pub(super) permits: u32,
    /// Those of all that arrived before it.
    permits_before: u128,
    pub(super) deadline: Timestamp,
    pub(super) fate: Fate<S>,
    /// When its own timer wakes it.
    pub(super) armed: Timestamp,
    /// `None` from when it is woken until it asks again.
    pub(super) waker: Option<Waker>,
}

#[derive(Clone, Copy)]
pub(super) enum Fate<S> {
    Queued,
    Placed(Place<S>),
    /// Its permits would be ready then, after the deadline; or never.
    Late(Option<Timestamp>),
}

/// What is to be done once the lock is released, since wakers run code of others.
#[derive(Default)]
pub(super) struct Later {
    pub(super) wake: Vec<Waker>,
    /// To be dropped.
    pub(super) gone: Vec<Waker>,
}

impl Later {
    pub(super) fn run(self) {
        self.wake.into_iter().for_each(Waker::wake);
    }
}

/// What becomes of a waiter.
pub(super) enum Look {
    Done(Result<Admitted, AcquireError>),
    /// It waits, and asks again when it is woken or at that instant.
    Until(Timestamp),
}

impl<S: Copy> Waiters<S> {
    pub(super) const fn new() -> Self {
        Self {
            all: BTreeMap::new(),
            arrivals: 0,
            settled: 0,
            queued: 0,
            permits_queued: 0,
            permits_arrived: 0,
            closed: false,
        }
    }

    /// Lets one in, at the end of the queue: its number, and what becomes of it. It does not stay if it is
    /// admitted or denied at once.
    pub(super) fn arrive<A: Algorithm<Seen = S>, C>(
        &mut self,
        limiter: &Limiter<A, C>,
        (permits, deadline): (u32, Timestamp),
        most: usize,
        now: Timestamp,
        waker: Waker,
        later: &mut Later,
    ) -> (u64, Look) {
        self.promote(limiter, now, None, later);
        let from = self.earliest(now);
        let ready_at =
            limiter.algorithm().first_fit(limiter.state(), self.permits_queued, permits, from);
        let error = match ready_at {
            _ if self.closed => Some(AcquireError::Closed),
            None => Some(AcquireError::NeverFits),
            Some(ready_at) if ready_at > deadline => Some(AcquireError::TooLate { ready_at }),
            Some(ready_at) if ready_at > now && self.is_full(most, now) => {
                Some(AcquireError::TooManyWaiting)
            }
            Some(_) => None,
        };
        let id = self.arrivals;
        if let Some(error) = error {
            later.gone.push(waker);
            return (id, Look::Done(Err(error)));
        }
        let waiter = Waiter {
            permits,
            permits_before: self.permits_arrived,
            deadline,
            fate: Fate::Queued,
            armed: Timestamp::ZERO,
            waker: None,
        };
        self.all.insert(id, waiter);
        self.arrivals += 1;
        self.queued += 1;
        self.permits_queued += u64::from(permits);
        self.permits_arrived += u128::from(permits);
        let look = self.look(limiter, id, now, waker, later);
        if matches!(look, Look::Until(_)) && self.is_full(most.saturating_add(1), now) {
            // What was free was taken by somebody outside the queue.
            self.leave(limiter, id, now, later);
            return (id, Look::Done(Err(AcquireError::TooManyWaiting)));
        }
        (id, look)
    }

    /// What has become of a waiter. If it must wait on, it is woken by `waker`.
    pub(super) fn look<A: Algorithm<Seen = S>, C>(
        &mut self,
        limiter: &Limiter<A, C>,
        id: u64,
        now: Timestamp,
        waker: Waker,
        later: &mut Later,
    ) -> Look {
        let Some(waiter) = self.all.get_mut(&id) else {
            later.gone.push(waker);
            return Look::Done(Err(AcquireError::Closed));
        };
        // It is awake: nobody need wake it.
        later.gone.extend(waiter.waker.take());
        let armed = core::mem::take(&mut waiter.armed);
        let is_due = armed > Timestamp::ZERO && armed <= now;
        self.promote(limiter, now, is_due.then_some(id), later);
        let done = match self.all[&id].fate {
            Fate::Placed(place) if place.ready_at <= now => Ok(place),
            Fate::Placed(place) => return self.wait(id, place.ready_at, waker),
            Fate::Late(ready_at) => Err(ready_at),
            Fate::Queued => match self.expected(limiter, id, now) {
                Ok(ready_at) => return self.wait(id, ready_at, waker),
                Err(ready_at) => Err(ready_at),
            },
        };
        later.gone.push(waker);
        let permits = self.remove(id, later).map_or(0, |(permits, _)| permits);
        self.promote(limiter, now, None, later);
        Look::Done(match done {
            Ok(Place { taken, ready_at, .. }) => {
                Ok(limiter.algorithm().admitted(limiter.state(), taken, permits, ready_at))
            }
            Err(Some(ready_at)) => Err(AcquireError::TooLate { ready_at }),
            Err(None) => Err(AcquireError::NeverFits),
        })
    }

    fn wait(&mut self, id: u64, until: Timestamp, waker: Waker) -> Look {
        if let Some(waiter) = self.all.get_mut(&id) {
            (waiter.armed, waiter.waker) = (until, Some(waker));
        }
        Look::Until(until)
    }

    /// Takes places for those who are next: all within the horizon, and the first in any case, so that no request
    /// from outside the queue can come before it. Also for all up to `due`, whose time has come: those ahead of it
    /// have not asked for theirs, and perhaps never will.
    pub(super) fn promote<A: Algorithm<Seen = S>, C>(
        &mut self,
        limiter: &Limiter<A, C>,
        now: Timestamp,
        due: Option<u64>,
        later: &mut Later,
    ) {
        let (algorithm, state) = (limiter.algorithm(), limiter.state());
        loop {
            let from = self.earliest(now);
            let Some((&id, waiter)) = self.all.range_mut(self.settled..).next() else { return };
            let is_near_only = from > now && due.is_none_or(|due| id > due);
            let horizon = if is_near_only { now + HORIZON } else { Timestamp::MAX };
            let latest = waiter.deadline.min(horizon);
            let place = algorithm.take_place(state, waiter.permits, from, latest);
            let ready_at = match place {
                Some(place) => Some(place.ready_at),
                None => algorithm.first_fit(state, 0, waiter.permits, from),
            };
            let is_late = ready_at.is_none_or(|ready_at| ready_at > waiter.deadline);
            // Those who left have made it earlier. It must know even if it gets no place, for those ahead of it
            // may never ask again.
            if is_late || ready_at.is_some_and(|ready_at| ready_at < waiter.armed) {
                later.wake.extend(waiter.waker.take());
            }
            waiter.fate = match place {
                Some(place) => Fate::Placed(place),
                None if is_late => Fate::Late(ready_at),
                None => return,
            };
            self.queued -= 1;
            self.permits_queued -= u64::from(waiter.permits);
            self.settled = id + 1;
        }
    }

    /// When one that is queued can expect its permits; `Err` if that is too late.
    fn expected<A: Algorithm<Seen = S>, C>(
        &self,
        limiter: &Limiter<A, C>,
        id: u64,
        now: Timestamp,
    ) -> Result<Timestamp, Option<Timestamp>> {
        let waiter = &self.all[&id];
        let from = self.earliest(now);
        let ready_behind = |ahead| {
            let (algorithm, state) = (limiter.algorithm(), limiter.state());
            match algorithm.first_fit(state, ahead, waiter.permits, from) {
                Some(ready_at) if ready_at <= waiter.deadline => Ok(ready_at),
                ready_at => Err(ready_at),
            }
        };
        let mut ahead = self.all.range(self.settled..id).map(|(_, waiter)| waiter);
        let first = ahead.clone().next().unwrap_or(waiter);
        // Without a walk: as if nobody of those ahead had left.
        let all_ahead = (waiter.permits_before - first.permits_before) as u64;
        ready_behind(all_ahead)
            .or_else(|_| ready_behind(ahead.by_ref().map(|waiter| u64::from(waiter.permits)).sum()))
    }

    /// The first instant from `now` on that is not before the last place. Permits that were refunded since that was
    /// taken may fit earlier.
    fn earliest(&self, now: Timestamp) -> Timestamp {
        let mut settled = self.all.range(..self.settled).rev();
        let last = settled.find_map(|(_, waiter)| match waiter.fate {
            Fate::Placed(place) => Some(place.ready_at),
            _ => None,
        });
        last.map_or(now, |ready_at| ready_at.max(now))
    }

    /// Whether so many wait. Those who could go on, and have not asked since, don't count.
    fn is_full(&self, most: usize, now: Timestamp) -> bool {
        let is_over = |waiter: &&Waiter<S>| waiter.fate.is_over(now);
        self.all.len() >= most
            && self.all.len() - self.all.values().take_while(is_over).count() >= most
    }

    /// Takes one out: its permits and its fate.
    pub(super) fn remove(&mut self, id: u64, later: &mut Later) -> Option<(u32, Fate<S>)> {
        let waiter = self.all.remove(&id)?;
        later.gone.extend(waiter.waker);
        if id >= self.settled {
            self.queued -= 1;
            self.permits_queued -= u64::from(waiter.permits);
        }
        Some((waiter.permits, waiter.fate))
    }
}

impl<S> Fate<S> {
    fn is_over(&self, now: Timestamp) -> bool {
        match self {
            Self::Placed(place) => place.ready_at <= now,
            Self::Late(_) => true,
            Self::Queued => false,
        }
    }
}

impl<S> fmt::Debug for Waiters<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiters")
            .field("waiting", &self.all.len())
            .field("queued", &self.queued)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
