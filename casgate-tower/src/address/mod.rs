//! Which client a request comes from.
//!
//! A limit for each client needs the client's address. Behind a proxy the peer is the proxy, and
//! the client's address is in a header. Anyone can write that header, so it matters which part was
//! written by your own proxies.
//!
//! **Why not the leftmost entry?** Each proxy appends the address that it saw on the right. The
//! entries that the client sent stay on the left. A client that sends a new `X-Forwarded-For` with
//! each request has a new leftmost entry, and a new limit, each time. So [`ClientAddress`] reads
//! from the right, and only as far as your own proxies wrote.
//!
//! | in front of the server | how to find the client |
//! |---|---|
//! | nothing | [`ClientAddress::peer()`], the default: no header is read |
//! | one nginx on the same host | [`behind`](ClientAddress::behind)`(`[`Network::loopback()`]`, XForwardedFor)` |
//! | a cloud load balancer that appends | [`behind`](ClientAddress::behind) the networks of its subnets; [`behind_hops`](ClientAddress::behind_hops)`(1, …)` if they are unknown |
//! | Cloudflare alone | [`behind`](ClientAddress::behind)`(`their published networks`, Other("cf-connecting-ip"))` |
//! | several proxies of known networks | [`behind`](ClientAddress::behind) the networks of all of them |
//! | several proxies, their number known | [`behind_hops`](ClientAddress::behind_hops) with that number |
//! | a balancer that speaks the PROXY protocol | [`ClientAddress::peer()`], with the address from its preamble as the peer |
//! | a proxy at a Unix socket | `127.0.0.1` as the peer, and [`behind`](ClientAddress::behind) the loopback networks |
//!
//! The PROXY protocol belongs to the accept loop, which hands the address in. Its known sources
//! always speak it. It is never guessed: a client could send a preamble too.
//!
//! A Unix socket has no peer address. Without one there is no client either, but an error,
//! [`NoPeer`].
//!
//! With a header of one address, such as `CF-Connecting-IP`, a proxy in between passes on what it
//! was sent. It must then accept connections from Cloudflare only.
//!
//! An address is not a secret, but it is personal: raw header values belong neither in logs nor in
//! labels of metrics.
//!
//! ```
//! use casgate_tower::address::{ClientAddress, ForwardedHeader, Network};
//! use http::{HeaderMap, HeaderValue};
//!
//! let rule = ClientAddress::behind(Network::private(), ForwardedHeader::XForwardedFor);
//! let mut headers = HeaderMap::new();
//! headers.insert("x-forwarded-for", HeaderValue::from_static("1.2.3.4, 203.0.113.9"));
//! // The proxy saw 203.0.113.9. That client had sent the rest.
//! let client = rule.of(Some([10, 0, 0, 1].into()), &headers)?;
//! assert_eq!(client.to_string(), "203.0.113.9");
//! // A peer that is no proxy of ours is the client itself, whatever it sends.
//! let client = rule.of(Some([198, 51, 100, 7].into()), &headers)?;
//! assert_eq!(client.to_string(), "198.51.100.7");
//! # Ok::<(), casgate_tower::address::NoPeer>(())
//! ```

mod client;
mod entries;
mod forwarded;
mod header;
mod network;
mod network_error;
mod no_peer;
mod node;

pub use client::ClientAddress;
pub use header::ForwardedHeader;
pub use network::Network;
pub use network_error::NetworkError;
pub use no_peer::NoPeer;
