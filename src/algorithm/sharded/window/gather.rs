use super::Windows;
use crate::algorithm::sharded::Sharded;
use crate::algorithm::sharded::share::Share;
use crate::algorithm::{FixedWindow, SeveralMachine};
use crate::decision::Admitted;
use crate::timestamp::Timestamp;
use core::cmp::Ordering::{Equal, Greater, Less};

impl Sharded<FixedWindow> {
    /// Freezes all cells in window `index`, and puts what they have left into the parent, which is marked. Returns
    /// `false` if a cell is of a later window: then this one is over, and what is left of it is not to be had.
    ///
    /// Any number of threads may do it at once: what a frozen cell has left is the same for all of them. The first
    /// exchange of the parent counts.
    pub(super) fn gather(&self, state: &Windows, index: u64) -> bool {
        let layout = self.layout();
        let mut left = 0;
        for (at, cell) in state.cells.iter().enumerate() {
            let full = self.full(state, at);
            let outcome = cell.update(|bits| {
                let share = Share::from_bits(bits);
                match layout.index(share).cmp(&index) {
                    Less => Some(layout.pack(index, full).marked().bits()),
                    Equal if !share.is_marked() => Some(share.marked().bits()),
                    Equal | Greater => None,
                }
            });
            let (Ok(bits) | Err(bits)) = outcome;
            let share = Share::from_bits(bits);
            if layout.index(share) > index {
                return false;
            }
            left += layout.left(share);
        }
        self.replace(state, layout.pack(index, 0).marked(), layout.pack(index, left));
        true
    }

    /// Makes the parent have window `index`, and changes what it has left. Returns what it had and has; `None` if a
    /// later window has begun.
    fn change(
        &self,
        state: &Windows,
        index: u64,
        change: impl Fn(u32) -> u32,
    ) -> Option<(u32, u32)> {
        let layout = self.layout();
        loop {
            let parent = Share::from_bits(state.top.parent.load());
            match layout.index(parent).cmp(&index) {
                Less => {
                    self.replace(state, parent, layout.pack(index, 0).marked());
                }
                Equal if parent.is_marked() => {
                    if !self.gather(state, index) {
                        return None;
                    }
                }
                Equal => {
                    let left = layout.left(parent);
                    let next = change(left);
                    if next == left || self.replace(state, parent, layout.pack(index, next)) {
                        return Some((left, next));
                    }
                }
                Greater => return None,
            }
        }
    }
}

impl SeveralMachine for Sharded<FixedWindow> {
    fn take_up_to(&self, state: &Windows, n: u32, now: Timestamp) -> u32 {
        let index = self.layout().index_at(now);
        let changed = index.and_then(|index| self.change(state, index, |left| left - left.min(n)));
        changed.map_or(0, |(had, has)| had - has)
    }

    fn refund(&self, state: &Windows, admitted: &Admitted) {
        if admitted.permits == 0 {
            return;
        }
        let index = self.layout().index_at(admitted.at);
        // Of the parent that is seen in any case.
        if let Some(index) = index.filter(|index| *index >= state.top.newest.load()) {
            let limit = self.rule.limit();
            self.change(state, index, |left| left.saturating_add(admitted.permits).min(limit));
        }
    }

    /// In the newest window that any word is of. If a later one begins meanwhile, the reset was before it.
    fn reset(&self, state: &Windows) {
        let words = state.cells.iter().map(|cell| &**cell).chain([&state.top.parent]);
        let newest = words.map(|word| self.layout().index(Share::from_bits(word.load()))).max();
        if let Some(newest @ 1..) = newest {
            self.change(state, newest, |_| self.rule.limit());
        }
    }
}
