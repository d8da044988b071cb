//! Defines the words of this documentation.
//!
#![cfg_attr(doc, doc = include_str!("links.md"))]
#![cfg_attr(doc, doc = include_str!("../../docs/glossary.md"))]
