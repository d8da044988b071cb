//! Explains why a limiter is one word and a loop, and what a test that hung has taught.
//!
#![cfg_attr(doc, doc = include_str!("links.md"))]
#![cfg_attr(doc, doc = include_str!("../../docs/story.md"))]
