mod error;

pub use error::FleetQuotaError;

use crate::holder::{Holder, Rate, Window};
use crate::outage::OnUnavailable;
use crate::protocol::{LeaseQuota, StateLoss, WindowQuota};
use casgate::Quota;
use core::time::Duration;

/// A quota of the whole fleet, and how its processes share it.
///
/// A [`Quota`] turns into one by itself, at a rate and with the defaults.
///
/// ```
/// use casgate::Quota;
/// use casgate_redis::{FleetQuota, OnUnavailable, StateLoss};
/// use std::time::Duration;
///
/// let api = FleetQuota::rate(Quota::per_second(1_000).with_burst(2_000))
///     .lifetime(Duration::from_millis(200))
///     .on_state_loss(StateLoss::StartEmpty)
///     .on_unavailable(OnUnavailable::share(4));
/// let exports = FleetQuota::window(Quota::per_day(5_000));
/// # drop((api, exports));
/// ```
///
/// All processes must have the same quota and the same lifetime for a name. A limit with others is
/// another limit, so while a change is under way in the fleet, both hold for the processes that
/// have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetQuota {
    quota: Quota,
    mode: Mode,
    lifetime: Option<Duration>,
    state_loss: StateLoss,
    on_unavailable: OnUnavailable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Rate,
    Window,
}

impl FleetQuota {
    /// Makes a quota for every interval of time: at most `burst + rate · time`.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_redis::FleetQuota;
    /// assert_eq!(FleetQuota::rate(Quota::per_second(5)), FleetQuota::from(Quota::per_second(5)));
    /// ```
    #[must_use]
    pub const fn rate(quota: Quota) -> Self {
        Self::new(quota, Mode::Rate)
    }

    /// Makes a quota for each aligned window, as long as the quota's period: so many per day, for
    /// instance. Days begin at midnight UTC, by the server's clock. An interval that is not aligned
    /// can have twice the quota.
    ///
    /// Permits that a process has leased when it crashes or drops its limiter are lost until the
    /// window ends. It returns the permits that it does not spend in a [lifetime](Self::lifetime).
    /// Another process that has heard before that the window is used up does not ask again until it
    /// ends.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_redis::FleetQuota;
    /// assert_eq!(FleetQuota::window(Quota::per_day(5)).quota(), Quota::per_day(5));
    /// ```
    #[must_use]
    pub const fn window(quota: Quota) -> Self {
        Self::new(quota, Mode::Window)
    }

    const fn new(quota: Quota, mode: Mode) -> Self {
        Self {
            quota,
            mode,
            lifetime: None,
            state_loss: StateLoss::StartFull,
            on_unavailable: OnUnavailable::deny(),
        }
    }

    /// Sets how long a lease lives, [10 ms](FleetQuotaError::LifetimeTooShort) at least.
    ///
    /// A longer lease needs fewer calls, bridges a longer failure of the store, and strands more
    /// permits in a crash. At a rate it leaves less of the burst to one moment: Redis grants at
    /// most `burst − rate · lifetime` at once. Take several round trips at least.
    ///
    /// Without this it is a quarter of the time in which the burst refills, but 20 ms at least and
    /// 500 ms at most. For windows it is 500 ms. In a window no lease lives for longer than the
    /// window.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_redis::FleetQuota;
    /// # use std::time::Duration;
    /// let quota = FleetQuota::rate(Quota::per_second(100)).lifetime(Duration::from_millis(50));
    /// assert_eq!(quota.get_lifetime(), Duration::from_millis(50));
    /// ```
    #[must_use]
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Sets what the fleet assumes when Redis has lost what it knew: a full bucket, unless this
    /// says otherwise. Windows begin again with their whole limit in any case.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_redis::{FleetQuota, StateLoss};
    /// let quota = FleetQuota::rate(Quota::per_second(100)).on_state_loss(StateLoss::StartEmpty);
    /// # drop(quota);
    /// ```
    #[must_use]
    pub const fn on_state_loss(mut self, state_loss: StateLoss) -> Self {
        self.state_loss = state_loss;
        self
    }

    /// Sets what a process does without a lease while the store does not answer: it denies, unless
    /// this says otherwise.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_redis::{FleetQuota, OnUnavailable};
    /// let quota = FleetQuota::rate(Quota::per_second(100)).on_unavailable(OnUnavailable::allow());
    /// # drop(quota);
    /// ```
    #[must_use]
    pub fn on_unavailable(mut self, on_unavailable: OnUnavailable) -> Self {
        self.on_unavailable = on_unavailable;
        self
    }

    /// Returns the quota.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_redis::FleetQuota;
    /// assert_eq!(FleetQuota::rate(Quota::per_second(5)).quota(), Quota::per_second(5));
    /// ```
    #[must_use]
    pub const fn quota(&self) -> Quota {
        self.quota
    }

    /// Returns how long a lease lives.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_redis::FleetQuota;
    /// let quota = FleetQuota::rate(Quota::per_second(1_000).with_burst(400));
    /// assert_eq!(quota.get_lifetime().as_millis(), 100);
    /// ```
    #[must_use]
    pub fn get_lifetime(&self) -> Duration {
        const LONGEST: Duration = Duration::from_millis(500);
        match self.mode {
            Mode::Rate => self.lifetime.unwrap_or_else(|| {
                let refill = self.quota.period().as_secs_f64() / f64::from(self.quota.permits())
                    * f64::from(self.quota.burst());
                LONGEST.mul_f64((refill / 4.0 / LONGEST.as_secs_f64()).clamp(0.04, 1.0))
            }),
            Mode::Window => self.lifetime.unwrap_or(LONGEST).min(self.quota.period()),
        }
    }

    /// How long a window is, if it is a quota for windows.
    pub(crate) const fn window_length(&self) -> Option<Duration> {
        match self.mode {
            Mode::Rate => None,
            Mode::Window => Some(self.quota.period()),
        }
    }

    pub(crate) const fn unavailable(&self) -> &OnUnavailable {
        &self.on_unavailable
    }

    /// The holder of a limit with this quota, and the most permits of one request.
    pub(crate) fn holder(&self) -> Result<(Box<dyn Holder>, u32), FleetQuotaError> {
        let lifetime = self.get_lifetime();
        if lifetime < FleetQuotaError::SHORTEST {
            return Err(FleetQuotaError::LifetimeTooShort);
        }
        match self.mode {
            Mode::Rate => {
                let quota = LeaseQuota::new(self.quota, lifetime)?.on_state_loss(self.state_loss);
                Ok((Box::new(Rate::new(quota)), quota.burst()))
            }
            Mode::Window => {
                let quota = WindowQuota::new(self.quota)?;
                let holder = fastrand::u64(..1 << 53);
                let permits = self.quota.permits();
                Ok((Box::new(Window::new(quota, lifetime, holder)), permits))
            }
        }
    }

    /// What makes two limits of one name different in the store.
    pub(crate) fn id(&self) -> String {
        let (quota, lifetime) = (self.quota, self.get_lifetime().as_nanos());
        let (permits, period) = (quota.permits(), quota.period().as_nanos());
        match self.mode {
            Mode::Rate => {
                let empty = if self.state_loss == StateLoss::StartEmpty { "/empty" } else { "" };
                format!("{permits}/{period}/{}/{lifetime}{empty}", quota.burst())
            }
            Mode::Window => format!("{permits}/{period}"),
        }
    }
}

impl From<Quota> for FleetQuota {
    fn from(quota: Quota) -> Self {
        Self::rate(quota)
    }
}
