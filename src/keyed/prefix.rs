use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How many leading bits of an IPv6 address identify a client. A customer is given a whole prefix,
/// so a limit for each address would be no limit.
///
/// ```
/// use casgate::Ipv6Prefix;
///
/// let client = |address: &str| Ipv6Prefix::default().of(address.parse().unwrap()).to_string();
/// assert_eq!(client("2001:db8:1:2:aaaa::1"), "2001:db8:1:2::");
/// assert_eq!(client("192.0.2.7"), "192.0.2.7");
/// // IPv4 clients that come over IPv6: mapped, through a translator, and by 6to4.
/// assert_eq!(client("::ffff:192.0.2.7"), "192.0.2.7");
/// assert_eq!(client("64:ff9b::192.0.2.7"), "192.0.2.7");
/// assert_eq!(client("2002:c000:207::1"), "192.0.2.7");
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
    /// Returns the client at `address`: the prefix of an IPv6 address, with zeros behind it, or an
    /// IPv4 address.
    ///
    /// An IPv4 address is also found in an IPv6 address that embeds it: in a mapped one, in the
    /// translators' prefixes `64:ff9b::/96` ([RFC 6052](https://www.rfc-editor.org/rfc/rfc6052))
    /// and `64:ff9b:1::/48` ([RFC 8215](https://www.rfc-editor.org/rfc/rfc8215)), and in the 6to4
    /// prefix `2002::/16` ([RFC 3056](https://www.rfc-editor.org/rfc/rfc3056)). Otherwise all
    /// clients of a translator would be one.
    ///
    /// ```
    /// use casgate::{Ipv6Prefix, KeyedLimiter, Quota};
    /// use std::net::IpAddr;
    ///
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 10_000);
    /// let address = |text: &str| text.parse::<IpAddr>().unwrap();
    /// let site = Ipv6Prefix::Bits48;
    /// assert!(limiter.is_allowed(&site.of(address("2001:db8:7:1::1"))));
    /// assert!(!limiter.is_allowed(&site.of(address("2001:db8:7:2::1"))));
    /// ```
    #[must_use]
    pub const fn of(self, address: IpAddr) -> IpAddr {
        let v6 = match address.to_canonical() {
            IpAddr::V6(v6) => v6,
            v4 @ IpAddr::V4(_) => return v4,
        };
        if let Some(v4) = embedded(v6.to_bits()) {
            return IpAddr::V4(Ipv4Addr::from_bits(v4));
        }
        let dropped = match self {
            Self::Bits64 => 64,
            Self::Bits56 => 72,
            Self::Bits48 => 80,
        };
        IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << dropped)))
    }
}

/// The IPv4 address that a translator or 6to4 has put into an IPv6 address.
const fn embedded(bits: u128) -> Option<u32> {
    const SIX_TO_FOUR: u128 = 0x2002;
    const WELL_KNOWN: u128 = 0x0064_ff9b << 64;
    const LOCAL: u128 = 0x0064_ff9b_0001;
    if bits >> 112 == SIX_TO_FOUR {
        Some((bits >> 80) as u32)
    } else if bits >> 32 == WELL_KNOWN {
        Some(bits as u32)
    } else if bits >> 80 == LOCAL {
        // The operator divides the prefix. In a part of 96 bits the address comes last. In the whole it comes
        // in two halves around eight bits of zeros, and zeros come last.
        let halves = (bits >> 64 << 16) as u32 | (bits >> 40) as u16 as u32;
        Some(if bits as u32 == 0 { halves } else { bits as u32 })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> String {
        Ipv6Prefix::default().of(address.parse().unwrap()).to_string()
    }

    /// The examples of RFC 6052, section 2.4, and their neighbours outside the prefixes.
    #[test]
    fn addresses_behind_a_translator_are_told_apart() {
        assert_eq!(client("64:ff9b::808:808"), "8.8.8.8");
        assert_eq!(client("64:ff9b::909:909"), "9.9.9.9");
        assert_eq!(client("64:ff9b::c000:221"), "192.0.2.33");
        assert_eq!(client("64:ff9b:1:c000:2:2100::"), "192.0.2.33");
        assert_eq!(client("64:ff9b:1::808:808"), "8.8.8.8");
        assert_eq!(client("64:ff9b:1:fffe::808:808"), "8.8.8.8");
        assert_eq!(client("64:ff9b:0:1::808:808"), "64:ff9b:0:1::");
        assert_eq!(client("64:ff9b::1:808:808"), "64:ff9b::");
        assert_eq!(client("64:ff9b:2::808:808"), "64:ff9b:2::");
        assert_eq!(client("64:ff9c::808:808"), "64:ff9c::");
    }

    #[test]
    fn six_to_four_sites_are_their_routers() {
        assert_eq!(client("2002:808:808::1"), "8.8.8.8");
        assert_eq!(client("2002:808:808:7:8::1"), "8.8.8.8");
        assert_eq!(client("2001:808:808::1"), "2001:808:808::");
        assert_eq!(client("2003:808:808::1"), "2003:808:808::");
    }
}
