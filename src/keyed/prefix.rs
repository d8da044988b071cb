use core::net::{IpAddr, Ipv6Addr};

/// How much of an IPv6 address tells one client from another. A customer is given a whole prefix, so a
/// limit for each address would be no limit.
///
/// ```
/// use casgate::Ipv6Prefix;
///
/// let client = |address: &str| Ipv6Prefix::default().of(address.parse().unwrap()).to_string();
/// assert_eq!(client("2001:db8:1:2:aaaa::1"), "2001:db8:1:2::");
/// assert_eq!(client("::ffff:192.0.2.7"), "192.0.2.7"); // IPv4 in disguise
/// assert_eq!(client("192.0.2.7"), "192.0.2.7");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ipv6Prefix {
    /// A network: what a host picks its own addresses from.
    #[default]
    Bits64,
    /// What many providers give to a home.
    Bits56,
    /// What is given to a site ([RFC 6177](https://www.rfc-editor.org/rfc/rfc6177)).
    Bits48,
}

impl Ipv6Prefix {
    /// The client at `address`: the prefix of an IPv6 address, the rest zero; an IPv4 address as
    /// it is, also one that is mapped into IPv6.
    ///
    /// ```
    /// use casgate::{Ipv6Prefix, KeyedLimiter, Quota};
    /// use std::net::IpAddr;
    ///
    /// let limiter = KeyedLimiter::<IpAddr>::token_bucket(Quota::per_hour(1), 10_000);
    /// let address = |text: &str| text.parse::<IpAddr>().unwrap();
    /// let site = Ipv6Prefix::Bits48;
    /// assert!(limiter.is_allowed(&site.of(address("2001:db8:7:1::1"))));
    /// assert!(!limiter.is_allowed(&site.of(address("2001:db8:7:2::1"))));
    /// ```
    #[must_use]
    pub const fn of(self, address: IpAddr) -> IpAddr {
        let dropped = match self {
            Self::Bits64 => 64,
            Self::Bits56 => 72,
            Self::Bits48 => 80,
        };
        match address.to_canonical() {
            IpAddr::V6(v6) => {
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << dropped)))
            }
            v4 @ IpAddr::V4(_) => v4,
        }
    }
}
