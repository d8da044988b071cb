use casgate::Timestamp;

/// The answer to a caller that finds no permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// To wait for the next lease: nothing speaks against it.
    Ask,
    /// The last reply was short: the next request is sent at that instant.
    Denied { until: Timestamp },
    /// The store does not answer: it is asked again at that instant.
    Down { until: Timestamp },
}

/// A standing in 64 bits: the instant, with the kind in its two lowest bits.
impl Standing {
    const KIND: u64 = 3;

    pub(crate) const fn bits(self) -> u64 {
        match self {
            Self::Ask => 0,
            Self::Denied { until } => until.as_nanos() & !Self::KIND | 1,
            Self::Down { until } => until.as_nanos() & !Self::KIND | 2,
        }
    }

    pub(crate) const fn from_bits(bits: u64) -> Self {
        let until = Timestamp::from_nanos(bits & !Self::KIND);
        match bits & Self::KIND {
            1 => Self::Denied { until },
            2 => Self::Down { until },
            _ => Self::Ask,
        }
    }

    /// What holds at `now`: a standing that was not renewed in time says nothing any more.
    pub(crate) fn at(self, now: Timestamp, grace: core::time::Duration) -> Self {
        match self {
            Self::Denied { until } | Self::Down { until } if now > until + grace => Self::Ask,
            standing => standing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_standing_survives_its_bits() {
        let until = Timestamp::from_nanos(1_234_567_896);
        for standing in [Standing::Ask, Standing::Denied { until }, Standing::Down { until }] {
            assert_eq!(Standing::from_bits(standing.bits()), standing);
        }
    }

    #[test]
    fn an_old_standing_is_none() {
        let (until, grace) = (Timestamp::from_secs(8), Duration::from_secs(1));
        for standing in [Standing::Denied { until }, Standing::Down { until }] {
            assert_eq!(standing.at(Timestamp::from_secs(9), grace), standing);
            assert_eq!(standing.at(Timestamp::from_millis(9_001), grace), Standing::Ask);
        }
    }
}
