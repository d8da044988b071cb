//! The rules that decide.
//!
//! A rule is a pure function from a state word, a request and a clock reading to the next word or
//! a refusal. [`Limiter`](crate::Limiter) runs it in a compare-and-swap loop; because it is pure,
//! the same function can run behind a mutex, in a table or in a test.

mod fixed_window;

pub use fixed_window::FixedWindow;

use crate::decision::{Admitted, Denied, Snapshot};
use crate::timestamp::Timestamp;
use core::fmt::DebugStruct;

/// A rule together with the shared state it decides on: what a [`Limiter`](crate::Limiter) needs.
///
/// Sealed: its methods may grow with the crate.
///
/// ```
/// use casgate::{Limiter, Timestamp, algorithm::Algorithm};
///
/// fn drain<A: Algorithm>(limiter: &Limiter<A>, now: Timestamp) -> usize {
///     std::iter::from_fn(|| limiter.check_at(now).ok()).count()
/// }
/// # let limiter = Limiter::fixed_window(casgate::Quota::per_second(3));
/// # assert_eq!(drain(&limiter, Timestamp::ZERO), 3);
/// ```
pub trait Algorithm: Sealed {
    /// What callers share.
    #[doc(hidden)]
    type State;

    /// What a decision was made on: all that the numbers of its answer are computed from.
    #[doc(hidden)]
    type Seen: Copy;

    /// The state as it is.
    #[doc(hidden)]
    fn look(&self, state: &Self::State) -> Self::Seen;

    /// Admits (`Ok`) or denies `n` permits, at least 1.
    #[doc(hidden)]
    fn decide(&self, state: &Self::State, n: u32, now: Timestamp)
    -> Result<Self::Seen, Self::Seen>;

    #[doc(hidden)]
    fn admitted(&self, seen: Self::Seen, now: Timestamp) -> Admitted;

    #[doc(hidden)]
    fn denied(&self, seen: Self::Seen, n: u32, now: Timestamp) -> Denied;

    #[doc(hidden)]
    fn snapshot(&self, seen: Self::Seen, now: Timestamp) -> Snapshot;

    #[doc(hidden)]
    fn reset(&self, state: &Self::State);

    #[doc(hidden)]
    fn describe(&self, state: &Self::State, out: &mut DebugStruct<'_, '_>);
}

mod sealed {
    /// Keeps [`Algorithm`](super::Algorithm) to this crate: public, but out of reach.
    pub trait Sealed {}
}
use sealed::Sealed;
