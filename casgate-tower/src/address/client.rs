use super::{ForwardedHeader, Network, NoPeer};
use casgate::Ipv6Prefix;
use core::net::IpAddr;
use core::num::NonZeroUsize;
use http::HeaderMap;
use std::sync::Arc;

/// How the client's address is found.
///
/// Which constructor is for which deployment is in the [module's page](super).
///
/// ```
/// use casgate_tower::address::{ClientAddress, ForwardedHeader, Network};
/// use http::{HeaderMap, HeaderValue};
///
/// let rule = ClientAddress::behind(Network::loopback(), ForwardedHeader::Forwarded);
/// let mut headers = HeaderMap::new();
/// headers.insert("forwarded", HeaderValue::from_static(r#"for="[2001:db8:1:2::7]:4711";proto=https"#));
/// assert_eq!(rule.of(Some([127, 0, 0, 1].into()), &headers)?.to_string(), "2001:db8:1:2::");
/// # Ok::<(), casgate_tower::address::NoPeer>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    rule: Rule,
    prefix: Ipv6Prefix,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    Peer,
    Behind(Arc<[Network]>, ForwardedHeader),
    Hops(NonZeroUsize, ForwardedHeader),
}

impl Rule {
    /// Finds the client in the headers, if it is found there.
    #[inline(never)] // most requests need no more than the peer
    fn read(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        match self {
            Self::Peer => peer,
            Self::Behind(trusted, header) => {
                let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
                let mut client = peer;
                let mut entries = header.entries(headers);
                while is_trusted(client) {
                    let Some(address) = entries.next().flatten() else { break };
                    client = address;
                }
                client
            }
            Self::Hops(hops, header) => {
                header.entries(headers).nth(hops.get() - 1).flatten().unwrap_or(peer)
            }
        }
    }
}

impl ClientAddress {
    /// Finds the client in the peer's address. No header is read.
    ///
    /// ```
    /// use casgate_tower::address::ClientAddress;
    /// use http::{HeaderMap, HeaderValue};
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert("x-forwarded-for", HeaderValue::from_static("1.2.3.4"));
    /// let client = ClientAddress::peer().of(Some([192, 0, 2, 7].into()), &headers);
    /// assert_eq!(client, Ok([192, 0, 2, 7].into()));
    /// ```
    #[must_use]
    pub const fn peer() -> Self {
        Self::new(Rule::Peer)
    }

    /// Finds the client in one header, which is believed as far as proxies in these networks wrote
    /// it.
    ///
    /// - A peer outside the networks is the client. Its headers are ignored.
    /// - Otherwise all lines of the header are one list, which is read from the right. Entries in
    ///   the networks are skipped. The first outside them is the client.
    /// - An entry that cannot be read ends this, and so does the end of the list. The client is
    ///   then the last address inside the networks: the entry to the right, or the peer. Such an
    ///   entry is empty, `unknown`, a name such as `_hidden`, or malformed.
    ///
    /// Requests of the last kind share the limit of that proxy, so a proxy that hides its clients
    /// has one limit for all of them.
    ///
    /// A client inside the networks can choose its address. With no networks, the peer is always
    /// the client.
    ///
    /// ```
    /// use casgate_tower::address::{ClientAddress, ForwardedHeader, Network};
    /// use http::{HeaderMap, HeaderValue};
    ///
    /// let networks = ["10.0.0.0/8".parse::<Network>()?, "2001:db8:ffff::/48".parse()?];
    /// let rule = ClientAddress::behind(networks, ForwardedHeader::XForwardedFor);
    /// let client = |entries| {
    ///     let mut headers = HeaderMap::new();
    ///     headers.insert("x-forwarded-for", HeaderValue::from_static(entries));
    ///     rule.of(Some([10, 0, 0, 1].into()), &headers).unwrap().to_string()
    /// };
    /// assert_eq!(client("1.2.3.4, 203.0.113.9, 10.0.0.2"), "203.0.113.9");
    /// assert_eq!(client("1.2.3.4, unknown, 10.0.0.2"), "10.0.0.2");
    /// # Ok::<(), casgate_tower::address::NetworkError>(())
    /// ```
    #[must_use]
    pub fn behind(trusted: impl IntoIterator<Item = Network>, header: ForwardedHeader) -> Self {
        Self::new(Rule::Behind(trusted.into_iter().collect(), header))
    }

