mod ring;

pub(crate) use ring::Ring;
pub use ring::Slot;

use super::{Line, Machine};
use crate::cell::Attempt;
use crate::decision::{Admitted, Denied, Snapshot};
use crate::{Quota, Timestamp, sync};
use core::convert::Infallible;
use core::fmt::{self, DebugStruct};
use core::marker::PhantomData;
use core::num::NonZeroU64;
use core::time::Duration;
use ring::{Mark, View};

/// At most a quota's permits in every half-open interval of its period.
///
/// Call the quota's [permits](Quota::permits) L and its [period](Quota::period) W. There is a slot
/// for each of the L permits. It holds the instant at which it is free again: W after it was last
/// used. An admission claims, by compare-and-swap, the slot that has been in use for longest. Any
/// L + 1 admissions include two in one slot, so they span W or more. That is the whole proof of the
/// bound, for any number of threads in any order.
///
/// If all timestamps are in order and in [range](#range), a request is denied only if admitting it
/// would break the bound. A late timestamp, older than that of an admission before it, is decided at
/// its own time: it is denied if the oldest slot is not free by then. If it is admitted, its slot
/// stays in use as long as that of the newest admission. So a late request, and one that comes after
/// it in order, can be denied although the bound would allow it:
///
/// ```
/// use casgate::{Limiter, Quota, Timestamp};
/// use std::time::Duration;
///
/// let quota = Quota::new(2, Duration::from_secs(10))?;
/// let limiter = Limiter::sliding_window(quota);
/// assert!(limiter.is_allowed_at(Timestamp::ZERO));
/// assert!(limiter.is_allowed_at(Timestamp::from_secs(12)));
/// assert!(!limiter.is_allowed_at(Timestamp::from_secs(9))); // three seconds late
/// assert!(limiter.is_allowed_at(Timestamp::from_secs(12))); // the same call in time
///
/// let limiter = Limiter::sliding_window(quota);
/// assert!(limiter.is_allowed_at(Timestamp::from_secs(12)));
/// assert!(limiter.is_allowed_at(Timestamp::from_secs(9))); // late: in use until 22 s
/// assert!(!limiter.is_allowed_at(Timestamp::from_secs(20))); // though only one since 10 s
/// assert!(limiter.is_allowed_at(Timestamp::from_secs(22)));
/// # Ok::<(), casgate::QuotaError>(())
/// ```
///
/// # Cost
///
/// A limiter needs 8 bytes a permit, which suits limits up to some thousands. [`Quota::at_most`]
/// keeps the same bound on one word, at a slower pace. A check is five loads: the place of the
/// oldest slot, two slots, and before and after them the number of the lap. An admission exchanges
/// a slot and stores the place of the next one. After L admissions, when a lap ends, one exchanges
/// the number of the lap too. Neither depends on L. The number of permits left is found by
/// bisection, O(log L), and only by the methods that return it: [`is_allowed`] does not.
///
/// After its first exchange the thread of an admission may be stopped. The next caller then finds
/// the oldest slot by bisection. It stores its place, and ends the lap if that is due. A caller that
/// is denied or only peeks does the same. So those calls can write, and they change no answer.
///
/// The slots are on the heap ([`Limiter::sliding_window`]) or in the limiter itself, which can then
/// be a `static` ([`Limiter::sliding_window_array`]).
///
/// # Missing methods
///
/// `check_n`, `refund`, `reset`, `charge`, `save` and `set_quota` would need to update several
/// slots atomically. This algorithm cannot do that, so the type does not have them. For `check_n`
/// the first of n slots would have to hold n beside its instant, so that others can claim the rest
/// when a thread is stopped; 64 bits do not hold both.
///
/// # Range
///
/// Slots represent timestamps before 2⁶³ ns minus W, which is at least 219 years. All others are
/// denied.
///
/// [`is_allowed`]: crate::Limiter::is_allowed
/// [`Limiter::sliding_window`]: crate::Limiter::sliding_window
/// [`Limiter::sliding_window_array`]: crate::Limiter::sliding_window_array
///
/// ```
/// use casgate::{Limiter, Quota, Timestamp};
///
/// let limiter = Limiter::sliding_window(Quota::per_second(2));
/// assert!(limiter.is_allowed_at(Timestamp::from_millis(900)));
/// assert!(limiter.is_allowed_at(Timestamp::from_millis(1_100)));
/// // A fixed window would have started again at 1 s.
/// let denied = limiter.check_at(Timestamp::from_millis(1_200)).unwrap_err();
/// assert_eq!(denied.retry_after().unwrap().as_millis(), 700);
/// ```
pub struct SlidingWindow<S = Heap> {
    period: NonZeroU64,
    limit: u32,
    slots: PhantomData<fn() -> S>,
}

/// Holds the slots of a limiter whose limit is known at run time. [`Limiter::sliding_window`] makes
/// it, with the feature `alloc`. Without it there is no value of this type.
///
/// [`Limiter::sliding_window`]: crate::Limiter::sliding_window
#[derive(Debug)]
pub struct Heap(Slots);

#[cfg(feature = "alloc")]
type Slots = alloc::boxed::Box<[Slot]>;
#[cfg(not(feature = "alloc"))]
type Slots = Infallible;

