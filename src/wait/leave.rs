//! Gives the places of waiters that do not use them to others.

use super::promote::HORIZON;
use super::waiters::{Fate, Granted, Later, Waiters};
use crate::algorithm::{Algorithm, Place};
use crate::limiter::Limiter;
use crate::timestamp::Timestamp;

impl<S: Copy> Waiters<S> {
    /// Takes out one that waits no longer. Those behind it move up.
    pub(super) fn leave<A: Algorithm<Seen = S>, C>(
        &mut self,
        limiter: &Limiter<A, C>,
        id: u64,
        now: Timestamp,
        later: &mut Later,
    ) {
        let Some((permits, fate)) = self.remove(id, later) else { return };
        match fate {
            Fate::Placed(place) => {
                self.give_up(limiter, Granted { id, permits, place }, now, later);
            }
            Fate::Queued | Fate::Late(_) => self.promote(limiter, now, None, later),
        }
    }

    /// Gives up permits that are not used.
    pub(super) fn give_up<A: Algorithm<Seen = S>, C>(
        &mut self,
        limiter: &Limiter<A, C>,
        granted: Granted<S>,
        now: Timestamp,
        later: &mut Later,
    ) {
        // A place that was not used in its time is lost: many old ones, passed on together, would be a burst. In a pause
        // nobody may have it.
        let is_lost = granted.place.ready_at + HORIZON < now || self.paused_until > now;
        if !self.close_up(limiter, granted, now, later) && !is_lost {
            self.pass_on(limiter, granted, later);
        }
        self.promote(limiter, now, None, later);
    }

    /// Gives a place back, and takes those behind it once more without it, all in one step. Only if
    /// nobody else took permits since: others know of instants that must stay.
    fn close_up<A: Algorithm<Seen = S>, C>(
        &mut self,
        limiter: &Limiter<A, C>,
        Granted { id, place, .. }: Granted<S>,
        now: Timestamp,
        later: &mut Later,
    ) -> bool {
        let algorithm = limiter.algorithm();
        let mut last = place.taken;
        let mut given = place.given;
        let mut places = Vec::new();
        for (&id, waiter) in self.all.range(id..self.settled) {
            let Fate::Placed(place) = waiter.fate else { continue };
            if !A::is_same(place.given, last) {
                return false;
            }
            // One that is ready stays where it is.
            let from = now.min(place.ready_at);
            let Some((taken, ready_at)) = algorithm.with_first_fit(given, waiter.permits, from)
            else {
                return false;
            };
            places.push((id, Place { given, taken, ready_at }));
            (last, given) = (place.taken, taken);
        }
        if !algorithm.give_back(limiter.state(), last, given) {
            return false;
        }
        for (id, place) in places {
            self.put(id, place, later);
        }
        true
    }

    /// Gives a place to the next who wants as many permits, that one's place to the one after it,
    /// and so on. What is left in the end goes back, or is lost if others have built on it.
    fn pass_on<A: Algorithm<Seen = S>, C>(
        &mut self,
        limiter: &Limiter<A, C>,
        Granted { id, permits, mut place }: Granted<S>,
        later: &mut Later,
    ) {
        let mut next = id;
        while let Some((&id, waiter)) = self.all.range(next..).next() {
            next = id + 1;
            match waiter.fate {
                Fate::Late(_) => {}
                _ if waiter.permits != permits || waiter.deadline < place.ready_at => break,
                Fate::Placed(own) => {
                    self.put(id, place, later);
                    place = own;
                }
                Fate::Queued => {
                    self.put(id, place, later);
                    self.settled = next;
                    self.permits_queued -= u64::from(permits);
                    return;
                }
            }
        }
        limiter.algorithm().give_back(limiter.state(), place.taken, place.given);
    }

    /// Serves nobody before `until`. What was booked goes back as far as possible, and all ask once
    /// more.
    pub(super) fn pause<A: Algorithm<Seen = S>, C>(
        &mut self,
        limiter: &Limiter<A, C>,
        until: Timestamp,
        later: &mut Later,
    ) {
        self.give_back_places(limiter, |_| true);
        self.paused_until = self.paused_until.max(until);
        later.wake.extend(self.all.values_mut().filter_map(|waiter| waiter.waker.take()));
    }

    /// Sends everybody away, and lets nobody in again.
    pub(super) fn close<A: Algorithm<Seen = S>, C>(
        &mut self,
        limiter: &Limiter<A, C>,
        later: &mut Later,
    ) {
        self.closed = true;
        self.give_back_places(limiter, |_| true);
        let all = core::mem::take(&mut self.all);
        later.wake.extend(all.into_values().filter_map(|waiter| waiter.waker));
        self.permits_queued = 0;
    }

    /// Gives back the places that are ready at instants that `is_unused` picks, from the last to
    /// the first, until one cannot go back. Their waiters are queued again.
    pub(super) fn give_back_places<A: Algorithm<Seen = S>, C>(
        &mut self,
        limiter: &Limiter<A, C>,
        is_unused: impl Fn(Timestamp) -> bool,
    ) {
        while let Some((&id, waiter)) = self.all.range_mut(..self.settled).next_back() {
            if let Fate::Placed(Place { given, taken, ready_at }) = waiter.fate {
                let (algorithm, state) = (limiter.algorithm(), limiter.state());
                if !is_unused(ready_at) || !algorithm.give_back(state, taken, given) {
                    return;
                }
            }
            waiter.fate = Fate::Queued;
            self.settled = id;
            self.permits_queued += u64::from(waiter.permits);
        }
    }
}
