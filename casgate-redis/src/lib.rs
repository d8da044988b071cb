//! One rate limit for a whole fleet of processes, with leases of permits from Redis.
//!
//! A process asks Redis for some permits at a time, and then decides by itself, in nanoseconds. A
//! lease costs one call. The fleet obeys the quota that one process would: at most
//! `burst + rate · time` on *every* interval of time. Some events add to that, such as a loss of
//! Redis's data: see [what each failure does](operating#what-each-failure-does).
//!
//! ```no_run
//! use casgate::Quota;
//! use casgate_redis::{Fleet, NotAdmitted};
//!
//! let fleet = Fleet::connect("redis://127.0.0.1/")?; // connects at the first decision
//! let api = fleet.limiter("api", Quota::per_second(1_000).with_burst(2_000))?;
//! match api.check() {
//!     Ok(_) => println!("go on"),
//!     Err(NotAdmitted::Denied(denied)) => println!("{denied}"),
//!     Err(NotAdmitted::Unavailable(unavailable)) => println!("{unavailable}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`Fleet`] is the connection of a process. It makes each [`FleetLimiter`], and a [`FleetKeyed`]
//!   for limits per key.
//! - [`FleetQuota`] is a quota with what belongs to it: how long leases live, what to do while
//!   Redis is [away](OnUnavailable), and whether it is a rate or a limit for each
//!   [window](FleetQuota::window).
//! - [`Store`] is what grants the leases. [`RedisStore`] is one, for Redis and Valkey.
//! - [`protocol`] has the scripts, the proof of the bound, and what adds to it.
//! - [`operating`] is for the people who run a fleet: what each failure does, how to choose the
//!   numbers, what to monitor.
//! - The [guide's page](https://docs.rs/casgate/latest/casgate/guide/fleet/) is a summary: how it
//!   works, what it promises, when you do not need it.
//!
//! # Features
//!
//! - `cluster`: `ClusterStore`, for a Redis Cluster.
//! - `sentinel`: the primary that Redis Sentinels name.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod bell;
mod breaker;
mod fleet;
mod holder;
mod keyed;
mod limiter;
#[cfg(casgate_loom)]
#[doc(hidden)]
pub mod model;
pub mod operating;
mod outage;
pub mod protocol;
mod quota;
mod refresher;
#[cfg(all(test, not(casgate_loom)))]
mod simulation;
mod standing;
mod stock;
mod store;
mod sync;

pub use answer::{NotAdmitted, Unavailable};
pub use fleet::Fleet;
pub use keyed::FleetKeyed;
pub use limiter::{AcquireError, FleetLimiter, FleetStats};
pub use outage::{OnUnavailable, OnUnavailableFor};
pub use protocol::StateLoss;
pub use quota::{FleetQuota, FleetQuotaError};
#[cfg(feature = "cluster")]
pub use store::ClusterStore;
pub use store::{Call, Cause, RedisStore, Store, StoreError};

/// The README's examples, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
