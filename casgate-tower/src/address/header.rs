use super::entries::{Entries, plain};
use super::forwarded;
use http::header::{self, HeaderMap, HeaderName};

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The one header in which the proxies write the address of their peer.
///
/// No other header is read, even if this one is missing. Choose the one that your proxies write: a
/// client can send every other.
///
/// An entry is an address, with or without a port: `192.0.2.7`, `192.0.2.7:41522`, `2001:db8::1`,
/// `[2001:db8::1]`, `[2001:db8::1]:443`. The zone in `fe80::1%eth0` is dropped. An entry of more
/// than 128 bytes cannot be read.
///
/// ```
/// use casgate_tower::address::ForwardedHeader;
/// use http::HeaderName;
///
/// let header = ForwardedHeader::Other(HeaderName::from_static("cf-connecting-ip"));
/// assert_ne!(header, ForwardedHeader::XForwardedFor);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: addresses with commas between them.
    XForwardedFor,
    /// `Forwarded` ([RFC 7239](https://www.rfc-editor.org/rfc/rfc7239)): the `for` of each element.
    ///
    /// An element is read by itself, from its end. So what a client sent to the left, such as a
    /// quote without its partner, changes nothing in what a proxy appended. An unquoted value with
    /// characters that should be quoted is read, since proxies write `for=[2001:db8::1]` and
    /// `host=localhost:8080`.
    Forwarded,
    /// A header with one address, such as `CF-Connecting-IP` or `X-Real-IP`. It is a list as
    /// `X-Forwarded-For` is, with one entry.
    ///
    /// The proxy must overwrite this header, never pass on what the client sent.
    Other(HeaderName),
}

impl ForwardedHeader {
    /// Returns the entries from the right, of all lines.
    pub(super) fn entries<'a>(&self, headers: &'a HeaderMap) -> Entries<'a> {
        match self {
            Self::XForwardedFor => Entries::new(headers, &X_FORWARDED_FOR, plain),
            Self::Forwarded => Entries::new(headers, &header::FORWARDED, forwarded::last),
            Self::Other(name) if *name == header::FORWARDED => Self::Forwarded.entries(headers),
            Self::Other(name) => Entries::new(headers, name, plain),
        }
    }
}
