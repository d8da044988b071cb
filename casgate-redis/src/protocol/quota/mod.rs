mod error;

pub use error::LeaseQuotaError;

use super::interval::Interval;
use casgate::Quota;
use core::time::Duration;

/// What Redis assumes when it has no state of a limit: the first use of all, or a loss of its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StateLoss {
    /// The bucket is full. A loss of data adds one burst, once.
    #[default]
    StartFull,
    /// The bucket is empty and fills at its rate. A loss of data adds nothing, but the first use
    /// begins without a burst. Redis keeps the state for 30 days after its last grant, and a use
    /// after that begins in this way again.
    StartEmpty,
}

/// A quota of the fleet, and how long its leases live.
///
/// A permit of a lease may be spent late, up to the `lifetime` of the lease after Redis granted it.
/// So Redis grants at most [`burst`](Self::burst) permits at once, which is
/// `burst − rate · lifetime` of the quota. Then the fleet keeps the quota: it spends at most
/// `burst + rate · time` on every interval. See [`protocol`](super) for the proof.
///
/// # Range
///
/// The script computes with microseconds in doubles, which are exact below 2⁵³. Let a permit refill
/// in `w + p/d` microseconds, with `p < d` and the fraction reduced. Then `(burst + 2) · p` must be
/// below 2⁵³. It is for every quota whose permits and burst are at most 94 million, if its period
/// is whole microseconds. It is for every quota whose permits divide its period in microseconds
/// too, since `p` is zero.
///
/// ```
/// use casgate::Quota;
/// use casgate_redis::protocol::LeaseQuota;
/// use std::time::Duration;
///
/// let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100))?;
/// assert_eq!(quota.burst(), 900);
/// # Ok::<(), casgate_redis::protocol::LeaseQuotaError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseQuota {
    quota: Quota,
    lifetime: Duration,
    state_loss: StateLoss,
    pub(super) interval: Interval,
    /// How far the TAT may be ahead of the clock, in microseconds.
    pub(super) tau: u64,
    /// The lifetime in microseconds, rounded up.
    lifetime_micros: u64,
}

/// How much the server's clock is rounded down. A lease ends so much earlier.
pub(super) const ROUNDING: Duration = Duration::from_micros(1);

/// 30 days in milliseconds.
const KEPT: u64 = 30 * 86_400_000;

impl LeaseQuota {
    /// Makes a quota whose leases live for `lifetime`. A missing state is
    /// [full](StateLoss::StartFull).
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_redis::protocol::{LeaseQuota, LeaseQuotaError};
    /// use std::time::Duration;
    ///
    /// let day = Quota::per_day(1_000_000);
    /// assert!(LeaseQuota::new(day, Duration::from_millis(500)).is_ok());
    /// assert_eq!(LeaseQuota::new(day, Duration::ZERO), Err(LeaseQuotaError::LifetimeTooShort));
    /// ```
    ///
    /// # Errors
    ///
    /// A [`LeaseQuotaError`] if the lifetime is at most a microsecond, if `burst − rate · lifetime`
    /// is less than a permit, or if the quota is outside the [range](Self#range) of exact numbers.
    pub fn new(quota: Quota, lifetime: Duration) -> Result<Self, LeaseQuotaError> {
        if lifetime <= ROUNDING {
            return Err(LeaseQuotaError::LifetimeTooShort);
        }
        let interval = Interval::of(&quota);
        let burst = u64::from(quota.burst());
        // The burst of a quota refills in 2⁶¹ ns at most.
        let refill = interval.refill(burst);
        let lifetime_micros = lifetime.as_nanos().div_ceil(1_000);
        let tau = u128::from(refill).saturating_sub(lifetime_micros) as u64;
        if tau < interval.cost(1) {
            let needed = lifetime_micros.saturating_add(interval.cost(1).into());
            return Err(LeaseQuotaError::BurstTooSmall { least: interval.refilled_by(needed) });
        }
        if !interval.is_exact_for(burst) {
            return Err(LeaseQuotaError::Inexact);
        }
        let lifetime_micros = lifetime_micros as u64; // less than `refill`
        Ok(Self {
            quota,
            lifetime,
            state_loss: StateLoss::StartFull,
            interval,
            tau,
            lifetime_micros,
        })
    }

