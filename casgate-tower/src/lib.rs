//! Rate limits as [tower](https://docs.rs/tower-service) middleware, with [casgate](casgate)'s limiters.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod address;
pub mod fields;
