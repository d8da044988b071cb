//! A limit as it applies to requests.

mod build;
mod key_by;
mod limited;
mod line;
#[cfg(feature = "wait")]
mod queue;
mod set;

pub use key_by::KeyBy;
pub(crate) use limited::{Ask, Limited};
pub(crate) use line::{Entered, Late, Line, Wait};
#[cfg(feature = "client")]
pub(crate) use queue::{Upstream, Waiting};
pub(crate) use set::{Applies, Set};

use crate::fields::{Announced, Name, Refill};
use casgate::{Quota, Stats};
use http::request::Parts;
use http::{StatusCode, response};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

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
///     KeyBy::header(HeaderName::from_static("x-api-key")),
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
    line: Option<Arc<dyn Line>>,
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

/// What becomes of a request without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MissingKey {
    /// It is answered with this status: 500 by default, since a server that gives no key is mistaken.
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
    /// Names it; without a name it is `"default"`. The policies of a layer need different names.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::Policy;
    /// assert_eq!(Policy::global(Quota::per_second(9)).named("api").name().as_str(), "api");
    /// ```
    ///
    /// # Panics
    ///
    /// If `name` is no [`Name`]. For one that comes from elsewhere use [`with_name`](Self::with_name).
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

    /// Tells clients that the permits return together, at the end of a window: for a limiter that is a window.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// use casgate_tower::Policy;
    /// use casgate_tower::fields::Refill;
    /// let quota = Quota::per_minute(100);
    /// let policy = Policy::over(Limiter::fixed_window(quota), quota).refill(Refill::AtOnce);
    /// # drop(policy);
    /// ```
    pub fn refill(mut self, refill: Refill) -> Self {
        for announced in &mut self.announced {
            *announced = announced.clone().refill(refill);
        }
        self
    }

    /// Applies to these requests alone. The others are not counted at all.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::Policy;
    /// let writes = Policy::global(Quota::per_second(9)).only_if(|parts| !parts.method.is_safe());
    /// # drop(writes);
    /// ```
    pub fn only_if(mut self, test: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.only_if = Some(Arc::new(test));
        self
    }

    /// Lets these requests pass uncharged, such as health checks. An [observer](crate::observe) sees them as
    /// exempt.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::Policy;
    /// let policy = Policy::global(Quota::per_second(9)).exempt(|parts| parts.uri.path() == "/healthz");
    /// # drop(policy);
    /// ```
    pub fn exempt(mut self, test: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.exempt = Some(Arc::new(test));
        self
    }

    /// Charges a request so many permits, instead of one.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::Policy;
    /// let policy = Policy::global(Quota::per_second(9)).cost(|parts| if parts.method == "GET" { 1 } else { 5 });
    /// # drop(policy);
    /// ```
    pub fn cost(mut self, cost: impl Fn(&Parts) -> u32 + Send + Sync + 'static) -> Self {
        self.cost = Some(Arc::new(cost));
        self
    }

    /// Corrects the charge when the response tells the true cost: what is missing is charged, into debt if need be,
    /// and what was too much is refunded. `None` leaves it.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_tower::Policy;
    ///
    /// /// What a handler puts into the response's extensions.
    /// #[derive(Clone)]
    /// struct Tokens(u32);
    ///
    /// let tokens = Policy::per_client(Quota::per_minute(10_000), 1_000)
    ///     .cost(|_| 500) // until it is known
    ///     .true_cost(|response| response.extensions.get::<Tokens>().map(|tokens| tokens.0));
    /// # drop(tokens);
    /// ```
    ///
    /// A window takes back what was too much as long as it lasts, and what was missing is charged to the window of the
    /// response. A key that a full table has no slot for is charged nothing. What was missing is charged in the
    /// [tier](Self::tiers) of the request, to which a key [moves](casgate::Key::tier) that has another one by then. Where
    /// [`refund_on`](Self::refund_on) refunds a request there is nothing to correct.
    pub fn true_cost(
        mut self,
        cost: impl Fn(&response::Parts) -> Option<u32> + Send + Sync + 'static,
    ) -> Self {
        self.true_cost = Some(Arc::new(cost));
        self
    }

    /// Gives the permits back when the response has one of these statuses. No others are refunded: if every failure were,
    /// failures would be free.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_tower::Policy;
    /// use http::StatusCode;
    /// // Failed logins alone count.
    /// let logins = Policy::per_client(Quota::per_hour(5), 10_000).refund_on([StatusCode::OK]);
    /// # drop(logins);
    /// ```
    pub fn refund_on(mut self, statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        self.refund_on = statuses.into_iter().collect();
        self
    }

    /// Decides by a tier of the keyed limiter, such as a customer's plan. `quotas` are those of the tiers from 1 on, as
    /// the header fields tell them. A tier that the limiter does not have counts as tier 0.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// use casgate_tower::{KeyBy, Policy};
    ///
    /// #[derive(Clone)]
    /// struct User { id: u64, is_paying: bool }
    ///
    /// let (free, paid) = (Quota::per_minute(60), Quota::per_minute(6_000));
    /// let limiter = KeyedLimiter::token_bucket(free, 10_000).with_tiers([paid]);
    /// let user = KeyBy::new(|parts| parts.extensions.get::<User>().map(|user| user.id));
    /// let policy = Policy::over_keyed(limiter, free, user).tiers([paid], |parts| {
    ///     parts.extensions.get::<User>().map_or(0, |user| u16::from(user.is_paying))
    /// });
    /// # drop(policy);
    /// ```
    pub fn tiers(
        mut self,
        quotas: impl IntoIterator<Item = Quota>,
        tier: impl Fn(&Parts) -> u16 + Send + Sync + 'static,
    ) -> Self {
        self.announced.truncate(1);
        let quotas = quotas.into_iter().map(|quota| self.announced[0].with_quota(quota));
        let others: Vec<_> = quotas.collect();
        self.announced.extend(others);
        self.tier = Some(Arc::new(tier));
        self
    }

    /// Says what becomes of a request without a key.
    ///
    /// ```
    /// # use casgate::Quota;
    /// use casgate_tower::{MissingKey, Policy};
    /// // A server on a Unix socket knows no peer.
    /// let policy = Policy::per_client(Quota::per_second(9), 1_000).missing_key(MissingKey::Shared);
    /// # drop(policy);
    /// ```
    pub const fn missing_key(mut self, missing_key: MissingKey) -> Self {
        self.missing_key = missing_key;
        self
    }

    /// Denies nobody: requests are decided and charged as if the policy held, and pass, also without a key. An
    /// [observer](crate::observe) sees which would have been denied, and clients see no field of the policy.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::Policy;
    /// let trial = Policy::per_client(Quota::per_second(9), 1_000).shadow();
    /// # drop(trial);
    /// ```
    pub fn shadow(self) -> Self {
        self.enforce(0)
    }

    /// Holds for so many of 100 keys, always the same, or of 100 requests if it has no keys. For the others, and for
    /// requests that lack a key, it is in [shadow](Self::shadow).
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::Policy;
    /// let rollout = Policy::per_client(Quota::per_second(9), 1_000).enforce(10);
    /// # drop(rollout);
    /// ```
    ///
    /// # Panics
    ///
    /// If `percent` is above 100.
    pub fn enforce(mut self, percent: u8) -> Self {
        assert!(percent <= 100, "{percent} percent of the requests");
        self.enforced = percent;
        self
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &Name {
        self.announced[0].name()
    }

    /// Returns the quota that clients are told, of tier 0.
    #[must_use]
    pub fn quota(&self) -> Quota {
        self.announced[0].quota()
    }

    /// Returns what has happened in the keyed limiter; `None` without keys.
    #[must_use]
    pub fn stats(&self) -> Option<Stats> {
        self.limited.stats()
    }

    /// What a request's numbers are told of.
    pub(crate) fn announced(&self, ask: Ask) -> &Announced {
        self.announced.get(usize::from(ask.tier)).unwrap_or(&self.announced[0])
    }

    /// The same limiter with another quota, as it is to be told; everything else is as if it were new.
    #[cfg(feature = "config")]
    pub(crate) fn again(&self, quota: Quota) -> Self {
        Self { seed: self.seed.clone(), ..Self::of(Arc::clone(&self.limited), quota) }
    }

    /// The same policy with another quota, as it is to be told.
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

    pub(crate) fn line(&self) -> Option<&dyn Line> {
        self.line.as_deref()
    }

    pub(crate) fn limited(&self) -> &dyn Limited {
        &*self.limited
    }

    /// Whether a denial of the request holds.
    pub(crate) fn is_enforced(&self, ask: Ask) -> bool {
        match self.enforced {
            0 => false,
            100 => true,
            percent => {
                // Each `RandomState` is a new number.
                let drawn =
                    ask.place.map_or_else(|| RandomState::new().hash_one(()), |_| self.hash(ask));
                drawn % 100 < u64::from(percent)
            }
        }
    }

    /// A number that stands for the key in this process.
    pub(crate) fn hash(&self, ask: Ask) -> u64 {
        self.seed.hash_one(ask.place)
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
