//! The code of pages that show several crates of the workspace, run as documentation tests. Other
//! pages are tested where they are mounted: in `casgate::guide`, and in the crate that they are of.

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/http.md")]
struct Http;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/fleet.md")]
struct Fleet;
