use crate::decision::{Admitted, Denied};
use crate::limit::LimitN;
use crate::timestamp::Timestamp;
use core::fmt;

/// Several limits in one decision, each with its own weight: all of them admit, or nothing is
/// spent.
///
/// The limits may be of any kind: limiters with different algorithms and clocks, and keys of keyed
/// limiters. The request is charged to one after the other. If one denies, those before it are
/// refunded, so no bound is exceeded. In between another caller may be denied for a request that is
/// denied in the end. If a limiter is reset or [closed](crate::Limiter::deny_until) in between, its
/// refund has the consequences named there. A denied request leaves no permit spent, but the
/// limiters may have seen its timestamp. Name each limiter once. Two quotas for the same key are
/// one atomic step as [`Both`](crate::algorithm::Both).
///
/// ```
/// use casgate::{All, KeyedLimiter, Limiter, Quota, Timestamp};
///
/// let requests = Limiter::token_bucket(Quota::per_second(1_000));
/// let bytes = KeyedLimiter::token_bucket(Quota::per_minute(10_000), 100);
/// let now = Timestamp::ZERO; // in service: `check`, and no time
///
/// // One request with 4,200 bytes.
/// let ask = |tenant: &str| All::new([(&requests, 1), (&bytes.key(tenant), 4_200)]).check_at(now);
/// assert!(ask("a").is_ok() && ask("a").is_ok());
/// let denied = ask("a").unwrap_err();
/// assert_eq!((denied.index(), denied.denied().remaining()), (1, 1_600));
/// assert_eq!(requests.peek_at(now).remaining(), 998);
/// ```
#[derive(Clone, Copy)]
#[must_use]
pub struct All<'a, const N: usize> {
    parts: [(&'a dyn LimitN, u32); N],
}

/// Which limit of [`All`] denied, and its answer.
///
/// If several do, it is the one that denies for the longest time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeniedBy {
    index: usize,
    denied: Denied,
}

impl DeniedBy {
    /// Returns the limit's index among those that were asked.
    ///
    /// ```
    /// # use casgate::{All, Limiter, Quota};
    /// let (a, b) = (Limiter::token_bucket(Quota::per_hour(5)), Limiter::token_bucket(Quota::per_hour(1)));
    /// assert_eq!(All::new([(&a, 1), (&b, 2)]).check().unwrap_err().index(), 1);
    /// ```
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Returns its answer.
    ///
    /// ```
    /// # use casgate::{All, Limiter, Quota};
    /// let limiter = Limiter::token_bucket(Quota::per_hour(5));
    /// assert_eq!(All::new([(&limiter, 6)]).check().unwrap_err().denied().limit(), 5);
    /// ```
    #[must_use]
    pub const fn denied(&self) -> Denied {
        self.denied
    }

    /// The one that denies for longer: permanently, if no wait helps.
    fn longer(self, other: Option<Self>) -> Self {
        let wait = |by: Self| by.denied.retry_after().map_or(u128::MAX, |wait| wait.as_nanos());
        match other {
            Some(other) if wait(other) >= wait(self) => other,
            _ => self,
        }
    }
}

impl fmt::Display for DeniedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit {}: {}", self.index, self.denied)
    }
}

impl core::error::Error for DeniedBy {}

impl<const N: usize> fmt::Debug for All<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.parts.iter().map(|part| part.1)).finish()
    }
}

impl<'a, const N: usize> All<'a, N> {
    /// Names the limits and how many permits the request needs of each.
    ///
    /// ```
    /// # use casgate::{All, Limiter, Quota};
    /// let (a, b) = (Limiter::token_bucket(Quota::per_hour(5)), Limiter::fixed_window(Quota::per_day(20)));
    /// assert!(All::new([(&a, 1), (&b, 2)]).check().is_ok());
    /// ```
    pub const fn new(parts: [(&'a dyn LimitN, u32); N]) -> Self {
        Self { parts }
    }

    /// Asks all of them at `now`.
    ///
    /// ```
    /// # use casgate::{All, Limiter, Quota, Timestamp};
    /// let (a, b) = (Limiter::token_bucket(Quota::per_hour(5)), Limiter::token_bucket(Quota::per_hour(1)));
    /// let all = All::new([(&a, 1), (&b, 1)]);
    /// assert!(all.check_at(Timestamp::ZERO).is_ok() && all.check_at(Timestamp::ZERO).is_err());
    /// assert_eq!(a.peek_at(Timestamp::ZERO).remaining(), 4);
    /// ```
    ///
    /// # Errors
    ///
    /// [`DeniedBy`] if one of them denies; nothing is spent.
    pub fn check_at(&self, now: Timestamp) -> Result<[Admitted; N], DeniedBy> {
        self.ask(
            |limit, n| limit.peek_at(now).remaining() >= n,
            |limit, n| limit.check_n_at(n, now),
        )
    }

    /// Asks all of them now, each by its own clock.
    ///
    /// ```
    /// # use casgate::{All, Limiter, Quota};
    /// let (a, b) = (Limiter::token_bucket(Quota::per_hour(5)), Limiter::fixed_window(Quota::per_day(20)));
    /// assert_eq!(All::new([(&a, 1), (&b, 2)]).check()?[1].remaining(), 18);
    /// # Ok::<(), casgate::DeniedBy>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DeniedBy`] if one of them denies; nothing is spent.
    pub fn check(&self) -> Result<[Admitted; N], DeniedBy> {
        self.ask(|limit, n| limit.peek().remaining() >= n, |limit, n| limit.check_n(n))
    }

    /// Gives back what an admission was charged, if its work was not done.
    ///
    /// ```
    /// # use casgate::{All, Limiter, Quota};
    /// let (a, b) = (Limiter::token_bucket(Quota::per_hour(5)), Limiter::token_bucket(Quota::per_hour(1)));
    /// let all = All::new([(&a, 1), (&b, 1)]);
    /// all.refund(&all.check()?);
    /// assert!(all.check().is_ok());
    /// # Ok::<(), casgate::DeniedBy>(())
    /// ```
    pub fn refund(&self, admitted: &[Admitted; N]) {
        for ((limit, _), admitted) in self.parts.iter().zip(admitted).rev() {
            limit.refund(admitted);
        }
    }

    fn ask(
        &self,
        has: impl Fn(&dyn LimitN, u32) -> bool,
        check: impl Fn(&dyn LimitN, u32) -> Result<Admitted, Denied>,
    ) -> Result<[Admitted; N], DeniedBy> {
        // Those that deny for certain are asked first: a denial spends nothing. So a request that is denied seldom charges
        // anybody, and the answer is of the one that denies for the longest time.
        let mut longest: Option<DeniedBy> = None;
        for (index, &(limit, n)) in self.parts.iter().enumerate() {
            if has(limit, n) {
                continue;
            }
            match check(limit, n) {
                Err(denied) => longest = Some(DeniedBy { index, denied }.longer(longest)),
                // It has refilled since.
                Ok(admitted) => limit.refund(&admitted),
            }
        }
        if let Some(denied) = longest {
            return Err(denied);
        }
        let mut charged = [None; N];
        for (index, &(limit, n)) in self.parts.iter().enumerate() {
            match check(limit, n) {
                Ok(admitted) => charged[index] = Some(admitted),
                Err(denied) => {
                    for (&(limit, _), admitted) in self.parts.iter().zip(&charged).rev() {
                        admitted.iter().for_each(|admitted| limit.refund(admitted));
                    }
                    return Err(DeniedBy { index, denied });
                }
            }
        }
        Ok(charged.map(|admitted| admitted.expect("each of them was charged")))
    }
}