    /// Returns the same quota with another answer to a missing state.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_redis::protocol::{LeaseQuota, StateLoss};
    /// use std::time::Duration;
    ///
    /// let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100))?;
    /// assert_eq!(quota.state_loss(), StateLoss::StartFull);
    /// assert_eq!(quota.on_state_loss(StateLoss::StartEmpty).state_loss(), StateLoss::StartEmpty);
    /// # Ok::<(), casgate_redis::protocol::LeaseQuotaError>(())
    /// ```
    #[must_use]
    pub const fn on_state_loss(mut self, state_loss: StateLoss) -> Self {
        self.state_loss = state_loss;
        self
    }

    /// Returns the answer to a missing state.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_redis::protocol::{LeaseQuota, StateLoss};
    /// # use std::time::Duration;
    /// # let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100))?;
    /// assert_eq!(quota.state_loss(), StateLoss::StartFull);
    /// # Ok::<(), casgate_redis::protocol::LeaseQuotaError>(())
    /// ```
    #[must_use]
    pub const fn state_loss(&self) -> StateLoss {
        self.state_loss
    }

    /// Returns the quota that the fleet keeps.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_redis::protocol::LeaseQuota;
    /// # use std::time::Duration;
    /// # let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100))?;
    /// assert_eq!(quota.quota(), Quota::per_second(1_000));
    /// # Ok::<(), casgate_redis::protocol::LeaseQuotaError>(())
    /// ```
    #[must_use]
    pub const fn quota(&self) -> Quota {
        self.quota
    }

    /// Returns how long a lease lives, counted from the instant at which the holder sent the
    /// request. It ends a microsecond earlier, since the server rounds its clock down.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_redis::protocol::LeaseQuota;
    /// # use std::time::Duration;
    /// # let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100))?;
    /// assert_eq!(quota.lifetime(), Duration::from_millis(100));
    /// # Ok::<(), casgate_redis::protocol::LeaseQuotaError>(())
    /// ```
    #[must_use]
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Returns how many permits Redis grants at once: `burst − rate · lifetime`, rounded down, and
    /// at least one.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_redis::protocol::LeaseQuota;
    /// # use std::time::Duration;
    /// # let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100))?;
    /// assert_eq!(quota.burst(), 900);
    /// # Ok::<(), casgate_redis::protocol::LeaseQuotaError>(())
    /// ```
    #[must_use]
    pub fn burst(&self) -> u32 {
        self.interval.worth(self.tau) as u32 // less than the quota's burst
    }

    /// Returns what a lease may have in any case, be there ever so many holders: the permits that
    /// refill in half a lifetime, at least one. A holder does well to ask for as much.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_redis::protocol::LeaseQuota;
    /// # use std::time::Duration;
    /// # let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100))?;
    /// assert_eq!(quota.fair(), 50);
    /// # Ok::<(), casgate_redis::protocol::LeaseQuotaError>(())
    /// ```
    #[must_use]
    pub fn fair(&self) -> u32 {
        let lifetime = self.interval.worth(self.lifetime_micros);
        lifetime.div_ceil(2).max(1) as u32 // at most the quota's burst
    }

    /// The length of an epoch, in which holders are counted: two lifetimes, in microseconds.
    pub(super) const fn epoch(&self) -> u64 {
        2 * self.lifetime_micros
    }

    /// The shortest time to live of the state, in milliseconds.
    pub(super) const fn kept(&self) -> u64 {
        match self.state_loss {
            StateLoss::StartFull => 0,
            StateLoss::StartEmpty => KEPT,
        }
    }
}
