use crate::address::NetworkError;
use crate::fields::NameError;
use casgate::KeyedError;
use std::error::Error;
use std::fmt;

/// What is wrong with a [`Config`](super::Config), and in which policy.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigError {
    policy: Option<String>,
    problem: Problem,
}

/// What is wrong with a [`Config`](super::Config).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// There is no policy, or there are more than 255.
    Count(usize),
    /// The name is none.
    Name(NameError),
    /// Another policy has the name.
    DuplicateName,
    /// Neither `client` nor a header, nor one of the program's keys.
    UnknownKey(String),
    /// A path that cannot be read, or that stands there twice, and why.
    Path(String, String),
    /// Not the name of a method, which is written in capitals.
    Method(String),
    /// Not the name of a header.
    Header(String),
    /// Not a status.
    Status(u16),
    /// A percentage above 100.
    Percent(u8),
    /// The limiter cannot have the quota or the capacity.
    Limiter(KeyedError),
    /// A cost of more permits than there ever are together.
    Cost(u32),
    /// A burst of a fixed window, which has none.
    Burst,
    /// A network that cannot be read.
    Network(String, NetworkError),
    /// `trusted` and `hops` together, one of them without `header`, `header` without them, or no
    /// hops.
    Proxies,
    /// A prefix of other than 48, 56 or 64 bits.
    Ipv6Prefix(u8),
}

impl ConfigError {
    pub(super) fn of_policy(name: &str, problem: Problem) -> Self {
        Self { policy: Some(name.to_owned()), problem }
    }

    /// Returns the name of the policy; `None` if it is not about one.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// Returns what is wrong.
    #[must_use]
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self { policy: None, problem }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(policy) = &self.policy {
            write!(f, "policy {policy:?}: ")?;
        }
        self.problem.fmt(f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count} policies: there must be 1 to 255"),
            Self::Name(error) => error.fmt(f),
            Self::DuplicateName => f.write_str("two policies have this name"),
            Self::UnknownKey(key) => {
                write!(f, "the key {key:?} is neither \"client\", \"header:…\" nor known to the program")
            }
            Self::Path(path, why) => write!(f, "the path {path:?}: {why}"),
            Self::Method(method) => write!(f, "{method:?} is not a method, in capitals"),
            Self::Header(header) => write!(f, "{header:?} is not the name of a header"),
            Self::Status(status) => write!(f, "`refund_on`: {status} is not a status"),
            Self::Percent(percent) => write!(f, "`enforce`: {percent} percent, at most 100"),
            Self::Limiter(error) => error.fmt(f),
            Self::Cost(cost) => write!(f, "a cost of {cost} never fits the quota"),
            Self::Burst => f.write_str("a fixed window has no burst"),
            Self::Network(network, error) => write!(f, "the network {network:?}: {error}"),
            Self::Proxies => f.write_str(
                "the client's address needs `header` with either `trusted` networks or at least one of `hops`",
            ),
            Self::Ipv6Prefix(bits) => write!(f, "an IPv6 prefix of {bits} bits: it is 48, 56 or 64"),
        }
    }
}

impl Error for ConfigError {}
