//! One rate limit for a whole fleet of processes, with leases of permits from Redis.
//!
//! A process asks Redis for some permits at a time, and then decides by itself. A decision costs no round trip. A lease
//! costs one. The fleet obeys the quota that one process would: at most `burst + rate · time` on *every* interval of
//! time. [`protocol`] says which faults add to that, and how much.
//!
//! This version has the [`protocol`] alone: the scripts that run in Redis, what they decide as pure functions, and the
//! lease in the hands of its holder. It opens no connection. The client is to come.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod protocol;

/// The README's examples, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
