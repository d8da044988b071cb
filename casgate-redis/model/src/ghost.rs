use crate::run::Run;

/// What an observer knows who sees every spent permit, and what the server goes through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Ghost {
    /// The most, over every interval that ends now, of the permits spent less what refilled. It is what is outstanding
    /// in a bucket that never denies. So it stays within the burst if and only if every interval keeps the bound.
    level: u16,
    /// The same over intervals that begin a lifetime after the last event, or later.
    level_since: Option<u16>,
    /// Parts of a microsecond since the last event, until its leases are over.
    event: Option<u8>,
    /// The permits by which an interval that saw an event may exceed the burst.
    extra: u8,
    /// Whole microseconds of the server in which nothing was granted, up to the cost of a permit.
    quiet: u8,
    /// No request has run since the last event.
    unaware: bool,
    pub(crate) failure: Option<&'static str>,
}

impl Ghost {
    pub(crate) fn begin() -> Self {
        Self { unaware: true, ..Self::default() }
    }

    pub(crate) fn spent(&mut self, run: &Run) {
        let permit = u16::from(run.parts) * run.period;
        self.level += permit;
        let most = (run.bound() + u16::from(self.extra)) * permit;
        let since = self.level_since.as_mut().map_or(0, |level| {
            *level += permit;
            *level
        });
        if self.level > most || since > run.bound() * permit {
            self.failure = Some("a bound");
        }
    }

    pub(crate) fn event(&mut self, extra: u8) {
        self.extra += extra;
        self.event = Some(0);
        self.level_since = None;
        self.unaware = true;
    }

    /// A request ran. It must be granted a permit when none was for as long as one takes, unless it brings an old TAT.
    pub(crate) fn ran(&mut self, run: &Run, granted: bool, resets: bool) {
        let resets = resets || self.unaware;
        if !granted && !resets && self.quiet >= run.permit_micros() {
            self.failure = Some("c served");
        }
        if granted || resets {
            self.quiet = 0;
        }
        self.unaware = false;
    }

    pub(crate) fn part(&mut self, run: &Run) {
        self.level = self.level.saturating_sub(run.permits);
        if let Some(level) = &mut self.level_since {
            *level = level.saturating_sub(run.permits);
        }
        if let Some(since) = &mut self.event {
            *since += 1;
            if u16::from(*since) > u16::from(run.parts) * run.lifetime {
                self.event = None;
                self.level_since = Some(0);
            }
        }
        // No interval that saw the event can tell any more.
        if self.level_since == Some(self.level) {
            (self.level_since, self.extra) = (None, 0);
        }
    }

    pub(crate) fn microsecond(&mut self, run: &Run) {
        self.quiet = (self.quiet + 1).min(run.permit_micros());
    }
}
