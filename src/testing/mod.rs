//! Helpers for tests of concurrent callers, which cannot hang and do not depend on thread order.
//!
//! Concurrent callers have no order of their own, so "caller 0 passes" is a wrong specification:
//! some interleaving contradicts it. Two things hold in every one: a *count*, and the order that
//! the limiter itself hands out as [tickets](crate::Admitted::ticket). So start the callers
//! together with [`race`], let each [record](History::record) its calls, and assert over the
//! [`History`]. [`guide::story`](crate::guide::story) tells why.
//!
//! ```
//! use casgate::testing::{History, race};
//! use casgate::{FixedWindowLimiter, Limiter, Quota, Timestamp};
//! use std::sync::Arc;
//!
//! static LIMITER: FixedWindowLimiter = Limiter::fixed_window(Quota::per_second(1));
//!
//! let history = Arc::new(History::default());
//! let recorder = Arc::clone(&history);
//! race(2, move |caller| {
//!     recorder.record(caller, 1, Timestamp::ZERO, |n, now| LIMITER.check_n_at(n, now));
//! });
//! history.assert_admitted(.., 1); // exactly one of the two, whichever
//! history.assert_tickets_in_order();
//! history.assert_denials_final();
//! ```

mod history;
mod linear;
mod ordered;
mod race;

pub use history::{Call, History};
pub use linear::{Sequential, Trace};
pub use race::{DEADLINE, Failure, race, race_within};
