//! The constructors.

use super::Limiter;
#[cfg(feature = "alloc")]
use crate::algorithm::Heap;
use crate::algorithm::{
    Adjust, Adjustable, Both, FixedWindow, Live, Ring, Rule, SlidingWindow, Slot, TokenBucket,
};
use crate::cell::Cell;
use crate::clock::SystemClock;
use crate::quota::{Quota, StrictQuota};
use crate::sync::const_unless_modelled;

impl Limiter<FixedWindow> {
    const_unless_modelled! {
        /// Makes a limiter that admits at most `quota.permits()` in each window k·W ≤ t < (k+1)·W
        /// of the clock, where W is `quota.period()`. See [`FixedWindow`].
        ///
        /// ```
        /// use casgate::{FixedWindowLimiter, Limiter, Quota};
        /// static LIMITER: FixedWindowLimiter = Limiter::fixed_window(Quota::per_second(100));
        /// assert!(LIMITER.is_allowed());
        /// ```
        #[must_use]
        pub fn fixed_window(quota: Quota) -> Self {
            Self { state: Cell::new(0), algorithm: FixedWindow::new(quota), clock: SystemClock }
        }
    }
}

impl Limiter<TokenBucket> {
    const_unless_modelled! {
        /// Makes a limiter that admits a burst of `quota.burst()`, refilled at `quota.permits()`
        /// per `quota.period()`. See [`TokenBucket`].
        ///
        /// ```
        /// use casgate::{Limiter, Quota};
        /// static SEARCH: Limiter =
        ///     Limiter::token_bucket(Quota::per_minute(600).with_burst(20));
        /// assert!(SEARCH.is_allowed());
        /// ```
        #[doc(alias = "gcra")]
        #[doc(alias = "leaky bucket")]
        #[must_use]
        pub fn token_bucket(quota: Quota) -> Self {
            Self { state: Cell::new(0), algorithm: TokenBucket::new(quota), clock: SystemClock }
        }
    }
}

impl Limiter<TokenBucket> {
    const_unless_modelled! {
        /// Makes a limiter that admits at most `quota.limit()` in *every* half-open interval of
        /// `quota.period()`, evenly paced. See [`Quota::at_most`].
        ///
        /// ```
        /// use casgate::{Limiter, Quota};
        /// use std::time::Duration;
        /// static PARTNER: Limiter =
        ///     Limiter::strict(Quota::at_most(100).in_any(Duration::from_secs(60)));
        /// assert!(PARTNER.is_allowed());
        /// ```
        #[must_use]
        pub fn strict(quota: StrictQuota) -> Self {
            Self::token_bucket(quota.paced())
        }
    }
}

impl<A: Rule, B: Rule> Limiter<Both<A, B>> {
    const_unless_modelled! {
        /// Makes a limiter of two algorithms with one decision: both admit, or neither spends
        /// anything. See [`Both`].
        ///
        /// ```
        /// use casgate::{FixedWindow, Limiter, Quota, TokenBucket};
        /// let limiter = Limiter::both(
        ///     TokenBucket::new(Quota::per_second(10)),
        ///     FixedWindow::new(Quota::per_hour(1_000)),
        /// );
        /// assert!(limiter.is_allowed());
        /// ```
        #[must_use]
        pub fn both(first: A, second: B) -> Self {
            Self { state: Cell::mirrored([0, 0]), algorithm: Both { first, second }, clock: SystemClock }
        }
    }
}

impl Limiter<Adjustable<TokenBucket>> {
    const_unless_modelled! {
        /// Makes a token bucket whose quota can be [set](Limiter::set_quota). See [`Adjustable`].
        ///
        /// ```
        /// use casgate::{Limiter, Quota};
        /// let limiter = Limiter::adjustable_token_bucket(Quota::per_second(10));
        /// limiter.set_quota(Quota::per_second(20));
        /// assert_eq!(limiter.peek().limit(), 20);
        /// ```
        #[must_use]
        pub fn adjustable_token_bucket(quota: Quota) -> Self {
            let state = Live::new(TokenBucket::new(quota).fields());
            Self { state, algorithm: Adjustable::new(), clock: SystemClock }
        }
    }
}

