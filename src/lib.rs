//! A lock-free rate limiter on one atomic word, model-checked over every interleaving.
//!
//! ```
//! use casgate::{Limiter, Quota, Timestamp};
//!
//! static LIMITER: Limiter = Limiter::fixed_window(Quota::per_second(2));
//!
//! // Two permits in the window of this second, whoever asks for them and in whatever order.
//! let now = Timestamp::from_secs(7);
//! assert_eq!(LIMITER.check_at(now)?.remaining(), 1);
//! assert_eq!(LIMITER.check_at(now)?.remaining(), 0);
//! let denied = LIMITER.check_at(now).unwrap_err();
//! assert_eq!(denied.retry_after().unwrap().as_secs(), 1);
//!
//! // In service the clock is read for you.
//! assert!(LIMITER.check().is_ok());
//! # Ok::<(), casgate::Denied>(())
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
//! - `tsc`: a clock on the processor's time stamp counter. Needs `std`.
//! - `testing`: [`testing`], tests of concurrent callers that neither hang nor ask who won. Needs `std`.
//!
//! On targets without 64-bit atomics the word is `portable-atomic`'s, which takes a lock; two words
//! need 128 bits. [`Limiter::is_lock_free`] tells.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Some links lead to what other features add.
#![cfg_attr(not(all(feature = "std", feature = "testing")), allow(rustdoc::broken_intra_doc_links))]

pub mod algorithm;
mod cell; // `pub` inside only for the sealed `Algorithm::State`
pub mod choosing;
pub mod clock;
mod decision;
#[cfg(feature = "std")]
mod keyed;
mod lease;
mod limiter;
mod quota;
mod reservation;
mod ring; // `pub` inside as `cell`, and for `Slot`
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod timestamp;
pub mod word;

pub use algorithm::{FixedWindow, SlidingWindow, TokenBucket};
pub use decision::{Admitted, Denied, Snapshot};
#[cfg(feature = "std")]
pub use keyed::inside;
#[cfg(feature = "std")]
pub use keyed::{
    Allowance, Ipv6Prefix, Key, KeyedError, KeyedLimiter, KeyedReservation, Place, Stats, WhenFull,
};
pub use lease::Lease;
pub use limiter::Limiter;
pub use quota::{AtMost, Quota, QuotaError};
pub use reservation::Reservation;
pub use ring::Slot;
pub use timestamp::Timestamp;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
