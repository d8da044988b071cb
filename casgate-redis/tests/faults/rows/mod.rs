//! The tables of scenarios.

pub(crate) mod clocks;
pub(crate) mod demands;
pub(crate) mod failovers;
pub(crate) mod links;
mod long;
pub(crate) mod losses;
mod policies;
mod processes;
pub(crate) mod servers;
pub(crate) mod windows;
mod writes;

use crate::row::Row;

/// Returns all rows.
pub(crate) fn all() -> Vec<Row> {
    [
        demands::rows(),
        processes::rows(),
        servers::rows(),
        losses::rows(),
        writes::rows(),
        links::rows(),
        failovers::rows(),
        policies::rows(),
        clocks::rows(),
        windows::rows(),
        long::rows(),
    ]
    .concat()
}
