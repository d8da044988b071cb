use super::{Grant, LeaseQuota, Request, ServerTime, StateLoss};

/// What the server keeps of a limit, and the lease script as a pure function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The TAT: when all that was granted has refilled. Field `t`.
    pub tat: ServerTime,
    /// The epoch in which holders are counted. Field `e`.
    pub epoch: u64,
    /// The holders counted in it. Field `c`.
    pub counted: u64,
    /// The holders counted in the epoch before. Field `p`.
    pub before: u64,
}

impl State {
    /// Decides as [`Script::LEASE`](super::Script::LEASE) does, to the last number: the state that
    /// follows, and the reply. The script writes a state that differs, and no other.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_redis::protocol::{LeaseQuota, Request, ServerTime, State};
    /// use std::time::Duration;
    ///
    /// let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100))?;
    /// let now = ServerTime::from_micros(1_000_000);
    /// let (state, grant) = State::grant(None, &quota, &Request::new(100), now);
    /// assert_eq!((grant.permits, grant.state_missing), (100, true));
    /// // Two holders share: each may have half of the burst.
    /// let (state, grant) = State::grant(Some(state), &quota, &Request::new(1_000), now);
    /// assert_eq!((grant.permits, grant.holders), (450, 2));
    /// assert_eq!(state.tat, ServerTime::from_micros(1_550_000));
    /// # Ok::<(), casgate_redis::protocol::LeaseQuotaError>(())
    /// ```
    #[must_use]
    pub fn grant(
        state: Option<Self>,
        quota: &LeaseQuota,
        request: &Request,
        now: ServerTime,
    ) -> (Self, Grant) {
        let now_micros = now.as_micros();
        let empty = now_micros + quota.tau;
        let stored = match (state, quota.state_loss()) {
            (Some(state), _) => state.tat.as_micros(),
            (None, StateLoss::StartFull) => now_micros,
            (None, StateLoss::StartEmpty) => empty,
        };
        let tat = stored.max(request.carried().as_micros()).max(now_micros).min(empty);

        let epoch = now_micros / quota.epoch();
        let (mut counted, before) = match state {
            Some(state) if state.epoch == epoch => (state.counted, state.before),
            Some(state) if state.epoch.checked_add(1) == Some(epoch) => (0, state.counted),
            _ => (0, 0),
        };
        counted = counted.saturating_add((request.counted() != Some(epoch)).into());
        let holders = counted.max(before).max(1);

        let (want, least) = (u64::from(request.want()), u64::from(request.least()));
        let share = u64::from(quota.burst()).div_ceil(holders);
        let most = share.max(quota.fair().into()).max(least);
        let mut granted = want.min(quota.interval.worth(empty - tat)).min(most);
        if granted < least {
            granted = 0;
        }
        let tat = ServerTime::from_micros(tat + quota.interval.cost(granted));
        let grant = Grant {
            permits: granted as u32, // at most `want`
            tat,
            now,
            epoch,
            holders: holders.try_into().unwrap_or(u32::MAX),
            state_missing: state.is_none(),
        };
        (Self { tat, epoch, counted, before }, grant)
    }

    /// Returns for how many milliseconds the server keeps a state that it writes at `now`.
    ///
    /// That is until the bucket is full and the count of holders is of no use, or
    /// [30 days](StateLoss::StartEmpty) if that is longer and the bucket starts empty.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_redis::protocol::{LeaseQuota, Request, ServerTime, State};
    /// use std::time::Duration;
    ///
    /// let quota = LeaseQuota::new(Quota::per_second(1_000), Duration::from_millis(100))?;
    /// let (state, _) = State::grant(None, &quota, &Request::new(100), ServerTime::ZERO);
    /// assert_eq!(state.lives_millis(&quota, ServerTime::ZERO), 100 + 2 * 200 + 1);
    /// # Ok::<(), casgate_redis::protocol::LeaseQuotaError>(())
    /// ```
    #[must_use]
    pub fn lives_millis(&self, quota: &LeaseQuota, now: ServerTime) -> u64 {
        let ahead = self.tat.as_micros().saturating_sub(now.as_micros());
        let live = (ahead + 2 * quota.epoch()).div_ceil(1_000) + 1;
        live.max(quota.kept())
    }
}
