//! The slots of a sliding window, claimed one after another.

use crate::sync::{AtomicU64, Ordering, const_unless_modelled, order};
use core::fmt;
use crossbeam_utils::Backoff;

/// The slot of one permit in a sliding window: it holds when the permit is free again.
///
/// Callers name it only in the type of a limiter that keeps its slots in place:
/// `Limiter<SlidingWindow<[Slot; 5]>>`.
///
/// ```
/// use casgate::{Limiter, SlidingWindow, Slot};
/// use std::time::Duration;
///
/// static LOGINS: Limiter<SlidingWindow<[Slot; 5]>> =
///     Limiter::sliding_window_array(Duration::from_secs(60));
/// assert!(LOGINS.is_allowed());
/// ```
pub struct Slot(AtomicU64);

impl Slot {
    const_unless_modelled! {
        pub(crate) fn new() -> Self {
            Self(AtomicU64::new(0))
        }
    }

    #[inline]
    fn load(&self) -> Mark {
        // Acquire: see `Ring`.
        Mark(self.0.load(order::SLOT_LOAD))
    }

    /// Claims it, if it is still as it was seen.
    #[inline]
    fn claim(&self, seen: Mark, free_at: u64) -> bool {
        let claimed = seen.claimed(free_at);
        // Release: who sees the claim shall see what the claimant saw. What was there before was
        // acquired when it was read.
        self.0.compare_exchange(seen.0, claimed.0, order::SLOT_CLAIM, Ordering::Relaxed).is_ok()
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot(free at {})", self.load().free_at())
    }
}

/// What a slot holds: the instant at which it is free, above a bit that flips with each claim.
///
/// In lap k the bit of a claimed slot is that of k + 1, so a slot nobody has claimed is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(u64);

impl Mark {
    /// The last instant that can be represented.
    pub(crate) const MAX: u64 = u64::MAX >> 1;

    /// What a claim makes of it.
    #[inline]
    const fn claimed(self, free_at: u64) -> Self {
        Self(free_at << 1 | !self.0 & 1)
    }

    #[inline]
    pub(crate) const fn free_at(self) -> u64 {
        self.0 >> 1
    }

    #[inline]
    const fn is_claimed_in(self, lap: u64) -> bool {
        (self.0 ^ lap) & 1 == 1
    }
}

/// Slots in a circle, the number of the lap, and a guess where in the lap the oldest slot is.
///
/// The position is the first slot that nobody has claimed in the lap. A claim is an exchange of
/// that slot. After the last slot a second exchange moves the lap on. A thread that finds the last
/// slot claimed but the lap not moved does that for the claimant, so a thread stopped in between
/// stops nobody.
///
/// A claimant then stores where the next position is. It can be late with that, so what is stored
/// is only where callers look first. It is the position if the slot before is claimed in the lap
/// and this one is not. If it is not the position, a caller finds that by bisection, and stores it.
///
/// # Why it is right
///
/// A slot is claimed only by a thread that saw the slot before claimed, and the lap moves on only
/// after someone saw its last slot claimed. So claims come in the order of the slots, and no slot
/// is claimed for the next lap while the lap stays.
///
/// A view is taken between two equal loads of the lap, which only grows. First the slot before is
/// read, and it is claimed: the one before the first in the lap before. Then the slot is read, and
/// it is not: at this instant it is the position.
///
/// Instants in a slot only grow, so an exchange that finds the slot as it was seen finds the
/// position where it was seen.
///
/// # Ordering
///
/// A thread that sees a claim must see all claims before it: slots are exchanged with `Release` by
/// a claimant that saw the slot before, and read with `Acquire`. A thread that sees the lap must
/// see all claims of the laps before: the lap is moved with `Release` by a thread that saw its last
/// slot claimed, and read with `Acquire`. And a thread that sees a claim of a later lap must then
/// see that lap: its claimant saw it. The second load of the lap and all lost exchanges carry
/// nothing: `Relaxed`. Nor does the guess, which the slots confirm.
pub struct Ring<S> {
    lap: AtomicU64,
    /// The index of the position, or one that it had.
    guess: AtomicU64,
    slots: S,
}

/// The ring at one instant, or after a claim: then the position is that of the next.
#[derive(Clone, Copy, Debug)]
pub struct View {
    pub(crate) position: Position,
    /// When the oldest and the newest slot are free. (Of the only one, both.)
    pub(crate) oldest: u64,
    pub(crate) newest: u64,
    /// How many slots are free, if that was asked for.
    pub(crate) free: u32,
}

/// Which slot is the oldest, and in which lap. It never returns to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    lap: u64,
    index: usize,
}

impl Position {
    /// How many claims were made before it in a ring of so many slots.
    #[inline]
    pub(crate) const fn claims(self, slots: u32) -> u64 {
        self.lap * slots as u64 + self.index as u64
    }
}

/// A view, and the slot that a claim takes.
struct Oldest<'a> {
    view: View,
    slot: &'a Slot,
    seen: Mark,
}

impl<S> Ring<S> {
    const_unless_modelled! {
        pub(crate) fn new(slots: S) -> Self {
            Self { lap: AtomicU64::new(0), guess: AtomicU64::new(0), slots }
        }
    }
}

