use super::KeyedLimiter;
use super::pace::{Ask, Pace};
use super::peek::Looked;
use super::place::Place;
use super::table::{Answer, Decided};
use crate::Timestamp;
use crate::clock::Clock;
use crate::decision::{Admitted, Denied, Snapshot, TABLE};
use core::fmt;
use core::num::NonZeroU64;

/// One key of a [`KeyedLimiter`], and the tier to decide by: from [`KeyedLimiter::key`] or
/// [`KeyedLimiter::at`].
///
/// ```
/// use casgate::{KeyedLimiter, Quota, Timestamp};
///
/// const PAID: u16 = 1;
/// let limiter = KeyedLimiter::token_bucket(Quota::per_minute(60), 1_000)
///     .with_tiers([Quota::per_minute(600)]);
/// let ada = limiter.key("ada").tier(PAID);
/// assert_eq!(ada.check_n_at(100, Timestamp::ZERO)?.remaining(), 500);
/// # Ok::<(), casgate::Denied>(())
/// ```
pub struct Key<'a, C, S> {
    pub(super) limiter: &'a KeyedLimiter<C, S>,
    pub(super) place: Place,
    pub(super) tier: u16,
}

impl<C, S> Clone for Key<'_, C, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C, S> Copy for Key<'_, C, S> {}

impl<C, S> fmt::Debug for Key<'_, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("place", &self.place).field("tier", &self.tier).finish()
    }
}

impl<'a, C, S> Key<'a, C, S> {
    #[inline(always)]
    pub(super) fn new(limiter: &'a KeyedLimiter<C, S>, place: Place) -> Self {
        Self { limiter, place, tier: 0 }
    }

    /// The precise timestamp of the limiter's clock.
    #[cfg(feature = "wait")]
    pub(crate) fn now(&self) -> Timestamp
    where
        C: Clock,
    {
        self.limiter.clock.now()
    }

    /// Decides by that tier, and moves the key there if it is in another, even if the request is
    /// denied. The key keeps what it has outstanding at the timestamp of the request, up to the
    /// smaller of both bursts; with a timestamp that comes late that may be less than it was. Of
    /// two requests in different tiers at once one may be decided by the other's.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(10), 100)
    ///     .with_tiers([Quota::per_hour(20)]);
    /// let now = Timestamp::ZERO;
    /// assert_eq!(limiter.key("a").check_n_at(5, now)?.remaining(), 5);
    /// assert_eq!(limiter.key("a").tier(1).check_n_at(5, now)?.remaining(), 10);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the limiter has no such tier; see [`get_tier`](Self::get_tier).
    #[inline(always)]
    #[must_use]
    pub fn tier(self, tier: u16) -> Self {
        self.get_tier(tier).expect("the keyed limiter has no such tier")
    }

    /// Decides by that tier; `None` if the limiter does not have it.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(10), 100);
    /// assert!(limiter.key("a").get_tier(0).is_some() && limiter.key("a").get_tier(1).is_none());
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn get_tier(self, tier: u16) -> Option<Self> {
        (usize::from(tier) < self.limiter.table.tiers.len()).then_some(Self { tier, ..self })
    }

    #[inline(always)]
    fn count(&self, decided: Decided) {
        if let Some(tally) = &self.limiter.tally {
            tally.count(decided.is_admitted());
        }
    }

    #[inline(always)]
    pub(super) fn spend_at(&self, n: u32, now: Timestamp) -> (Decided, Pace) {
        let (decided, pace) = self.limiter.table.spend(self.place, self.tier, n, now);
        self.count(decided);
        (decided, pace)
    }

    pub(super) fn ask_at(&self, ask: Ask, now: Timestamp) -> Answer {
        let answer = self.limiter.table.ask(self.place, self.tier, ask, now);
        self.count(answer.decided);
        answer
    }

    /// Asks for one permit at `now`. Reads no clock.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(2), 100);
    /// assert_eq!(limiter.key("a").check_at(Timestamp::ZERO)?.remaining(), 1);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the permit does not fit, or the key's set is full; nothing is spent.
    #[inline(always)]
    pub fn check_at(&self, now: Timestamp) -> Result<Admitted, Denied> {
        self.check_n_at(1, now)
    }

