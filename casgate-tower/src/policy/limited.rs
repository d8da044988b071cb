//! What a policy decides by: any limiter behind one face.

use super::KeyBy;
use casgate::algorithm::{Adjust, Adjustable, Algorithm};
use casgate::clock::Clock;
use casgate::{Admitted, Denied, Key, KeyedLimiter, LimitN, Limiter, Place, Snapshot, Stats};
#[cfg(feature = "config")]
use casgate::{KeyedError, Quota};
use http::request::Parts;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

/// What one request asks of one policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// The key's, if there are keys.
    pub(crate) place: Option<Place>,
    pub(crate) tier: u16,
    pub(crate) cost: u32,
}

impl Ask {
    /// Of a request that is not asked.
    pub(crate) const NOTHING: Self = Self { place: None, tier: 0, cost: 0 };
}

/// The request has no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoKey;

pub(crate) trait Limited: Send + Sync {
    /// Where the request's key is: `None` without keys.
    fn locate(&self, _parts: &Parts) -> Result<Option<Place>, NoKey> {
        Ok(None)
    }

    /// Returns the tier if the limiter has it, and tier 0 if not.
    fn tier(&self, _tier: u16) -> u16 {
        0
    }

    /// Where all requests without a key are.
    fn shared(&self) -> Option<Place> {
        None
    }

    fn check(&self, ask: &Ask) -> Result<Admitted, Denied>;

    /// As `check`, if nobody reads the numbers of an admission, such as `remaining`: to compute them
    /// takes as long as to decide.
    fn spend(&self, ask: &Ask) -> Result<Admitted, Denied> {
        self.check(ask)
    }

    fn peek(&self, ask: &Ask) -> Snapshot;

    /// Does something rare to the limit that is asked.
    fn with(&self, ask: &Ask, act: &mut dyn FnMut(&dyn LimitN));

    /// Changes the quota of a limiter that a configuration has made.
    #[cfg(feature = "config")]
    fn set_quota(&self, _quota: Quota) -> Result<(), KeyedError> {
        unreachable!("a configuration makes limiters whose quota can change")
    }

    fn stats(&self) -> Option<Stats> {
        None
    }
}

impl dyn Limited + '_ {
    pub(crate) fn refund(&self, ask: &Ask, admitted: &Admitted) {
        self.with(ask, &mut |limit| limit.refund(admitted));
    }

    /// Corrects what was charged, when the true cost is known.
    pub(crate) fn settle(&self, ask: &Ask, admitted: &Admitted, cost: u32) {
        self.with(ask, &mut |limit| {
            if cost < ask.cost {
                limit.refund(&admitted.part(ask.cost - cost));
            } else if cost > ask.cost {
                // A full table keeps no debt of a key that it has no slot for.
                let _ = limit.charge(cost - ask.cost);
            }
        });
    }
}

/// One limit for all requests.
pub(crate) struct One<L>(pub(crate) L);

impl<L: LimitN + Send + Sync> Limited for One<L> {
    fn check(&self, ask: &Ask) -> Result<Admitted, Denied> {
        self.0.check_n(ask.cost)
    }

    fn peek(&self, _: &Ask) -> Snapshot {
        self.0.peek()
    }

    fn with(&self, _: &Ask, act: &mut dyn FnMut(&dyn LimitN)) {
        act(&self.0);
    }
}

/// One limit for all requests, whose quota can change.
pub(crate) struct Changing<A: Algorithm>(pub(crate) Limiter<A>);

impl<R: Adjust> Limited for Changing<Adjustable<R>> {
    fn check(&self, ask: &Ask) -> Result<Admitted, Denied> {
        self.0.check_n(ask.cost)
    }

    fn spend(&self, ask: &Ask) -> Result<Admitted, Denied> {
        self.0.check_n(ask.cost).map(without_numbers)
    }

    fn peek(&self, _: &Ask) -> Snapshot {
        self.0.peek()
    }

    fn with(&self, _: &Ask, act: &mut dyn FnMut(&dyn LimitN)) {
        act(&self.0);
    }

    #[cfg(feature = "config")]
    fn set_quota(&self, quota: Quota) -> Result<(), KeyedError> {
        self.0.set_quota(quota);
        Ok(())
    }
}

/// The admission as a refund needs it. The compiler leaves out what it drops.
#[inline(always)]
fn without_numbers(admitted: Admitted) -> Admitted {
    let unknown = Snapshot::new(0, 0, Duration::ZERO);
    Admitted::new(admitted.permits(), admitted.at(), admitted.ticket(), unknown)
}

/// A limit for each key.
pub(crate) struct Keyed<C, S> {
    pub(crate) limiter: Arc<KeyedLimiter<C, S>>,
    pub(crate) key: KeyBy,
    /// The key of requests without one: random, so that no client can choose it.
    pub(crate) no_key: [u64; 2],
}

impl<C: Clock, S: BuildHasher> Keyed<C, S> {
    fn key(&self, ask: &Ask) -> Key<'_, C, S> {
        let place = ask.place.expect("the request has been located");
        self.limiter.at(place).tier(ask.tier)
    }
}

impl<C: Clock + Send + Sync, S: BuildHasher + Send + Sync> Limited for Keyed<C, S> {
    fn locate(&self, parts: &Parts) -> Result<Option<Place>, NoKey> {
        self.key.locate(parts, &self.limiter).map(Some).ok_or(NoKey)
    }

    fn tier(&self, tier: u16) -> u16 {
        // A tier that does not exist is a mistake of the program, which must not stop it.
        self.limiter.at(Place::default()).get_tier(tier).map_or(0, |_| tier)
    }

    fn shared(&self) -> Option<Place> {
        Some(self.limiter.locate(&self.no_key))
    }

    fn check(&self, ask: &Ask) -> Result<Admitted, Denied> {
        self.key(ask).check_n(ask.cost)
    }

    fn spend(&self, ask: &Ask) -> Result<Admitted, Denied> {
        self.key(ask).check_n(ask.cost).map(without_numbers)
    }

    fn peek(&self, ask: &Ask) -> Snapshot {
        self.key(ask).peek()
    }

    fn with(&self, ask: &Ask, act: &mut dyn FnMut(&dyn LimitN)) {
        act(&self.key(ask));
    }

    #[cfg(feature = "config")]
    fn set_quota(&self, quota: Quota) -> Result<(), KeyedError> {
        self.limiter.set_quota(0, quota)
    }

    fn stats(&self) -> Option<Stats> {
        Some(self.limiter.stats())
    }
}
