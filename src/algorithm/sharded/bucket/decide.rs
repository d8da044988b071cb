use super::stock::Spent;
use super::{Buckets, Lease, Of, Parent, Seen};
use crate::algorithm::sharded::{Sharded, home};
use crate::algorithm::{Rule, TokenBucket};
use crate::cell::Attempt;
use crate::sync::{self, order};
use crate::timestamp::Timestamp;
use crate::word::Word;

/// How a decision by all words ended. Two scalars, so that it comes back in registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    bits: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    BySomeCell,
    ByParent,
    Denied,
    Late,
}

impl Outcome {
    #[inline(always)]
    pub(super) const fn result(self) -> Result<Seen, Seen> {
        let bits = self.bits;
        match self.kind {
            Kind::BySomeCell => Ok(Seen { bits, of: Of::Cell }),
            Kind::ByParent => Ok(Seen { bits, of: Of::Parent }),
            Kind::Denied => Err(Seen { bits, of: Of::Parent }),
            Kind::Late => Err(Seen { bits, of: Of::Late }),
        }
    }
}

impl Sharded<TokenBucket> {
    /// Decides by the caller's own cell; or, if that is empty, by the last word at which all were. Whatever else
    /// there is to do counts as lost.
    #[inline(always)]
    pub(super) fn attempt_alone(&self, state: &Buckets, now: Timestamp) -> Attempt<Seen> {
        match state.cells[home::of(&state.cells)].spend(now, &self.rule) {
            Spent::Won(left) => Attempt::Won(Seen { bits: left.into(), of: Of::Cell }),
            Spent::Empty(_) => {
                // Leases since then were at timestamps at which the bucket had a permit: at later ones.
                let bits = state.dry.load();
                let seen = Seen { bits, of: Of::Parent };
                let denies = Rule::decide(&self.rule, Word::from_bits(bits), 1, now).is_none();
                if denies { Attempt::Declined(seen) } else { Attempt::Lost(seen) }
            }
            Spent::Late | Spent::Lost => Attempt::Lost(Seen { bits: 0, of: Of::Cell }),
        }
    }

    /// Decides by all words.
    #[cold]
    #[inline(never)]
    pub(super) fn decide_among_all(&self, state: &Buckets, now: Timestamp) -> Outcome {
        home::settle();
        loop {
            let parent = self.settled(state);
            // Looked at after the parent: no lease has come since, or the exchange fails.
            let at = home::of(&state.cells);
            let stamp = match state.cells[at].spend(now, &self.rule) {
                Spent::Won(left) => return Outcome { bits: left.into(), kind: Kind::BySomeCell },
                Spent::Empty(stamp) => Some(stamp),
                Spent::Late => {
                    // At this cell are threads that are ahead.
                    home::move_on(&state.cells);
                    None
                }
                Spent::Lost => {
                    home::move_on(&state.cells);
                    continue;
                }
            };
            if let Some(word) = Rule::decide(&self.rule, parent.word, 1, now) {
                let next = self.with_lease(state, word, stamp, at, now);
                let next = next.unwrap_or(Parent { word, ..parent });
                if !self.replace(state, parent, next) {
                    continue;
                }
                self.complete(state, next);
                return Outcome { bits: next.word.bits(), kind: Kind::ByParent };
            }
            if let Some(outcome) = self.pass(state, parent, now) {
                return outcome;
            }
        }
    }

    /// The parent, whose lease is complete.
    pub(super) fn settled(&self, state: &Buckets) -> Parent {
        let parent = Parent::from_bits(state.top.parent.load());
        self.complete(state, parent);
        parent
    }

    fn complete(&self, state: &Buckets, Parent { word, lease }: Parent) {
        // Before anybody is served from the lease, so that others learn that they are late.
        let bits = word.bits();
        let _ = state.top.newest.update(|newest| (newest < bits).then_some(bits));
        // Acquire: with it come the lease's permits, which a later look at the cell must not miss.
        if state.top.done.load(order::STOCK_DONE_LOAD) != lease.0 {
            state.cells[lease.at()].complete(lease.stamp(), state.lease);
            // Release: those permits, which this thread has put there or acquired. It may overwrite a later one, and
            // then others look at the cell.
            state.top.done.store(lease.0, order::STOCK_DONE_STORE);
        }
    }

    /// The parent with a lease taken from `word` for the cell that was empty at `stamp`; `None` if there are too
    /// few permits, or the cell was spent from at a later timestamp.
    fn with_lease(
        &self,
        state: &Buckets,
        word: Word,
        stamp: Option<u64>,
        at: usize,
        now: Timestamp,
    ) -> Option<Parent> {
        let lease = Lease::new(at, stamp?);
        let word = Rule::decide(&self.rule, word, state.lease, now)?;
        if state.lease == 0 {
            return None;
        }
        if !state.cells[at].prepare(now) {
            // At this cell are threads that are ahead.
            home::move_on(&state.cells);
            return None;
        }
        Some(Parent { word, lease })
    }

    fn replace(&self, state: &Buckets, seen: Parent, next: Parent) -> bool {
        state.top.parent.update(|bits| (bits == seen.bits()).then_some(next.bits())).is_ok()
    }

    /// Asks the cells, one after another, for the parent has no permit at `now`. `None` if there is to be another
    /// try: an exchange was lost, or there were leases.
    fn pass(&self, state: &Buckets, parent: Parent, now: Timestamp) -> Option<Outcome> {
        let bits = parent.word.bits();
        let mut is_late = false;
        for (at, cell) in home::all(&state.cells) {
            match cell.spend(now, &self.rule) {
                Spent::Won(left) => {
                    sync::move_home(at);
                    return Some(Outcome { bits: left.into(), kind: Kind::BySomeCell });
                }
                Spent::Empty(_) => {}
                Spent::Late => is_late = true,
                Spent::Lost => return None,
            }
        }
        // Cells only lose permits between leases, so now all of them are empty.
        if Parent::from_bits(state.top.parent.load()) != parent {
            return None;
        }
        if is_late {
            return Some(Outcome { bits, kind: Kind::Late });
        }
        let _ = state.dry.update(|dry| (dry < bits).then_some(bits));
        Some(Outcome { bits, kind: Kind::Denied })
    }
}
