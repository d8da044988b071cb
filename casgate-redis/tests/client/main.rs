//! The client over a store of the test's own: no server, and no sleep but to wait for a condition.

mod keyed;
mod pairs;
mod quota;
mod refresher;
mod scripted;
