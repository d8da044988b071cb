use core::fmt;
use core::net::IpAddr;

/// Why a text or a prefix is not a [`Network`](super::Network).
///
/// ```
/// use casgate_tower::address::Network;
///
/// let error = |text: &str| text.parse::<Network>().unwrap_err().to_string();
/// assert_eq!(error("10.1.2.3/8"), "the address has bits behind the prefix: the network is 10.0.0.0/8");
/// assert_eq!(error("10.0.0.0/33"), "a prefix of 33 bits is too long: the address has 32");
/// assert_eq!(error("10.0.0.0/255.0.0.0"), "expected the number of bits of the prefix after '/'");
/// assert_eq!(error("proxy.example"), "expected an IPv4 or IPv6 address before any '/'");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetworkError(pub(super) Wrong);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wrong {
    Address,
    Prefix,
    TooLong { prefix: u8, most: u8 },
    HostBits { network: IpAddr, prefix: u8 },
    Everything,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Wrong::Address => f.write_str("expected an IPv4 or IPv6 address before any '/'"),
            Wrong::Prefix => f.write_str("expected the number of bits of the prefix after '/'"),
            Wrong::TooLong { prefix, most } => {
                write!(f, "a prefix of {prefix} bits is too long: the address has {most}")
            }
            Wrong::HostBits { network, prefix } => write!(
                f,
                "the address has bits behind the prefix: the network is {network}/{prefix}"
            ),
            Wrong::Everything => f.write_str(
                "a prefix of 0 bits trusts every address, and clients could choose theirs: count hops instead",
            ),
        }
    }
}

impl core::error::Error for NetworkError {}
