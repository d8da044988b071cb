use super::FleetStats;
use super::line::Line;
use crate::answer::{NotAdmitted, Unavailable};
use crate::bell::Bell;
use crate::breaker::Breaker;
use crate::fleet::Handle;
use crate::holder::{Holder, Look, Step, Trip, Wanted, merge};
use crate::outage::{Alone, Outage};
use crate::protocol::ReplyError;
use crate::quota::{FleetQuota, FleetQuotaError};
use crate::standing::Standing;
use crate::stock::{Spent, Stock, Word};
use casgate::{Admitted, Denied, Snapshot, Timestamp};
use core::time::Duration;
use event_listener::Event;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One limit of this process, as its callers and the refresher share it.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) stock: Stock,
    key: String,
    /// What is told as the limit.
    limit: u32,
    /// The most permits of one request.
    most: u32,
    /// The time in which a permit refills, or zero if all refill together.
    interval: Duration,
    pub(crate) lifetime: Duration,
    /// A [`Standing`], and for how many permits a denial counts.
    standing: AtomicU64,
    least: AtomicU32,
    /// When the limit is full again, by the last reply.
    full_at: AtomicU64,
    bell: Bell,
    /// Permits that were charged and are not paid.
    debt: AtomicU64,
    /// Replies, of either kind.
    pub(crate) refreshed: Event,
    /// Who waits first.
    pub(super) line: Line,
    /// When the last request was sent that had a reply.
    answered_at: AtomicU64,
    outage: Outage,
    mind: Mutex<Mind>,
    counts: Counts,
    fleet: Arc<Handle>,
}

/// What the refresher alone uses.
#[derive(Debug)]
struct Mind {
    holder: Box<dyn Holder>,
    /// The permits spent without a lease that a reply accounts for, and those that the request under way does.
    accounted: u64,
    accounting: u64,
    /// What callers want, and no look has seen yet.
    heard: Option<Wanted>,
    /// Whether a request is under way.
    is_asked: bool,
    /// When the store may be asked again, if it failed for this limit.
    retry_at: Timestamp,
    breaker: Breaker,
    /// When the refresher looks by itself: later alarms need not be set, and earlier ones count no more.
    alarm: Timestamp,
}

#[derive(Debug, Default)]
struct Counts {
    calls: AtomicU64,
    failures: AtomicU64,
    leased: AtomicU64,
    losses: AtomicU64,
}

/// What is told as a wait when a reply is due at any moment.
const SOONEST: Duration = Duration::from_millis(1);

/// Why a request is not decided.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Miss {
    /// It is not admitted.
    Not(NotAdmitted),
    /// A lease was asked for, and will soon be here.
    Soon,
}

impl Shared {
    pub(crate) fn new(
        name: &str,
        quota: &FleetQuota,
        fleet: Arc<Handle>,
    ) -> Result<Self, FleetQuotaError> {
        let (holder, most) = quota.holder()?;
        let rate = quota.quota();
        Ok(Self {
            stock: Stock::new(),
            key: format!("casgate:{name}:{}", quota.id()),
            limit: rate.burst(),
            most: most.min(Word::MOST),
            interval: if holder.returns() {
                Duration::ZERO
            } else {
                rate.period() / rate.permits()
            },
            lifetime: quota.get_lifetime(),
            standing: AtomicU64::new(Standing::Ask.bits()),
            least: AtomicU32::new(0),
            full_at: AtomicU64::new(0),
            bell: Bell::new(),
            debt: AtomicU64::new(0),
            refreshed: Event::new(),
            line: Line::default(),
            answered_at: AtomicU64::new(0),
            outage: Outage::new(quota),
            mind: Mutex::new(Mind {
                holder,
                accounted: 0,
                accounting: 0,
                heard: None,
                is_asked: false,
                retry_at: Timestamp::ZERO,
                breaker: Breaker::default(),
                alarm: Timestamp::ZERO,
            }),
            counts: Counts::default(),
            fleet,
        })
    }

