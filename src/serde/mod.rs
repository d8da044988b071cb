//! The values in the data formats of serde.

mod quota;
mod timestamp;
