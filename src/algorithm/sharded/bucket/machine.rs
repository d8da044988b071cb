use super::{Buckets, Of, Parent, Seen};
use crate::algorithm::sharded::Sharded;
use crate::algorithm::{Line, Machine, Rule, RuleParts, TokenBucket};
use crate::cell::Attempt;
use crate::decision::{Admitted, Denied, Snapshot};
use crate::sync::AtomicPair;
use crate::timestamp::Timestamp;
use crate::word::Word;
use core::fmt::DebugStruct;
use core::time::Duration;

impl Sharded<TokenBucket> {
    /// That of the parent, with `more` permits that are in cells.
    #[inline]
    fn snapshot(&self, state: &Buckets, word: Word, more: u32, now: Timestamp) -> Snapshot {
        let parent = self.rule.snapshot(word, now);
        Snapshot { limit: state.burst, remaining: parent.remaining + more, ..parent }
    }

    /// The word, and the permits in cells that a request at `now` may spend.
    ///
    /// The cells first: the other way round, permits of a lease in between would count twice.
    fn look_at_all(&self, state: &Buckets, now: Timestamp) -> (Word, u32) {
        self.settled(state);
        let held = state.cells.iter().map(|cell| {
            let held = cell.load();
            if cell.is_in_order(now) { held.permits() } else { 0 }
        });
        let held = if now.as_nanos() <= self.rule.horizon() { held.sum() } else { 0 };
        (self.settled(state).word, held)
    }
}

impl Machine for Sharded<TokenBucket> {
    type State = Buckets;
    type Seen = Seen;
    type Newer = Seen;

    fn is_lock_free() -> bool {
        AtomicPair::is_lock_free()
    }

    fn look(&self, state: &Buckets) -> Seen {
        Seen { bits: Parent::from_bits(state.top.parent.load()).word.bits(), of: Of::Parent }
    }

    #[inline(always)]
    fn decide(&self, state: &Buckets, n: u32, now: Timestamp, _: bool) -> Result<Seen, Seen> {
        debug_assert_eq!(n, 1);
        match self.attempt_alone(state, now) {
            Attempt::Won(seen) => Ok(seen),
            Attempt::Declined(seen) => Err(seen),
            Attempt::Lost(_) => self.decide_among_all(state, now).result(),
        }
    }

    #[inline(always)]
    fn attempt(&self, state: &Buckets, _: u32, now: Timestamp) -> Attempt<Seen> {
        self.attempt_alone(state, now)
    }

    fn decide_after(&self, state: &Buckets, _: Seen, _: u32, now: Timestamp) -> Result<Seen, Seen> {
        self.decide_among_all(state, now).result()
    }

    #[inline(always)]
    fn admitted(&self, state: &Buckets, seen: Seen, n: u32, now: Timestamp) -> Admitted {
        let after = match seen.of {
            Of::Cell => Snapshot {
                limit: state.burst,
                remaining: seen.bits as u32,
                reset_after: self.rule.time_to_fill(),
            },
            Of::Parent | Of::Late => self.snapshot(state, Word::from_bits(seen.bits), 0, now),
        };
        Admitted { ticket: 0, permits: n, at: now, after }
    }

    #[inline]
    fn denied(&self, state: &Buckets, seen: Seen, n: u32, now: Timestamp) -> Denied {
        let word = Word::from_bits(seen.bits);
        let now_left = self.snapshot(state, word, 0, now);
        Denied { now: now_left, ..Rule::denied(&self.rule, word, n, now) }
    }

    #[inline]
    fn is_late(&self, state: &Buckets, seen: Seen, now: Timestamp) -> bool {
        // What was seen may be a word at which all was empty once, before others moved on.
        let word = Word::from_bits(state.top.newest.load().max(seen.bits));
        seen.of == Of::Late || RuleParts::is_late(&self.rule, word, now)
    }

    #[inline]
    fn is_due_within(
        &self,
        _: &Buckets,
        seen: Seen,
        n: u32,
        now: Timestamp,
        lag: Duration,
    ) -> bool {
        RuleParts::is_due_within(&self.rule, Word::from_bits(seen.bits), n, now, lag)
    }

    fn peek(&self, state: &Buckets, now: Timestamp) -> Snapshot {
        let (word, held) = self.look_at_all(state, now);
        self.snapshot(state, word, held, now)
    }

    fn describe(&self, state: &Buckets, out: &mut DebugStruct<'_, '_>) {
        RuleParts::describe(&self.rule, Parent::from_bits(state.top.parent.load()).word, out);
        out.field("cells", &state.cells);
    }
}

impl Line for Sharded<TokenBucket> {
    fn first_fit(&self, state: &Buckets, ahead: u64, n: u32, now: Timestamp) -> Option<Timestamp> {
        let (word, held) = self.look_at_all(state, now);
        let held = u64::from(held);
        if ahead.saturating_add(n.into()) <= held {
            return Some(now);
        }
        RuleParts::first_fit(&self.rule, word, ahead.saturating_sub(held), n, now)
    }
}
