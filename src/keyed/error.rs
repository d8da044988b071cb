use super::build::NoTable;
use super::pace::Unfit;
use core::fmt;

/// Why a [`KeyedLimiter`](crate::KeyedLimiter) cannot be made, or a tier not be changed.
///
/// ```
/// use casgate::{KeyedError, KeyedLimiter, Quota};
/// use std::time::Duration;
///
/// let fast = Quota::new(3, Duration::from_micros(1))?;
/// let error = KeyedLimiter::try_token_bucket(fast, 100).unwrap_err();
/// assert_eq!(error, KeyedError::TooFast);
/// assert_eq!(error.to_string(), "a key's quota cannot be faster than one permit per 500 ns");
/// # Ok::<(), casgate::QuotaError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyedError {
    /// A token bucket of more than one permit per 500 ns, or a fixed window whose period divided by
    /// its permits and one is shorter.
    TooFast,
    /// A burst that takes longer than two years to refill, or a window that is longer.
    TooLong,
    /// More slots than the memory has, or than 2³⁵.
    TooLarge,
    /// More than 65,536 tiers.
    TooManyTiers,
    /// A tier that the limiter does not have.
    NoSuchTier,
}

impl KeyedError {
    const fn message(self) -> &'static str {
        match self {
            Self::TooFast => "a key's quota cannot be faster than one permit per 500 ns",
            Self::TooLong => "a key's quota cannot take longer than two years to refill",
            Self::TooLarge => "a keyed limiter's capacity exceeds the memory",
            Self::TooManyTiers => "a keyed limiter has at most 65,536 tiers",
            Self::NoSuchTier => "the keyed limiter has no such tier",
        }
    }
}

impl fmt::Display for KeyedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for KeyedError {}

impl From<Unfit> for KeyedError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::TooFast => Self::TooFast,
            Unfit::TooLong => Self::TooLong,
        }
    }
}

impl From<NoTable> for KeyedError {
    fn from(error: NoTable) -> Self {
        match error {
            NoTable::Quota(unfit) => unfit.into(),
            NoTable::TooLarge => Self::TooLarge,
            NoTable::TooManyTiers => Self::TooManyTiers,
        }
    }
}
