//! Policies from a file, which can change while the server runs.
//!
//! A [`Config`] is read by any format of serde that names its fields, such as TOML, YAML and JSON.
//! It is made into [`Policies`]. Their [layer](Policies::layer) decides by the policies of the
//! moment. A [reload](Policies::reload) changes all of them at once, or none if one is wrong. A
//! request that overlaps it may find a new quota with its old policy.
//!
//! ```
//! use casgate_tower::config::{Config, Keys, Policies};
//!
//! let text = r#"
//!     [client]
//!     trusted = ["10.0.0.0/8"]
//!     header = "x-forwarded-for"
//!
//!     [[policies]]
//!     name = "client"
//!     quota = "100/min burst 20"
//!     key = "client"
//!
//!     [[policies]]
//!     name = "uploads"
//!     quota = "20/h"
//!     key = "user"
//!     paths = ["/upload", "/files/{*name}"]
//!     methods = ["PUT", "POST"]
//!     enforce = 10 # percent of the users: a trial
//! "#;
//! let config: Config = toml::from_str(text)?;
//! # let user = casgate_tower::KeyBy::header(http::HeaderName::from_static("x-user"));
//! let policies = Policies::new(config, Keys::new().with("user", user))?;
//! let layer = policies.layer();
//!
//! // Later, from another task:
//! let config: Config = toml::from_str(&text.replace("100/min", "200/min"))?;
//! policies.reload(config)?;
//! policies.set_quota("uploads", "30/h".parse()?)?;
//! # drop(layer);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same file in YAML, here read by the crate `yaml_serde`. Within brackets a path with braces
//! needs quotes:
//!
//! ```
//! # use casgate_tower::config::Config;
//! let text = r#"
//! client:
//!   trusted: [10.0.0.0/8]
//!   header: x-forwarded-for
//! policies:
//!   - name: client
//!     quota: 100/min burst 20
//!     key: client
//!   - name: uploads
//!     quota: 20/h
//!     key: user
//!     paths: [/upload, "/files/{*name}"]
//!     methods: [PUT, POST]
//!     enforce: 10 # percent of the users: a trial
//! "#;
//! let config: Config = yaml_serde::from_str(text)?;
//! assert_eq!(config.policies[1].paths, ["/upload", "/files/{*name}"]);
//!
//! let mistake = text.replace("enforce", "enforced");
//! let error = yaml_serde::from_str::<Config>(&mistake).unwrap_err();
//! assert!(error.to_string().starts_with("policies[1]: unknown field `enforced`"));
//! # Ok::<(), yaml_serde::Error>(())
//! ```
//!
//! # What a reload keeps
//!
//! Policies are matched by name. One whose key, algorithm and capacity are the same keeps its
//! limiter, and with it what every client has spent; a new quota reaches clients that are known
//! already. A lower quota drops what a client has spent above it, and a later raise does not bring
//! that back. Any other policy has a new limiter. A request that is under way is settled with the
//! limiter that has admitted it.

mod error;
mod file;
mod make;
mod policies;

pub use error::{ConfigError, Problem};
pub use file::{Algorithm, ClientConfig, Config, MissingKeyConfig, PolicyConfig};
pub use make::Keys;
pub use policies::{Policies, SetQuotaError};