    /// Spends permits of a lease that lives at `alive_at`, by a timestamp `now` that may be cheaper. The path of most
    /// decisions: one exchange.
    #[inline]
    pub(crate) fn spend(
        self: &Arc<Self>,
        permits: u32,
        alive_at: Timestamp,
        now: Timestamp,
    ) -> Option<Admitted> {
        if permits == 0 {
            return Some(self.admitted(0, now, Spent { left: 0, tick: 0, is_low: false }));
        }
        let spent = self.stock.spend(permits, alive_at)?;
        if spent.is_low {
            self.ask();
        }
        Some(self.admitted(permits, now, spent))
    }

    #[inline]
    fn admitted(&self, permits: u32, now: Timestamp, spent: Spent) -> Admitted {
        let after = Snapshot::new(self.limit, spent.left, self.reset_after(now));
        Admitted::new(permits, now, spent.tick, after)
    }

    #[inline]
    pub(crate) fn snapshot(&self, now: Timestamp) -> Snapshot {
        let left = self.stock.left(now).into_iter().max().unwrap_or(0);
        Snapshot::new(self.limit, left, self.reset_after(now))
    }

    #[inline]
    fn reset_after(&self, now: Timestamp) -> Duration {
        Timestamp::from_nanos(self.full_at.load(Ordering::Relaxed)) - now
    }

    /// Decides about permits that no lease has.
    #[cold]
    pub(crate) fn miss(self: &Arc<Self>, permits: u32, now: Timestamp) -> Result<Admitted, Miss> {
        let denied =
            |wait| Miss::Not(NotAdmitted::Denied(Denied::new(permits, self.snapshot(now), wait)));
        if self.never_fits(permits) {
            let never =
                Snapshot::new(self.most, self.snapshot(now).remaining(), self.reset_after(now));
            return Err(Miss::Not(NotAdmitted::Denied(Denied::new(permits, never, None))));
        }
        match self.standing(now) {
            Standing::Ask => {
                self.want(permits);
                Err(Miss::Soon)
            }
            Standing::Denied { until } => {
                if now >= until {
                    self.want(permits);
                } else {
                    // At that instant the refresher looks by itself.
                    self.bell.hint(permits);
                }
                let more = permits.saturating_sub(self.least.load(Ordering::Relaxed));
                Err(denied(Some((until - now).max(SOONEST) + self.interval * more)))
            }
            Standing::Down { until } => {
                self.want(permits);
                match self.outage.decide(permits, now, self.fleet.recoveries()) {
                    Alone::Shared(admitted) => Ok(admitted),
                    Alone::Allowed => Ok(Admitted::new(
                        permits,
                        now,
                        0,
                        Snapshot::new(self.limit, 0, until - now),
                    )),
                    Alone::Denied(own) => Err(denied(own.retry_after())),
                    Alone::Unavailable => Err(Miss::Not(NotAdmitted::Unavailable(
                        self.unavailable(permits, until - now),
                    ))),
                }
            }
        }
    }

    /// Whether so many permits are never admitted together.
    pub(crate) const fn never_fits(&self, permits: u32) -> bool {
        permits > self.most
    }

    fn unavailable(&self, permits: u32, wait: Duration) -> Unavailable {
        Unavailable {
            retry_after: wait.max(SOONEST),
            cause: self.fleet.cause(),
            permits,
            limit: self.limit,
        }
    }

