//! Header fields that say what a client has left: pure functions over a
//! [`HeaderMap`](http::HeaderMap).
//!
//! A server makes a [`Standing`] of each decision and [writes](Fields::write) it. A client
//! [reads](read) it.
//!
//! ```
//! use casgate::{Limiter, Quota, Timestamp};
//! use casgate_tower::fields::{self, Announced, Fields, Name, Standing};
//! use http::HeaderMap;
//!
//! let quota = Quota::per_minute(60);
//! let limiter = Limiter::token_bucket(quota);
//! let announced = Announced::new(Name::new("default")?, quota);
//!
//! let admitted = limiter.check_at(Timestamp::ZERO)?;
//! let mut headers = HeaderMap::new();
//! Fields::DRAFT_11.write(&mut [Standing::admitted(&announced, &admitted)], &mut headers);
//! assert_eq!(headers["ratelimit-policy"], r#""default";q=60;w=60"#);
//! assert_eq!(headers["ratelimit"], r#""default";r=59;t=59"#);
//!
//! let limits = fields::read(&headers);
//! assert_eq!((limits[0].name.as_str(), limits[0].remaining), ("default", 59));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The format
//!
//! `RateLimit-Policy` and `RateLimit` follow [draft 11] of the IETF, which is not a standard yet.
//! So the number of the draft is in the name of [`Fields::DRAFT_11`]. The fields are hints: they
//! promise no permit, since other requests of the same client may come first.
//!
//! [draft 11]: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/

mod announced;
mod grpc;
mod name;
mod parse;
mod problem;
mod retry_after;
mod seconds;
mod standing;
mod structured;
mod text;
mod write;

pub use announced::{Announced, Refill, Unit};
pub(crate) use grpc::grpc_internal;
pub use grpc::{grpc_denial, grpc_unavailable, is_grpc};
pub use name::{Name, NameError};
pub use parse::{ServerLimit, read};
pub use problem::{PROBLEM_JSON, ProblemType};
pub(crate) use retry_after::retry_after;
pub use retry_after::write_retry_after;
pub use standing::Standing;
pub(crate) use write::Composed;
pub use write::Fields;

use http::HeaderName;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const LEGACY_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const LEGACY_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const LEGACY_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The largest integer of a structured field ([RFC 9651](https://www.rfc-editor.org/rfc/rfc9651),
/// section 3.3.1).
const LARGEST: u64 = 999_999_999_999_999;
