//! Compares the algorithms: what each promises, what it can do and what it costs.
//!
#![cfg_attr(doc, doc = include_str!("links.md"))]
#![cfg_attr(doc, doc = include_str!("../../docs/choosing.md"))]
// The pictures again, drawn in place: a relative link leads nowhere from here.
#![cfg_attr(doc, doc = include_str!("pictures.md"))]
#![cfg_attr(doc, doc = include_str!("../../docs/choosing/fixed-window.svg"))]
#![cfg_attr(doc, doc = "\n")]
#![cfg_attr(doc, doc = include_str!("../../docs/choosing/token-bucket.svg"))]
#![cfg_attr(doc, doc = "\n")]
#![cfg_attr(doc, doc = include_str!("../../docs/choosing/sliding-window.svg"))]
#![cfg_attr(doc, doc = "\n")]
#![cfg_attr(doc, doc = include_str!("../../docs/choosing/strict-window.svg"))]
#![cfg_attr(doc, doc = "\n")]
#![cfg_attr(doc, doc = include_str!("../../docs/choosing/both.svg"))]
