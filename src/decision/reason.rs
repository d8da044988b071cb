/// Why a request was [denied](crate::Denied).
///
/// ```
/// use casgate::{Limiter, Quota, Reason, Timestamp};
///
/// let limiter = Limiter::token_bucket(Quota::per_second(5));
/// let denied = limiter.check_n_at(6, Timestamp::ZERO).unwrap_err();
/// assert_eq!(denied.reason(), Reason::NeverFits);
///
/// assert!(limiter.check_n_at(5, Timestamp::ZERO).is_ok());
/// let denied = limiter.check_at(Timestamp::ZERO).unwrap_err();
/// assert_eq!(denied.reason(), Reason::Quota { index: 0 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The permits of a quota are spent, or the timestamp is older than one already seen. Waiting
    /// helps.
    Quota {
        /// The index of the quota: 0, or for [two quotas](crate::algorithm::Both) 0 or 1. If both
        /// deny, it is the one that denies for longer; if both deny for as long, 0.
        index: usize,
    },
    /// The request asks for more permits than the [limit](crate::Denied::limit). No wait helps.
    NeverFits,
    /// A [`KeyedLimiter`](crate::KeyedLimiter) has no free slot for a new key. Waiting helps,
    /// unless the slot becomes free only after the last instant that the limiter can represent.
    TableFull,
    /// The permits are kept elsewhere, as in a fleet's store, which could not be asked. A limiter
    /// of this crate never gives this reason.
    Unavailable,
    /// The timestamp, or the instant at which the request would fit, is past the last one that the
    /// algorithm can represent. No wait helps.
    OutOfRange,
}