impl Limiter<Adjustable<FixedWindow>> {
    const_unless_modelled! {
        /// Makes a fixed window whose quota can be [set](Limiter::set_quota). See [`Adjustable`].
        ///
        /// ```
        /// use casgate::{Limiter, Quota};
        /// let limiter = Limiter::adjustable_fixed_window(Quota::per_second(10));
        /// limiter.set_quota(Quota::per_second(20));
        /// assert_eq!(limiter.peek().limit(), 20);
        /// ```
        #[must_use]
        pub fn adjustable_fixed_window(quota: Quota) -> Self {
            let state = Live::new(FixedWindow::new(quota).fields());
            Self { state, algorithm: Adjustable::new(), clock: SystemClock }
        }
    }
}

#[cfg(feature = "alloc")]
impl Limiter<SlidingWindow> {
    /// Makes a limiter that admits at most `quota.permits()` in every half-open interval of
    /// `quota.period()`. See [`SlidingWindow`]. Allocates 8 bytes a permit, here and never again.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::sliding_window(Quota::per_minute(100));
    /// assert!(limiter.is_allowed());
    /// ```
    #[must_use]
    pub fn sliding_window(quota: Quota) -> Self {
        Self {
            state: Ring::new(Heap::new(quota.permits())),
            algorithm: SlidingWindow::new(quota),
            clock: SystemClock,
        }
    }
}

#[cfg(not(casgate_loom))]
impl<const L: usize> Limiter<SlidingWindow<[Slot; L]>> {
    /// Makes a limiter that admits at most `L` in every half-open interval of length `period`. Its
    /// slots are in the limiter itself: it needs no allocator and can be a `static`.
    ///
    /// ```
    /// use casgate::{Limiter, SlidingWindow, Slot};
    /// use std::time::Duration;
    ///
    /// static LOGINS: Limiter<SlidingWindow<[Slot; 5]>> =
    ///     Limiter::sliding_window_array(Duration::from_secs(60));
    /// assert_eq!(LOGINS.peek().limit(), 5);
    /// ```
    ///
    /// # Panics
    ///
    /// If `L` and `period` make no [`Quota`]; see [`Quota::new`]. In a `static` that is a compile
    /// error.
    #[must_use]
    pub const fn sliding_window_array(period: core::time::Duration) -> Self {
        assert!(L <= u32::MAX as usize, "a quota has at most 2^32 - 1 permits");
        let algorithm = SlidingWindow::new(Quota::literal(L as u32, period));
        Self { state: Ring::new([const { Slot::new() }; L]), algorithm, clock: SystemClock }
    }
}

/// `with_clock`, for each kind of state. `const` needs a clock that is `Copy`, and a state without a
/// destructor: a `const fn` cannot drop.
macro_rules! with_clock {
    ([$($generics:tt)*] $algorithm:ty, $($const:ident)?, $example:literal) => {
        impl<$($generics)*> Limiter<$algorithm, C> {
            /// Returns the same limiter on another clock.
            ///
            /// ```
            /// use casgate::clock::ManualClock;
            #[doc = $example]
            /// assert!(limiter.with_clock(ManualClock::new()).is_allowed());
            /// ```
            #[must_use]
            pub $($const)? fn with_clock<C2>(self, clock: C2) -> Limiter<$algorithm, C2> {
                Limiter { state: self.state, algorithm: self.algorithm, clock }
            }
        }
    };
}

with_clock!(
    [R: Rule, C: Copy] R, const,
    "use casgate::{Limiter, Quota};
let limiter = Limiter::fixed_window(Quota::per_second(1));"
);
with_clock!(
    [A: Rule, B: Rule, C: Copy] Both<A, B>, const,
    "use casgate::{FixedWindow, Limiter, Quota, TokenBucket};
let (second, hour) = (Quota::per_second(10), Quota::per_hour(1_000));
let limiter = Limiter::both(TokenBucket::new(second), FixedWindow::new(hour));"
);
with_clock!(
    [R: Adjust, C: Copy] Adjustable<R>, const,
    "use casgate::{Limiter, Quota};
let limiter = Limiter::adjustable_token_bucket(Quota::per_second(1));"
);
with_clock!(
    [const L: usize, C: Copy] SlidingWindow<[Slot; L]>, const,
    "use casgate::{Limiter, SlidingWindow, Slot};
use std::time::Duration;
let second = Duration::from_secs(1);
let limiter: Limiter<SlidingWindow<[Slot; 1]>> = Limiter::sliding_window_array(second);"
);
#[cfg(feature = "alloc")]
with_clock!(
    [C] SlidingWindow, ,
    "use casgate::{Limiter, Quota};
let limiter = Limiter::sliding_window(Quota::per_second(1));"
);
