//! A lock-free rate limiter on one atomic word, model-checked over every interleaving.
//!
//! ```
//! use casgate::{Limiter, Quota};
//!
//! static API: Limiter = Limiter::token_bucket(Quota::per_second(100).with_burst(20));
//!
//! match API.check() {
//!     Ok(admitted) => println!("go on; {} left", admitted.remaining()),
//!     Err(denied) => println!("too many requests; retry in {:?}", denied.retry_after()),
//! }
//! # assert!(API.peek().remaining() < 20);
//! ```
//!
//! [`Limiter`] states the guarantees; [`FixedWindow`], [`TokenBucket`] and [`SlidingWindow`] the rules
//! and their bounds, which [`choosing`] lays side by side; [`clock`] what the clock's lag adds to
//! them. [`Both`](algorithm::Both) keeps two quotas in one decision, [`Adjustable`](algorithm::Adjustable)
//! takes a new one while others check. [`KeyedLimiter`] has a limit for each key.
//!
//! # Features
//!
//! - `std` (default): [`SystemClock`](clock::SystemClock) and [`UtcClock`](clock::UtcClock) can be read. Without it the crate is
//!   `no_std` and needs neither an allocator nor an operating system: give the time to
//!   [`check_at`](Limiter::check_at), or a [`Clock`](clock::Clock) of your own.
//! - `serde`: a [`Quota`] serializes as its text, `"100/min burst 20"`, and a [`Timestamp`] as an integer
//!   number of nanoseconds. Works without `std`.
//! - `tsc`: a clock on the processor's time stamp counter. Needs `std`.
//! - `testing`: [`testing`], tests of concurrent callers that neither hang nor ask who won. Needs `std`.
//!
//! On targets without 64-bit atomics the word is `portable-atomic`'s, which takes a lock; two words
//! need 128 bits. [`Limiter::is_lock_free`] tells.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Some links lead to what other features add.
#![cfg_attr(not(all(feature = "std", feature = "testing")), allow(rustdoc::broken_intra_doc_links))]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod algorithm;
mod all;
mod cell; // `pub` inside only for the sealed `Algorithm::State`
pub mod choosing;
pub mod clock;
mod decision;
#[cfg(feature = "alloc")]
mod keyed;
mod limit;
mod limiter;
mod quota;
#[cfg(feature = "serde")]
mod serde;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod timestamp;
pub mod word;

#[doc(inline)]
pub use algorithm::{FixedWindow, SlidingWindow, Slot, TokenBucket};
pub use all::{All, DeniedBy};
pub use decision::{Admitted, Denied, Reason, Snapshot};
#[cfg(feature = "alloc")]
#[doc(inline)]
pub use keyed::inside;
#[cfg(feature = "alloc")]
pub use keyed::{
    Allowance, Ipv6Prefix, Key, KeyedError, KeyedLimiter, KeyedReservation, Place, Stats, WhenFull,
};
pub use limit::{Limit, LimitN};
pub use limiter::{
    AdjustableLimiter, FixedWindowLimiter, Lease, Limiter, Reservation, Saved, SlidingWindowLimiter,
};
#[cfg(feature = "std")]
pub use limiter::{OwnedLease, OwnedReservation};
pub use quota::{AtMost, ParseQuotaError, ParseQuotaErrorKind, Quota, QuotaError, StrictQuota};
pub use timestamp::Timestamp;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
