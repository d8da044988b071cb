//! Wrong parts of a fleet's process.

mod bell;
mod stock;

pub use bell::*;
pub use stock::*;
