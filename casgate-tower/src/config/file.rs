use casgate::Quota;
use serde::{Deserialize, Serialize};

/// The policies of a server, as they stand in a file. See [the module](super).
///
/// Unknown names are errors of the format, so that a misspelt option does not lift a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How the client's address is found.
    #[serde(default)]
    pub client: ClientConfig,
    /// The policies: a request needs all that apply to it.
    pub policies: Vec<PolicyConfig>,
}

/// How the client's address is found: see [`address`](crate::address). Without any of it, it is the
/// peer's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// The networks of the proxies in front of the server, such as `"10.0.0.0/8"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted: Vec<String>,
    /// How many proxies there are, instead of their networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hops: Option<usize>,
    /// The header that the proxies write: `"x-forwarded-for"`, `"forwarded"`, or the name of one
    /// with an address. Needed with `trusted` or `hops`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// How many bits of an IPv6 address are a client: 48, 56 or 64, the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_prefix: Option<u8>,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// Its name, of printable ASCII.
    pub name: String,
    /// Its quota, such as `"100/min burst 20"`.
    pub quota: Quota,
    /// What has a limit of its own: `"client"`, `"header:x-api-key"`, or the name of one of the
    /// program's [`Keys`](super::Keys). Without it there is one limit for all. A request without
    /// the header has no key: see `missing_key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// For how many keys there is room at a time.
    #[serde(default = "capacity")]
    pub capacity: usize,
    /// How permits return.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// The paths that it applies to, in the syntax of axum's routes: `"/users/{id}"`,
    /// `"/files/{*name}"`. Without any it applies to all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The methods that it applies to, in capitals, or all. `"GET"` means HEAD too, which its
    /// routes serve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// The permits that a request costs.
    #[serde(default = "one")]
    pub cost: u32,
    /// The statuses whose requests are refunded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refund_on: Vec<u16>,
    /// What becomes of a request without a key.
    #[serde(default)]
    pub missing_key: MissingKeyConfig,
    /// For how many of 100 keys, or of 100 requests, it holds; for the others it is in
    /// [shadow](crate::Policy::shadow).
    #[serde(default = "all")]
    pub enforce: u8,
}

/// How permits return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Algorithm {
    /// One by one.
    #[default]
    TokenBucket,
    /// All together, at the end of a window.
    FixedWindow,
}

/// What happens to a request without a key: see [`MissingKey`](crate::MissingKey).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MissingKeyConfig {
    /// It is answered with 500.
    #[default]
    Deny,
    /// All such requests are one key.
    Shared,
    /// It passes.
    Exempt,
}

fn capacity() -> usize {
    100_000
}

fn one() -> u32 {
    1
}

fn all() -> u8 {
    100
}
