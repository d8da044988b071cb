use super::announced::{SECOND, nanos};
use super::seconds::{MICROSECOND, in_nanos, in_seconds, whole_seconds};
use super::{Announced, LARGEST, Refill};
use casgate::{Admitted, Denied, Reason, Snapshot};
use std::cmp::Ordering;
use std::time::Duration;

/// What a client has left of one policy, after a decision.
///
/// ```
/// use casgate::{Limiter, Quota, Timestamp};
/// use casgate_tower::fields::{Announced, Name, Standing};
///
/// let limiter = Limiter::token_bucket(Quota::per_minute(6));
/// let announced = Announced::new(Name::new("default")?, Quota::per_minute(6));
/// let admitted = limiter.check_n_at(6, Timestamp::ZERO)?;
/// assert_eq!(Standing::admitted(&announced, &admitted).remaining(), 0);
///
/// let denied = limiter.check_at(Timestamp::ZERO).unwrap_err();
/// assert_eq!(Standing::denied(&announced, &denied).retry_after(), Some(10));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing<'a> {
    announced: &'a Announced,
    limit: u32,
    remaining: u32,
    /// In nanoseconds.
    reset_after: u64,
    /// In seconds.
    within: u64,
    decision: Decision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Admitted,
    /// Whole seconds until the request is admitted, or `None` if it can never fit.
    Denied(Option<u64>),
    /// It would fit, but no wait helps.
    Hopeless,
    /// It was denied, and nobody knows for how long.
    Unknown,
}