    /// Asks for `n` permits at `now`: all or none. Zero are always admitted.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(5), 100);
    /// assert!(limiter.key("a").check_n_at(4, Timestamp::ZERO).is_ok());
    /// assert!(limiter.key("a").check_n_at(2, Timestamp::ZERO).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`check_at`](Self::check_at).
    #[inline(always)]
    pub fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
        if n == 0 {
            return Ok(self.none_at(now));
        }
        let (decided, pace) = self.spend_at(n, now);
        answer(decided, &pace, n, now)
    }

    #[cold]
    pub(super) fn none_at(&self, now: Timestamp) -> Admitted {
        self.count(Decided::Unlimited);
        let (looked, pace) = self.look_at(now);
        let ticket = match looked {
            Looked::State(state) => state,
            Looked::Full(_) => 0,
        };
        Admitted { ticket, permits: 0, at: now, after: Self::seen(looked, &pace, now) }
    }

    /// Asks for one permit at `now`, and returns only whether it was granted.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100);
    /// assert!(limiter.key("a").is_allowed_at(Timestamp::ZERO));
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_allowed_at(&self, now: Timestamp) -> bool {
        self.spend_at(1, now).0.is_admitted()
    }
}

impl<'a, C: Clock, S> Key<'a, C, S> {
    /// Decides at a cheap timestamp, or at a precise one if that could decide otherwise.
    #[inline(always)]
    fn spend_now(&self, n: u32) -> (Decided, Pace, Timestamp) {
        let now = self.limiter.clock.recent();
        let (decided, pace) = self.limiter.table.spend(self.place, self.tier, n, now);
        let unsettled = || decided.is_due_within(&pace, n, now, self.limiter.clock.max_lag());
        if !decided.is_admitted() && unsettled() {
            // Taken apart, so that otherwise nothing need be in memory.
            let (decided, pace, now) = self.spend_precisely(n);
            self.count(decided);
            return (decided, pace, now);
        }
        self.count(decided);
        (decided, pace, now)
    }

    #[cold]
    #[inline(never)]
    fn spend_precisely(&self, n: u32) -> (Decided, Pace, Timestamp) {
        let now = self.limiter.clock.now();
        let (decided, pace) = self.limiter.table.spend(self.place, self.tier, n, now);
        (decided, pace, now)
    }

    /// Asks for one permit now. Reads the clock as [`Limiter::check`](crate::Limiter::check) does.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 100);
    /// assert!(limiter.key("a").check().is_ok() && limiter.key("a").check().is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`check_at`](Self::check_at).
    #[inline(always)]
    pub fn check(&self) -> Result<Admitted, Denied> {
        self.check_n(1)
    }

    /// As [`check`](Self::check), at a timestamp that the caller took a moment ago, if that will
    /// do.
    #[inline(always)]
    pub(super) fn check_as_of(&self, now: Timestamp) -> Result<Admitted, Denied> {
        let (decided, pace) = self.limiter.table.spend(self.place, self.tier, 1, now);
        // A full table is asked once, since it counts.
        if matches!(decided, Decided::Denied(_)) {
            return self.check();
        }
        self.count(decided);
        answer(decided, &pace, 1, now)
    }

    /// Asks for `n` permits now: all or none. Zero are always admitted.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(5), 100);
    /// assert!(limiter.key("a").check_n(4).is_ok() && limiter.key("a").check_n(2).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`check_at`](Self::check_at).
    #[inline(always)]
    pub fn check_n(&self, n: u32) -> Result<Admitted, Denied> {
        if n == 0 {
            return Ok(self.none_at(self.limiter.clock.now()));
        }
        let (decided, pace, now) = self.spend_now(n);
        answer(decided, &pace, n, now)
    }

    /// Asks for one permit now, and returns only whether it was granted.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 100);
    /// assert!(limiter.key("a").is_allowed());
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.spend_now(1).0.is_admitted()
    }
}

pub(super) const UNLIMITED: Snapshot =
    Snapshot { limit: u32::MAX, remaining: u32::MAX, reset_after: 0 };

/// The numbers of a decision, apart from it and always inlined: what the caller does not read is
/// then not computed.
#[inline(always)]
pub(super) fn answer(
    decided: Decided,
    pace: &Pace,
    n: u32,
    now: Timestamp,
) -> Result<Admitted, Denied> {
    match decided {
        Decided::Admitted { word, .. } => Ok(pace.admitted(word.state(), n, now)),
        Decided::Unlimited => Ok(Admitted { ticket: 0, permits: n, at: now, after: UNLIMITED }),
        Decided::Denied(state) => Err(pace.denied(state, n, now)),
        Decided::Full { until, free } => {
            let wait = NonZeroU64::new(until.as_nanos().saturating_sub(now.as_nanos()));
            let now = full(free, pace.limit(), now);
            let wait = wait.filter(|_| until < Timestamp::MAX);
            Err(Denied { wait, now, asked: n, by: TABLE })
        }
    }
}

/// The answer to a new key for which there is no slot until then.
#[cold]
pub(super) fn full(until: Timestamp, limit: u32, now: Timestamp) -> Snapshot {
    let reset_after = until.as_nanos().saturating_sub(now.as_nanos());
    Snapshot { limit, remaining: 0, reset_after }
}
