//! Lists each claim with the tool that checks it, and what is not checked.
//!
#![cfg_attr(doc, doc = include_str!("links.md"))]
#![cfg_attr(doc, doc = include_str!("../../docs/verification.md"))]
