//! Limits how often something happens: in a process, for each client, or towards a partner's API.
//!
//! A decision takes no lock and allocates nothing, and memory is fixed, even while strangers choose
//! the keys. Callers that wait in line are the exception: they take memory and a short lock. On a
//! machine without the [atomic that it needs](#platforms), a short lock takes its place.
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
//! The primary type is [`Limiter`]. It is shared by reference, fits a `static`, and states the
//! guarantees. Without a type parameter it is a [token bucket](TokenBucket), the right choice for
//! most limits. [`check`](Limiter::check) returns [`Admitted`] or [`Denied`], and a denial says
//! when to retry.
//!
//! A [`KeyedLimiter`] has a limit for each key, such as a client's address. A [`Quota`] says how
//! many permits a period allows, in the source or as text from a file. `wait::Queue` lets tasks and
//! threads wait in line (feature `wait`).
//!
//! A limit holds in one process. For a fleet of processes see [`guide::fleet`], and for HTTP
//! middleware [`guide::http`]. A limiter never sleeps: the caller waits, or a queue does.
//!
//! # Contents
//!
//! Start here:
//!
//! - [`guide::cookbook`] solves common tasks in a few lines each.
//! - [`guide::choosing`] compares the algorithms.
//! - [`guide`] has all pages: waiting, HTTP, fleets, migrating, performance, verification, the
//!   glossary and the story.
//!
//! By task:
//!
//! | task | items |
//! |---|---|
//! | one limit | [`Limiter`], by [`TokenBucket`], [`FixedWindow`] or [`SlidingWindow`]; the names [`FixedWindowLimiter`] and [`SlidingWindowLimiter`] |
//! | a limit for each key | [`KeyedLimiter`], [`Key`], [`Ipv6Prefix`], [`WhenFull`], [`Stats`] |
//! | how many, how often | [`Quota`], [`StrictQuota`] |
//! | the answer | [`Admitted`], [`Denied`], [`Reason`], [`Snapshot`] |
//! | two quotas in one step | [`Limiter::both`], [`Both`] |
//! | any number of limits, each with a weight | [`All`] |
//! | a limit that many cores ask all the time | [`Sharded`] |
//! | a quota that changes at run time | [`AdjustableLimiter`] |
//! | an algorithm that is chosen at run time | the traits [`Limit`] and [`LimitN`] |
//! | permits ahead of time | [`Reservation`], [`OwnedReservation`] |
//! | permits in bulk for one thread | [`Lease`], [`OwnedLease`] |
//! | a balance that survives a restart | [`Saved`] |
//! | waiting in line | the module `wait` |
//! | the time | [`Timestamp`], [`clock`] |
//! | an algorithm on a word of your own | [`algorithm`], [`word`] |
//! | tests of concurrent callers | [`testing`] |
//!
//! # Usage
//!
//! ```toml
//! [dependencies]
//! casgate = "0.1"
//! ```
//!
//! # Features
//!
//! - `std` (default): what needs an operating system.
//!   - [`SystemClock`](clock::SystemClock) can be read; [`UtcClock`](clock::UtcClock), `BootClock`
//!     (on Linux and Android) and [`Ticker`](clock::Ticker); clocks in a `Box` or an `Arc`.
//!   - The default hasher of a [`KeyedLimiter`], and the constructors that use it.
//!   - [`OwnedLease`] and [`OwnedReservation`].
//! - `alloc`: what needs an allocator. The feature `std` enables it.
//!   - [`KeyedLimiter`] with a hasher of your own, and what belongs to it, such as [`Key`],
//!     [`Ipv6Prefix`], [`WhenFull`] and [`Stats`].
//!   - [`Limiter::sliding_window`], whose slots are on the heap.
//!   - A [`Limit`] in a `Box`.
//! - `serde`: a [`Quota`] serializes as its text, `"100/min burst 20"`, and a [`Timestamp`] as an
//!   integer number of nanoseconds. Works without `std`.
//! - `wait`: the module `wait`, a queue for tasks and threads. Needs `std`, and the crate
//!   `futures-timer`.
//! - `tokio`: waiting on tokio's timer and clock. Enables `wait`.
//! - `stream`: streams and sinks at the pace of a queue. Enables `wait`.
//! - `tsc`: a clock on the processor's time stamp counter. Needs `std`.
//! - `testing`: [`testing`], helpers for tests of concurrent callers that cannot hang and do not
//!   depend on thread order. Needs `std`.
//!
//! # Platforms
//!
//! Without `std` the crate is `no_std`, and without `alloc` it needs no allocator. Then pass the
//! time to [`check_at`](Limiter::check_at), or implement [`Clock`](clock::Clock).
//!
//! On targets without 64-bit atomics the word is that of `portable-atomic`, which takes a lock.
//! [`Both`] and [`Adjustable`](algorithm::Adjustable) need a 128-bit atomic. Call
//! [`Limiter::is_lock_free`] to find out.
//!
//! The crate needs Rust 1.85 or later. There is no `unsafe` code in it.

// Where other crates link to without the documentation of this one beside theirs.
#![doc(html_root_url = "https://docs.rs/casgate/0.1.0")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Some links lead to what other features add.
#![cfg_attr(not(all(feature = "std", feature = "testing")), allow(rustdoc::broken_intra_doc_links))]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod algorithm;
mod all;
mod cell; // `pub` inside only for the sealed `Algorithm::State`
pub mod clock;
mod decision;
pub mod guide;
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
pub mod word;

#[cfg(feature = "std")]
#[doc(inline)]
pub use algorithm::Sharded;
#[doc(inline)]
pub use algorithm::{Both, FixedWindow, SlidingWindow, Slot, TokenBucket};
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