    /// Finds the client behind a known number of proxies, each of which appends to the header.
    ///
    /// The peer is the nearest proxy, and the last entry is what it saw. So the client is the
    /// `hops`-th entry from the right. For a header with one address, `hops` is 1.
    ///
    /// If there are fewer entries, or if that one cannot be read, the client is the peer. The
    /// request has then not come through all the proxies, or one of them hides its clients. Another
    /// entry might be the client's own choice, and the peer is not. Such requests share the peer's
    /// limit.
    ///
    /// Each proxy, and the server, must be reachable through the one before it alone. A client that
    /// skips one is believed: its own entry is in the place of the skipped one's. Only
    /// [`behind`](Self::behind) detects that.
    ///
    /// ```
    /// use casgate_tower::address::{ClientAddress, ForwardedHeader};
    /// use http::{HeaderMap, HeaderValue};
    /// use std::num::NonZeroUsize;
    ///
    /// let two = NonZeroUsize::new(2).unwrap();
    /// let rule = ClientAddress::behind_hops(two, ForwardedHeader::XForwardedFor);
    /// let mut headers = HeaderMap::new();
    /// headers.insert("x-forwarded-for", HeaderValue::from_static("1.2.3.4, 203.0.113.9, 198.51.100.1"));
    /// assert_eq!(rule.of(Some([198, 51, 100, 2].into()), &headers), Ok([203, 0, 113, 9].into()));
    /// ```
    #[must_use]
    pub const fn behind_hops(hops: NonZeroUsize, header: ForwardedHeader) -> Self {
        Self::new(Rule::Hops(hops, header))
    }

    const fn new(rule: Rule) -> Self {
        Self { rule, prefix: Ipv6Prefix::Bits64 }
    }

    /// Sets how many bits of an IPv6 address identify a client. The default is a network, /64.
    ///
    /// ```
    /// use casgate::Ipv6Prefix;
    /// use casgate_tower::address::ClientAddress;
    /// use http::HeaderMap;
    ///
    /// let site = ClientAddress::peer().ipv6_prefix(Ipv6Prefix::Bits48);
    /// let client = site.of(Some("2001:db8:1:2::7".parse().unwrap()), &HeaderMap::new());
    /// assert_eq!(client.unwrap().to_string(), "2001:db8:1::");
    /// ```
    #[must_use]
    pub fn ipv6_prefix(mut self, prefix: Ipv6Prefix) -> Self {
        self.prefix = prefix;
        self
    }

    /// Returns the client: an address in canonical form, masked as [`Ipv6Prefix::of`] does it.
    ///
    /// An address is compared with the trusted networks before it is masked, and only a mapped one
    /// as its IPv4 address. So no client is trusted for a proxy's IPv4 address inside a
    /// translator's or a 6to4 prefix.
    ///
    /// This takes time for the entries that it reads, from the right, and for each of these for the
    /// networks. It allocates nothing.
    ///
    /// ```
    /// use casgate_tower::address::ClientAddress;
    /// use http::HeaderMap;
    ///
    /// let mapped = "::ffff:192.0.2.7".parse().unwrap();
    /// let client = ClientAddress::default().of(Some(mapped), &HeaderMap::new());
    /// assert_eq!(client, Ok([192, 0, 2, 7].into()));
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no peer, whatever the headers say. The address of a Unix socket's other end is
    /// for the caller to choose.
    #[inline]
    pub fn of(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Result<IpAddr, NoPeer> {
        let peer = peer.ok_or(NoPeer)?;
        let client = match &self.rule {
            Rule::Peer => peer,
            rule => rule.read(peer, headers),
        };
        Ok(self.prefix.of(client))
    }
}

/// [`ClientAddress::peer()`].
impl Default for ClientAddress {
    fn default() -> Self {
        Self::peer()
    }
}
