//! The decisions of the page `docs/playground.html`, which are those of the crate casgate.
//!
//! `.ci/playground` compiles this package to WebAssembly and puts it into the page. JavaScript sees the [`Trial`].

mod trial;

pub use trial::Trial;
