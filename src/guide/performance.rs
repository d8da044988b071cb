//! Has all measurements, and where other crates are as fast or faster.
//!
#![cfg_attr(doc, doc = include_str!("links.md"))]
#![cfg_attr(doc, doc = include_str!("../../docs/performance.md"))]
// The chart again, drawn in place: a relative link leads nowhere from here.
#![cfg_attr(doc, doc = include_str!("pictures.md"))]
#![cfg_attr(doc, doc = include_str!("../../docs/peers.svg"))]
