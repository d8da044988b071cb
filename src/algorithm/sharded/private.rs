use super::share::{Layout, Share};
use super::window::Windows;
use super::{Sharded, home};
use crate::algorithm::{FixedWindow, Line, Machine, Place};
use crate::cell::Attempt;
use crate::decision::{Admitted, Denied, Snapshot};
use crate::sync::Ordering;
use crate::sync::unmodelled::Counter;
use crate::timestamp::Timestamp;
use core::cell::Cell;
use core::convert::Infallible;
use core::fmt::DebugStruct;
use core::time::Duration;

/// A [sharded](Sharded) fixed window of which each thread keeps some permits for itself.
///
/// [`Limiter::private`](crate::Limiter::private) makes one. A thread takes n permits at a time from
/// its cell, and spends them without an atomic operation. With the time given, such a check costs less
/// than a bare `fetch_add` that nobody else is at.
///
/// Each window admits at most L permits, as without it. But other threads cannot have what a thread keeps: up to
/// n − 1 permits a thread are lost until the window ends, if the thread asks no more. A thread whose
/// timestamps go back and forth between windows can lose as many again each time. So a denial
/// no longer means that nothing was left. [`peek`](crate::Limiter::peek) counts kept permits as spent.
///
/// A thread keeps permits of one such limiter at a time. As long as it has some of one, it takes
/// those of another one by one. The clock of the other one judges whether the window of the kept
/// permits is over. So don't use two of them on clocks with different origins in one thread, for it
/// would lose a batch each time.
///
/// A thread can't give back what another one keeps, so there is neither `check_n` nor `refund` nor `reset`.
///
/// ```
/// use casgate::algorithm::Private;
/// use casgate::{Limiter, Quota};
///
/// let limiter: Limiter<Private> =
///     Limiter::sharded_fixed_window(Quota::per_second(1_000_000)).private(16);
/// assert!(limiter.is_allowed());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Private {
    sharded: Sharded<FixedWindow>,
    /// Of all such limiters of the process: permits of one that is gone are never spent from another.
    id: u64,
    /// Permits taken at a time.
    batch: u32,
}

/// What a thread keeps: the permits from `share` down to `last`, of the window from `start` to `until`, both included.
struct Pocket {
    owner: Cell<u64>,
    start: Cell<u64>,
    until: Cell<u64>,
    share: Cell<Share>,
    last: Cell<Share>,
}

std::thread_local! {
    static POCKET: Pocket = const {
        Pocket {
            owner: Cell::new(0),
            start: Cell::new(0),
            until: Cell::new(0),
            share: Cell::new(Share::NONE),
            last: Cell::new(Share::NONE),
        }
    };
}

impl Pocket {
    /// Spends a permit of the limiter `owner` at `now`, if there is one. A few comparisons, and nothing computed.
    #[inline(always)]
    fn spend(&self, owner: u64, now: u64) -> Option<Share> {
        let share = self.share.get();
        let is_kept = self.owner.get() == owner
            && self.start.get() <= now
            && now <= self.until.get()
            && share != self.last.get();
        is_kept.then(|| {
            self.share.set(share.less_one());
            share.less_one()
        })
    }

    /// Whether there is nothing that could still be spent, as far as a caller at `now` can know.
    fn is_free(&self, now: u64) -> bool {
        self.until.get() < now || self.share.get() == self.last.get()
    }
}

impl Private {
    pub(crate) fn new(sharded: Sharded<FixedWindow>, batch: u32) -> Self {
        static NEXT: Counter = Counter::new(1);
        // Relaxed: the number is all there is.
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { sharded, id, batch: batch.max(1) }
    }

    #[inline(always)]
    const fn layout(&self) -> Layout {
        self.sharded.layout()
    }

    /// Takes permits from the cell: to keep, if the thread keeps none and the cell has as many.
    #[cold]
    #[inline(never)]
    fn refill(&self, state: &Windows, now: Timestamp) -> Result<Share, Share> {
        home::settle();
        if POCKET.with(|pocket| pocket.is_free(now.as_nanos())) {
            let taken = self.sharded.attempt_alone(state, self.batch, now);
            if let Attempt::Won(share) = taken {
                return Ok(self.keep(self.layout().index(share)));
            }
        }
        self.sharded.decide(state, 1, now, false)
    }

    /// Puts a batch of window `index` into the pocket, but the permit that is spent at once.
    fn keep(&self, index: u64) -> Share {
        let layout = self.layout();
        let share = layout.pack(index, self.batch - 1);
        POCKET.with(|pocket| {
            pocket.owner.set(self.id);
            let start = layout.end(index - 1);
            pocket.start.set(start);
            pocket.until.set(start.saturating_add(self.sharded.rule().period().get() - 1));
            pocket.share.set(share);
            pocket.last.set(layout.pack(index, 0));
        });
        share
    }
}

impl Machine for Private {
    type State = Windows;
    type Seen = Share;
    type Newer = Infallible;

    fn is_lock_free() -> bool {
        Sharded::<FixedWindow>::is_lock_free()
    }

    fn look(&self, state: &Windows) -> Share {
        self.sharded.look(state)
    }

    #[inline(always)]
    fn decide(&self, state: &Windows, n: u32, now: Timestamp, _: bool) -> Result<Share, Share> {
        debug_assert_eq!(n, 1);
        match POCKET.with(|pocket| pocket.spend(self.id, now.as_nanos())) {
            Some(share) => Ok(share),
            None => self.refill(state, now),
        }
    }

    #[inline(always)]
    fn attempt(&self, state: &Windows, n: u32, now: Timestamp) -> Attempt<Share, Infallible> {
        match self.decide(state, n, now, false) {
            Ok(seen) => Attempt::Won(seen),
            Err(seen) => Attempt::Declined(seen),
        }
    }

    fn decide_after(
        &self,
        _: &Windows,
        lost_to: Infallible,
        _: u32,
        _: Timestamp,
    ) -> Result<Share, Share> {
        match lost_to {}
    }

    #[inline(always)]
    fn admitted(&self, state: &Windows, seen: Share, n: u32, now: Timestamp) -> Admitted {
        self.sharded.admitted(state, seen, n, now)
    }

    #[inline]
    fn denied(&self, state: &Windows, seen: Share, n: u32, now: Timestamp) -> Denied {
        self.sharded.denied(state, seen, n, now)
    }

    #[inline]
    fn is_late(&self, state: &Windows, seen: Share, now: Timestamp) -> bool {
        self.sharded.is_late(state, seen, now)
    }

    #[inline]
    fn is_due_within(
        &self,
        state: &Windows,
        seen: Share,
        n: u32,
        now: Timestamp,
        lag: Duration,
    ) -> bool {
        self.sharded.is_due_within(state, seen, n, now, lag)
    }

    fn peek(&self, state: &Windows, now: Timestamp) -> Snapshot {
        self.sharded.peek(state, now)
    }

    fn describe(&self, state: &Windows, out: &mut DebugStruct<'_, '_>) {
        self.sharded.describe(state, out);
        out.field("batch", &self.batch);
    }
}

impl Line for Private {
    fn first_fit(&self, state: &Windows, ahead: u64, n: u32, now: Timestamp) -> Option<Timestamp> {
        self.sharded.first_fit(state, ahead, n, now)
    }

    /// From the cells: who takes it for a waiter keeps none.
    fn take_place(
        &self,
        state: &Windows,
        n: u32,
        now: Timestamp,
        latest: Timestamp,
    ) -> Option<Place<Share>> {
        self.sharded.take_place(state, n, now, latest)
    }
}
