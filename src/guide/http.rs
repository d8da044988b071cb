//! Puts a limit in front of a server, with the crate `casgate-tower`.
//!
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("links.md"))]
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("../../docs/http.md"))]
