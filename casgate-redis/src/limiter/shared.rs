use super::FleetStats;
use crate::answer::{NotAdmitted, Unavailable};
use crate::fleet::Handle;
use crate::holder::{Holder, Look, Missed, Step, Trip};
use crate::outage::{Alone, Outage};
use crate::protocol::ReplyError;
use crate::quota::{FleetQuota, FleetQuotaError};
use crate::standing::Standing;
use crate::stock::{Spent, Stock, Word};
use casgate::{Admitted, Denied, Snapshot, Timestamp};
use core::time::Duration;
use event_listener::Event;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
    /// The time in which a permit refills.
    interval: Duration,
    pub(crate) lifetime: Duration,
    /// A [`Standing`].
    standing: AtomicU64,
    /// When the limit is full again, by the last reply.
    full_at: AtomicU64,
    missed: Missed,
    /// Permits that were charged and are not paid.
    debt: AtomicU64,
    /// Whether the refresher has been told to look.
    is_queued: AtomicBool,
    /// Replies, of either kind.
    pub(crate) refreshed: Event,
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
            interval: rate.period() / rate.permits(),
            lifetime: quota.get_lifetime(),
            standing: AtomicU64::new(Standing::Ask.bits()),
            full_at: AtomicU64::new(0),
            missed: Missed::new(),
            debt: AtomicU64::new(0),
            is_queued: AtomicBool::new(false),
            refreshed: Event::new(),
            answered_at: AtomicU64::new(0),
            outage: Outage::new(quota),
            mind: Mutex::new(Mind { holder, accounted: 0, accounting: 0, alarm: Timestamp::ZERO }),
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
        if permits > self.most {
            let never =
                Snapshot::new(self.most, self.snapshot(now).remaining(), self.reset_after(now));
            return Err(Miss::Not(NotAdmitted::Denied(Denied::new(permits, never, None))));
        }
        self.missed.note(permits);
        match self.standing(now) {
            Standing::Ask => {
                self.ask();
                Err(Miss::Soon)
            }
            Standing::Denied { until } => {
                // Before that instant the refresher looks by itself.
                if now >= until {
                    self.ask();
                }
                Err(denied(Some((until - now) + self.interval * (permits - 1))))
            }
            Standing::Down { until } => {
                // Not before: what is told of each key in an outage would be kept until the store has been asked.
                if now >= until {
                    self.ask();
                }
                match self.outage.decide(permits, now) {
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

    fn unavailable(&self, permits: u32, wait: Duration) -> Unavailable {
        Unavailable {
            retry_after: wait.max(Duration::from_millis(1)),
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
        if own == Standing::Ask && now < until { Standing::Down { until } } else { own }
    }

    /// Tells the refresher to look, once.
    pub(crate) fn ask(self: &Arc<Self>) {
        // Acquire and Release: who finds it set knows that the refresher looks later, and so sees what was noted before.
        if !self.is_queued.swap(true, Ordering::AcqRel) {
            self.fleet.push(Arc::clone(self));
        }
    }
}

/// The refresher's side.
impl Shared {
    /// Decides whether to ask the store. `probing`: the store has failed.
    pub(crate) fn look(&self, now: Timestamp, probing: bool) -> Step {
        // See `ask`.
        self.is_queued.swap(false, Ordering::AcqRel);
        let wanted = self.missed.take();
        let mut mind = self.mind();
        let unspent = if mind.holder.returns() { self.stock.take_over(now) } else { 0 };
        let spent = self.outage.spent();
        let look = Look {
            now,
            left: self.stock.left(now),
            stock: self.stock.permits(),
            unspent,
            wanted,
            debt: self.debt.load(Ordering::Relaxed).try_into().unwrap_or(u32::MAX),
            overspent: spent > mind.accounted,
            probing,
        };
        let step = mind.holder.look(&look);
        if matches!(step, Step::Ask { .. }) {
            mind.accounting = spent;
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
        let reply = mind.holder.settle(reply, trip)?;
        mind.accounted = mind.accounting;
        self.counts.leased.fetch_add(reply.permits.into(), Ordering::Relaxed);
        self.counts.losses.fetch_add(reply.lost.into(), Ordering::Relaxed);
        self.full_at.store(reply.full_at.as_nanos(), Ordering::Relaxed);
        let lease = Word::new(self.pay(reply.permits), reply.ends);
        if lease.left(trip.received) > 0 {
            self.stock.put(lease, trip.received);
        }
        mind.holder.count(self.stock.permits(), trip.received);
        self.outage.end(reply.holders);
        self.answered_at.store(trip.sent.as_nanos(), Ordering::Relaxed);
        self.standing.store(reply.standing.bits(), Ordering::Relaxed);
        self.refreshed.notify(usize::MAX);
        Ok(reply.look_at)
    }

    /// Takes note that the store failed, and is asked again at that instant.
    pub(crate) fn fail(&self, until: Timestamp) {
        self.counts.failures.fetch_add(1, Ordering::Relaxed);
        self.standing.store(Standing::Down { until }.bits(), Ordering::Relaxed);
        self.refreshed.notify(usize::MAX);
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

    fn mind(&self) -> MutexGuard<'_, Mind> {
        self.mind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What callers do besides.
impl Shared {
    /// Spends permits after the fact: of the leases as far as they reach, and of later ones.
    pub(crate) fn charge(self: &Arc<Self>, permits: u32, now: Timestamp) {
        let owed = permits - self.stock.drain(permits, now);
        if owed > 0 {
            self.debt.fetch_add(owed.into(), Ordering::Relaxed);
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
