//! Rate limits as [tower](https://docs.rs/tower-service) middleware: for axum, tonic and hyper on
//! the server's side, and for hyper and reqwest on the client's.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use casgate::Quota;
//! use casgate_tower::RateLimitLayer;
//! use std::net::SocketAddr;
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     // 60 requests a minute for each client, and room for 100,000 clients at a time.
//!     let layer = RateLimitLayer::per_client(Quota::per_minute(60), 100_000);
//!     let app = Router::new().route("/", get(|| async { "hello" })).layer(layer);
//!     let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
//!     axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
//! }
//! ```
//!
//! Each response says what the client has left, in the `RateLimit` fields of the IETF's draft. A
//! denied request is answered with 429 and a `Retry-After` in whole seconds, rounded up. Without
//! `into_make_service_with_connect_info` no request has an address, and each is answered with 500.
//!
//! The [guide's page](https://docs.rs/casgate/latest/casgate/guide/http/) shows the usual steps.
//!
//! # Overview
//!
//! - [`RateLimitLayer`] is the middleware, and says what it does with a request.
//! - A [`Policy`] is a limit and how it applies: by what [key](KeyBy), at what cost, to which
//!   requests, and whether it only [watches](Policy::shadow).
//! - [`address`] finds the client behind proxies. Read it before the first deployment behind one.
//! - [`fields`] has the header fields, as pure functions for servers and clients.
//! - [`observe`] reports what happens to metrics and traces.
//! - [`config`] makes policies from a file, and changes them while the server runs (feature
//!   `config`).
//! - [`client`] limits outgoing requests, and heeds the server's answers (feature `client`).
//! - [`coming`] translates from governor, tower_governor and actix-governor.
//!
//! The limiters are those of [casgate](https://docs.rs/casgate), with its bounds: a client is
//! admitted within its quota, whatever threads, connections and routes its requests come by.
//! Refunded permits can be spent again. These limits hold in one process. [`Policy::over_awaited`]
//! takes a limit that several processes share, such as that of the crate `casgate-redis`.
//!
//! # Features
//!
//! None is enabled by default.
//!
//! - `axum`: finds the peer in axum's `ConnectInfo<SocketAddr>`. Without it, put a [`Peer`] into
//!   the extensions.
//! - `wait`: [`Policy::over_queue`], a policy that lets requests wait.
//! - `client`: the module `client`. Enables `wait`.
//! - `config`: the module `config`, with serde.
//! - `metrics`, `opentelemetry`, `tracing`: observers for the crates of these names, in
//!   [`observe`].

#![cfg_attr(docsrs, feature(doc_cfg))]
// Some links lead to what features add.
#![cfg_attr(
    not(all(feature = "client", feature = "config")),
    allow(rustdoc::broken_intra_doc_links)
)]

pub mod address;
#[cfg(feature = "client")]
pub mod client;
pub mod coming;
#[cfg(feature = "config")]
pub mod config;
pub mod fields;
mod layer;
pub mod observe;
mod outcome;
mod peer;
mod policy;

pub use layer::{Denial, RateLimit, RateLimitLayer, ResponseBody, ResponseFuture};
pub use layer::{WrapBody, Wrapping, WrappingFuture};
pub use peer::Peer;
pub use policy::{KeyBy, MissingKey, Policy};

/// The README's examples, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
