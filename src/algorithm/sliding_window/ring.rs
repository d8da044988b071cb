//! The slots of a sliding window, claimed one after another.

use crate::sync::{AtomicU64, Ordering, const_unless_modelled, order};
use crate::word::{Split, Word};
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

    #[inline]
    const fn new(free_at: u64, lap: u64) -> Self {
        Self(free_at << 1 | (lap + 1) & 1)
    }

    #[inline]
    pub(crate) const fn free_at(self) -> u64 {
        self.0 >> 1
    }

    #[inline]
    const fn is_claimed_in(self, lap: u64) -> bool {
        self.0 & 1 == (lap + 1) & 1
    }
}

/// Slots in a circle, and a head that says which of them is the oldest. The head counts claims: the
/// lap, and the slot's index in it.
///
/// A claim takes two steps. The first, an exchange of the oldest slot, is the one that counts. The
/// second moves the head on. A thread that finds the slot claimed but the head still on it does
/// that for the claimant, so a thread stopped in between stops nobody.
///
/// # Why it is right
///
/// The head passes a slot only after someone saw it claimed in that lap, so claims come in the
/// order of the slots. A view is taken between two equal loads of the head, which never returns to
/// a value. So in between the slot has not been claimed in a later lap. Nor is it claimed in this
/// one, as its bit shows. Instants in a slot only grow, so an exchange that finds the slot as it
/// was seen finds the head where it was seen.
///
/// # Ordering
///
/// A thread that sees the head on a slot must see all claims before it: the head is moved with
/// `Release` by a thread that saw them, and read with `Acquire`. And a thread that sees a claim of
/// a later lap must then see the head there: slots are exchanged with `Release` by a claimant that
/// saw the head, and read with `Acquire`. The second load of the head and all lost exchanges carry
/// nothing: `Relaxed`.
pub struct Ring<S> {
    head: AtomicU64,
    /// Where the lap ends and the index begins in the head.
    split: Split,
    slots: S,
}

/// The ring at one instant, or after a claim: then the head is past the claimed slot.
#[derive(Clone, Copy, Debug)]
pub struct View {
    pub(crate) head: Word,
    /// When the oldest and the newest slot are free. (Of the only one, both.)
    pub(crate) oldest: u64,
    pub(crate) newest: u64,
    /// How many slots are free, if that was asked for.
    pub(crate) free: u32,
    seen: Mark,
}

impl<S> Ring<S> {
    const_unless_modelled! {
        pub(crate) fn new(slots: S, count: u32) -> Self {
            Self { head: AtomicU64::new(0), split: Split::for_limit(count), slots }
        }
    }
}

impl<S: AsRef<[Slot]>> Ring<S> {
    /// Claims the oldest slot until the instant that `step` makes of the view: `Ok` with the view
    /// after it, or `Err` with the view on which `step` declined. With an instant to `count` at,
    /// the view after it says how many slots are free then.
    ///
    /// Lock-free: a claim is lost only to another, and a view is taken again only if the head
    /// moved.
    #[inline]
    pub(crate) fn claim(
        &self,
        count: Option<u64>,
        step: impl Fn(View) -> Option<u64>,
    ) -> Result<View, View> {
        let backoff = Backoff::new();
        loop {
            let view = self.view();
            let Some(free_at) = step(view) else { return Err(view) };
            // Before the exchange: if that is won no slot has been claimed since the view. If it is lost
            // this may be any number.
            let free = count.map_or(0, |now| self.free(view, now).saturating_sub(1));
            let claimed = Mark::new(free_at, self.split.index(view.head));
            let slot = &self.slots()[self.index(view.head)].0;
            // Release: who sees the claim shall see the head. What was there before was acquired when it
            // was read.
            if slot
                .compare_exchange(view.seen.0, claimed.0, order::SLOT_CLAIM, Ordering::Relaxed)
                .is_ok()
            {
                let head = self.advance(view.head);
                return Ok(View { head, newest: free_at, free, ..view });
            }
            backoff.spin();
        }
    }

