//! From what stands in the file to policies.

use super::error::{ConfigError, Problem};
use super::file::{Algorithm, ClientConfig, Config, MissingKeyConfig, PolicyConfig};
use crate::address::{ClientAddress, ForwardedHeader, Network};
use crate::fields::{Name, Refill};
use crate::{KeyBy, MissingKey, Policy};
use casgate::{Ipv6Prefix, KeyedLimiter};
use http::{HeaderName, Method, StatusCode};
use matchit::Router;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

/// The keys that a program adds to those that a [`Config`] can name, such as the user that it has
/// authenticated.
///
/// ```
/// use casgate_tower::KeyBy;
/// use casgate_tower::config::Keys;
/// #[derive(Clone)]
/// struct User(u64);
/// let user = KeyBy::new(|parts| parts.extensions.get::<User>().map(|user| user.0));
/// let keys = Keys::new().with("user", user);
/// # drop(keys);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Keys(BTreeMap<String, KeyBy>);

impl Keys {
    /// Returns none.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key. `"client"` can be replaced.
    #[must_use]
    pub fn with(mut self, name: &str, key: KeyBy) -> Self {
        self.0.insert(name.to_owned(), key);
        self
    }

    fn find(&self, name: &str, client: &ClientAddress) -> Result<KeyBy, Problem> {
        if let Some(key) = self.0.get(name) {
            return Ok(key.clone());
        }
        if name == "client" {
            return Ok(KeyBy::client(client.clone()));
        }
        let header =
            name.strip_prefix("header:").ok_or_else(|| Problem::UnknownKey(name.to_owned()))?;
        Ok(KeyBy::header(self::header(header)?))
    }
}

/// A policy, and what it was made from.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) config: PolicyConfig,
    pub(super) client: ClientConfig,
    pub(super) policy: Policy,
}

impl Made {
    /// Whether what a client has spent can stay: the limiter and its keys are the same.
    fn keeps_limiter(&self, config: &PolicyConfig, client: &ClientConfig, keys: &Keys) -> bool {
        let is_of_section =
            config.key.as_deref() == Some("client") && !keys.0.contains_key("client");
        let is_same_client = !is_of_section || self.client == *client;
        let limiter =
            |config: &PolicyConfig| (config.key.clone(), config.capacity, config.algorithm);
        is_same_client && limiter(&self.config) == limiter(config)
    }
}

/// Makes the policies of a configuration, with the limiters of `before` where they stay. Nothing
/// that is in use is changed.
pub(super) fn make(
    config: &Config,
    keys: &Keys,
    before: &[Made],
) -> Result<Vec<Made>, ConfigError> {
    let count = config.policies.len();
    if !(1..=255).contains(&count) {
        return Err(Problem::Count(count).into());
    }
    let client = client(&config.client)?;
    let mut all: Vec<Made> = Vec::with_capacity(count);
    for policy in &config.policies {
        let at = |problem| ConfigError::of_policy(&policy.name, problem);
        if all.iter().any(|other| other.config.name == policy.name) {
            return Err(at(Problem::DuplicateName));
        }
        let old = before.iter().find(|old| old.config.name == policy.name);
        let old = old
            .filter(|old| old.keeps_limiter(policy, &config.client, keys))
            .map(|old| &old.policy);
        let made = self::policy(policy, keys, &client, old).map_err(at)?;
        all.push(Made { config: policy.clone(), client: config.client.clone(), policy: made });
    }
    Ok(all)
}