impl<'a> Standing<'a> {
    /// Returns the standing of a client whose request was admitted.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # use casgate_tower::fields::{Announced, Name, Standing};
    /// # let announced = Announced::new(Name::new("default")?, Quota::per_minute(6));
    /// let admitted = Limiter::token_bucket(Quota::per_minute(6)).check_at(Timestamp::ZERO)?;
    /// assert!(!Standing::admitted(&announced, &admitted).is_denied());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn admitted(announced: &'a Announced, admitted: &Admitted) -> Self {
        let (limit, remaining) = (admitted.limit(), admitted.remaining());
        Self::afterwards(announced, limit, remaining, admitted.reset_after())
    }

    /// Returns the standing of a client that was admitted, when the limiter has these numbers.
    pub(crate) fn afterwards(
        announced: &'a Announced,
        limit: u32,
        remaining: u32,
        reset_after: Duration,
    ) -> Self {
        let reset_after = in_nanos(reset_after);
        let decision = Decision::Admitted;
        let standing = Self { announced, limit, remaining, reset_after, within: 0, decision };
        let is_back = announced.returns() == Refill::Steadily
            && standing.next().is_some_and(|next| next < MICROSECOND);
        let remaining = remaining.saturating_add(is_back.into());
        Self { remaining: remaining.min(limit), ..standing }.timed()
    }

    /// Returns the standing of a client whose request was denied.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # use casgate_tower::fields::{Announced, Name, Standing};
    /// # let announced = Announced::new(Name::new("default")?, Quota::per_minute(6));
    /// let denied = Limiter::token_bucket(Quota::per_minute(6)).check_n_at(7, Timestamp::ZERO).unwrap_err();
    /// assert!(Standing::denied(&announced, &denied).is_denied());
    /// # Ok::<(), casgate_tower::fields::NameError>(())
    /// ```
    #[must_use]
    pub fn denied(announced: &'a Announced, denied: &Denied) -> Self {
        let decision = match (denied.retry_after(), denied.reason()) {
            (Some(wait), _) => Decision::Denied(Some(in_seconds(wait))),
            (None, Reason::Unavailable) => Decision::Unknown,
            (None, Reason::NeverFits) => Decision::Denied(None),
            (None, _) => Decision::Hopeless,
        };
        Self {
            announced,
            limit: denied.limit(),
            remaining: denied.remaining(),
            reset_after: in_nanos(denied.reset_after()),
            within: 0,
            decision,
        }
        .timed()
    }

    /// Returns the policy.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # use casgate_tower::fields::{Announced, Name, Standing};
    /// # let limiter = Limiter::token_bucket(Quota::per_minute(6));
    /// # let announced = Announced::new(Name::new("default")?, Quota::per_minute(6));
    /// let admitted = limiter.check_n_at(4, Timestamp::ZERO)?;
    /// assert_eq!(Standing::admitted(&announced, &admitted).announced(), &announced);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn announced(&self) -> &'a Announced {
        self.announced
    }

    /// Returns the permits left: the parameter `r`. A permit of a token bucket counts that is back
    /// within a microsecond.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # use casgate_tower::fields::{Announced, Name, Standing};
    /// # let limiter = Limiter::token_bucket(Quota::per_minute(6));
    /// # let announced = Announced::new(Name::new("default")?, Quota::per_minute(6));
    /// let admitted = limiter.check_n_at(4, Timestamp::ZERO)?;
    /// assert_eq!(Standing::admitted(&announced, &admitted).remaining(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.remaining
    }

    /// Returns the permits of a full limiter.
    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// Returns the whole seconds until the limiter is full again, rounded up.
    pub(super) fn reset_after(&self) -> u64 {
        self.reset_after.div_ceil(SECOND)
    }

    /// Returns whether the request was denied.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # use casgate_tower::fields::{Announced, Name, Standing};
    /// # let limiter = Limiter::token_bucket(Quota::per_minute(6));
    /// # let announced = Announced::new(Name::new("default")?, Quota::per_minute(6));
    /// let admitted = limiter.check_n_at(4, Timestamp::ZERO)?;
    /// assert!(!Standing::admitted(&announced, &admitted).is_denied());
    /// let denied = limiter.check_n_at(4, Timestamp::ZERO).unwrap_err();
    /// assert!(Standing::denied(&announced, &denied).is_denied());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.decision != Decision::Admitted
    }

    /// Returns the standing of a client whose wait in line has failed, and that may know when to
    /// retry.
    pub(crate) fn late(
        announced: &'a Announced,
        now: Snapshot,
        retry_after: Option<Duration>,
        fits: bool,
    ) -> Self {
        let decision = match retry_after {
            Some(wait) => Decision::Denied(Some(in_seconds(wait))),
            None if fits => Decision::Unknown,
            None => Decision::Denied(None),
        };
        let (limit, reset_after) = (now.limit(), in_nanos(now.reset_after()));
        let remaining = now.remaining();
        Self { announced, limit, remaining, reset_after, within: 0, decision }.timed()
    }

    /// Whether the request was denied and no wait helps.
    pub(super) fn is_hopeless(&self) -> bool {
        matches!(self.decision, Decision::Denied(None) | Decision::Hopeless)
    }

    /// Whether it was denied since it asks for more than there ever is.
    pub(super) fn never_fits(&self) -> bool {
        self.decision == Decision::Denied(None)
    }

    /// Returns how long a denied request has to wait, in whole seconds rounded up. Less than a
    /// microsecond above whole seconds is no second more. `None` if the request was admitted, if no
    /// wait helps, or if none is known.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # use casgate_tower::fields::{Announced, Name, Standing};
    /// # let limiter = Limiter::token_bucket(Quota::per_minute(6));
    /// # let announced = Announced::new(Name::new("default")?, Quota::per_minute(6));
    /// let admitted = limiter.check_n_at(4, Timestamp::ZERO)?;
    /// assert_eq!(Standing::admitted(&announced, &admitted).retry_after(), None);
    /// let denied = limiter.check_n_at(4, Timestamp::ZERO).unwrap_err();
    /// assert_eq!(Standing::denied(&announced, &denied).retry_after(), Some(20));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self.decision {
            Decision::Denied(wait) => wait,
            Decision::Admitted | Decision::Hopeless | Decision::Unknown => None,
        }
    }

    /// Returns the whole seconds in which the client can use no more than [what is
    /// left](Self::remaining): the parameter `t`. It is rounded up and never zero.
    ///
    /// - If the permits return [at once](Refill::AtOnce), it is the time until the limiter is full.
    ///   That is the rest of a fixed window. If the limiter is full already, it is the period.
    /// - If they return [steadily](Refill::Steadily), it is the longer of two times: until the next
    ///   permit, and until so many permits as are left would have returned. The second keeps a
    ///   client from a rate above the quota's: while all of 10,000 per 1,000 seconds are left, it
    ///   is 1,000.
    /// - For a denied request, it is at most [`retry_after`](Self::retry_after). If the permits
    ///   return steadily, it is the same.
    ///
    /// Call the quota's permits L and its period W, the permits of a full limiter b, those left r,
    /// and the time until it is full R. The permits that are missing return every W/L, and the last
    /// one at R. So the next one returns after R − (b − r − 1)·W/L, and as many as are left take
    /// r·W/L.
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// use casgate_tower::fields::{Announced, Name, Standing};
    /// use std::time::Duration;
    ///
    /// let quota = Quota::new(10_000, Duration::from_secs(1_000))?;
    /// let announced = Announced::new(Name::new("default")?, quota);
    /// let admitted = Limiter::token_bucket(quota).check_at(Timestamp::ZERO)?;
    /// let standing = Standing::admitted(&announced, &admitted);
    /// assert_eq!((standing.remaining(), standing.within()), (9_999, 1_000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn within(&self) -> u64 {
        self.within
    }

    /// Computes that time, once.
    fn timed(mut self) -> Self {
        let within = match self.announced.returns() {
            Refill::AtOnce if self.reset_after == 0 => {
                nanos(self.announced.quota()).div_ceil(SECOND)
            }
            Refill::AtOnce => self.reset_after(),
            // It is the time to the permits that are missing, and the least that the longer time can be.
            Refill::Steadily => match self.retry_after() {
                Some(wait) => wait,
                None => whole_seconds(self.next().unwrap_or(0)).max(self.spread()),
            },
        };
        // More than the largest number is possible where the limiter does not keep the quota that is announced.
        self.within = within.min(self.retry_after().unwrap_or(LARGEST)).clamp(1, LARGEST);
        self
    }

    /// Nanoseconds until the next permit, or zero if none is missing. They are rounded down, since
    /// R is already rounded up: a time of whole seconds would otherwise become a second longer.
    /// `None` if the limiter keeps another quota than the one that is announced.
    fn next(&self) -> Option<u64> {
        let quota = self.announced.quota();
        let (permits, period) = (u128::from(quota.permits()), u128::from(nanos(quota)));
        let later = u128::from(self.limit.saturating_sub(self.remaining).saturating_sub(1));
        let next = (u128::from(self.reset_after) * permits).checked_sub(later * period)?;
        Some((next / permits) as u64)
    }

    /// Until as many permits as are left have returned.
    fn spread(&self) -> u64 {
        let quota = self.announced.quota();
        let left = u128::from(self.remaining) * u128::from(nanos(quota));
        // At most 2³² · 2⁶¹ ns, which is 10¹⁹ s.
        left.div_ceil(u128::from(quota.permits()) * u128::from(SECOND)) as u64
    }

    /// Sorts what binds the client most to the front: denied policies before others, the longest
    /// wait first, and then the fewest permits left.
    pub(super) fn sort(standings: &mut [Self]) {
        standings.sort_by(|a, b| a.binds(b));
    }

    fn binds(&self, other: &Self) -> Ordering {
        let wait = |standing: &Self| match standing.decision {
            Decision::Admitted => 0,
            Decision::Denied(wait) => wait.unwrap_or(u64::MAX),
            Decision::Hopeless | Decision::Unknown => u64::MAX,
        };
        wait(other).cmp(&wait(self)).then(self.remaining.cmp(&other.remaining))
    }
}
