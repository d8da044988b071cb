//! Keeps one limit for several processes, with the crate `casgate-redis`.
//!
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("links.md"))]
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("../../docs/fleet.md"))]
