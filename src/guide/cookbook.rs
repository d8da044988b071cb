//! Solves common tasks in a few lines each.
//!
#![cfg_attr(doc, doc = include_str!("links.md"))]
#![cfg_attr(doc, doc = include_str!("../../docs/cookbook.md"))]
