//! The constructors of a policy.

use super::limited::{Changing, Keyed, Limited, One};
use super::{KeyBy, MissingKey, Policy};
use crate::address::ClientAddress;
use crate::fields::{Announced, Name, Refill};
use casgate::clock::Clock;
use casgate::{KeyedLimiter, LimitN, Limiter, Quota};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

impl Policy {
    /// Makes one token bucket for all requests.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::Policy;
    /// let policy = Policy::global(Quota::per_second(5_000));
    /// # drop(policy);
    /// ```
    pub fn global(quota: Quota) -> Self {
        Self::of(Arc::new(Changing(Limiter::adjustable_token_bucket(quota))), quota)
    }

    /// Makes one fixed window for all requests.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::Policy;
    /// let policy = Policy::global_window(Quota::per_day(100_000));
    /// # drop(policy);
    /// ```
    pub fn global_window(quota: Quota) -> Self {
        let limiter = Changing(Limiter::adjustable_fixed_window(quota));
        Self::of(Arc::new(limiter), quota).refill(Refill::AtOnce)
    }

    /// Makes a token bucket for each client, by the address of its [peer](crate::Peer), with room
    /// for `capacity` clients at a time. Behind a proxy use [`per_key`](Self::per_key) with
    /// [`KeyBy::client`].
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::Policy;
    /// let policy = Policy::per_client(Quota::per_minute(60), 100_000);
    /// # drop(policy);
    /// ```
    ///
    /// # Panics
    ///
    /// If a [`KeyedLimiter`] cannot have the quota or the capacity: see
    /// [`KeyedLimiter::token_bucket`].
    pub fn per_client(quota: Quota, capacity: usize) -> Self {
        Self::per_key(quota, capacity, KeyBy::client(ClientAddress::peer()))
    }

    /// Makes a token bucket for each key, with room for `capacity` keys at a time.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_tower::address::{ClientAddress, ForwardedHeader, Network};
    /// use casgate_tower::{KeyBy, Policy};
    ///
    /// let proxies: Network = "10.0.0.0/8".parse()?;
    /// let client = ClientAddress::behind([proxies], ForwardedHeader::XForwardedFor);
    /// let policy = Policy::per_key(Quota::per_minute(60), 100_000, KeyBy::client(client));
    /// # drop(policy);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`per_client`](Self::per_client).
    pub fn per_key(quota: Quota, capacity: usize, key: KeyBy) -> Self {
        Self::over_keyed(KeyedLimiter::token_bucket(quota, capacity), quota, key)
    }

    /// Takes a limiter of the program, or an `Arc` of one, for all requests. The fields announce
    /// `quota`.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// use casgate_tower::Policy;
    /// use std::sync::Arc;
    /// let quota = Quota::per_second(100);
    /// let limiter = Arc::new(Limiter::token_bucket(quota));
    /// let policy = Policy::over(Arc::clone(&limiter), quota);
    /// # drop(policy);
    /// ```
    ///
    /// Any [`LimitN`] will do: all limiters but the sliding window and the sharded ones.
    pub fn over(limit: impl LimitN + Send + Sync + 'static, quota: Quota) -> Self {
        Self::of(Arc::new(One(limit)), quota)
    }

    /// Takes a keyed limiter of the program, or an `Arc` of one. The fields announce `quota`.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// use casgate_tower::{KeyBy, Policy};
    /// use http::HeaderName;
    /// use std::sync::Arc;
    /// let quota = Quota::per_second(100);
    /// let limiter = Arc::new(KeyedLimiter::token_bucket(quota, 10_000));
    /// let user = KeyBy::header(HeaderName::from_static("x-user"));
    /// let policy = Policy::over_keyed(Arc::clone(&limiter), quota, user);
    /// # drop(policy);
    /// ```
    pub fn over_keyed<C, S>(
        limiter: impl Into<Arc<KeyedLimiter<C, S>>>,
        quota: Quota,
        key: KeyBy,
    ) -> Self
    where
        C: Clock + Send + Sync + 'static,
        S: BuildHasher + Send + Sync + 'static,
    {
        let no_key = [(); 2].map(|()| RandomState::new().hash_one(()));
        Self::of(Arc::new(Keyed { limiter: limiter.into(), key, no_key }), quota)
    }

    pub(super) fn of(limited: Arc<dyn Limited>, quota: Quota) -> Self {
        let name = Name::new("default").expect("it is printable");
        Self {
            announced: vec![Announced::new(name, quota)],
            limited,
            line: None,
            only_if: None,
            exempt: None,
            cost: None,
            tier: None,
            missing_key: MissingKey::default(),
            enforced: 100,
            refund_on: Arc::default(),
            true_cost: None,
            seed: RandomState::new(),
        }
    }
}
