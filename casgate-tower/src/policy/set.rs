//! The policies of a layer, and what a request asks of each.

use super::{Ask, MissingKey, Policy};
use http::StatusCode;
use http::request::Parts;

/// The policies of a layer, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    policies: Box<[Policy]>,
}

/// What a policy is to a request.
pub(crate) enum Applies {
    No,
    Exempt,
    Asks(Ask),
    /// It has no key, and gets this status, if the policy holds.
    NoKey(Option<StatusCode>),
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
        Self { policies: policies.into() }
    }

    pub(crate) fn policies(&self) -> &[Policy] {
        &self.policies
    }
}

impl Policy {
    /// What the policy asks of a request. The request is looked at once, before anything is decided.
    pub(crate) fn applies(&self, parts: &Parts) -> Applies {
        if self.only_if.as_ref().is_some_and(|test| !test(parts)) {
            return Applies::No;
        }
        if self.exempt.as_ref().is_some_and(|test| test(parts)) {
            return Applies::Exempt;
        }
        let place = match (self.limited.locate(parts), self.missing_key) {
            (Ok(place), _) => place,
            (Err(_), MissingKey::Shared) => self.limited.shared(),
            (Err(_), MissingKey::Exempt) => return Applies::Exempt,
            (Err(_), MissingKey::Deny(status)) => {
                // A trial stops nobody.
                return Applies::NoKey((self.enforced == 100).then_some(status));
            }
        };
        let tier = self.tier.as_ref().map_or(0, |tier| self.limited.tier(tier(parts)));
        let cost = self.cost.as_ref().map_or(1, |cost| cost(parts));
        Applies::Asks(Ask { place, tier, cost })
    }
}