    /// Decides about permits for which no lease came in time. The wait began at `since`.
    pub(crate) fn give_up(
        self: &Arc<Self>,
        permits: u32,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Admitted, NotAdmitted> {
        if let Some(admitted) = self.spend(permits, now, now) {
            return Ok(admitted);
        }
        if self.answered_at.load(Ordering::Relaxed) >= since.as_nanos() {
            // The store answers, and others were faster.
            let wait = Some(self.lifetime / 4);
            return Err(NotAdmitted::Denied(Denied::new(permits, self.snapshot(now), wait)));
        }
        let seen = self.standing.load(Ordering::Relaxed);
        if Standing::from_bits(seen).at(now, self.lifetime) == Standing::Ask {
            let down = Standing::Down { until: now + self.lifetime };
            // If a reply has come meanwhile, its standing holds.
            let _ = self.standing.compare_exchange(
                seen,
                down.bits(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
        self.miss(permits, now).map_err(|miss| match miss {
            Miss::Not(not) => not,
            Miss::Soon => NotAdmitted::Unavailable(self.unavailable(permits, self.lifetime)),
        })
    }

    fn standing(&self, now: Timestamp) -> Standing {
        let own = Standing::from_bits(self.standing.load(Ordering::Relaxed)).at(now, self.lifetime);
        let until = self.fleet.down_until();
        // A limit that is new, or was idle, need not find out by itself.
        if own == Standing::Ask && until > Timestamp::ZERO {
            Standing::Down { until }.at(now, self.lifetime)
        } else {
            own
        }
    }

    /// Asks the refresher for so many permits.
    fn want(self: &Arc<Self>, permits: u32) {
        self.bell.note(permits);
        self.ask();
    }

    /// Tells the refresher to look, once.
    pub(crate) fn ask(self: &Arc<Self>) {
        if self.bell.ring() {
            self.fleet.push(Arc::clone(self));
        }
    }
}

/// The refresher's side.
impl Shared {
    /// Decides whether to ask the store. `probing`: the store has failed.
    pub(crate) fn look(&self, now: Timestamp, probing: bool) -> Step {
        let mut mind = self.mind();
        if now < mind.retry_at {
            // It stays queued: until then nobody need tell.
            return Step::LookAt(mind.retry_at);
        }
        mind.heard = merge(mind.heard, self.bell.hear());
        if mind.is_asked {
            return Step::Rest;
        }
        let wanted = mind.heard.take();
        self.take_back(&mut mind, now);
        let spent = self.outage.spent();
        let look = Look {
            now,
            left: self.stock.left(now),
            stock: self.stock.permits(),
            wanted,
            debt: self.debt.load(Ordering::Relaxed).try_into().unwrap_or(u32::MAX),
            overspent: spent > mind.accounted,
            probing,
        };
        let step = mind.holder.look(&look);
        if matches!(step, Step::Ask { .. }) {
            mind.accounting = spent;
            mind.is_asked = true;
            self.counts.calls.fetch_add(1, Ordering::Relaxed);
        }
        step
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Takes the lease of a reply, and returns when to look again.
    pub(crate) fn settle(&self, reply: &[i64], trip: Trip) -> Result<Timestamp, ReplyError> {
        let mut mind = self.mind();
        // Before the reply, which may be of a later window, and before its lease, which may take the place of those.
        self.take_back(&mut mind, trip.received);
        let reply = mind.holder.settle(reply, trip)?;
        if reply.is_new_window {
            self.stock.take_over(Timestamp::MAX);
        }
        mind.accounted = mind.accounting;
        mind.is_asked = false;
        (mind.retry_at, mind.breaker) = (Timestamp::ZERO, Breaker::default());
        self.counts.leased.fetch_add(reply.permits.into(), Ordering::Relaxed);
        self.counts.losses.fetch_add(reply.lost.into(), Ordering::Relaxed);
        self.full_at.store(reply.full_at.as_nanos(), Ordering::Relaxed);
        let lease = Word::new(self.pay(reply.permits), reply.ends);
        let stock: u64 = self.stock.left(trip.received).into_iter().map(u64::from).sum();
        let leased = u64::from(lease.left(trip.received));
        let unspent = self.stock.put(lease, trip.received);
        mind.holder.take_back(unspent);
        // Callers may have spent of the lease by now. The holder is to see that they did.
        let stock = (stock + leased).saturating_sub(u64::from(unspent).min(leased));
        let stock = stock.max(self.stock.permits());
        mind.holder.count(stock, trip.received);
        self.outage.end(reply.holders);
        self.answered_at.store(trip.sent.as_nanos(), Ordering::Relaxed);
        self.least.store(reply.least, Ordering::Relaxed);
        let standing = match reply.standing {
            // Who comes back then finds the lease that is asked for at that instant.
            Standing::Denied { until } => Standing::Denied {
                until: until + (trip.received - trip.sent).min(self.lifetime / 4) + SOONEST,
            },
            standing => standing,
        };
        self.standing.store(standing.bits(), Ordering::Relaxed);
        self.refreshed.notify(usize::MAX);
        Ok(reply.look_at)
    }

    /// Takes note that the store failed, and is asked again at that instant.
    pub(crate) fn fail(&self, until: Timestamp) {
        let mut mind = self.mind();
        (mind.is_asked, mind.retry_at) = (false, until);
        drop(mind);
        self.counts.failures.fetch_add(1, Ordering::Relaxed);
        self.standing.store(Standing::Down { until }.bits(), Ordering::Relaxed);
        self.refreshed.notify(usize::MAX);
    }

    /// Takes note that the store failed for this limit alone, and returns when it is asked again.
    pub(crate) fn fail_alone(&self, now: Timestamp, longest: Duration, random: f64) -> Timestamp {
        let until = {
            let breaker = &mut self.mind().breaker;
            breaker.fail(now, longest, random);
            breaker.until()
        };
        self.fail(until);
        until
    }

    /// Returns whether an alarm at that instant is news: another one before it would do.
    pub(crate) fn set_alarm(&self, at: Timestamp) -> bool {
        let mut mind = self.mind();
        let is_news = mind.alarm == Timestamp::ZERO || at < mind.alarm;
        if is_news {
            mind.alarm = at;
        }
        is_news
    }

    /// Returns whether the alarm at that instant still counts.
    pub(crate) fn has_alarm(&self, at: Timestamp) -> bool {
        self.mind().alarm == at
    }

    /// Returns whether the alarm at that instant still counts, and takes it away.
    pub(crate) fn is_alarm(&self, at: Timestamp) -> bool {
        let mut mind = self.mind();
        let counts = mind.alarm == at;
        if counts {
            mind.alarm = Timestamp::ZERO;
        }
        counts
    }

    /// Pays charged permits with leased ones, and returns those that are left.
    fn pay(&self, permits: u32) -> u32 {
        let paid = |debt: u64| debt.min(permits.into());
        let pays = |debt| Some(debt - paid(debt));
        let debt = self.debt.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pays);
        permits - debt.map_or(0, |debt| paid(debt) as u32)
    }

    /// Takes back what is left of leases that are over, if it is returned.
    fn take_back(&self, mind: &mut Mind, now: Timestamp) {
        if mind.holder.returns() {
            mind.holder.take_back(self.stock.take_over(now));
        }
    }

    fn mind(&self) -> MutexGuard<'_, Mind> {
        self.mind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What callers do besides.
impl Shared {
    /// Spends permits after the fact: of the leases as far as they reach, and of later ones.
    pub(crate) fn charge(self: &Arc<Self>, permits: u32, now: Timestamp) {
        let (taken, is_low) = self.stock.drain(permits, now);
        let owed = permits - taken;
        self.debt.fetch_add(owed.into(), Ordering::Relaxed);
        if owed > 0 || is_low {
            self.ask();
        }
    }

    /// Whether forgetting this limit would forget permits that were spent.
    pub(crate) fn is_owing(&self) -> bool {
        self.debt.load(Ordering::Relaxed) > 0 || self.outage.spent() > self.mind().accounted
    }

    pub(crate) fn stats(&self) -> FleetStats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        FleetStats {
            calls: read(&self.counts.calls),
            failures: read(&self.counts.failures),
            leased: read(&self.counts.leased),
            losses: read(&self.counts.losses),
            shared: self.outage.shared(),
            allowed: self.outage.allowed(),
            unavailable: self.outage.denied(),
        }
    }
}
