use crate::address::ClientAddress;
use crate::peer;
use casgate::{KeyedLimiter, Place};
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

/// How a [`Policy`](super::Policy) distinguishes clients: what it makes a key of.
///
/// The key is hashed where it stands, and neither copied nor kept. So a program that shares the
/// keyed limiter with the policy finds the same key under the same value: an address under an
/// [`IpAddr`], a header under its bytes, and a pair of keys under a pair.
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
    what: What,
}

#[derive(Clone)]
enum What {
    /// The most frequent key, which is hashed without a detour.
    Address(Arc<Find>),
    Any(Arc<Write>),
}

/// Finds the client of a request.
type Find = dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync;

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

    /// Makes a key of the bytes of a header's first line, such as an API key. A client that may
    /// choose its own value has as many limits as it likes: use it only where the value is checked
    /// before.
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

    /// Makes a key of the client's address, whose peer is [in the request's
    /// extensions](crate::Peer).
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

    /// Makes a key of the client's address, and finds the peer by `peer`: for a server that keeps
    /// it in a place of its own.
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
        let find = move |parts: &Parts| address.of(peer(parts), &parts.headers).ok();
        Self { what: What::Address(Arc::new(find)) }
    }

    /// Makes a key of both: clients agree if they agree in each. A request that lacks one has no
    /// key.
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
        Self::writing(move |parts, hasher| self.write(parts, hasher) && other.write(parts, hasher))
    }

    fn writing(write: impl Fn(&Parts, &mut dyn Hasher) -> bool + Send + Sync + 'static) -> Self {
        Self { what: What::Any(Arc::new(write)) }
    }

    /// Writes the request's key, and returns whether there is one.
    fn write(&self, parts: &Parts, hasher: &mut dyn Hasher) -> bool {
        match &self.what {
            What::Address(find) => hash_in(find(parts), hasher),
            What::Any(write) => write(parts, hasher),
        }
    }

    /// Where the request's key is in that limiter, if it has one.
    #[inline]
    pub(crate) fn locate<C, S: BuildHasher>(
        &self,
        parts: &Parts,
        limiter: &KeyedLimiter<C, S>,
    ) -> Option<Place> {
        match &self.what {
            What::Address(find) => find(parts).map(|client| limiter.locate(&client)),
            What::Any(write) => {
                let key = RequestKey { write: &**write, parts, missing: Cell::new(false) };
                let place = limiter.locate(&key);
                (!key.missing.get()).then_some(place)
            }
        }
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
struct RequestKey<'a> {
    write: &'a Write,
    parts: &'a Parts,
    /// Whether there was none when it was hashed.
    missing: Cell<bool>,
}

impl Hash for RequestKey<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.missing.set(!(self.write)(self.parts, hasher));
    }
}
