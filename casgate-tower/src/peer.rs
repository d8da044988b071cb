#[cfg(feature = "axum")]
use axum::extract::ConnectInfo;
#[cfg(feature = "axum")]
use http::Extensions;
use http::request::Parts;
use std::net::{IpAddr, SocketAddr};

/// The address at the other end of a connection, as a request's extension.
///
/// A server that accepts connections itself puts it there, or a [`SocketAddr`]. The address that a
/// PROXY header names is the peer's, if the accept loop knows that the connection comes from the
/// proxy. With the feature `axum` axum's `ConnectInfo<SocketAddr>` is found too.
///
/// ```
/// use casgate_tower::Peer;
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Peer([192, 0, 2, 7].into()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(pub IpAddr);

/// The peer, wherever the server has put it.
pub(crate) fn of(parts: &Parts) -> Option<IpAddr> {
    let extensions = &parts.extensions;
    // In most servers axum's is the only extension: then no other is looked for.
    #[cfg(feature = "axum")]
    if extensions.len() == 1 {
        if let Some(address) = connected(extensions) {
            return Some(address);
        }
    }
    if let Some(Peer(address)) = extensions.get() {
        return Some(*address);
    }
    #[cfg(feature = "axum")]
    if let Some(address) = connected(extensions) {
        return Some(address);
    }
    extensions.get::<SocketAddr>().map(SocketAddr::ip)
}

#[cfg(feature = "axum")]
fn connected(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
}
