//! A limit as it applies to requests.

mod awaited;
mod build;
#[cfg(feature = "config")]
mod current;
mod key_by;
mod limited;
mod line;
mod options;
#[cfg(feature = "wait")]
mod queue;
mod set;

#[cfg(feature = "config")]
pub(crate) use current::Current;
pub use key_by::KeyBy;
pub(crate) use limited::{Ask, Limited, NoKey};
pub(crate) use line::{Entered, Late, Line, Wait};
#[cfg(feature = "client")]
pub(crate) use queue::Waiting;
pub(crate) use set::{Applies, Keyless, Set};

use crate::fields::{Announced, Name};
use casgate::{Quota, Stats};
use http::request::Parts;
use http::{StatusCode, response};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

/// A limit and how it applies to requests: by what key, at what cost, and what is exempt.
///
/// ```
/// use casgate::Quota;
/// use casgate_tower::{KeyBy, Policy, RateLimitLayer};
/// use http::{HeaderName, StatusCode};
///
/// let clients = Policy::per_client(Quota::per_minute(60).with_burst(20), 100_000).named("client");
/// let uploads = Policy::per_key(
///     Quota::per_hour(1_000),
///     10_000,
///     KeyBy::header(HeaderName::from_static("x-api-key")), // checked in front of the layer
/// )
/// .named("uploads")
/// .only_if(|parts| parts.method == http::Method::PUT)
/// .cost(|parts| if parts.uri.path() == "/video" { 50 } else { 1 })
/// .refund_on([StatusCode::NOT_MODIFIED]);
///
/// let layer = RateLimitLayer::all([clients, uploads]);
/// # drop(layer);
/// ```
#[derive(Clone)]
#[must_use]
pub struct Policy {
    /// For each tier.
    announced: Vec<Announced>,
    limited: Arc<dyn Limited>,
    /// And for how long a request waits in it.
    line: Option<(Arc<dyn Line>, Duration)>,
    only_if: Option<Arc<Test>>,
    exempt: Option<Arc<Test>>,
    cost: Option<Arc<Cost>>,
    tier: Option<Arc<Tier>>,
    missing_key: MissingKey,
    /// Of 100 keys or, without keys, of 100 requests.
    enforced: u8,
    refund_on: Arc<[StatusCode]>,
    true_cost: Option<Arc<TrueCost>>,
    seed: RandomState,
}

type Test = dyn Fn(&Parts) -> bool + Send + Sync;
type Cost = dyn Fn(&Parts) -> u32 + Send + Sync;
type Tier = dyn Fn(&Parts) -> u16 + Send + Sync;
type TrueCost = dyn Fn(&response::Parts) -> Option<u32> + Send + Sync;

/// What happens to a request without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MissingKey {
    /// It is answered with this status: 500 by default, since a server that gives no key is
    /// mistaken. gRPC requests get the status 13 (internal).
    Deny(StatusCode),
    /// All such requests are one key.
    Shared,
    /// It passes, and is charged to nobody.
    Exempt,
}

impl Default for MissingKey {
    fn default() -> Self {
        Self::Deny(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl Policy {
    /// Names it; without a name it is `"default"`. The policies of a layer need different names. So
    /// do those of layers around each other: clients read all of their fields in one list.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::Policy;
    /// assert_eq!(Policy::global(Quota::per_second(9)).named("api").name().as_str(), "api");
    /// ```
    ///
    /// # Panics
    ///
    /// If `name` is no [`Name`]. For one that comes from elsewhere use
    /// [`with_name`](Self::with_name).
    pub fn named(self, name: &'static str) -> Self {
        self.with_name(Name::new(name).expect("a policy's name"))
    }

    /// Names it.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::{Policy, fields::Name};
    /// let name = Name::new("api")?;
    /// assert_eq!(Policy::global(Quota::per_second(9)).with_name(name.clone()).name(), &name);
    /// # Ok::<(), casgate_tower::fields::NameError>(())
    /// ```
    pub fn with_name(mut self, name: Name) -> Self {
        for announced in &mut self.announced {
            *announced = announced.with_name(name.clone());
        }
        self
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &Name {
        self.announced[0].name()
    }

    /// Returns the quota that the fields announce, of tier 0.
    #[must_use]
    pub fn quota(&self) -> Quota {
        self.announced[0].quota()
    }

    /// Returns what has happened in the keyed limiter; `None` without keys.
    #[must_use]
    pub fn stats(&self) -> Option<Stats> {
        self.limited.stats()
    }

    /// What the numbers of a request are written for.
    pub(crate) fn announced(&self, ask: &Ask) -> &Announced {
        self.announced.get(usize::from(ask.tier)).unwrap_or(&self.announced[0])
    }

    /// The same limiter with another quota, as it is to be announced; everything else is as if it
    /// were new.
    #[cfg(feature = "config")]
    pub(crate) fn again(&self, quota: Quota) -> Self {
        Self { seed: self.seed.clone(), ..Self::of(Arc::clone(&self.limited), quota) }
    }

    /// The same policy with another quota, as it is to be announced.
    #[cfg(feature = "config")]
    pub(crate) fn with_quota(&self, quota: Quota) -> Self {
        let mut policy = self.clone();
        policy.announced[0] = policy.announced[0].with_quota(quota);
        policy
    }

    #[cfg(feature = "config")]
    pub(crate) fn has_limiter_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.limited, &other.limited)
    }

    /// Stands in line, if there is one.
    #[inline]
    pub(crate) fn enter(&self, cost: u32) -> Option<Entered> {
        self.line.as_ref().map(|(line, patience)| line.enter(cost, *patience))
    }

    #[inline]
    pub(crate) const fn has_line(&self) -> bool {
        self.line.is_some()
    }

    #[inline]
    pub(crate) fn limited(&self) -> &dyn Limited {
        &*self.limited
    }

    /// Whether it is in shadow for some keys or requests.
    #[cfg(feature = "tracing")]
    pub(crate) const fn is_on_trial(&self) -> bool {
        self.enforced < 100
    }

    /// Whether a denial of the request holds.
    #[inline]
    pub(crate) fn is_enforced(&self, ask: Ask) -> bool {
        match self.enforced {
            0 => false,
            100 => true,
            percent => self.draws(ask) % 100 < u64::from(percent),
        }
    }

    /// A number that is always the same for a key, and a new one without keys.
    fn draws(&self, ask: Ask) -> u64 {
        // Each `RandomState` is a new number.
        ask.place.map_or_else(|| RandomState::new().hash_one(()), |_| self.hash(&ask))
    }

    /// A number that stands for the key in this process.
    pub(crate) fn hash(&self, ask: &Ask) -> u64 {
        self.seed.hash_one(ask.place)
    }

    /// Whether it refunds or corrects by what the service answers.
    pub(crate) fn settles(&self) -> bool {
        !self.refund_on.is_empty() || self.true_cost.is_some()
    }

    pub(crate) fn is_refunded(&self, status: StatusCode) -> bool {
        self.refund_on.contains(&status)
    }

    pub(crate) fn cost_by(&self, response: &response::Parts) -> Option<u32> {
        self.true_cost.as_ref().and_then(|cost| cost(response))
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("name", self.name())
            .field("quota", &self.quota())
            .field("enforced", &self.enforced)
            .finish_non_exhaustive()
    }
}