#[cfg(feature = "alloc")]
impl Heap {
    pub(crate) fn new(count: u32) -> Self {
        Self((0..count).map(|_| Slot::new()).collect())
    }
}

impl AsRef<[Slot]> for Heap {
    #[inline]
    fn as_ref(&self) -> &[Slot] {
        #[cfg(feature = "alloc")]
        return &self.0;
        #[cfg(not(feature = "alloc"))]
        match self.0 {}
    }
}

impl<S> SlidingWindow<S> {
    pub(crate) const fn new(quota: Quota) -> Self {
        Self { period: quota.period_nanos(), limit: quota.permits(), slots: PhantomData }
    }

    /// When the slot that a claim at `now` takes is free again; `None` if it is not free at `now`,
    /// or past the last instant that a slot can hold.
    #[inline]
    fn claim(&self, view: View, now: u64) -> Option<u64> {
        let free_at = now.saturating_add(self.period.get());
        // In the order of claims the instants never fall, with late timestamps too.
        (view.oldest <= now && free_at <= Mark::MAX).then(|| free_at.max(view.newest))
    }
}

impl<S> Clone for SlidingWindow<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for SlidingWindow<S> {}

impl<S> fmt::Debug for SlidingWindow<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SlidingWindow({} in {:?})", self.limit, Duration::from_nanos(self.period.get()))
    }
}

impl<S: AsRef<[Slot]>> Machine for SlidingWindow<S> {
    type State = Ring<S>;
    type Seen = View;
    type Newer = Infallible;

    fn is_lock_free() -> bool {
        sync::is_word_lock_free()
    }

    fn look(&self, ring: &Ring<S>) -> View {
        ring.view()
    }

    #[inline(always)]
    fn decide(&self, ring: &Ring<S>, n: u32, now: Timestamp, numbers: bool) -> Result<View, View> {
        debug_assert_eq!(n, 1);
        let now = now.as_nanos();
        ring.claim(numbers.then_some(now), |view| self.claim(view, now))
    }

    /// The ring's loop ends with a decision.
    #[inline]
    fn attempt(&self, ring: &Ring<S>, n: u32, now: Timestamp) -> Attempt<View, Infallible> {
        match self.decide(ring, n, now, false) {
            Ok(taken) => Attempt::Won(taken),
            Err(seen) => Attempt::Declined(seen),
        }
    }

    fn decide_after(
        &self,
        _: &Ring<S>,
        lost_to: Infallible,
        _: u32,
        _: Timestamp,
    ) -> Result<View, View> {
        match lost_to {}
    }

    #[inline]
    fn admitted(&self, _: &Ring<S>, view: View, n: u32, now: Timestamp) -> Admitted {
        let reset_after = view.newest.saturating_sub(now.as_nanos());
        let after = Snapshot { limit: self.limit, remaining: view.free, reset_after };
        Admitted { ticket: view.position.claims(self.limit), permits: n, at: now, after }
    }

    #[inline]
    fn denied(&self, _: &Ring<S>, view: View, n: u32, now: Timestamp) -> Denied {
        let now = now.as_nanos();
        let due = view.oldest.max(now);
        let wait =
            if due <= Mark::MAX - self.period.get() { NonZeroU64::new(due - now) } else { None };
        let reset_after = view.newest.saturating_sub(now);
        let now = Snapshot { limit: self.limit, remaining: 0, reset_after };
        Denied { wait, now, asked: n, by: 0 }
    }

    /// The newest permit is held for longer than the period, so it was not admitted by then.
    #[inline]
    fn is_late(&self, _: &Ring<S>, view: View, now: Timestamp) -> bool {
        view.newest > now.as_nanos().saturating_add(self.period.get())
    }

    #[inline]
    fn is_due_within(
        &self,
        _: &Ring<S>,
        view: View,
        _: u32,
        now: Timestamp,
        lag: Duration,
    ) -> bool {
        let last = Mark::MAX - self.period.get();
        self.claim(view, (now + lag).as_nanos().min(last)).is_some()
    }

    fn peek(&self, ring: &Ring<S>, now: Timestamp) -> Snapshot {
        let now = now.as_nanos();
        let view = ring.view_and_free(now);
        let is_in_range = now <= Mark::MAX - self.period.get();
        let remaining = if is_in_range { view.free } else { 0 };
        Snapshot { limit: self.limit, remaining, reset_after: view.newest.saturating_sub(now) }
    }

    fn describe(&self, ring: &Ring<S>, out: &mut DebugStruct<'_, '_>) {
        let view = ring.view();
        out.field("limit", &self.limit)
            .field("period", &Duration::from_nanos(self.period.get()))
            .field("oldest_free_at", &view.oldest)
            .field("newest_free_at", &view.newest);
    }
}

impl<S: AsRef<[Slot]>> Line for SlidingWindow<S> {
    fn first_fit(&self, ring: &Ring<S>, ahead: u64, _: u32, now: Timestamp) -> Option<Timestamp> {
        let due = ring.free_behind(ahead, now.as_nanos(), self.period.get());
        (due <= Mark::MAX - self.period.get()).then_some(Timestamp::from_nanos(due))
    }
}
