use super::error::ConfigError;
use super::file::{Algorithm, Config};
use super::make::{Keys, Made, make};
use crate::fields::Name;
use crate::policy::{Current, Set};
use crate::{Policy, RateLimitLayer};
use casgate::{KeyedError, Quota};
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Named policies that can change while a server runs: see [the module](super).
///
/// Clones are the same policies.
#[derive(Clone)]
pub struct Policies {
    current: Arc<Current>,
    /// Locked by those that change something, never by a request.
    made: Arc<Mutex<Vec<Made>>>,
    keys: Keys,
}

impl Policies {
    /// Makes the policies of a configuration.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the policy, and what is wrong with it.
    pub fn new(config: Config, keys: Keys) -> Result<Self, ConfigError> {
        let made = make(&config, &keys, &[])?;
        let current = Arc::new(Current::new(set(&made)));
        Ok(Self { current, made: Arc::new(Mutex::new(made)), keys })
    }

    /// Returns a layer that decides by the policies of the moment.
    pub fn layer(&self) -> RateLimitLayer {
        RateLimitLayer::live(Arc::clone(&self.current))
    }

    /// Replaces the policies by those of another configuration, all of them or none. Returns when
    /// they hold. See [what it keeps](super#what-a-reload-keeps). Changes take turns; requests wait
    /// for none.
    ///
    /// A request that is decided meanwhile is decided by the old policies or the new ones, but may
    /// find a new quota with the old policy.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); then nothing is changed.
    #[expect(clippy::missing_panics_doc, reason = "the quotas have been checked")]
    pub fn reload(&self, config: Config) -> Result<(), ConfigError> {
        let mut made = self.lock();
        let next = make(&config, &self.keys, &made)?;
        for new in &next {
            // A new limiter has its quota already.
            let old = made.iter().find(|old| old.policy.has_limiter_of(&new.policy));
            if old.is_some_and(|old| old.config.quota != new.config.quota) {
                new.policy
                    .limited()
                    .set_quota(new.config.quota)
                    .expect("the limiter can have this quota");
            }
        }
        self.current.store(set(&next));
        *made = next;
        Ok(())
    }

    /// Changes the quota of one policy. The permits that clients have spent stay spent, up to the
    /// new quota: what exceeds a lower one is dropped.
    ///
    /// # Errors
    ///
    /// A [`SetQuotaError`] if there is no such policy, or its limiter cannot have the quota; then
    /// nothing is changed.
    pub fn set_quota(&self, name: &str, quota: Quota) -> Result<(), SetQuotaError> {
        let mut made = self.lock();
        let found = made.iter_mut().find(|made| made.config.name == name);
        let changed = found.ok_or(SetQuotaError::NoSuchPolicy)?;
        if changed.config.algorithm == Algorithm::FixedWindow && quota.burst() != quota.permits() {
            return Err(SetQuotaError::Burst);
        }
        if changed.config.cost > quota.burst() {
            return Err(SetQuotaError::CostNeverFits);
        }
        changed.policy.limited().set_quota(quota).map_err(SetQuotaError::Limiter)?;
        changed.config.quota = quota;
        changed.policy = changed.policy.with_quota(quota);
        self.current.store(set(&made));
        Ok(())
    }

    /// Returns the policy of that name, as it is now.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Policy> {
        self.lock().iter().find(|made| made.config.name == name).map(|made| made.policy.clone())
    }

    /// Returns the names, in the order of the configuration.
    #[must_use]
    pub fn names(&self) -> Vec<Name> {
        self.lock().iter().map(|made| made.policy.name().clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Made>> {
        // What it holds is replaced as a whole, so a panic leaves it as it was.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set(made: &[Made]) -> Set {
    Set::new(made.iter().map(|made| made.policy.clone()).collect())
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Policies").field(&self.current.load_full().policies()).finish()
    }
}

/// Why a policy's quota was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetQuotaError {
    /// No policy has that name.
    NoSuchPolicy,
    /// A request of the policy costs more permits than the quota ever admits together.
    CostNeverFits,
    /// A burst of a fixed window, which has none.
    Burst,
    /// The limiter cannot have the quota.
    Limiter(KeyedError),
}

impl fmt::Display for SetQuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchPolicy => f.write_str("no policy has this name"),
            Self::CostNeverFits => {
                f.write_str("a request costs more permits than the quota ever admits together")
            }
            Self::Burst => f.write_str("a fixed window has no burst"),
            Self::Limiter(error) => error.fmt(f),
        }
    }
}

impl Error for SetQuotaError {}
