mod acquire;
mod limit;
mod line;
mod miss;
mod refresh;
mod shared;
mod stats;
#[cfg(all(test, not(casgate_loom)))]
mod tests;

pub use acquire::AcquireError;
pub(crate) use miss::Miss;
pub(crate) use shared::Shared;
pub use stats::FleetStats;

use crate::answer::NotAdmitted;
use casgate::clock::{Clock, SystemClock};
use casgate::wait::{ThreadTimer, Timer};
use casgate::{Admitted, Snapshot, Timestamp};
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use event_listener::Listener;
use std::sync::Arc;
use std::time::Instant;

/// One limit for a fleet, in one of its processes.
///
/// ```no_run
/// use casgate::Quota;
/// use casgate_redis::{Fleet, NotAdmitted};
///
/// let fleet = Fleet::connect("redis://127.0.0.1/")?;
/// let api = fleet.limiter("api", Quota::per_second(1_000).with_burst(2_000))?;
/// match api.check() {
///     Ok(_) => println!("go on"),
///     Err(NotAdmitted::Denied(denied)) => println!("{denied}"),
///     Err(NotAdmitted::Unavailable(unavailable)) => println!("{unavailable}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A clone is another handle to the same limiter.
///
/// # What it promises
///
/// The fleet admits at most `burst + rate · time` permits on every interval of time, in all its
/// processes together. The [protocol](crate::protocol#where-it-does-not) lists what adds to that.
/// [Windows](crate::FleetQuota::window) admit at most the limit in each aligned window. Permits
/// that are admitted without a store are by the limit's own
/// [choice](crate::FleetQuota::on_unavailable), and not part of the bound.
///
/// # What a decision costs
///
/// - While a lease lives that has the permits, a decision is a lock-free exchange of one word. It
///   makes no call, takes no lock and no memory. The caller that takes a lease to half of its
///   permits wakes the thread that asks for the next one, for which it takes a short lock.
/// - If the last reply was short, a decision without permits is a [denial](NotAdmitted::Denied), at
///   once and without a call. A request for fewer permits than were denied is the exception: once
///   the store may have as many, it waits as below.
/// - If no lease lives, because nobody has asked for a while, the decision *waits for one*: usually
///   a round trip, and at most half of a lease's [lifetime](crate::FleetQuota::lifetime).
///   [`check`](Self::check) blocks the thread for so long, [`ask`](Self::ask) waits as a future.
/// - If the store is known to be down, a decision is at once what the limit says for that. The
///   first ones in an outage find it out, by waiting as above.
///
/// # Numbers
///
/// [`remaining`](Admitted::remaining) is what the process has leased, and not what the fleet has
/// left. An admission says what its own lease has left, and [`peek`](Self::peek) what the larger of
/// the two leases has. `reset_after` is by the last reply of the store. [Tickets](Admitted::ticket)
/// are not unique: they name the lease.
#[derive(Clone, Debug)]
pub struct FleetLimiter {
    shared: Arc<Shared>,
}

impl FleetLimiter {
    pub(crate) fn of(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Whether it is a handle to the same limiter.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Whether there is another handle, or the refresher works on it.
    pub(crate) fn is_held(&self) -> bool {
        Arc::strong_count(&self.shared) > 1
    }

    /// Asks for one permit now.
    ///
    /// ```no_run
    /// # fn of(limiter: &casgate_redis::FleetLimiter) {
    /// if limiter.check().is_ok() {
    ///     // do the work
    /// }
    /// # }
    /// ```
    ///
    /// If no lease lives, it [blocks the thread](#what-a-decision-costs), at most for half of a
    /// lease's [lifetime](crate::FleetQuota::lifetime). In async code call [`ask`](Self::ask).
    ///
    /// # Errors
    ///
    /// [`NotAdmitted`], and nothing is spent.
    #[inline]
    pub fn check(&self) -> Result<Admitted, NotAdmitted> {
        self.check_n(1)
    }

    /// Asks for `n` permits now: all or none. Zero are always admitted. It can block the thread as
    /// [`check`](Self::check) does.
    ///
    /// ```no_run
    /// # fn of(limiter: &casgate_redis::FleetLimiter) {
    /// if limiter.check_n(16).is_ok() {
    ///     // do the work
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotAdmitted`], and nothing is spent. The reason is
    /// [`NeverFits`](casgate::Reason::NeverFits) if `n` exceeds what Redis grants at once, which is
    /// [less](crate::FleetQuota::lifetime) than the burst, or if it exceeds 16,777,215.
    #[inline(always)] // The compiler takes it for too long, and a call is a third of a decision.
    pub fn check_n(&self, n: u32) -> Result<Admitted, NotAdmitted> {
        // A lease that will live in `max_lag` lives now, however old the cheap timestamp is within that.
        let recent = SystemClock.recent();
        match self.shared.spend(n, recent + SystemClock.max_lag(), recent) {
            Some(admitted) => Ok(admitted),
            None => self.check_n_now(n),
        }
    }

    /// Not inlined, so that [`check_n`](Self::check_n) is small enough to be.
    #[cold]
    fn check_n_now(&self, n: u32) -> Result<Admitted, NotAdmitted> {
        self.check_n_at(n, SystemClock.now())
    }

    /// Asks for `n` permits at `now`, which must be a *precise* timestamp of [`SystemClock`], just
    /// read. Permits are spent after their lease for as long as it is late. Everything else is as
    /// in [`check_n`](Self::check_n).
    ///
    /// [`Admitted::at`] is the timestamp by which the permits were spent, after the wait if there
    /// was one.
    ///
    /// ```no_run
    /// use casgate::clock::{Clock, SystemClock};
    /// # fn of(limiter: &casgate_redis::FleetLimiter) {
    /// if limiter.check_n_at(1, SystemClock.now()).is_ok() {
    ///     // do the work
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`check_n`](Self::check_n).
    #[inline]
    pub fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, NotAdmitted> {
        match self.shared.spend(n, now, now) {
            Some(admitted) => Ok(admitted),
            None => self.block(n, now),
        }
    }

