use casgate::{Denied, Reason};

/// The outcome of a request at one policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Its permits were charged.
    Admitted,
    /// It was denied.
    Denied,
    /// It asks for more permits than the policy ever admits together.
    Never,
    /// It would have been denied, if the policy held for it.
    ShadowDenied,
    /// The policy exempts it.
    Exempt,
    /// It was dropped while it waited.
    Cancelled,
    /// Too many waited already.
    QueueFull,
    /// Its permits would have come too late.
    Timeout,
    /// It has no key, and none was expected to be missing.
    MissingKey,
    /// The limiter could not be asked: its [store](casgate::Reason::Unavailable) does not answer.
    Unavailable,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 10] = [
        Self::Admitted,
        Self::Denied,
        Self::Never,
        Self::ShadowDenied,
        Self::Exempt,
        Self::Cancelled,
        Self::QueueFull,
        Self::Timeout,
        Self::MissingKey,
        Self::Unavailable,
    ];

    /// Of a request that is denied.
    pub(crate) const fn of(denied: &Denied) -> Self {
        match denied.reason() {
            Reason::NeverFits => Self::Never,
            Reason::Unavailable => Self::Unavailable,
            _ => Self::Denied,
        }
    }

    /// Returns its name in metrics, such as `"shadow_denied"`.
    ///
    /// ```
    /// # use casgate_tower::observe::Outcome;
    /// assert_eq!(Outcome::QueueFull.as_str(), "queue_full");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Denied => "denied",
            Self::Never => "never",
            Self::ShadowDenied => "shadow_denied",
            Self::Exempt => "exempt",
            Self::Cancelled => "cancelled",
            Self::QueueFull => "queue_full",
            Self::Timeout => "timeout",
            Self::MissingKey => "missing_key",
            Self::Unavailable => "unavailable",
        }
    }
}
