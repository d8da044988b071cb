//! The limiters with a cell for each core: exact in every window on real threads, linearizable, and on one thread like
//! the plain ones.

mod asked;
mod bucket;
mod crossing;
mod edges;
mod in_step;
mod laws;
mod linear;
mod pairs;
mod private;
mod storm;
mod waiting;
mod wrong;

use casgate::{Quota, Timestamp};
use std::time::Duration;

/// Of the windows in most tests, in nanoseconds.
const PERIOD: u64 = 1_000_000;

/// So many permits a window.
fn quota(permits: u32) -> Quota {
    Quota::new(permits, Duration::from_nanos(PERIOD)).unwrap()
}

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}
