use super::{WindowGrant, WindowQuota, WindowRequest};
use crate::protocol::ServerTime;
use core::time::Duration;
use std::collections::BTreeMap;

/// What the server keeps of a window, and the window script as a pure function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WindowState {
    /// The window, by its number since 1970. Field `w`.
    pub window: u64,
    /// The permits granted in it, less those returned. Field `u`.
    pub used: u64,
    /// The last return of each holder, by its sequence number. Field `r:` with the holder.
    pub returns: BTreeMap<u64, u64>,
}

impl WindowState {
    /// Decides as [`Script::WINDOW`](crate::protocol::Script::WINDOW) does, to the last number: the
    /// state that follows, and the reply. The script writes a state that differs, and no other.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_redis::protocol::{Returned, ServerTime, WindowQuota, WindowRequest, WindowState};
    ///
    /// let quota = WindowQuota::new(Quota::per_second(100))?;
    /// let now = ServerTime::from_micros(2_500_000);
    /// let (state, grant) = WindowState::grant(None, &quota, &WindowRequest::new(80, 7), now);
    /// assert_eq!((grant.permits, grant.window, grant.left), (50, 2, 50)); // half of what is left
    ///
    /// let back = WindowRequest::new(0, 7).returning(Returned { permits: 20, window: 2, sequence: 1 });
    /// let (state, grant) = WindowState::grant(Some(state), &quota, &back, now);
    /// assert_eq!(grant.left, 70);
    /// let (_, grant) = WindowState::grant(Some(state), &quota, &back, now);
    /// assert_eq!(grant.left, 70); // the same return has no second effect
    /// # Ok::<(), casgate_redis::protocol::WindowQuotaError>(())
    /// ```
    #[must_use]
    pub fn grant(
        state: Option<Self>,
        quota: &WindowQuota,
        request: &WindowRequest,
        now: ServerTime,
    ) -> (Self, WindowGrant) {
        let (length, now) = (quota.length(), now.as_micros());
        let window = now / length;
        let empty = Self { window, used: 0, returns: BTreeMap::new() };
        let mut state = state.filter(|state| state.window >= window).unwrap_or(empty);
        if state.window != window + 1 {
            state.window = window;
        }
        if let Some(returned) = request.returned() {
            let mark = state.returns.get(&request.holder()).copied().unwrap_or(0);
            if returned.permits > 0 && returned.window == state.window && returned.sequence > mark {
                state.used = state.used.saturating_sub(returned.permits.into());
                state.returns.insert(request.holder(), returned.sequence);
            }
        }
        let left = u64::from(quota.quota().permits()).saturating_sub(state.used);
        let share = left.div_ceil(2 * u64::from(request.holders())).max(1);
        let least = u64::from(request.least());
        let granted = left.min(request.want().into()).min(share.max(least));
        let granted = if granted < least { 0 } else { granted };
        state.used += granted;
        let grant = WindowGrant {
            permits: granted as u32, // at most what is wanted
            window: state.window,
            ends_in: Duration::from_micros((state.window + 1) * length - now - 1),
            left: (left - granted) as u32, // at most the limit
        };
        (state, grant)
    }

    /// Returns for how many milliseconds the server keeps a state that it writes at `now`: until
    /// the end of the next window.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_redis::protocol::{ServerTime, WindowQuota, WindowRequest, WindowState};
    /// let quota = WindowQuota::new(Quota::per_second(100))?;
    /// let (state, _) = WindowState::grant(None, &quota, &WindowRequest::new(80, 7), ServerTime::ZERO);
    /// assert_eq!(state.lives_millis(&quota, ServerTime::ZERO), 2_001);
    /// # Ok::<(), casgate_redis::protocol::WindowQuotaError>(())
    /// ```
    #[must_use]
    pub fn lives_millis(&self, quota: &WindowQuota, now: ServerTime) -> u64 {
        let ends = self.window.saturating_add(2).saturating_mul(quota.length());
        ends.saturating_sub(now.as_micros()).div_ceil(1_000) + 1
    }
}
