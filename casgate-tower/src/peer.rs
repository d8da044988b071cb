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
    if let Some(Peer(address)) = extensions.get() {
        return Some(*address);
    }
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(peer)) =
        extensions.get::<axum::extract::ConnectInfo<SocketAddr>>()
    {
        return Some(peer.ip());
    }
    extensions.get::<SocketAddr>().map(SocketAddr::ip)
}
