use core::time::Duration;

/// What a process does without a lease while the store does not answer.
///
/// ```
/// use casgate_redis::OnUnavailable;
/// use std::time::Duration;
///
/// // A quarter of the quota for half a minute, for one of about four processes. Then nothing.
/// let on_unavailable = OnUnavailable::share(4)
///     .for_at_most(Duration::from_secs(30))
///     .then(OnUnavailable::deny());
/// # drop(on_unavailable);
/// ```
///
/// All permits that are admitted in this way are counted in the [statistics](crate::FleetStats).
/// The process reports them to the store when it answers again. At a rate the bucket is then empty.
/// A [window](crate::FleetQuota::window) has so many fewer left: the process pays with the first
/// permits that it leases in that window. If the others have leased the rest by then, or the window
/// is over, what was admitted comes on top of its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnUnavailable {
    phases: Phases,
}

/// What to do, and for how long at most, in order. The last one has no end.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phases {
    Last(Degraded),
    First(Degraded, Duration, Box<Phases>),
}

/// How a process decides by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Degraded {
    Deny,
    Share { expected: u32 },
    Allow,
}

impl OnUnavailable {
    /// Denies all requests. The fleet keeps its bound.
    ///
    /// ```
    /// # use casgate_redis::OnUnavailable;
    /// assert_eq!(OnUnavailable::default(), OnUnavailable::deny());
    /// ```
    #[must_use]
    pub const fn deny() -> Self {
        Self { phases: Phases::Last(Degraded::Deny) }
    }

    /// Admits a share of the quota: one part of as many as there are processes. That number is the
    /// last that the store has reported, or `expected` if that is more. Zero counts as one.
    ///
    /// The bucket of the share is empty at first, and full if the store never answered this
    /// process. If all processes are cut off, they keep the quota together as long as they are no
    /// more than that number. A share has room for one permit at least, so more processes than
    /// permits of the burst can have one each. If `m` of `n` are cut off, the fleet can have
    /// `1 + m / n` times the quota, since the processes with a store share all of it.
    ///
    /// ```
    /// # use casgate_redis::OnUnavailable;
    /// let one_of_four = OnUnavailable::share(4);
    /// # drop(one_of_four);
    /// ```
    #[must_use]
    pub const fn share(expected: u32) -> Self {
        Self { phases: Phases::Last(Degraded::Share { expected }) }
    }

    /// Admits everything. There is no bound.
    ///
    /// ```
    /// # use casgate_redis::OnUnavailable;
    /// # use std::time::Duration;
    /// let fail_open = OnUnavailable::allow().for_at_most(Duration::from_secs(5)).then(OnUnavailable::deny());
    /// # drop(fail_open);
    /// ```
    #[must_use]
    pub const fn allow() -> Self {
        Self { phases: Phases::Last(Degraded::Allow) }
    }

    /// Ends this after `time` without the store, counted from the first decision that would need
    /// it. Then another way begins, which [`then`](OnUnavailableFor::then) names.
    ///
    /// ```
    /// # use casgate_redis::OnUnavailable;
    /// # use std::time::Duration;
    /// let brief = OnUnavailable::allow().for_at_most(Duration::from_secs(1)).then(OnUnavailable::share(2));
    /// # drop(brief);
    /// ```
    pub const fn for_at_most(self, time: Duration) -> OnUnavailableFor {
        OnUnavailableFor { first: self, time }
    }

    /// What to do when the outage has lasted for so long.
    pub(crate) fn after(&self, mut lasted: Duration) -> Degraded {
        let mut phases = &self.phases;
        loop {
            match phases {
                Phases::Last(degraded) => return *degraded,
                Phases::First(degraded, time, _) if lasted < *time => return *degraded,
                Phases::First(_, time, then) => {
                    lasted -= *time;
                    phases = then;
                }
            }
        }
    }
}

impl Default for OnUnavailable {
    fn default() -> Self {
        Self::deny()
    }
}

/// An [`OnUnavailable`] that ends, and needs another after it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "`then` makes it whole"]
pub struct OnUnavailableFor {
    first: OnUnavailable,
    time: Duration,
}

impl OnUnavailableFor {
    /// Returns both in order.
    ///
    /// ```
    /// # use casgate_redis::OnUnavailable;
    /// # use std::time::Duration;
    /// let brief = OnUnavailable::allow().for_at_most(Duration::from_secs(1)).then(OnUnavailable::share(2));
    /// # drop(brief);
    /// ```
    #[must_use]
    pub fn then(self, next: OnUnavailable) -> OnUnavailable {
        OnUnavailable { phases: self.first.phases.for_at_most(self.time, next.phases) }
    }
}

impl Phases {
    /// The end of the last phase is the beginning of `next`.
    fn for_at_most(self, time: Duration, next: Self) -> Self {
        match self {
            Self::Last(degraded) => Self::First(degraded, time, Box::new(next)),
            Self::First(degraded, first, rest) if first < time => {
                Self::First(degraded, first, Box::new(rest.for_at_most(time - first, next)))
            }
            Self::First(degraded, _, _) => Self::First(degraded, time, Box::new(next)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn phases_follow_each_other() {
        let policy = OnUnavailable::allow()
            .for_at_most(secs(1))
            .then(OnUnavailable::share(3).for_at_most(secs(10)).then(OnUnavailable::deny()));
        for (lasted, expected) in [
            (0, Degraded::Allow),
            (1, Degraded::Share { expected: 3 }),
            (10, Degraded::Share { expected: 3 }),
            (11, Degraded::Deny),
            (u64::MAX, Degraded::Deny),
        ] {
            assert_eq!(policy.after(secs(lasted)), expected, "{lasted}");
        }
    }

    #[test]
    fn a_limit_around_phases_cuts_them() {
        let inner = OnUnavailable::allow().for_at_most(secs(2)).then(OnUnavailable::share(3));
        for (most, at_one, at_three, at_six) in [
            (1, Degraded::Deny, Degraded::Deny, Degraded::Deny),
            (5, Degraded::Allow, Degraded::Share { expected: 3 }, Degraded::Deny),
        ] {
            let policy = inner.clone().for_at_most(secs(most)).then(OnUnavailable::deny());
            assert_eq!([1, 3, 6].map(|at| policy.after(secs(at))), [at_one, at_three, at_six]);
        }
    }
}
