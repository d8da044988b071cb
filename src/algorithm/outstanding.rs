use crate::decision::Snapshot;

/// What is outstanding of one quota, without an instant of a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Outstanding {
    /// Permits that are spent.
    pub(crate) permits: u32,
    /// Nanoseconds until the limiter is full.
    pub(crate) full_after: u64,
}

impl Outstanding {
    pub(crate) const fn of(snapshot: Snapshot) -> Self {
        let permits = snapshot.limit.saturating_sub(snapshot.remaining);
        Self { permits, full_after: snapshot.reset_after }
    }

    /// What is outstanding so much later.
    pub(crate) const fn after(self, elapsed: u64) -> Self {
        match self.full_after.checked_sub(elapsed) {
            None | Some(0) => Self { permits: 0, full_after: 0 },
            Some(full_after) => Self { full_after, ..self },
        }
    }
}
