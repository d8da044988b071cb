//! Shows how tasks and threads wait for permits, and what to avoid.
//!
#![cfg_attr(doc, doc = include_str!("links.md"))]
#![cfg_attr(doc, doc = include_str!("../../docs/waiting.md"))]