    #[cold]
    fn block(&self, n: u32, since: Timestamp) -> Result<Admitted, NotAdmitted> {
        match self.shared.miss(n, since) {
            Ok(admitted) => return Ok(admitted),
            Err(Miss::Not(not)) => return Err(not),
            Err(Miss::Soon) => {}
        }
        let deadline = Instant::now() + self.shared.lifetime / 2;
        loop {
            // Listens before it looks: a reply in between is not missed.
            let listener = self.shared.refreshed.listen();
            if let Some(decided) = self.decide(n) {
                return decided;
            }
            if listener.wait_deadline(deadline).is_none() {
                return self.shared.give_up(n, since, SystemClock.now());
            }
        }
    }

    /// Asks for `n` permits, and awaits the next lease where [`check_n`](Self::check_n) blocks: for
    /// async code.
    ///
    /// ```no_run
    /// # async fn of(limiter: &casgate_redis::FleetLimiter) {
    /// if limiter.ask(1).await.is_ok() {
    ///     // do the work
    /// }
    /// # }
    /// ```
    ///
    /// The future can be dropped at any time. It spends permits only when it is ready.
    ///
    /// # Errors
    ///
    /// As [`check_n`](Self::check_n).
    pub async fn ask(&self, n: u32) -> Result<Admitted, NotAdmitted> {
        let since = SystemClock.now();
        if let Some(decided) = self.decide(n) {
            return decided;
        }
        let mut late = ThreadTimer.sleep(self.shared.lifetime / 2);
        loop {
            // Listens before it looks: a reply in between is not missed.
            let mut listener = self.shared.refreshed.listen();
            if let Some(decided) = self.decide(n) {
                return decided;
            }
            let is_late = poll_fn(|cx| {
                if pin!(&mut listener).poll(cx).is_ready() {
                    return Poll::Ready(false);
                }
                pin!(&mut late).poll(cx).map(|()| true)
            });
            if is_late.await {
                return self.shared.give_up(n, since, SystemClock.now());
            }
        }
    }

    /// `None`: a lease will soon be here.
    fn decide(&self, n: u32) -> Option<Result<Admitted, NotAdmitted>> {
        let now = SystemClock.now();
        match self.shared.spend(n, now, now).map_or_else(|| self.shared.miss(n, now), Ok) {
            Ok(admitted) => Some(Ok(admitted)),
            Err(Miss::Not(not)) => Some(Err(not)),
            Err(Miss::Soon) => None,
        }
    }

    /// Returns the permits that this process has leased: the most that one request can have now.
    ///
    /// ```no_run
    /// # fn of(limiter: &casgate_redis::FleetLimiter) {
    /// println!("{} at hand", limiter.peek().remaining());
    /// # }
    /// ```
    #[must_use]
    pub fn peek(&self) -> Snapshot {
        self.shared.snapshot(SystemClock.now())
    }

    /// Gives back the permits of an admission whose work was not done, for others of this process.
    /// They go back to the lease that they are of. They are lost if it is over, or if another lease
    /// has taken its place.
    ///
    /// ```no_run
    /// # fn of(limiter: &casgate_redis::FleetLimiter) {
    /// if let Ok(admitted) = limiter.check() {
    ///     limiter.refund(&admitted);
    /// }
    /// # }
    /// ```
    pub fn refund(&self, admitted: &Admitted) {
        let now = SystemClock.now();
        if self.shared.stock.give_back(admitted.permits(), admitted.ticket(), now) {
            // Callers that wait for a lease may find enough now, and the refresher then asks for none.
            self.shared.refreshed.notify(usize::MAX);
        }
    }

    /// Spends `n` permits after the fact, for a cost that is known afterwards. Permits that the
    /// leases of this process do not have are taken from later ones before they admit anything.
    ///
    /// ```no_run
    /// # fn of(limiter: &casgate_redis::FleetLimiter) {
    /// limiter.charge(40);
    /// # }
    /// ```
    pub fn charge(&self, n: u32) {
        self.shared.charge(n, SystemClock.now());
    }

    /// Returns what the limiter has done in this process.
    ///
    /// ```no_run
    /// # fn of(limiter: &casgate_redis::FleetLimiter) {
    /// println!("{} calls", limiter.stats().calls);
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> FleetStats {
        self.shared.stats()
    }
}
