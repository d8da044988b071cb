use super::{Seen, Windows};
use crate::algorithm::FixedWindow;
use crate::algorithm::sharded::share::Share;
use crate::algorithm::sharded::{Sharded, home};
use crate::cell::Attempt;
use crate::sync;
use crate::timestamp::Timestamp;
use core::cmp::Ordering::{Equal, Greater, Less};
use crossbeam_utils::Backoff;

impl Sharded<FixedWindow> {
    /// Decides by the caller's own cell; or by the parent, if that denies. Whatever else there is to do counts as
    /// lost to [`NONE`](Share::NONE).
    #[inline(always)]
    pub(in crate::algorithm::sharded) fn attempt_alone(
        &self,
        state: &Windows,
        n: u32,
        now: Timestamp,
    ) -> Attempt<Seen> {
        let layout = self.layout();
        let cell = &state.cells[home::of(&state.cells)];
        let outcome = cell.attempt(|bits| {
            let share = Share::from_bits(bits);
            let left = if layout.is_current(share, now) { share.minus(n, layout) } else { None };
            left.map(Share::bits)
        });
        match outcome {
            Attempt::Won(next) => Attempt::Won(Share::from_bits(next)),
            Attempt::Lost(newer) => Attempt::Lost(Share::from_bits(newer)),
            Attempt::Declined(_) => {
                let parent = Share::from_bits(state.top.parent.load());
                let denies = parent != Share::NONE
                    && layout.is_current(parent, now)
                    && !parent.is_marked()
                    && layout.left(parent) < n;
                if denies { Attempt::Declined(parent) } else { Attempt::Lost(Share::NONE) }
            }
        }
    }

    /// Decides by all words. A thread that has lost an exchange tries the next cell first.
    #[cold]
    #[inline(never)]
    pub(super) fn decide_among_all(
        &self,
        state: &Windows,
        lost_to: Share,
        n: u32,
        now: Timestamp,
    ) -> Result<Seen, Seen> {
        if lost_to == Share::NONE {
            home::settle();
        } else {
            home::move_on(&state.cells);
        }
        let layout = self.layout();
        let Some(index) = layout.index_at(now) else {
            return Err(Share::NONE);
        };
        let late = layout.pack(index, 0).marked();
        loop {
            let parent = Share::from_bits(state.top.parent.load());
            match layout.index(parent).cmp(&index) {
                Less => {}
                Equal if parent.is_marked() => {
                    if self.gather(state, index) {
                        continue;
                    }
                    return Err(late);
                }
                Equal => {
                    let outcome = state.top.parent.update(|bits| {
                        let next = self.take(Share::from_bits(bits), index, n, 0);
                        next.map(Share::bits)
                    });
                    return outcome.map(Share::from_bits).map_err(|bits| {
                        let share = Share::from_bits(bits);
                        if layout.index(share) == index { share } else { late }
                    });
                }
                Greater => return Err(late),
            }
            let found = match self.pass(state, n, index) {
                Ok(share) => return Ok(share),
                Err(found) => found,
            };
            if found.is_late {
                return Err(layout.pack(index, found.left).marked());
            } else if found.left >= n {
                self.replace(state, parent, layout.pack(index, 0).marked());
            } else if found.left > 0 || self.replace(state, parent, layout.pack(index, 0)) {
                return Err(layout.pack(index, found.left));
            }
        }
    }

    /// Asks the cells for `n` permits, one after another.
    ///
    /// Cells only lose permits until the parent has the window. So if the parent had not when the pass began, there
    /// was an instant in it with no more left than it found: its end or, if the parent got the window before that,
    /// the instant before.
    fn pass(&self, state: &Windows, n: u32, index: u64) -> Result<Share, Found> {
        let layout = self.layout();
        let backoff = Backoff::new();
        loop {
            let mut found = Found { left: 0, is_late: false };
            let mut is_lost = false;
            for (at, cell) in home::all(&state.cells) {
                let full = self.full(state, at);
                let outcome = cell.attempt(|bits| {
                    let next = self.take(Share::from_bits(bits), index, n, full);
                    next.map(Share::bits)
                });
                match outcome {
                    Attempt::Won(next) => {
                        let _ = state.top.newest.update(|newest| (newest < index).then_some(index));
                        sync::move_home(at);
                        return Ok(Share::from_bits(next));
                    }
                    Attempt::Declined(bits) => {
                        let share = Share::from_bits(bits);
                        found.left += self.left_in(share, index, full);
                        found.is_late |= layout.index(share) > index;
                    }
                    // Others are at this cell.
                    Attempt::Lost(_) => is_lost = true,
                }
            }
            if !is_lost {
                return Err(found);
            }
            backoff.spin();
        }
    }
}

/// What a pass over the cells saw that admitted nothing.
struct Found {
    left: u32,
    is_late: bool,
}
