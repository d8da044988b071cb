//! The waiters, in the order of their arrival. One thread at a time works on them, under the lock
//! of the queue.

use super::error::AcquireError;
use crate::algorithm::{Algorithm, Place};
use crate::limiter::Limiter;
use crate::timestamp::Timestamp;
use core::fmt;
use core::task::Waker;
use std::collections::BTreeMap;

/// The waiters. Those at the front are *settled*: each has a place in the state of the limiter, or
/// none to hope for. The others are queued.
pub(super) struct Waiters<S> {
    /// By arrival.
    pub(super) all: BTreeMap<u64, Waiter<S>>,
    arrivals: u64,
    /// The arrival before which all are settled.
    pub(super) settled: u64,
    /// The permits of the other waiters.
    pub(super) permits_queued: u64,
    /// Permits of all arrivals so far.
    permits_arrived: u128,
    pub(super) closed: bool,
    /// Nobody is served before. Zero without a pause, and after one when somebody has asked.
    pub(super) paused_until: Timestamp,
}

pub(super) struct Waiter<S> {
    pub(super) permits: u32,
    /// Those of all that arrived before it.
    pub(super) permits_before: u128,
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
pub(super) enum Look<S> {
    Done(Result<Granted<S>, AcquireError>),
    /// It waits, and asks again when it is woken or at that instant.
    Until(Timestamp),
}

/// Permits that are ready, and whose they were.
#[derive(Clone, Copy, Debug)]
pub(super) struct Granted<S> {
    pub(super) id: u64,
    pub(super) permits: u32,
    pub(super) place: Place<S>,
}

impl<S: Copy> Waiters<S> {
    pub(super) const fn new() -> Self {
        Self {
            all: BTreeMap::new(),
            arrivals: 0,
            settled: 0,
            permits_queued: 0,
            permits_arrived: 0,
            closed: false,
            paused_until: Timestamp::ZERO,
        }
    }

    /// Lets one in, at the end of the queue: its number, and what becomes of it. It does not stay
    /// if it is admitted or denied at once.
    pub(super) fn arrive<A: Algorithm<Seen = S>, C>(
        &mut self,
        limiter: &Limiter<A, C>,
        (permits, deadline): (u32, Timestamp),
        most: usize,
        now: Timestamp,
        waker: Waker,
        later: &mut Later,
    ) -> (u64, Look<S>) {
        self.promote(limiter, now, None, later);
        let from = self.earliest(now);
        let ready_at =
            limiter.algorithm().first_fit(limiter.state(), self.permits_queued, permits, from);
        let error = match ready_at {
            _ if self.closed => Some(AcquireError::Closed),
            None => Some(AcquireError::NeverFits),
            Some(ready_at) if ready_at > deadline => Some(too_late(ready_at, now)),
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
    ) -> Look<S> {
        let Some(waiter) = self.all.get_mut(&id) else {
            later.gone.push(waker);
            return Look::Done(Err(AcquireError::Closed));
        };
        // It is awake: nobody need wake it.
        later.gone.extend(waiter.waker.take());
        let armed = core::mem::take(&mut waiter.armed);
        let is_due = armed > Timestamp::ZERO && armed <= now;
        self.promote(limiter, now, is_due.then_some(id), later);
        let paused_until = self.paused_until;
        let done = match self.all[&id].fate {
            Fate::Placed(_) if paused_until > self.all[&id].deadline => {
                later.gone.push(waker);
                self.leave(limiter, id, now, later);
                return Look::Done(Err(too_late(paused_until, now)));
            }
            Fate::Placed(place) if place.ready_at.max(paused_until) <= now => Ok(place),
            Fate::Placed(place) => return self.wait(id, place.ready_at.max(paused_until), waker),
            Fate::Late(ready_at) => Err(ready_at),
            Fate::Queued => match self.expected(limiter, id, now) {
                Ok(ready_at) => return self.wait(id, ready_at, waker),
                Err(ready_at) => Err(ready_at),
            },
        };
        later.gone.push(waker);
        let permits = self.remove(id, later).map_or(0, |(permits, _)| permits);
        Look::Done(match done {
            Ok(place) => Ok(Granted { id, permits, place }),
            Err(Some(ready_at)) => Err(too_late(ready_at, now)),
            Err(None) => Err(AcquireError::NeverFits),
        })
    }

    fn wait(&mut self, id: u64, until: Timestamp, waker: Waker) -> Look<S> {
        if let Some(waiter) = self.all.get_mut(&id) {
            (waiter.armed, waiter.waker) = (until, Some(waker));
        }
        Look::Until(until)
    }

    /// Whether so many wait. Waiters that could go on, and have not asked since, don't count.
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
            self.permits_queued -= u64::from(waiter.permits);
        }
        Some((waiter.permits, waiter.fate))
    }
}

fn too_late(ready_at: Timestamp, now: Timestamp) -> AcquireError {
    AcquireError::TooLate { ready_after: ready_at - now }
}

impl<S> Fate<S> {
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
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
            .field("permits_queued", &self.permits_queued)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
