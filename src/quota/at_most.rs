use super::{Quota, QuotaError};
use core::time::Duration;

/// An unfinished quota for a strict window, from [`Quota::at_most`].
///
/// ```
/// use casgate::{Limiter, Quota, StrictQuota};
/// use std::time::Duration;
///
/// // The provider bans clients that send more than 100 requests in any minute.
/// const QUOTA: StrictQuota = Quota::at_most(100).with_burst(20).in_any(Duration::from_secs(60));
/// static PROVIDER: Limiter = Limiter::strict(QUOTA);
/// assert!(PROVIDER.is_allowed());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct AtMost {
    limit: u32,
    burst: u32,
}

impl Quota {
    /// Begins a [`StrictQuota`], with which a [token bucket](crate::Limiter::strict) admits at most
    /// `limit` permits in *every* interval of a length. That is the bound of a [sliding
    /// window](crate::SlidingWindow), on one word instead of its memory.
    ///
    /// The price is a slower rate. Call the limit L, the length W and the burst b (1 unless
    /// [set](AtMost::with_burst)). The bucket refills at L − b + 1 per W. In the long run it admits
    /// that many per W, where a sliding window would admit L. With b = 1 that is L per W, evenly
    /// spaced; with b = L it is 1 per W.
    ///
    /// *Proof.* In a half-open interval of length W, timestamps are at most W − 1 ns apart, so by
    /// the bucket's bound N ≤ b + ⌊(W − 1 + ½)·(L − b + 1)/W⌋ = b + (L − b) = L, the last factor
    /// being less than one more. The ½ is for the [rounding](crate::TokenBucket#exactness). ∎
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// use std::time::Duration;
    ///
    /// let quota = Quota::at_most(100).with_burst(20).in_any(Duration::from_secs(60));
    /// let limiter = Limiter::strict(quota);
    /// assert!(limiter.check_n_at(20, Timestamp::ZERO).is_ok());
    /// let in_a_minute = Timestamp::from_nanos(59_999_999_999);
    /// let later = (1..60_000).filter(|&t| limiter.is_allowed_at(Timestamp::from_millis(t))).count();
    /// assert_eq!(later, 80);
    /// assert!(!limiter.is_allowed_at(in_a_minute));
    /// ```
    pub const fn at_most(limit: u32) -> AtMost {
        AtMost { limit, burst: 1 }
    }
}

impl AtMost {
    /// Sets how many of the permits a limiter admits at once, 1 to the limit. The larger the burst,
    /// the slower the rate.
    ///
    /// ```
    /// use casgate::Quota;
    /// use std::time::Duration;
    /// assert_eq!(Quota::at_most(9).with_burst(9).in_any(Duration::from_secs(1)).burst(), 9);
    /// ```
    pub const fn with_burst(self, burst: u32) -> Self {
        Self { burst, ..self }
    }

    /// Returns the quota for intervals of length `period`.
    ///
    /// ```
    /// use casgate::{Quota, StrictQuota};
    /// use std::time::Duration;
    /// const QUOTA: StrictQuota = Quota::at_most(10).in_any(Duration::from_secs(1));
    /// ```
    ///
    /// # Panics
    ///
    /// Where [`try_in_any`](Self::try_in_any) would return an error. In a `const` that is a compile
    /// error.
    #[must_use]
    pub const fn in_any(self, period: Duration) -> StrictQuota {
        match self.try_in_any(period) {
            Ok(quota) => quota,
            Err(error) => panic!("{}", error.message()),
        }
    }

    /// Returns the quota for intervals of a length that may come from configuration. See
    /// [`in_any`](Self::in_any).
    ///
    /// ```
    /// use casgate::{Quota, QuotaError};
    /// use std::time::Duration;
    /// let second = Duration::from_secs(1);
    /// assert!(Quota::at_most(10).try_in_any(second).is_ok());
    /// assert_eq!(
    ///     Quota::at_most(10).with_burst(11).try_in_any(second),
    ///     Err(QuotaError::BurstAboveLimit)
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// A [`QuotaError`] if the limit or the burst is zero, if the burst is above the limit, if
    /// `period` is zero, if the burst takes longer than 2⁶¹ ns (73 years) to refill, or if the
    /// quota is faster than one permit per nanosecond.
    pub const fn try_in_any(self, period: Duration) -> Result<StrictQuota, QuotaError> {
        let Self { limit, burst } = self;
        if limit == 0 {
            return Err(QuotaError::ZeroPermits);
        }
        if burst == 0 {
            return Err(QuotaError::ZeroBurst);
        }
        if burst > limit {
            return Err(QuotaError::BurstAboveLimit);
        }
        let paced = match Quota::new(limit - (burst - 1), period) {
            Ok(paced) => paced.try_with_burst(burst),
            error => error,
        };
        match paced {
            Ok(paced) => Ok(StrictQuota { limit, paced }),
            Err(error) => Err(error),
        }
    }
}

/// At most so many permits in *every* interval of a length: [`Quota::at_most`].
///
/// A type of its own, since other algorithms would not keep it: a fixed window admits twice as many
/// around the end of a window. It is taken by [`Limiter::strict`](crate::Limiter::strict) and
/// [`KeyedLimiter::strict`](crate::KeyedLimiter::strict).
///
/// ```
/// use casgate::Quota;
/// use std::time::Duration;
///
/// let quota = Quota::at_most(100).with_burst(20).in_any(Duration::from_secs(60));
/// assert_eq!((quota.limit(), quota.burst()), (100, 20));
/// assert_eq!(quota.period(), Duration::from_secs(60));
/// ```
///
/// ```compile_fail
/// # use casgate::{Limiter, Quota};
/// # use std::time::Duration;
/// let wrong = Limiter::fixed_window(Quota::at_most(9).in_any(Duration::from_secs(1)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StrictQuota {
    limit: u32,
    paced: Quota,
}

impl StrictQuota {
    /// Returns the permits in any interval of a [period](Self::period).
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use std::time::Duration;
    /// assert_eq!(Quota::at_most(9).in_any(Duration::from_secs(1)).limit(), 9);
    /// ```
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Returns how many of them may come at once. A limiter reports this as its
    /// [limit](crate::Admitted::limit).
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use std::time::Duration;
    /// assert_eq!(Quota::at_most(9).in_any(Duration::from_secs(1)).burst(), 1);
    /// ```
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.paced.burst()
    }

    /// Returns the length of the intervals.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use std::time::Duration;
    /// assert_eq!(Quota::at_most(9).in_any(Duration::from_secs(1)).period().as_secs(), 1);
    /// ```
    #[must_use]
    pub const fn period(&self) -> Duration {
        self.paced.period()
    }

    /// The quota of the token bucket that keeps it.
    pub(crate) const fn paced(&self) -> Quota {
        self.paced
    }
}
