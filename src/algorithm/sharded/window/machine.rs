use super::{Seen, Windows};
use crate::algorithm::sharded::Sharded;
use crate::algorithm::sharded::share::Share;
use crate::algorithm::{FixedWindow, Line, Machine};
use crate::cell::{Attempt, Cell};
use crate::decision::{Admitted, Denied, Snapshot};
use crate::sync;
use crate::timestamp::Timestamp;
use core::cmp::Ordering::{Equal, Greater, Less};
use core::fmt::DebugStruct;
use core::num::NonZeroU64;
use core::time::Duration;
use crossbeam_utils::CachePadded;

impl Machine for Sharded<FixedWindow> {
    type State = Windows;
    type Seen = Seen;
    type Newer = Seen;

    fn is_lock_free() -> bool {
        sync::is_word_lock_free()
    }

    fn look(&self, state: &Windows) -> Seen {
        Share::from_bits(state.top.parent.load())
    }

    #[inline(always)]
    fn decide(&self, state: &Windows, n: u32, now: Timestamp, _: bool) -> Result<Seen, Seen> {
        match self.attempt_alone(state, n, now) {
            Attempt::Won(seen) => Ok(seen),
            Attempt::Declined(seen) => Err(seen),
            Attempt::Lost(newer) => self.decide_among_all(state, newer, n, now),
        }
    }

    #[inline(always)]
    fn attempt(&self, state: &Windows, n: u32, now: Timestamp) -> Attempt<Seen> {
        self.attempt_alone(state, n, now)
    }

    fn decide_after(
        &self,
        state: &Windows,
        lost_to: Seen,
        n: u32,
        now: Timestamp,
    ) -> Result<Seen, Seen> {
        self.decide_among_all(state, lost_to, n, now)
    }

    #[inline(always)]
    fn admitted(&self, state: &Windows, seen: Seen, n: u32, now: Timestamp) -> Admitted {
        let layout = self.layout();
        let after = match n {
            // Nothing was decided on, so `seen` may be of any window.
            0 => self.peek(state, now),
            _ => self.snapshot(layout.left(seen), layout.index(seen), now),
        };
        Admitted { ticket: 0, permits: n, at: now, after }
    }

    #[inline]
    fn denied(&self, _: &Windows, seen: Seen, n: u32, now: Timestamp) -> Denied {
        let layout = self.layout();
        let index = layout.index(seen);
        let next = if n > self.rule.limit() { None } else { layout.after(index) };
        let wait = next.and_then(|next| NonZeroU64::new(next.saturating_sub(now.as_nanos())));
        Denied { wait, now: self.snapshot(layout.left(seen), index, now), asked: n, by: 0 }
    }

    #[inline]
    fn is_late(&self, state: &Windows, seen: Seen, _: Timestamp) -> bool {
        seen.is_marked() || state.top.newest.load() > self.layout().index(seen)
    }

    #[inline]
    fn is_due_within(
        &self,
        state: &Windows,
        seen: Seen,
        n: u32,
        now: Timestamp,
        lag: Duration,
    ) -> bool {
        self.denied(state, seen, n, now).is_within(lag)
    }

    fn peek(&self, state: &Windows, now: Timestamp) -> Snapshot {
        let layout = self.layout();
        let Some(index) = layout.index_at(now) else {
            return self.snapshot(0, u64::MAX, now);
        };
        let in_cells = || {
            let left = |(at, cell): (usize, &CachePadded<Cell>)| {
                self.left_in(Share::from_bits(cell.load()), index, self.full(state, at))
            };
            state.cells.iter().enumerate().map(left).sum()
        };
        let parent = Share::from_bits(state.top.parent.load());
        let left = match layout.index(parent).cmp(&index) {
            Equal if !parent.is_marked() => layout.left(parent),
            Less | Equal => in_cells(),
            Greater => 0,
        };
        self.snapshot(left, index, now)
    }

    fn describe(&self, state: &Windows, out: &mut DebugStruct<'_, '_>) {
        out.field("limit", &self.rule.limit())
            .field("period", &Duration::from_nanos(self.rule.period().get()))
            .field("parent", &state.top.parent)
            .field("cells", &state.cells);
    }
}

impl Line for Sharded<FixedWindow> {
    fn first_fit(&self, state: &Windows, ahead: u64, n: u32, now: Timestamp) -> Option<Timestamp> {
        let limit = self.rule.limit();
        if n > limit {
            return None;
        }
        let left = u64::from(self.peek(state, now).remaining);
        let later = ahead.saturating_add(n.into()).saturating_sub(left).div_ceil(limit.into());
        if later == 0 {
            return Some(now);
        }
        let index = self.layout().index_at(now)?.checked_add(later - 1)?;
        self.layout().after(index).map(Timestamp::from_nanos)
    }
}

impl Sharded<FixedWindow> {
    #[inline]
    fn snapshot(&self, left: u32, index: u64, now: Timestamp) -> Snapshot {
        let limit = self.rule.limit();
        let end = self.layout().end(index).saturating_sub(now.as_nanos());
        Snapshot { limit, remaining: left, reset_after: if left == limit { 0 } else { end } }
    }
}
