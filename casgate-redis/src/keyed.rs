use crate::answer::{NotAdmitted, Unavailable};
use crate::fleet::Fleet;
use crate::limiter::FleetLimiter;
use crate::quota::{FleetQuota, FleetQuotaError};
use casgate::Admitted;
use casgate::clock::{Clock, SystemClock};
use core::fmt;
use core::hash::Hash;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Lifecycle, OptionsBuilder, UnitWeighter};
use std::hash::RandomState;
use std::sync::atomic::Ordering;
use std::thread;

/// A limit for each key, for a fleet, in one of its processes.
///
/// ```no_run
/// use casgate::Quota;
/// use casgate_redis::{Fleet, FleetKeyed};
///
/// let fleet = Fleet::connect("redis://127.0.0.1/")?;
/// let users: FleetKeyed<String> = fleet.keyed("user", Quota::per_minute(60).with_burst(60), 10_000)?;
/// if users.check("ann").is_ok() {
///     // do the work
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The text of a key, by [`Display`](fmt::Display), is part of its name in the store. So it must be
/// the same in all processes, and different for different keys.
///
/// # What a decision costs
///
/// It finds the key's limiter in a map, under a short lock of a part of the map. The rest is as in a
/// [`FleetLimiter`](FleetLimiter#what-a-decision-costs).
///
/// # Memory
///
/// It has room for as many keys as its capacity. When it is full, a new key takes the place of one
/// that was not used of late. That returns no permits, since the store remembers the key. The
/// process loses the lease that it had, and asks as if for the first time. Keys whose spent permits
/// are not reported to the store yet, because of an outage or a charge, keep their places. So do
/// keys whose limiter is held, as by [`get`](Self::get). If there are only such keys, new keys are
/// [unavailable](NotAdmitted::Unavailable).
///
/// A key takes about 1 KB.
#[derive(Debug)]
pub struct FleetKeyed<K> {
    fleet: Fleet,
    prefix: String,
    quota: FleetQuota,
    limiters: Cache<K, FleetLimiter, UnitWeighter, RandomState, KeepsOwing>,
}

/// How often a thread looks whether another has found a place for the same new key.
const PLACING: u32 = 1_000;

/// Keys with unreported permits are not evicted, nor those that are in use. Otherwise a new one
/// would be evicted first where all others have some, and a key could have two limiters.
#[derive(Clone, Debug)]
struct KeepsOwing;

impl<K> Lifecycle<K, FleetLimiter> for KeepsOwing {
    type RequestState = ();

    fn is_pinned(&self, _: &K, limiter: &FleetLimiter) -> bool {
        limiter.is_held() || limiter.shared().is_owing(SystemClock.now())
    }
}

impl<K: Hash + Eq + Clone + fmt::Display> FleetKeyed<K> {
    pub(crate) fn new(
        fleet: Fleet,
        prefix: &str,
        quota: FleetQuota,
        capacity: usize,
    ) -> Result<Self, FleetQuotaError> {
        quota.holder()?; // what is wrong with it is said now, and not for each key
        let capacity = capacity.max(1);
        let mut options = OptionsBuilder::new();
        options.estimated_items_capacity(capacity).weight_capacity(capacity as u64);
        if capacity == 1 {
            options.hot_allocation(1.0); // else the one place is for a key of less weight
        }
        let options = options.build().expect("both capacities are set");
        let limiters = Cache::with_options(options, UnitWeighter, RandomState::new(), KeepsOwing);
        Ok(Self { fleet, prefix: prefix.to_owned(), quota, limiters })
    }

    /// Returns the limiter of a key.
    ///
    /// ```no_run
    /// # fn of(users: &casgate_redis::FleetKeyed<String>) {
    /// let ann = users.get("ann");
    /// # drop(ann);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the memory is full of keys that must be kept, or if a thread is stopped
    /// just when it makes the limiter of the same key.
    pub fn get<Q>(&self, key: &Q) -> Result<FleetLimiter, Unavailable>
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
    {
        for _ in 0..PLACING {
            let mut is_new = false;
            let limiter = self.limiters.get_or_insert_with(key, || {
                is_new = true;
                let name = format!("{}:{}", self.prefix, key.to_owned());
                // The quota made one before.
                self.fleet.limiter(&name, self.quota.clone()).map_err(|_| Unavailable::full())
            })?;
            if is_new {
                return self.place(key, limiter);
            }
            // Relaxed: nothing else is read by it.
            if limiter.shared().has_place.load(Ordering::Relaxed) {
                return Ok(limiter);
            }
            // Another thread has just put it, and finds out whether it has a place: a few instructions.
            drop(limiter);
            thread::yield_now();
        }
        // That thread is stopped.
        Err(Unavailable::full())
    }

    /// Keeps the limiter that was just put for the key, if it has a place.
    fn place<Q>(&self, key: &Q, limiter: FleetLimiter) -> Result<FleetLimiter, Unavailable>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let is_there = self.limiters.peek(key).is_some_and(|there| there.is_same(&limiter));
        // Each part of the cache rounds its capacity up, so this is theirs.
        if is_there && self.limiters.len() as u64 <= self.limiters.capacity() {
            limiter.shared().has_place.store(true, Ordering::Relaxed);
            return Ok(limiter);
        }
        // All others must be kept, so it has no place: each request would begin again with another limiter.
        self.limiters.remove_if(key, |there| there.is_same(&limiter));
        Err(Unavailable::full())
    }

    /// Asks for one permit of the key. See [`FleetLimiter::check`].
    ///
    /// ```no_run
    /// # fn of(users: &casgate_redis::FleetKeyed<String>) {
    /// if users.check("ann").is_ok() {
    ///     // do the work
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotAdmitted`], and nothing is spent.
    pub fn check<Q>(&self, key: &Q) -> Result<Admitted, NotAdmitted>
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
    {
        self.check_n(key, 1)
    }

    /// Asks for `n` permits of the key: all or none. See [`FleetLimiter::check_n`].
    ///
    /// ```no_run
    /// # fn of(users: &casgate_redis::FleetKeyed<String>) {
    /// if users.check_n("ann", 3).is_ok() {
    ///     // do the work
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotAdmitted`], and nothing is spent.
    pub fn check_n<Q>(&self, key: &Q, n: u32) -> Result<Admitted, NotAdmitted>
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
    {
        self.get(key).map_err(NotAdmitted::Unavailable)?.check_n(n)
    }

    /// Asks for `n` permits of the key, and awaits a lease if need be. See [`FleetLimiter::ask`].
    ///
    /// ```no_run
    /// # async fn of(users: &casgate_redis::FleetKeyed<String>) {
    /// if users.ask("ann", 1).await.is_ok() {
    ///     // do the work
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotAdmitted`], and nothing is spent.
    pub async fn ask<Q>(&self, key: &Q, n: u32) -> Result<Admitted, NotAdmitted>
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
    {
        let limiter = self.get(key).map_err(NotAdmitted::Unavailable)?;
        limiter.ask(n).await
    }

    /// Returns how many keys have a place.
    ///
    /// ```no_run
    /// # fn of(users: &casgate_redis::FleetKeyed<String>) {
    /// println!("{} users", users.len());
    /// # }
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.limiters.len()
    }

    /// Returns whether no key has a place.
    ///
    /// ```no_run
    /// # fn of(users: &casgate_redis::FleetKeyed<String>) {
    /// assert!(users.is_empty());
    /// # }
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
