//! Searches the exhaustive models, and judges what comes of it.

#![forbid(unsafe_code)]

mod run;
mod search;

pub use run::{Expected, Run, main};
pub use search::{Outcome, breadth_first, ends};
pub use stateright::{Model, Property};
