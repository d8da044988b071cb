//! The policies of a layer, and what a request asks of each.

use super::limited::NoKey;
use super::{Ask, MissingKey, Policy};
use casgate::Place;
use http::StatusCode;
use http::request::Parts;

/// The policies of a layer, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    policies: Box<[Policy]>,
    /// Whether one of them looks at responses.
    settles: bool,
    /// Whether there is one, and it asks the same of every request.
    is_plain: bool,
}

/// What a policy is to a request.
pub(crate) enum Applies {
    No,
    Exempt,
    Asks,
}

/// What becomes of a request without a key.
pub(crate) enum Keyless {
    Exempt,
    Passes,
    Denied(StatusCode),
}

impl Set {
    /// # Panics
    ///
    /// If there is none, two have one name, or there are more than 255.
    pub(crate) fn new(policies: Vec<Policy>) -> Self {
        assert!(!policies.is_empty(), "a layer needs a policy");
        assert!(u8::try_from(policies.len()).is_ok(), "a layer has at most 255 policies");
        for (i, policy) in policies.iter().enumerate() {
            let is_other = policies[..i].iter().all(|other| other.name() != policy.name());
            assert!(is_other, "two policies have the name {}", policy.name());
        }
        let settles = policies.iter().any(Policy::settles);
        let is_plain = policies.len() == 1 && policies[0].is_plain();
        Self { policies: policies.into(), settles, is_plain }
    }

    #[inline]
    pub(crate) fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The only policy, if it asks the same of every request, and is decided at once.
    #[inline]
    pub(crate) fn plain(&self) -> Option<&Policy> {
        if self.is_plain { self.policies.first() } else { None }
    }

    /// Whether a policy refunds or corrects by what the service answers.
    #[inline]
    pub(crate) const fn settles(&self) -> bool {
        self.settles
    }
}

// A request is looked at once, before anything is decided.
impl Policy {
    #[inline]
    pub(crate) fn applies(&self, parts: &Parts) -> Applies {
        if self.only_if.as_ref().is_some_and(|test| !test(parts)) {
            Applies::No
        } else if self.exempt.as_ref().is_some_and(|test| test(parts)) {
            Applies::Exempt
        } else {
            Applies::Asks
        }
    }

    /// Whether it asks the same of every request, and is decided at once.
    fn is_plain(&self) -> bool {
        let Self { line, only_if, exempt, cost, tier, enforced, .. } = self;
        let has_test = only_if.is_some() || exempt.is_some();
        line.is_none() && !has_test && cost.is_none() && tier.is_none() && *enforced == 100
    }

    /// Where the key of a request to which it applies is.
    #[inline]
    pub(crate) fn locate(&self, parts: &Parts) -> Result<Option<Place>, NoKey> {
        match self.limited.locate(parts) {
            Err(NoKey) if self.missing_key == MissingKey::Shared => Ok(self.limited.shared()),
            located => located,
        }
    }

    /// What it asks of a request to which it applies.
    #[inline]
    pub(crate) fn ask(&self, parts: &Parts) -> Result<Ask, NoKey> {
        let place = self.locate(parts)?;
        let tier = self.tier.as_ref().map_or(0, |tier| self.limited.tier(tier(parts)));
        let cost = self.cost.as_ref().map_or(1, |cost| cost(parts));
        Ok(Ask { place, tier, cost })
    }

    /// What becomes of a request that has no key and shares none.
    #[cold]
    pub(crate) fn keyless(&self) -> Keyless {
        match self.missing_key {
            MissingKey::Shared | MissingKey::Exempt => Keyless::Exempt,
            MissingKey::Deny(status) if self.enforced == 100 => Keyless::Denied(status),
            MissingKey::Deny(_) => Keyless::Passes, // a trial stops nobody
        }
    }
}
