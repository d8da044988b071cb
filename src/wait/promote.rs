//! Decides which waiter gets a place, and when the others can expect one.

use super::waiters::{Fate, Later, Waiters};
use crate::algorithm::{Algorithm, Place};
use crate::limiter::Limiter;
use crate::timestamp::Timestamp;
use core::time::Duration;

/// How far ahead places are taken: far enough for the waiters that a timer of milliseconds wakes
/// together.
pub(super) const HORIZON: Duration = Duration::from_millis(2);

const NANOSECOND: Duration = Duration::from_nanos(1);

impl<S: Copy> Waiters<S> {
    /// Takes places for the next waiters: all within the horizon, and the first in any case, so
    /// that no request from outside the queue can come before it. Also for all up to `due`, whose
    /// time has come: those ahead of it have not asked for theirs, and perhaps never will.
    pub(super) fn promote<A: Algorithm<Seen = S>, C>(
        &mut self,
        limiter: &Limiter<A, C>,
        now: Timestamp,
        due: Option<u64>,
        later: &mut Later,
    ) {
        if self.paused_until > now {
            return;
        }
        self.paused_until = Timestamp::ZERO;
        self.advance(limiter, now, later);
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
            self.permits_queued -= u64::from(waiter.permits);
            self.settled = id + 1;
        }
    }

    /// The first instant from `now` on that is not before the last place or in a pause: permits
    /// that were returned since may fit earlier.
    pub(super) fn earliest(&self, now: Timestamp) -> Timestamp {
        let now = now.max(self.paused_until);
        self.last_place().map_or(now, |(_, place)| place.ready_at.max(now))
    }

    /// Takes earlier places for waiters that wait for theirs, if permits were returned from outside
    /// the queue.
    fn advance<A: Algorithm<Seen = S>, C>(
        &mut self,
        limiter: &Limiter<A, C>,
        now: Timestamp,
        later: &mut Later,
    ) {
        let (algorithm, state) = (limiter.algorithm(), limiter.state());
        let Some((permits, last)) = self.last_place() else { return };
        let first_fit = || algorithm.first_fit(state, 0, permits, now);
        if last.ready_at <= now || first_fit().is_none_or(|first| first >= last.ready_at) {
            return;
        }
        let is_ready =
            |fate: &Fate<S>| matches!(fate, Fate::Placed(place) if place.ready_at <= now);
        let settled = self.all.range(..self.settled).rev();
        let unready: Vec<u64> =
            settled.take_while(|(_, waiter)| !is_ready(&waiter.fate)).map(|(&id, _)| id).collect();
        let mut from = now;
        for id in unready.into_iter().rev() {
            let waiter = &self.all[&id];
            let Fate::Placed(own) = waiter.fate else { continue };
            let before = own.ready_at - NANOSECOND;
            if let Some(place) = algorithm.take_place(state, waiter.permits, from, before) {
                self.put(id, place, later);
                from = place.ready_at;
            } else {
                from = own.ready_at;
            }
        }
    }

    /// The last waiter that has a place: its permits and the place.
    fn last_place(&self) -> Option<(u32, Place<S>)> {
        self.all.range(..self.settled).rev().find_map(|(_, waiter)| match waiter.fate {
            Fate::Placed(place) => Some((waiter.permits, place)),
            Fate::Queued | Fate::Late(_) => None,
        })
    }

    /// Gives one a place, and wakes it if that is ready before it would ask again.
    pub(super) fn put(&mut self, id: u64, place: Place<S>, later: &mut Later) {
        if let Some(waiter) = self.all.get_mut(&id) {
            if place.ready_at < waiter.armed {
                later.wake.extend(waiter.waker.take());
            }
            waiter.fate = Fate::Placed(place);
        }
    }

    /// When one that is queued can expect its permits; `Err` if that is too late.
    pub(super) fn expected<A: Algorithm<Seen = S>, C>(
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
}
