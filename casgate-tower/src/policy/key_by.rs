use crate::address::ClientAddress;
use crate::peer;
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use std::cell::Cell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

/// By what a [`Policy`](super::Policy) tells clients apart: what it makes a key of.
///
/// The key is hashed where it stands, and neither copied nor kept. So a program that shares the keyed limiter
/// with the policy finds the same key under the same value: an address under an [`IpAddr`], a header under its
/// bytes, and a pair of keys under a pair.
///
/// ```
/// use casgate_tower::KeyBy;
/// use http::Request;
///
/// #[derive(Clone)]
/// struct User { id: u64 }
///
/// let user = KeyBy::new(|parts| parts.extensions.get::<User>().map(|user| user.id));
/// let user_and_route = user.and(KeyBy::new(|parts| Some(parts.uri.path().to_owned())));
/// # drop(user_and_route);
/// ```
#[derive(Clone)]
pub struct KeyBy {
    write: Arc<Write>,
}

/// Writes a request's key to a hasher, and returns whether there is one.
type Write = dyn Fn(&Parts, &mut dyn Hasher) -> bool + Send + Sync;

impl KeyBy {
    /// Makes a key of what `key` returns; a request for which that is `None` has none.
    ///
    /// ```
    /// use casgate_tower::KeyBy;
    /// let method = KeyBy::new(|parts| Some(parts.method.clone()));
    /// # drop(method);
    /// ```
    pub fn new<K: Hash>(key: impl Fn(&Parts) -> Option<K> + Send + Sync + 'static) -> Self {
        Self::writing(move |parts, hasher| hash_in(key(parts), hasher))
    }

    /// Makes a key of what `key` borrows from the request, without a copy.
    ///
    /// ```
    /// use casgate_tower::KeyBy;
    /// let tenant = KeyBy::borrowed(|parts| parts.uri.host());
    /// # drop(tenant);
    /// ```
    pub fn borrowed<K: Hash + ?Sized>(
        key: impl Fn(&Parts) -> Option<&K> + Send + Sync + 'static,
    ) -> Self {
        Self::writing(move |parts, hasher| hash_in(key(parts), hasher))
    }

    /// Makes a key of the bytes of a header's first line, such as an API key. A client that may choose its own
    /// value has as many limits as it likes: use it only where the value is checked before.
    ///
    /// ```
    /// use casgate_tower::KeyBy;
    /// use http::{HeaderName, HeaderValue};
    /// let key = KeyBy::header(HeaderName::from_static("x-api-key"));
    /// # drop(key);
    /// ```
    #[must_use]
    pub fn header(name: HeaderName) -> Self {
        Self::writing(move |parts, hasher| {
            hash_in(parts.headers.get(&name).map(HeaderValue::as_bytes), hasher)
        })
    }

    /// Makes a key of the client's address, whose peer is [in the request's extensions](crate::Peer).
    ///
    /// ```
    /// use casgate_tower::KeyBy;
    /// use casgate_tower::address::ClientAddress;
    /// let client = KeyBy::client(ClientAddress::peer());
    /// # drop(client);
    /// ```
    #[must_use]
    pub fn client(address: ClientAddress) -> Self {
        Self::client_with(address, peer::of)
    }

    /// Makes a key of the client's address, and finds the peer by `peer`: for a server that keeps it in a place of
    /// its own.
    ///
    /// ```
    /// use casgate_tower::KeyBy;
    /// use casgate_tower::address::ClientAddress;
    /// use std::net::SocketAddr;
    /// #[derive(Clone)]
    /// struct Connection { remote: SocketAddr }
    /// let client = KeyBy::client_with(ClientAddress::peer(), |parts| {
    ///     parts.extensions.get::<Connection>().map(|connection| connection.remote.ip())
    /// });
    /// # drop(client);
    /// ```
    #[must_use]
    pub fn client_with(
        address: ClientAddress,
        peer: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        Self::new(move |parts| address.of(peer(parts), &parts.headers).ok())
    }

    /// Makes a key of both: clients agree if they agree in each. A request that lacks one has no key.
    ///
    /// ```
    /// use casgate_tower::KeyBy;
    /// use casgate_tower::address::ClientAddress;
    /// let path = KeyBy::new(|parts| Some(parts.uri.path().to_owned()));
    /// let each_path = KeyBy::client(ClientAddress::peer()).and(path);
    /// # drop(each_path);
    /// ```
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::writing(move |parts, hasher| {
            (self.write)(parts, hasher) && (other.write)(parts, hasher)
        })
    }

    fn writing(write: impl Fn(&Parts, &mut dyn Hasher) -> bool + Send + Sync + 'static) -> Self {
        Self { write: Arc::new(write) }
    }

    pub(crate) const fn of<'a>(&'a self, parts: &'a Parts) -> RequestKey<'a> {
        RequestKey { by: self, parts, missing: Cell::new(false) }
    }
}

impl fmt::Debug for KeyBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBy").finish_non_exhaustive()
    }
}

/// Hashes the key, and returns whether there is one.
fn hash_in<K: Hash>(key: Option<K>, mut hasher: &mut dyn Hasher) -> bool {
    key.inspect(|key| key.hash(&mut hasher)).is_some()
}

/// A request's key, which hashes as the value that it is made of.
pub(crate) struct RequestKey<'a> {
    by: &'a KeyBy,
    parts: &'a Parts,
    missing: Cell<bool>,
}

impl RequestKey<'_> {
    /// Whether the request that was hashed had no key.
    pub(crate) fn is_missing(&self) -> bool {
        self.missing.get()
    }
}

impl Hash for RequestKey<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.missing.set(!(self.by.write)(self.parts, hasher));
    }
}
