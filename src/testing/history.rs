use crate::{Admitted, Denied, Timestamp};
use std::fmt;
use std::ops::RangeBounds;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A finished call, and its place in real time: call a came before call b if
/// `a.returned < b.invoked`; otherwise they overlapped.
///
/// ```
/// use casgate::testing::History;
/// use casgate::{Limiter, Quota, Timestamp};
///
/// let limiter = Limiter::fixed_window(Quota::per_second(1));
/// let history = History::default();
/// for caller in [7, 8] {
///     history.record(caller, 1, Timestamp::ZERO, |n, now| limiter.check_n_at(n, now));
/// }
/// let calls = history.calls();
/// assert_eq!(calls[0].caller, 7);
/// assert!(calls[0].returned < calls[1].invoked);
/// assert!(calls[1].outcome.is_err());
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Call {
    /// The number of the caller.
    pub caller: usize,
    /// The permits asked for.
    pub n: u32,
    /// The timestamp that the call carried.
    pub now: Timestamp,
    /// When it was invoked, in steps of the history.
    pub invoked: usize,
    /// When it returned, in the same steps.
    pub returned: usize,
    /// What it returned.
    pub outcome: Result<Admitted, Denied>,
}

/// The calls of concurrent callers, and what must hold of them in whatever order they came.
///
/// Safe to share. The assertions print the whole history when they fail, one line a call with a
/// bar from its invocation to its return. They expect calls of one limiter that is not
/// [reset](crate::Limiter::reset) in between.
///
/// ```
/// use casgate::testing::History;
/// use casgate::{Limiter, Quota, Timestamp};
///
/// let limiter = Limiter::fixed_window(Quota::per_second(2));
/// let history = History::default();
/// for caller in 0..3 {
///     history.record(caller, 1, Timestamp::ZERO, |n, now| limiter.check_n_at(n, now));
/// }
/// history.assert_admitted(.., 2);
/// history.assert_tickets_in_order();
/// history.assert_tickets_gap_free(..);
/// history.assert_denials_final();
/// ```
#[derive(Debug, Default)]
pub struct History(Mutex<Log>);

// Not `sync`'s: the bookkeeping must add no interleaving when a model checker runs it.
#[derive(Clone, Debug, Default)]
struct Log {
    steps: usize,
    calls: Vec<Call>,
}

impl Log {
    fn step(&mut self) -> usize {
        self.steps += 1;
        self.steps - 1
    }
}

impl History {
    /// Makes a call of `n` permits at `now`, and records it unless it panics.
    ///
    /// ```
    /// # use casgate::testing::History;
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let limiter = Limiter::fixed_window(Quota::per_second(1));
    /// let history = History::default();
    /// let outcome = history.record(0, 1, Timestamp::ZERO, |n, now| limiter.check_n_at(n, now));
    /// assert!(outcome.is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// The error that the call itself returned.
    pub fn record(
        &self,
        caller: usize,
        n: u32,
        now: Timestamp,
        call: impl FnOnce(u32, Timestamp) -> Result<Admitted, Denied>,
    ) -> Result<Admitted, Denied> {
        let invoked = self.log().step();
        let outcome = call(n, now);
        let mut log = self.log();
        let returned = log.step();
        log.calls.push(Call { caller, n, now, invoked, returned, outcome });
        outcome
    }

