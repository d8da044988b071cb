//! The sharded token bucket's protocol.

mod caller;
mod check;
mod ghost;
mod memory;
mod model;
mod runs;
mod table;
mod wrong;

pub(crate) use runs::{long, short};
