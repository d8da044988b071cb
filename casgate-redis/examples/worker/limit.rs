use casgate::{Admitted, Timestamp};
use casgate_redis::{
    Fleet, FleetKeyed, FleetLimiter, FleetQuota, FleetQuotaError, FleetStats, NotAdmitted,
};

/// One limit, or one for each key.
pub(crate) enum Limit {
    One(FleetLimiter),
    Keyed { keyed: FleetKeyed<u64>, keys: u64 },
}

impl Limit {
    pub(crate) fn new(
        fleet: &Fleet,
        name: &str,
        quota: FleetQuota,
        keys: Option<u64>,
    ) -> Result<Self, FleetQuotaError> {
        match keys {
            None => fleet.limiter(name, quota).map(Self::One),
            Some(keys) => {
                let places = usize::try_from(keys / 10).unwrap_or(usize::MAX);
                Ok(Self::Keyed { keyed: fleet.keyed(name, quota, places)?, keys: keys.max(1) })
            }
        }
    }

    /// Asks for one permit, of any key.
    pub(crate) fn check_at(&self, now: Timestamp) -> Result<Admitted, NotAdmitted> {
        match self {
            Self::One(limiter) => limiter.check_n_at(1, now),
            Self::Keyed { keyed, keys } => {
                let limiter =
                    keyed.get(&fastrand::u64(..keys)).map_err(NotAdmitted::Unavailable)?;
                limiter.check_n_at(1, now)
            }
        }
    }

    pub(crate) fn stats(&self) -> FleetStats {
        match self {
            Self::One(limiter) => limiter.stats(),
            Self::Keyed { .. } => FleetStats::default(),
        }
    }
}