    /// Returns the calls that have returned, in the order of their invocation.
    ///
    /// ```
    /// assert!(casgate::testing::History::default().calls().is_empty());
    /// ```
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        let mut calls = self.log().calls.clone();
        calls.sort_by_key(|call| call.invoked);
        calls
    }

    /// Returns the permits admitted with timestamps in `window`.
    ///
    /// ```
    /// # use casgate::testing::History;
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # let limiter = Limiter::fixed_window(Quota::per_second(5));
    /// let history = History::default();
    /// let _ = history.record(0, 4, Timestamp::ZERO, |n, now| limiter.check_n_at(n, now));
    /// assert_eq!(history.admitted(..Timestamp::from_secs(1)), 4);
    /// assert_eq!(history.admitted(Timestamp::from_secs(1)..), 0);
    /// ```
    #[must_use]
    pub fn admitted(&self, window: impl RangeBounds<Timestamp>) -> u64 {
        self.admissions(&window).map(|(call, _)| u64::from(call.n)).sum()
    }

    /// Asserts that exactly `permits` were admitted with timestamps in `window`, by any caller.
    ///
    /// # Panics
    ///
    /// If the number is another one.
    ///
    /// ```should_panic
    /// casgate::testing::History::default().assert_admitted(.., 1);
    /// ```
    #[track_caller]
    pub fn assert_admitted(&self, window: impl RangeBounds<Timestamp>, permits: u64) {
        let admitted = self.admitted(window);
        assert!(admitted == permits, "admitted {admitted} permits, not {permits}\n{self}");
    }

    /// Asserts that tickets are unique, and that no call has a lower ticket than one that returned
    /// before it began.
    ///
    /// # Panics
    ///
    /// If they are not.
    ///
    /// ```should_panic
    /// # use casgate::testing::History;
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// let history = History::default();
    /// for caller in 0..2 {
    ///     let own = Limiter::fixed_window(Quota::per_second(1)); // not the same limiter
    ///     let _ = history.record(caller, 1, Timestamp::ZERO, |n, now| own.check_n_at(n, now));
    /// }
    /// history.assert_tickets_in_order();
    /// ```
    #[track_caller]
    pub fn assert_tickets_in_order(&self) {
        let mut admissions: Vec<(Call, u64)> = self.admissions(&..).collect();
        admissions.sort_by_key(|&(_, ticket)| ticket);
        let mut latest_invoked = 0;
        let mut previous = None;
        for (call, ticket) in admissions {
            assert!(previous != Some(ticket), "ticket {ticket} was handed out twice\n{self}");
            assert!(
                latest_invoked <= call.returned,
                "ticket {ticket}: a lower one went to a call that came later\n{self}"
            );
            latest_invoked = latest_invoked.max(call.invoked);
            previous = Some(ticket);
        }
    }

    /// Asserts that tickets are consecutive, `n` for a request of `n` permits: those of the
    /// admissions with timestamps in `window`, which lie in one window of the limiter.
    ///
    /// # Panics
    ///
    /// If a number is missing or was handed out twice.
    ///
    /// ```should_panic
    /// # use casgate::testing::History;
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # let limiter = Limiter::fixed_window(Quota::per_second(9));
    /// let history = History::default();
    /// for caller in 0..2 {
    ///     let _ = history.record(caller, 1, Timestamp::ZERO, |n, now| limiter.check_n_at(n, now));
    ///     let _unrecorded = limiter.check_at(Timestamp::ZERO);
    /// }
    /// history.assert_tickets_gap_free(..);
    /// ```
    #[track_caller]
    pub fn assert_tickets_gap_free(&self, window: impl RangeBounds<Timestamp>) {
        let mut taken: Vec<(u64, u64)> =
            self.admissions(&window).map(|(call, last)| (last - u64::from(call.n), last)).collect();
        taken.sort_unstable();
        for pair in taken.windows(2) {
            let (last, before_next) = (pair[0].1, pair[1].0);
            assert!(last == before_next, "after ticket {last} comes {}\n{self}", before_next + 1);
        }
    }

    /// Asserts that once a denial has returned, no later call with the same timestamp is admitted
    /// as many permits or more.
    ///
    /// # Panics
    ///
    /// If one was.
    ///
    /// ```should_panic
    /// # use casgate::testing::History;
    /// # use casgate::{Limiter, Quota, Timestamp};
    /// # let limiter = Limiter::fixed_window(Quota::per_second(1));
    /// let history = History::default();
    /// for caller in 0..3 {
    ///     let _ = history.record(caller, 1, Timestamp::ZERO, |n, now| limiter.check_n_at(n, now));
    ///     if caller == 1 {
    ///         limiter.reset();
    ///     }
    /// }
    /// history.assert_denials_final();
    /// ```
    #[track_caller]
    pub fn assert_denials_final(&self) {
        let calls = self.calls();
        for denied in calls.iter().filter(|call| call.outcome.is_err()) {
            let later = |call: &&Call| call.now == denied.now && denied.returned < call.invoked;
            for call in calls.iter().filter(later) {
                assert!(
                    call.outcome.is_err() || call.n < denied.n,
                    "caller {} was admitted after caller {} was denied\n{self}",
                    call.caller,
                    denied.caller
                );
            }
        }
    }

    /// Not those of zero permits: they spend nothing and take no ticket.
    fn admissions(
        &self,
        window: &impl RangeBounds<Timestamp>,
    ) -> impl Iterator<Item = (Call, u64)> {
        self.calls()
            .into_iter()
            .filter(|call| call.n > 0 && window.contains(&call.now))
            .filter_map(|call| Some((call, call.outcome.ok()?.ticket())))
    }

    /// Calls of another history, in the steps that they came in, renumbered.
    pub(super) fn adopt(&self, calls: impl Iterator<Item = Call>) {
        let mut calls: Vec<Call> = calls.collect();
        let mut steps: Vec<usize> =
            calls.iter().flat_map(|call| [call.invoked, call.returned]).collect();
        steps.sort_unstable();
        let renumbered = |step: usize| steps.partition_point(|&other| other < step);
        for call in &mut calls {
            (call.invoked, call.returned) = (renumbered(call.invoked), renumbered(call.returned));
        }
        *self.log() = Log { steps: steps.len(), calls };
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // No step of the log can panic halfway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line a call, with a bar from its invocation to its return.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.log().steps;
        for Call { caller, n, now, invoked, returned, outcome } in self.calls() {
            let bar: String = (0..width)
                .map(|step| match step {
                    step if step == invoked => '[',
                    step if step == returned => ']',
                    step if invoked < step && step < returned => '-',
                    _ => ' ',
                })
                .collect();
            let now = now.as_nanos();
            write!(f, "  caller {caller} |{bar}| {n} at {now}: ")?;
            match outcome {
                Ok(admitted) => writeln!(f, "admitted, ticket {}", admitted.ticket())?,
                Err(_) => writeln!(f, "denied")?,
            }
        }
        Ok(())
    }
}
