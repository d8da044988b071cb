use core::fmt;

/// The server gave no peer address with the request.
///
/// A server that listens on TCP must hand the address on: with axum, that is
/// `into_make_service_with_connect_info::<SocketAddr>()`. A Unix socket has none. Give an address
/// for the proxy at its other end, such as `127.0.0.1`.
///
/// ```
/// use casgate_tower::address::{ClientAddress, NoPeer};
/// use http::HeaderMap;
///
/// assert_eq!(ClientAddress::peer().of(None, &HeaderMap::new()), Err(NoPeer));
/// assert!(NoPeer.to_string().starts_with("the request has no peer address"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NoPeer;

impl fmt::Display for NoPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the request has no peer address: have the server hand it on (with axum, serve \
             into_make_service_with_connect_info::<SocketAddr>()), or give one for a Unix socket",
        )
    }
}

impl core::error::Error for NoPeer {}
