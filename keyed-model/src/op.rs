//! What a caller can ask for.

/// An operation: key `k`, `n` permits, timestamp `at`, tier `t`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Op {
    Check {
        k: u8,
        n: u8,
        at: u8,
        t: u8,
    },
    /// As a check of one permit that spends nothing.
    Peek {
        k: u8,
        at: u8,
        t: u8,
    },
    /// As a check that is never denied.
    Charge {
        k: u8,
        n: u8,
        at: u8,
        t: u8,
    },
    /// A check, and then the attempt to cancel it. A caller that stops in between has committed.
    Reserve {
        k: u8,
        n: u8,
        at: u8,
        t: u8,
    },
    Refund {
        k: u8,
        n: u8,
    },
    Reset {
        k: u8,
    },
    Clear,
    /// Tier `t` gets the rule with the index `rule`, as of `at`.
    SetQuota {
        t: u8,
        rule: u8,
        at: u8,
    },
}

impl Op {
    /// The key, or 0.
    pub(crate) fn key(self) -> u8 {
        match self {
            Self::Check { k, .. }
            | Self::Peek { k, .. }
            | Self::Charge { k, .. }
            | Self::Reserve { k, .. }
            | Self::Refund { k, .. }
            | Self::Reset { k } => k,
            Self::Clear | Self::SetQuota { .. } => 0,
        }
    }

    /// Permits and timestamp of an operation that asks for permits.
    pub(crate) fn asks(self) -> (u8, u8) {
        match self {
            Self::Check { n, at, .. }
            | Self::Charge { n, at, .. }
            | Self::Reserve { n, at, .. } => (n, at),
            Self::Refund { n, .. } => (n, 0),
            Self::Peek { at, .. } => (1, at),
            Self::SetQuota { at, .. } => (0, at),
            Self::Reset { .. } | Self::Clear => (0, 0),
        }
    }

    /// The tier, if the operation names one.
    pub(crate) fn tier(self) -> Option<u8> {
        match self {
            Self::Check { t, .. }
            | Self::Peek { t, .. }
            | Self::Charge { t, .. }
            | Self::Reserve { t, .. }
            | Self::SetQuota { t, .. } => Some(t),
            _ => None,
        }
    }
}
