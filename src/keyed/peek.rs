//! What reads.

use super::key::{UNLIMITED, full};
use super::pace::Pace;
use super::place::Place;
use super::seat::Found;
use super::table::{Asker, Table};
use super::{Key, WhenFull};
use crate::Timestamp;
use crate::clock::Clock;
use crate::decision::Snapshot;

/// What a key has, or would start with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Looked {
    State(u64),
    /// There is no slot for it until that time.
    Full(Timestamp),
}

impl Table {
    /// What the key has, or would start with, and the pace that it is counted in.
    pub(crate) fn peek(&self, at: Place, tier: u16, now: Timestamp) -> (Looked, Pace) {
        loop {
            let (asker, pace) = self.asker(at, tier);
            let found = self.search(at, |slot| slot.word_of(asker.own));
            if let Some((_, word)) = found.filter(|_| self.is_current(asker)) {
                return (Looked::State(word.state()), pace);
            }
            if let Some(looked) = self.look_absent(asker, &pace, now) {
                return (looked, pace);
            }
        }
    }

    /// What the key has, or would start with. `None` if the tier has changed.
    fn look_absent(&self, asker: Asker, pace: &Pace, now: Timestamp) -> Option<Looked> {
        let (set, id) = (asker.at.set(), asker.own.id());
        let head = &self.heads[set];
        loop {
            let record = head.record();
            self.complete(set, record);
            let looked = match self.scan(asker) {
                Found::Key { way, owner } => {
                    let word = self.slot(set, way).word();
                    let state = word.state();
                    let same = owner.id() == id;
                    Looked::State(if same {
                        state
                    } else {
                        let at = self.carried_at(owner.id(), id, now);
                        self.pace_of(owner.id()).carry(state, pace, at)
                    })
                }
                Found::Victim { owner, word, .. } => {
                    let its = self.pace_of(owner.id());
                    if self.full == WhenFull::DenyNewKeys
                        && !pace.is_unlimited()
                        && owner.tag() != 0
                        && its.owes(word.state(), now)
                    {
                        Looked::Full(its.full_at(word.state()))
                    } else {
                        Looked::State(self.start(owner, word, head.watermark(), pace, id))
                    }
                }
            };
            if !self.is_current(asker) {
                return None;
            }
            if head.record() == record {
                return Some(looked);
            }
        }
    }
}

impl<C, S> Key<'_, C, S> {
    /// Returns what the key has left at `now`. Spends and inserts nothing.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(2), 100);
    /// assert_eq!(limiter.key("a").peek_at(Timestamp::ZERO).remaining(), 2);
    /// ```
    #[must_use]
    pub fn peek_at(&self, now: Timestamp) -> Snapshot {
        let (looked, pace) = self.look_at(now);
        Self::seen(looked, &pace, now)
    }

    pub(super) fn seen(looked: Looked, pace: &Pace, now: Timestamp) -> Snapshot {
        match looked {
            Looked::State(_) if pace.is_unlimited() => UNLIMITED,
            Looked::State(state) => pace.snapshot(state, now),
            Looked::Full(until) => full(until, pace.limit(), now),
        }
    }

    pub(super) fn look_at(&self, now: Timestamp) -> (Looked, Pace) {
        self.limiter.table.peek(self.place, self.tier, now)
    }
}

impl<C: Clock, S> Key<'_, C, S> {
    /// Returns what the key has left now. Spends and inserts nothing.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(2), 100);
    /// assert_eq!(limiter.key("a").peek().remaining(), 2);
    /// ```
    #[must_use]
    pub fn peek(&self) -> Snapshot {
        self.peek_at(self.limiter.clock.now())
    }
}