fn policy(
    config: &PolicyConfig,
    keys: &Keys,
    client: &ClientAddress,
    old: Option<&Policy>,
) -> Result<Policy, Problem> {
    let name = Name::new(&config.name).map_err(Problem::Name)?;
    if config.algorithm == Algorithm::FixedWindow && config.quota.burst() != config.quota.permits()
    {
        return Err(Problem::Burst);
    }
    if config.cost > config.quota.burst() {
        return Err(Problem::Cost(config.cost));
    }
    let limiter = |capacity| match config.algorithm {
        Algorithm::TokenBucket => KeyedLimiter::try_token_bucket(config.quota, capacity),
        Algorithm::FixedWindow => KeyedLimiter::try_fixed_window(config.quota, capacity),
    };
    let mut policy = match (&config.key, old) {
        (Some(_), Some(old)) => {
            limiter(1).map_err(Problem::Limiter)?; // whether it can have the quota
            old.again(config.quota)
        }
        (None, Some(old)) => old.again(config.quota),
        (Some(key), None) => {
            let key = keys.find(key, client)?;
            let limiter = limiter(config.capacity).map_err(Problem::Limiter)?;
            Policy::over_keyed(limiter, config.quota, key)
        }
        (None, None) => match config.algorithm {
            Algorithm::TokenBucket => Policy::global(config.quota),
            Algorithm::FixedWindow => Policy::global_window(config.quota),
        },
    };
    let mut routes = Router::new();
    for path in &config.paths {
        let wrong = |error: matchit::InsertError| Problem::Path(path.clone(), error.to_string());
        is_a_path(path)?;
        routes.insert(path, ()).map_err(wrong)?;
    }
    let method = |name: &String| match name.parse() {
        Ok(method) if !name.bytes().any(|byte| byte.is_ascii_lowercase()) => Ok(method),
        _ => Err(Problem::Method(name.clone())),
    };
    let methods = config.methods.iter().map(method).collect::<Result<Vec<Method>, _>>()?;
    let status = |&code: &u16| StatusCode::from_u16(code).map_err(|_| Problem::Status(code));
    let refunds = config.refund_on.iter().map(status).collect::<Result<Vec<_>, _>>()?;
    if config.enforce > 100 {
        return Err(Problem::Percent(config.enforce));
    }
    policy = policy.with_name(name).enforce(config.enforce).refund_on(refunds);
    policy = policy.missing_key(match config.missing_key {
        MissingKeyConfig::Deny => MissingKey::default(),
        MissingKeyConfig::Shared => MissingKey::Shared,
        MissingKeyConfig::Exempt => MissingKey::Exempt,
    });
    if config.algorithm == Algorithm::FixedWindow {
        policy = policy.refill(Refill::AtOnce);
    }
    if config.cost != 1 {
        let cost = config.cost;
        policy = policy.cost(move |_| cost);
    }
    if !(config.paths.is_empty() && methods.is_empty()) {
        let has_paths = !config.paths.is_empty();
        policy = policy.only_if(move |parts| {
            (!has_paths || routes.at(parts.uri.path()).is_ok())
                && (methods.is_empty() || has(&methods, &parts.method))
        });
    }
    Ok(policy)
}

/// A route for GET serves HEAD too, so a limit of GET holds for it.
fn has(methods: &[Method], method: &Method) -> bool {
    methods.contains(method) || *method == Method::HEAD && methods.contains(&Method::GET)
}

/// As axum wants it, so that no misspelt path lifts a limit.
fn is_a_path(path: &str) -> Result<(), Problem> {
    let wrong = |why: &str| Err(Problem::Path(path.to_owned(), why.to_owned()));
    if !path.starts_with('/') {
        return wrong("it begins with a slash");
    }
    if path.split('/').any(|part| part.starts_with([':', '*'])) {
        return wrong("a part that can be anything is written as {name}, and the rest as {*name}");
    }
    Ok(())
}

fn client(config: &ClientConfig) -> Result<ClientAddress, Problem> {
    let network = |text: &String| {
        text.parse::<Network>().map_err(|error| Problem::Network(text.clone(), error))
    };
    let trusted = config.trusted.iter().map(network).collect::<Result<Vec<_>, _>>()?;
    let header = match config.header.as_deref() {
        None => None,
        Some("x-forwarded-for") => Some(ForwardedHeader::XForwardedFor),
        Some("forwarded") => Some(ForwardedHeader::Forwarded),
        Some(other) => Some(ForwardedHeader::Other(self::header(other)?)),
    };
    let hops =
        config.hops.map(|hops| NonZeroUsize::new(hops).ok_or(Problem::Proxies)).transpose()?;
    let address = match (trusted.is_empty(), hops, header) {
        (true, None, None) => ClientAddress::peer(),
        (false, None, Some(header)) => ClientAddress::behind(trusted, header),
        (true, Some(hops), Some(header)) => ClientAddress::behind_hops(hops, header),
        _ => return Err(Problem::Proxies),
    };
    Ok(match config.ipv6_prefix {
        None | Some(64) => address,
        Some(56) => address.ipv6_prefix(Ipv6Prefix::Bits56),
        Some(48) => address.ipv6_prefix(Ipv6Prefix::Bits48),
        Some(other) => return Err(Problem::Ipv6Prefix(other)),
    })
}

fn header(name: &str) -> Result<HeaderName, Problem> {
    name.parse().map_err(|_| Problem::Header(name.to_owned()))
}
