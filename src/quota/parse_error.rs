use super::QuotaError;
use core::fmt;

/// Why a text is not a [`Quota`](crate::Quota), and where.
///
/// ```
/// use casgate::{ParseQuotaErrorKind, Quota};
///
/// let error = "100/fortnight".parse::<Quota>().unwrap_err();
/// assert_eq!(error.kind(), ParseQuotaErrorKind::UnknownUnit);
/// assert_eq!(error.position(), 4);
/// assert_eq!(error.to_string(), "expected a unit of time: ns, us, ms, s, min, h or d (byte 4)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParseQuotaError {
    kind: ParseQuotaErrorKind,
    position: usize,
}

impl ParseQuotaError {
    pub(super) const fn new(kind: ParseQuotaErrorKind, position: usize) -> Self {
        Self { kind, position }
    }

    /// Returns what is wrong.
    ///
    /// ```
    /// use casgate::{ParseQuotaErrorKind, Quota};
    /// assert_eq!("".parse::<Quota>().unwrap_err().kind(), ParseQuotaErrorKind::Empty);
    /// ```
    #[must_use]
    pub const fn kind(&self) -> ParseQuotaErrorKind {
        self.kind
    }

    /// Returns where it is: the offset in bytes at which the wrong part begins. That is the length
    /// of the text if something is missing at its end.
    ///
    /// ```
    /// use casgate::Quota;
    /// assert_eq!("100/min burst 0".parse::<Quota>().unwrap_err().position(), 14);
    /// assert_eq!("100/min burst".parse::<Quota>().unwrap_err().position(), 13);
    /// ```
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }
}

impl fmt::Display for ParseQuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.kind.message(), self.position)
    }
}

impl core::error::Error for ParseQuotaError {}

/// What is wrong with a text that is not a [`Quota`](crate::Quota).
///
/// ```
/// use casgate::{ParseQuotaErrorKind, Quota, QuotaError};
///
/// let kind = |text: &str| text.parse::<Quota>().unwrap_err().kind();
/// assert_eq!(kind("100"), ParseQuotaErrorKind::ExpectedPer);
/// assert_eq!(kind("2/ns"), ParseQuotaErrorKind::Invalid(QuotaError::TooFast));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseQuotaErrorKind {
    /// The text has nothing but spaces.
    Empty,
    /// There is no number where one must be. A number consists of digits, with `_` only between
    /// them.
    ExpectedNumber,
    /// There is neither `/` nor `per` after the number of permits.
    ExpectedPer,
    /// A number is zero.
    Zero,
    /// There is no unit of time, or an unknown one. Units are lower case.
    UnknownUnit,
    /// A number is larger than its type: 32 bits for permits and burst, 64 for the period.
    Overflow,
    /// There is more text after the end of the quota.
    TrailingText,
    /// The numbers are well written but make no quota.
    Invalid(QuotaError),
}

impl ParseQuotaErrorKind {
    const fn message(self) -> &'static str {
        match self {
            Self::Empty => "the text is empty",
            Self::ExpectedNumber => "expected a number",
            Self::ExpectedPer => "expected '/' or 'per'",
            Self::Zero => "a number cannot be zero",
            Self::UnknownUnit => "expected a unit of time: ns, us, ms, s, min, h or d",
            Self::Overflow => "the number is too large",
            Self::TrailingText => "unexpected text after the end",
            Self::Invalid(error) => error.message(),
        }
    }
}
