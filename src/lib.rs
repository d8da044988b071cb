//! Rate limiting for Rust, per process, per client or per outgoing API: lock-free, and bounded in
//! memory under attack. Where a machine lacks the [atomic it needs](#platforms), a short lock takes
//! its place.
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
//! # Overview
//!
//! Start with [`Limiter`], which states the guarantees. Without a type parameter it is a token
//! bucket. [`choosing`] compares the algorithms, and [`cookbook`] solves common tasks in a few
//! lines each.
//!
//! - **Algorithms.** [`TokenBucket`], [`FixedWindow`] and [`SlidingWindow`] state their bounds.
//!   [`FixedWindowLimiter`], [`SlidingWindowLimiter`] and [`AdjustableLimiter`] are names for
//!   limiters.
//! - **Quotas.** A [`Quota`] is made in the source or read from text. A [`StrictQuota`] holds for
//!   every interval, see [`Limiter::strict`].
//! - **Several limits.** [`Both`](algorithm::Both) keeps two quotas in one atomic step. [`All`]
//!   asks any number of limits of any kind. [`Limit`] and [`LimitN`] are traits for an algorithm
//!   that is chosen at run time.
//! - **A quota that changes.** [`Adjustable`](algorithm::Adjustable) takes a new one while others
//!   check.
//! - **A limit for each key.** [`KeyedLimiter`], in memory that is fixed at construction.
//! - **Answers.** [`Admitted`], [`Denied`] with its [`Reason`], and [`Snapshot`].
//! - **Permits ahead of time.** [`Reservation`] and [`Lease`], with owned forms. [`Saved`] keeps
//!   what is outstanding over a restart.
//! - **Waiting.** `wait::Queue` is a line in front of a limiter, for tasks and threads (feature `wait`). The
//!   page `waiting` shows how to wait, and what to avoid.
//! - **Time.** [`clock`] explains where timestamps come from, and what the lag of a cheap clock
//!   does to a bound.
//!
//! # What it does not do
//!
//! A limit holds in one process. A limiter itself never sleeps: to wait, put a queue in front of it (`wait`), or
//! [`reserve`](Limiter::reserve) and sleep yourself.
//!
//! # Features
//!
//! - `std` (default): what needs an operating system.
//!   - [`SystemClock`](clock::SystemClock) can be read; [`UtcClock`](clock::UtcClock), `BootClock`
//!     (on Linux) and [`Ticker`](clock::Ticker); clocks in a `Box` or an `Arc`.
//!   - The default hasher of a [`KeyedLimiter`], and the constructors that use it.
//!   - [`OwnedLease`] and [`OwnedReservation`].
//! - `alloc`: what needs an allocator. The feature `std` enables it.
//!   - [`KeyedLimiter`] with a hasher of your own, and what belongs to it, such as [`Key`],
//!     [`Ipv6Prefix`], [`WhenFull`] and [`Stats`].
//!   - [`Limiter::sliding_window`], whose slots are on the heap.
//!   - A [`Limit`] in a `Box`.
//!
//!   Without both the crate needs neither an allocator nor an operating system. Without `std` it is
//!   `no_std`. Then pass the time to [`check_at`](Limiter::check_at), or implement
//!   [`Clock`](clock::Clock).
//! - `serde`: a [`Quota`] serializes as its text, `"100/min burst 20"`, and a [`Timestamp`] as an
//!   integer number of nanoseconds. Works without `std`.
//! - `wait`: the module `wait`, a queue for tasks and threads. Needs `std`, and the crate `futures-timer`.
//! - `tokio`: waiting on tokio's timer and clock. Enables `wait`.
//! - `stream`: streams and sinks at the pace of a queue. Enables `wait`.
//! - `tsc`: a clock on the processor's time stamp counter. Needs `std`.
//! - `testing`: [`testing`], helpers for tests of concurrent callers that cannot hang and do not
//!   depend on thread order. Needs `std`.
//!
//! # Platforms
//!
//! On targets without 64-bit atomics the word is that of `portable-atomic`, which takes a lock.
//! [`Both`](algorithm::Both) and [`Adjustable`](algorithm::Adjustable) need a 128-bit atomic. Call
//! [`Limiter::is_lock_free`] to find out.

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
pub mod cookbook;
mod decision;
#[cfg(feature = "alloc")]
mod keyed;
mod limit;
mod limiter;
mod mirrored;
mod quota;
#[cfg(feature = "serde")]
mod serde;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod timestamp;
#[cfg(feature = "wait")]
pub mod wait;
#[cfg(feature = "wait")]
pub mod waiting;
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

/// The README's examples, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
