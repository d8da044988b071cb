//! How a policy applies to requests.

use super::{MissingKey, Policy};
use crate::fields::Refill;
use casgate::Quota;
use http::request::Parts;
use http::{StatusCode, response};
use std::sync::Arc;

impl Policy {
    /// Announces that the permits return together, at the end of a window: for a limiter that is a
    /// window.
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

    /// Lets these requests pass uncharged, such as health checks. An [observer](crate::observe)
    /// sees them as exempt.
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

    /// Charges a request the permits that `cost` returns, instead of one. A request that costs none
    /// is always admitted, even by a limiter in debt, but not by a [queue](Self::over_queue) that is
    /// closed or pauses.
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

    /// Corrects the charge when the response says the true cost. Missing permits are charged, into
    /// debt if need be, and surplus ones are refunded. `None` leaves the charge.
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
    /// A window takes surplus permits back as long as it lasts, and missing ones are charged to the
    /// window of the response. A key that a full table has no slot for is charged nothing. Missing
    /// permits are charged in the [tier](Self::tiers) of the request, to which a key
    /// [moves](casgate::Key::tier) that has another one by then. Where
    /// [`refund_on`](Self::refund_on) refunds a request there is nothing to correct.
    pub fn true_cost(
        mut self,
        cost: impl Fn(&response::Parts) -> Option<u32> + Send + Sync + 'static,
    ) -> Self {
        self.true_cost = Some(Arc::new(cost));
        self
    }

    /// Gives the permits back when the response has one of these statuses. No others are refunded:
    /// if every failure were, failures would be free. A window takes permits back as long as it
    /// lasts. A bucket takes them back at any time. A client that holds requests back while it
    /// refills can spend their permits later, on top of the quota. So limit how long a request may
    /// take.
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

    /// Decides by a tier of the keyed limiter, such as a customer's plan. `quotas` are those of the
    /// tiers from 1 on, as the header fields announce them. A tier that the limiter does not have
    /// counts as tier 0.
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

    /// Sets what happens to a request without a key.
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

    /// Denies nobody: requests are decided and charged as if the policy held, and pass, also
    /// without a key. An [observer](crate::observe) sees which would have been denied, and clients
    /// see no field of the policy.
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

    /// Holds for so many of 100 keys, or of 100 requests if it has no keys. For the others, and for
    /// requests that lack a key and share none, it is in [shadow](Self::shadow). The keys are the
    /// same as long as the policy has its limiter.
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
}
