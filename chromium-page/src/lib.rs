//! A page in Chromium, for the tests of the pages. `.ci/page` runs them.
#![cfg(feature = "chromium")]

mod chromium;

pub use chromium::Chromium;
