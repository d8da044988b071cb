use super::FleetStats;
use super::line::Line;
use super::miss::Miss;
use super::refresh::Mind;
use super::stats::Counts;
use crate::answer::{NotAdmitted, Unavailable};
use crate::bell::Bell;
use crate::fleet::Handle;
use crate::outage::{Alone, Outage};
use crate::quota::{FleetQuota, FleetQuotaError};
use crate::standing::Standing;
use crate::stock::{Spent, Stock, Word};
use casgate::{Admitted, Denied, Snapshot, Timestamp};
use core::time::Duration;
use event_listener::Event;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// One limit of this process, as its callers and the refresher share it.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) stock: Stock,
    pub(super) key: String,
    /// The limit in answers.
    limit: u32,
    /// The most permits of one request.
    pub(super) most: u32,
    /// The time in which a permit refills, or zero if all refill together.
    interval: Duration,
    pub(crate) lifetime: Duration,
    /// A [`Standing`], and for how many permits a denial counts.
    pub(super) standing: AtomicU64,
    pub(super) least: AtomicU32,
    /// And for so many and more there is one at all, at least until that instant.
    pub(super) denied_from: AtomicU32,
    pub(super) soonest: AtomicU64,
    /// When the limit is full again, by the last reply.
    pub(super) full_at: AtomicU64,
    pub(super) bell: Bell,
    /// Permits that were charged and are not paid.
    pub(super) debt: AtomicU64,
    /// Replies of either kind, and refunds.
    pub(crate) refreshed: Event,
    /// The first waiter.
    pub(super) line: Line,
    /// When the last request was sent that had a reply.
    pub(super) answered_at: AtomicU64,
    pub(super) outage: Outage,
    pub(super) mind: Mutex<Mind>,
    pub(super) counts: Counts,
    /// Whether it has its place in a map of keys.
    pub(crate) has_place: AtomicBool,
    fleet: Arc<Handle>,
}

/// The wait in answers when a reply is due at any moment.
pub(super) const SOONEST: Duration = Duration::from_millis(1);

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
            denied_from: AtomicU32::new(0),
            soonest: AtomicU64::new(0),
            full_at: AtomicU64::new(0),
            bell: Bell::new(),
            debt: AtomicU64::new(0),
            refreshed: Event::new(),
            line: Line::default(),
            answered_at: AtomicU64::new(0),
            outage: Outage::new(quota),
            mind: Mutex::new(Mind::new(holder)),
            counts: Counts::default(),
            has_place: AtomicBool::new(false),
            fleet,
        })
    }

    /// Spends permits of a lease that lives at `alive_at`, by a timestamp `now` that may be
    /// cheaper. The path of most decisions: one exchange.
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
        match self.standing(permits, now) {
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
                let answer = self.outage.decide(permits, now, self.fleet.recoveries());
                // What was spent is to be told. Of denials the refresher hears when the store can be asked again, or it
                // would keep each key that is denied in an outage.
                if now >= until || matches!(answer, Alone::Shared(_) | Alone::Allowed) {
                    self.want(permits);
                } else {
                    self.bell.hint(permits);
                }
                match answer {
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

    /// Until when so many permits are denied, if those of the last request are until `until`.
    fn denied_until(&self, permits: u32, until: Timestamp) -> Timestamp {
        if permits < self.denied_from.load(Ordering::Relaxed) {
            return Timestamp::ZERO;
        }
        let fewer = self.least.load(Ordering::Relaxed).saturating_sub(permits);
        let soonest = Timestamp::from_nanos(self.soonest.load(Ordering::Relaxed));
        (until - self.interval * fewer).max(soonest).min(until)
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

    fn standing(&self, permits: u32, now: Timestamp) -> Standing {
        let last = Standing::from_bits(self.standing.load(Ordering::Relaxed));
        let own = match last.at(now, self.lifetime) {
            Standing::Denied { until: last } => match self.denied_until(permits, last) {
                // It was a larger request that was denied.
                until if until < last && until <= now => Standing::Ask,
                until => Standing::Denied { until },
            },
            standing => standing,
        };
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

    /// Asks the refresher to look, once.
    pub(crate) fn ask(self: &Arc<Self>) {
        if self.bell.ring() {
            self.fleet.push(Arc::clone(self));
        }
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
