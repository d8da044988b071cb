use super::network_error::{NetworkError, Wrong};
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;
use ipnet::IpNet;

/// The addresses of proxies that are trusted: an address and how many of its leading bits count.
///
/// An IPv4 address that is mapped into IPv6 is the IPv4 address, here and in
/// [`contains`](Self::contains). No other form is: the 6to4 address of `10.0.0.1` is not in
/// `10.0.0.0/8`, since a client can have it.
///
/// ```
/// use casgate_tower::address::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains([10, 1, 2, 3].into()));
/// assert!(network.contains("::ffff:10.1.2.3".parse().unwrap()));
/// assert!(!network.contains("2002:a01:203::".parse().unwrap()));
/// // An address alone is a network of one, and a mapped network is the IPv4 network.
/// assert_eq!("192.0.2.7".parse::<Network>()?.to_string(), "192.0.2.7/32");
/// assert_eq!("::ffff:10.0.0.0/104".parse::<Network>()?, network);
/// # Ok::<(), casgate_tower::address::NetworkError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

impl Network {
    /// Makes the network of all addresses whose first `prefix` bits are those of `address`.
    ///
    /// ```
    /// use casgate_tower::address::Network;
    ///
    /// let network = Network::new([172, 16, 0, 0].into(), 12)?;
    /// assert_eq!(network.to_string(), "172.16.0.0/12");
    /// assert!(Network::new([172, 16, 0, 1].into(), 12).is_err());
    /// # Ok::<(), casgate_tower::address::NetworkError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the prefix is longer than the address, or if the address has bits behind the prefix,
    /// which is most often a mistake. Or if the prefix is 0, or 96 for a mapped address: every
    /// client could then choose its address.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, NetworkError> {
        let most = if address.is_ipv4() { 32 } else { 128 };
        let network = IpNet::new(address, prefix)
            .map_err(|_| NetworkError(Wrong::TooLong { prefix, most }))?;
        if network.network() != address {
            return Err(NetworkError(Wrong::HostBits { network: network.network(), prefix }));
        }
        // The 96 bits before a mapped address are within the prefix, or the last of them would be bits behind it.
        let canonical = address.to_canonical();
        let prefix = if canonical == address { prefix } else { prefix - 96 };
        if prefix == 0 {
            return Err(NetworkError(Wrong::Everything));
        }
        Ok(Self(IpNet::new_assert(canonical, prefix)))
    }

    /// Returns the networks of a host's own addresses: `127.0.0.0/8` and `::1`.
    ///
    /// ```
    /// use casgate_tower::address::Network;
    /// assert_eq!(Network::loopback().map(|network| network.to_string()), ["127.0.0.0/8", "::1/128"]);
    /// ```
    #[must_use]
    pub const fn loopback() -> [Self; 2] {
        [v4([127, 0, 0, 0], 8), Self(IpNet::new_assert(IpAddr::V6(Ipv6Addr::LOCALHOST), 128))]
    }

    /// Returns the networks that the internet does not reach: `10.0.0.0/8`, `172.16.0.0/12` and
    /// `192.168.0.0/16` ([RFC 1918](https://www.rfc-editor.org/rfc/rfc1918)), and `fc00::/7` ([RFC
    /// 4193](https://www.rfc-editor.org/rfc/rfc4193)).
    ///
    /// Trust them only if no client has such an address. Loopback is not among them, nor is
    /// `100.64.0.0/10`, in which providers put customers.
    ///
    /// ```
    /// use casgate_tower::address::Network;
    /// let private = |address| Network::private().iter().any(|network| network.contains(address));
    /// assert!(private([192, 168, 1, 1].into()) && !private([192, 169, 1, 1].into()));
    /// ```
    #[must_use]
    pub const fn private() -> [Self; 4] {
        let unique = IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0));
        [
            v4([10, 0, 0, 0], 8),
            v4([172, 16, 0, 0], 12),
            v4([192, 168, 0, 0], 16),
            Self(IpNet::new_assert(unique, 7)),
        ]
    }

    /// Returns whether the network has this address.
    ///
    /// ```
    /// use casgate_tower::address::Network;
    /// let host = Network::from("::1".parse::<std::net::IpAddr>().unwrap());
    /// assert!(host.contains("::1".parse().unwrap()) && !host.contains("::2".parse().unwrap()));
    /// ```
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Network {
    Network(IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix))
}

/// The network of one address.
impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical().into())
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError(Wrong::Address))?;
        let Some(prefix) = prefix else { return Ok(address.into()) };
        if !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NetworkError(Wrong::Prefix));
        }
        Self::new(address, prefix.parse().map_err(|_| NetworkError(Wrong::Prefix))?)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({})", self.0)
    }
}
