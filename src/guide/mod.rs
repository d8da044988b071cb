//! Explains how to choose, use and run a limiter, in pages of documentation.
//!
//! - [`choosing`] compares the algorithms: what each promises, what it can do and what it costs.
//! - [`cookbook`] solves common tasks in a few lines each.
//! - [`waiting`] shows how tasks and threads wait for permits, and what to avoid.
//! - [`http`] puts a limit in front of a server, with the crate `casgate-tower`.
//! - [`fleet`] keeps one limit for several processes, with the crate `casgate-redis`.
//! - [`migrating`] translates from governor, `tower_governor`, leaky-bucket, `tower::limit` and
//!   Go's `x/time/rate`.
//! - [`performance`] has all measurements, and where other crates are as fast or faster.
//! - [`verification`] lists each claim with the tool that checks it, and what is not checked.
//! - [`story`] explains why a limiter is one word and a loop, and what a test that hung has taught.
//! - [`glossary`] defines the words of this documentation.
//!
//! The same pages are in the directory `docs` of the repository.

// A page is there only in a build of the documentation. Its links to other pages are defined
// twice: here for rustdoc, and at the end of the page for a reader of the repository. The first
// definition counts.

pub mod choosing;
pub mod cookbook;
pub mod fleet;
pub mod glossary;
pub mod http;
pub mod migrating;
pub mod performance;
pub mod story;
pub mod verification;
pub mod waiting;
