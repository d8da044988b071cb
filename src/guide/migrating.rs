//! Translates from other limiters: what takes the place of each of their calls.
//!
#![cfg_attr(doc, doc = include_str!("links.md"))]
#![cfg_attr(doc, doc = include_str!("../../docs/migrating.md"))]
