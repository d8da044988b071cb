//! What the threads of one process share of a fleet's limit (casgate-redis): its leases, and how callers wake the
//! refresher.

mod bell;
mod stock;

pub use bell::*;
pub use stock::*;
