use super::structured::{self, Member};
use super::{LARGEST, LEGACY_LIMIT, LEGACY_REMAINING, LEGACY_RESET, POLICY, RATE_LIMIT};
use http::header::AGE;
use http::{HeaderMap, HeaderName};
use std::collections::HashMap;
use std::time::Duration;

/// A server's limit, read from its response.
///
/// No number is above 999,999,999,999,999.
///
/// ```
/// use casgate_tower::fields::{self, ServerLimit};
/// use http::{HeaderMap, HeaderValue};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("ratelimit", HeaderValue::from_static(r#""default";r=0;t=30"#));
/// let is_spent = |limit: &ServerLimit| limit.remaining == 0;
/// assert!(fields::read(&headers).iter().any(is_spent));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerLimit {
    /// The name of the policy. It is empty for the legacy fields, which have none.
    pub name: String,
    /// The permits left.
    pub remaining: u64,
    /// For how long the client can use no more than those, counted from the response.
    pub within: Option<Duration>,
    /// The permits of the policy's window, from `RateLimit-Policy`.
    pub quota: Option<u64>,
    /// The policy's window, from `RateLimit-Policy`. Never zero.
    pub window: Option<Duration>,
}

/// Reads the limits of a server's response, in the order in which the server wrote them.
///
/// It reads `RateLimit` and `RateLimit-Policy` of draft 11. In `RateLimit` it also takes `a` for
/// `r`, and `w` for `t`, as a change of the draft would rename them. A name can be a Token. Unknown
/// parameters are skipped.
///
/// A malformed field is ignored whole, with all of its lines. If two policies of one name differ,
/// that name has neither a quota nor a window.
///
/// Without a `RateLimit` that can be read, it reads `X-RateLimit-Limit`, `X-RateLimit-Remaining`
/// and `X-RateLimit-Reset`. A reset is taken as seconds from now if it is below 10⁹. Otherwise it
/// is the time of day in Unix seconds, which this function has no clock for: then `within` is
/// `None`.
///
/// Nothing is read if the response has an `Age` above zero: it comes from a cache, and its limits
/// are old.
///
/// ```
/// use casgate_tower::fields;
/// use http::{HeaderMap, HeaderValue};
/// use std::time::Duration;
///
/// let mut headers = HeaderMap::new();
/// let policies = HeaderValue::from_static(r#""burst";q=10;w=1, "daily";q=5000;w=86400"#);
/// headers.insert("ratelimit-policy", policies);
/// headers.insert("ratelimit", HeaderValue::from_static(r#""daily";r=42;t=52011"#));
///
/// let limits = fields::read(&headers);
/// assert_eq!((limits[0].name.as_str(), limits[0].remaining), ("daily", 42));
/// assert_eq!(limits[0].within, Some(Duration::from_secs(52_011)));
/// assert_eq!(limits[0].quota, Some(5_000));
///
/// headers.insert("age", HeaderValue::from_static("3"));
/// assert!(fields::read(&headers).is_empty());
/// ```
#[must_use]
pub fn read(headers: &HeaderMap) -> Vec<ServerLimit> {
    if is_stored(headers) {
        return Vec::new();
    }
    match limits(headers) {
        Some(limits) if !limits.is_empty() => limits,
        _ => legacy(headers).into_iter().collect(),
    }
}

/// Whether a cache had the response for a second or more. An `Age` that is no number is ignored, as
/// RFC 9111 says in section 5.1.
fn is_stored(headers: &HeaderMap) -> bool {
    headers.get_all(AGE).iter().filter_map(structured::digits).any(|age| age > 0)
}

/// `None` if `RateLimit` is absent or malformed.
fn limits(headers: &HeaderMap) -> Option<Vec<ServerLimit>> {
    let members = structured::list(headers, &RATE_LIMIT)?;
    let policies = policies(headers).unwrap_or_default();
    members.into_iter().map(|member| limit(member, &policies)).collect()
}

fn limit(member: Member, policies: &HashMap<String, Option<Policy>>) -> Option<ServerLimit> {
    let remaining = match member.number("r")? {
        Some(remaining) => remaining,
        None => member.number("a")??,
    };
    let within = match member.number("t")? {
        Some(within) => Some(within),
        None => member.number("w")?,
    };
    let policy = policies.get(&member.text).copied().flatten();
    Some(ServerLimit {
        name: member.text,
        remaining,
        within: within.map(Duration::from_secs),
        quota: policy.map(|policy| policy.quota),
        window: policy.and_then(|policy| policy.window).map(Duration::from_secs),
    })
}

#[derive(Clone, Copy, PartialEq)]
struct Policy {
    quota: u64,
    /// In seconds, at least 1.
    window: Option<u64>,
}

/// The policies by name; `None` for a name that has several. The whole is `None` if the field is
/// absent or malformed.
fn policies(headers: &HeaderMap) -> Option<HashMap<String, Option<Policy>>> {
    let mut policies = HashMap::new();
    for member in structured::list(headers, &POLICY)? {
        let policy = policy(&member)?;
        let known = policies.entry(member.text).or_insert(Some(policy));
        if *known != Some(policy) {
            *known = None;
        }
    }
    Some(policies)
}

fn policy(member: &Member) -> Option<Policy> {
    let (quota, window) = (member.number("q")??, member.number("w")?);
    (window != Some(0)).then_some(Policy { quota, window })
}

/// A reset from here on cannot be meant as seconds from now: that would be 31 years.
const UNIX_TIME: u64 = 1_000_000_000;

fn legacy(headers: &HeaderMap) -> Option<ServerLimit> {
    let number = |name: HeaderName| {
        let number = headers.get(name).and_then(structured::digits)?;
        (number <= LARGEST).then_some(number)
    };
    Some(ServerLimit {
        name: String::new(),
        remaining: number(LEGACY_REMAINING)?,
        within: number(LEGACY_RESET).filter(|&reset| reset < UNIX_TIME).map(Duration::from_secs),
        quota: number(LEGACY_LIMIT),
        window: None,
    })
}
