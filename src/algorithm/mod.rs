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

    #[doc(hidden)]
    fn check_n_at(&self, state: &Self::State, n: u32, now: Timestamp) -> Result<Admitted, Denied>;

    #[doc(hidden)]
    fn peek_at(&self, state: &Self::State, now: Timestamp) -> Snapshot;

    #[doc(hidden)]
    fn reset(&self, state: &Self::State);

    #[doc(hidden)]
    fn describe(&self, state: &Self::State, out: &mut DebugStruct<'_, '_>);
}

/// Keeps [`Algorithm`] to this crate.
pub trait Sealed {}