    /// The oldest and the newest slot, and the head that points to them.
    #[inline]
    pub(crate) fn view(&self) -> View {
        loop {
            // Acquire: the claims before it. See the type.
            let head = Word::from_bits(self.head.load(order::HEAD_LOAD));
            let index = self.index(head);
            let seen = self.slots()[index].load();
            if seen.is_claimed_in(self.split.index(head)) {
                self.advance(head);
                continue;
            }
            let before = if index == 0 { self.slots().len() } else { index } - 1;
            let newest = self.slots()[before].load().free_at();
            // Relaxed: the reads of the slots are Acquire, so this one is not made before them.
            if self.head.load(Ordering::Relaxed) == head.bits() {
                return View { head, oldest: seen.free_at(), newest, free: 0, seen };
            }
        }
    }

    /// The view, and how many slots are free at `now`.
    pub(crate) fn view_and_free(&self, now: u64) -> View {
        loop {
            let view = self.view();
            let free = self.free(view, now);
            // A view's head is on a slot that nobody has claimed, and never returns to a value: so nobody
            // has claimed one in between.
            if self.view().head == view.head {
                return View { free, ..view };
            }
        }
    }

    /// When the slot of the claim after `ahead` others is free, if they claim each as soon as it is free: at
    /// the earliest, if a slot has been claimed since the view.
    pub(crate) fn free_behind(&self, view: View, ahead: u64, period: u64) -> u64 {
        let count = self.slots().len() as u64;
        let slot = (self.index(view.head) as u64 + ahead % count) % count;
        let free_at = self.slots()[slot as usize].load().free_at();
        free_at.saturating_add((ahead / count).saturating_mul(period))
    }

    /// How many slots from the head on are free at `now`, by bisection: in the order of claims the
    /// instants never fall. Right if no slot has been claimed since the view.
    fn free(&self, view: View, now: u64) -> u32 {
        let slots = self.slots();
        let (mut free, mut unknown) = (0, slots.len());
        let mut at = self.index(view.head);
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

    /// Moves the head from a claimed slot to the next, unless someone has, and returns where that
    /// is.
    #[inline]
    fn advance(&self, head: Word) -> Word {
        let split = self.split;
        let (lap, next) = (split.index(head), split.count(head) + 1);
        let next = if next as usize == self.slots().len() {
            split.pack(lap + 1, 0)
        } else {
            split.pack(lap, next)
        };
        // Release: what this thread saw claimed. Relaxed if lost: another has moved the head, and
        // a thread that needs what that one saw reads it again.
        let _ = self.head.compare_exchange(
            head.bits(),
            next.bits(),
            order::HEAD_MOVE,
            Ordering::Relaxed,
        );
        next
    }

    #[inline]
    fn index(&self, head: Word) -> usize {
        self.split.count(head) as usize
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
mod tests {
    use super::*;

    /// A claimant that stops permanently after its first step.
    fn stopped(ring: &Ring<[Slot; 2]>, free_at: u64) {
        let view = ring.view();
        let claimed = Mark::new(free_at, ring.split.index(view.head));
        ring.slots[ring.index(view.head)].0.store(claimed.0, Ordering::Release);
    }

    #[test]
    fn a_claimant_that_stops_between_its_steps_stops_nobody() {
        let ring = Ring::new([const { Slot::new() }; 2], 2);
        for lap in 0..5 {
            let now = lap * 10;
            stopped(&ring, now + 10);
            // The next caller completes it, and finds the other slot.
            let view = ring.claim(None, |view| (view.oldest <= now).then_some(now + 10)).unwrap();
            assert_eq!((ring.split.index(view.head), ring.split.count(view.head)), (lap + 1, 0));
            let view =
                ring.claim(None, |view| (view.oldest <= now).then_some(now + 10)).unwrap_err();
            assert_eq!((view.oldest, view.newest), (now + 10, now + 10));
        }
    }

    #[test]
    fn counts_what_is_free_from_any_head() {
        let ring = Ring::new([const { Slot::new() }; 7], 7);
        for claim in 0..30u64 {
            for now in 0..60 {
                let free = (0..7).filter(|i| ring.slots[*i].load().free_at() <= now).count();
                assert_eq!(ring.free(ring.view(), now), free as u32);
            }
            ring.claim(None, |_| Some(claim + claim / 3)).unwrap();
        }
    }
}