impl<S: AsRef<[Slot]>> Ring<S> {
    /// Claims the oldest slot until the instant that `step` makes of the view: `Ok` with the view
    /// after it, or `Err` with the view on which `step` declined. With an instant to `count` at,
    /// the view after it says how many slots are free then.
    ///
    /// Lock-free: a claim is lost only to another, and a view is taken again only if the guess was
    /// wrong, a lap had not been ended, or another thread has made a claim.
    #[inline(always)]
    pub(crate) fn claim(
        &self,
        count: Option<u64>,
        step: impl Fn(View) -> Option<u64>,
    ) -> Result<View, View> {
        let backoff = Backoff::new();
        loop {
            let Oldest { view, slot, seen } = self.oldest();
            let Some(free_at) = step(view) else { return Err(view) };
            // Before the exchange: if that is won no slot has been claimed since the view. If it is
            // lost this may be any number.
            let free = count.map_or(0, |now| self.free(view, now).saturating_sub(1));
            if slot.claim(seen, free_at) {
                let position = self.pass(view.position);
                return Ok(View { position, newest: free_at, free, ..view });
            }
            backoff.spin();
        }
    }

    /// The position, and when its slot and the newest one are free.
    pub(crate) fn view(&self) -> View {
        self.oldest().view
    }

    #[inline(always)]
    fn oldest(&self) -> Oldest<'_> {
        let slots = self.slots();
        // Relaxed: the slots confirm it.
        let mut index = self.guess.load(Ordering::Relaxed) as usize;
        loop {
            // Acquire: the claims of the laps before it. See the type.
            let lap = self.lap.load(order::LAP_LOAD);
            // The slot before, and the lap in which it is claimed.
            let (before, its_lap) =
                if index == 0 { (slots.len(), lap.wrapping_sub(1)) } else { (index, lap) };
            // In this order. See the type.
            let (newest, slot) = (slots[before - 1].load(), &slots[index]);
            let seen = slot.load();
            let is_oldest = newest.is_claimed_in(its_lap) & !seen.is_claimed_in(lap);
            // Relaxed: the reads of the slots are Acquire, so this one is not made before them.
            if is_oldest && self.lap.load(Ordering::Relaxed) == lap {
                let position = Position { lap, index };
                let (oldest, newest) = (seen.free_at(), newest.free_at());
                return Oldest { view: View { position, oldest, newest, free: 0 }, slot, seen };
            }
            index = self.search(lap);
        }
    }

    /// The index of the position, or one that it had: better than the guess that was wrong. It is
    /// stored as the guess, which may have become right if this thread is late.
    #[cold]
    fn search(&self, lap: u64) -> usize {
        let (last, others) = self.slots().split_last().expect("a slot for each permit");
        let index = if last.load().is_claimed_in(lap) {
            self.end(lap);
            0
        } else {
            others.partition_point(|slot| slot.load().is_claimed_in(lap))
        };
        // Relaxed: as where it is loaded. Stored, so that not all search who are denied from here on.
        self.guess.store(index as u64, Ordering::Relaxed);
        index
    }

    /// Goes on from a slot that this thread has claimed, and returns where the next one is.
    #[inline(always)]
    fn pass(&self, Position { lap, index }: Position) -> Position {
        let next = if index + 1 < self.slots().len() {
            Position { lap, index: index + 1 }
        } else {
            self.end(lap);
            Position { lap: lap + 1, index: 0 }
        };
        // Relaxed: as where it is loaded.
        self.guess.store(next.index as u64, Ordering::Relaxed);
        next
    }

    /// Moves the lap on, whose last slot this thread saw claimed, unless someone has.
    #[inline]
    fn end(&self, lap: u64) {
        // Release: what this thread saw claimed. Relaxed if lost: another has moved the lap, and a
        // thread that needs what that one saw reads it again.
        let _ = self.lap.compare_exchange(lap, lap + 1, order::LAP_END, Ordering::Relaxed);
    }

    /// The view, and how many slots are free at `now`.
    pub(crate) fn view_and_free(&self, now: u64) -> View {
        self.between_claims(|view| View { free: self.free(view, now), ..view })
    }

    /// When the slot of the claim after `ahead` others is free, if all of them claim from `now` on, each
    /// as soon as its slot is free.
    pub(crate) fn free_behind(&self, ahead: u64, now: u64, period: u64) -> u64 {
        let count = self.slots().len() as u64;
        self.between_claims(|view| {
            let slot = (view.position.index as u64 + ahead % count) % count;
            let first = self.slots()[slot as usize].load().free_at().max(now);
            let Some(laps) = (ahead / count).checked_sub(1) else { return first };
            // A claim holds its slot for a period, and for as long as the one before.
            let second = first.saturating_add(period).max(view.newest);
            second.saturating_add(laps.saturating_mul(period))
        })
    }

    /// What `read` makes of a view and of the slots as they are then.
    fn between_claims<T>(&self, read: impl Fn(View) -> T) -> T {
        loop {
            let view = self.view();
            let seen = read(view);
            // The position is a slot that nobody has claimed, and never returns to a value: so nobody has
            // claimed one in between.
            if self.view().position == view.position {
                return seen;
            }
        }
    }

    /// How many slots from the position on are free at `now`, by bisection: in the order of claims the
    /// instants never fall. Right if no slot has been claimed since the view.
    fn free(&self, view: View, now: u64) -> u32 {
        let slots = self.slots();
        let (mut free, mut unknown) = (0, slots.len());
        let mut at = view.position.index;
        while unknown > 0 {
            let half = unknown / 2;
            let middle = (at + half) % slots.len();
            if slots[middle].load().free_at() <= now {
                free += half + 1;
                at = middle + 1;
                unknown -= half + 1;
            } else {
                unknown = half;
            }
        }
        free as u32
    }

    #[inline]
    fn slots(&self) -> &[Slot] {
        self.slots.as_ref()
    }
}

impl<S: AsRef<[Slot]>> fmt::Debug for Ring<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("slots", &self.slots().len()).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(casgate_loom)))]
mod tests;
