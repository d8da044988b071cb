use crate::keyed::FleetKeyed;
use crate::limiter::{FleetLimiter, Shared};
use crate::quota::{FleetQuota, FleetQuotaError};
use crate::refresher;
use crate::store::{Cause, RedisStore, Store, StoreError};
use casgate::Timestamp;
use casgate::clock::{Clock, SystemClock};
use redis::IntoConnectionInfo;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The connection of this process to the store of its fleet: where limiters come from.
///
/// ```no_run
/// use casgate::Quota;
/// use casgate_redis::Fleet;
///
/// let fleet = Fleet::connect("redis://127.0.0.1/")?;
/// let api = fleet.limiter("api", Quota::per_second(1_000))?;
/// if api.check().is_ok() {
///     // do the work
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A thread of its own talks to the store, for all limiters together. It ends when the fleet and
/// all its limiters are dropped. A clone is another handle to the same.
#[derive(Clone, Debug)]
pub struct Fleet {
    handle: Arc<Handle>,
}

/// What fleet and limiters share. When the last of them is dropped, the thread ends.
#[derive(Debug)]
pub(crate) struct Handle {
    inbox: Arc<Inbox>,
}

/// A message to the refresher.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    news: Condvar,
    /// The store is down until that instant, or zero.
    down_until: AtomicU64,
    /// How often the store has answered after an outage, the first time of all included.
    recoveries: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    queue: Vec<Arc<Shared>>,
    closed: bool,
    last_error: Option<StoreError>,
    is_up: bool,
    /// Whether the store has been down since it last answered.
    was_down: bool,
}

impl Fleet {
    /// Makes a fleet whose store is one Redis or Valkey server: by its URL as a `&str` or a
    /// `String`, or by a [`redis::ConnectionInfo`]. Of a `&String` take `url.as_str()`.
    ///
    /// It connects when a lease is first wanted, so a process can start while the server is down.
    /// To know at once, ask [`is_up`](Self::is_up) after the first decision.
    ///
    /// ```
    /// # use casgate_redis::Fleet;
    /// assert!(Fleet::connect("redis://user:password@127.0.0.1:6379/").is_ok());
    /// assert!(Fleet::connect("not a server").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// A [`StoreError`] if the address is none.
    ///
    /// # Panics
    ///
    /// If the operating system gives no thread.
    pub fn connect(server: impl IntoConnectionInfo) -> Result<Self, StoreError> {
        RedisStore::new(server).map(Self::over)
    }

    /// Makes a fleet with another store.
    ///
    /// ```
    /// use casgate_redis::{Fleet, RedisStore};
    /// let fleet = Fleet::over(RedisStore::new("redis://127.0.0.1/")?);
    /// # drop(fleet);
    /// # Ok::<(), casgate_redis::StoreError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the operating system gives no thread.
    #[must_use]
    pub fn over(store: impl Store) -> Self {
        let inbox = Arc::new(Inbox::default());
        refresher::start(Box::new(store), Arc::clone(&inbox));
        Self { handle: Arc::new(Handle { inbox }) }
    }

    /// Makes the limiter of that name: all processes that use the name, with the same quota, share
    /// one limit.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_redis::Fleet;
    /// let fleet = Fleet::connect("redis://127.0.0.1/")?;
    /// let api = fleet.limiter("api", Quota::per_second(1_000))?;
    /// # drop(api);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Each call makes another holder of the limit. So make one limiter, and clone it.
    ///
    /// # Errors
    ///
    /// A [`FleetQuotaError`] if no leases can be made of the quota. At a rate that is so of every
    /// burst of 1, such as that of `1/s`, and the error names the least burst that suffices.
    pub fn limiter(
        &self,
        name: &str,
        quota: impl Into<FleetQuota>,
    ) -> Result<FleetLimiter, FleetQuotaError> {
        let shared = Shared::new(name, &quota.into(), Arc::clone(&self.handle))?;
        Ok(FleetLimiter::of(shared))
    }

    /// Makes a limit for each key, in memory for so many keys at a time.
    ///
    /// ```
    /// use casgate::Quota;
    /// use casgate_redis::{Fleet, FleetKeyed};
    /// let fleet = Fleet::connect("redis://127.0.0.1/")?;
    /// let users: FleetKeyed<u64> = fleet.keyed("user", Quota::per_minute(60).with_burst(60), 10_000)?;
    /// # drop(users);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`FleetQuotaError`] if no leases can be made of the quota. At a rate that is so of every
    /// burst of 1, such as that of `1/s`, and the error names the least burst that suffices.
    pub fn keyed<K>(
        &self,
        prefix: &str,
        quota: impl Into<FleetQuota>,
        capacity: usize,
    ) -> Result<FleetKeyed<K>, FleetQuotaError>
    where
        K: std::hash::Hash + Eq + Clone + std::fmt::Display,
    {
        FleetKeyed::new(self.clone(), prefix, quota.into(), capacity)
    }

    /// Returns whether the last call to the store had a reply. It is `false` before the first.
    ///
    /// ```
    /// # use casgate_redis::Fleet;
    /// assert!(!Fleet::connect("redis://127.0.0.1/")?.is_up());
    /// # Ok::<(), casgate_redis::StoreError>(())
    /// ```
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.handle.inbox.state().is_up
    }

    /// Returns how the store failed last.
    ///
    /// ```
    /// # use casgate_redis::Fleet;
    /// assert_eq!(Fleet::connect("redis://127.0.0.1/")?.last_error(), None);
    /// # Ok::<(), casgate_redis::StoreError>(())
    /// ```
    #[must_use]
    pub fn last_error(&self) -> Option<StoreError> {
        self.handle.inbox.state().last_error.clone()
    }
}

impl Handle {
    pub(crate) fn push(&self, limit: Arc<Shared>) {
        self.inbox.state().queue.push(limit);
        self.inbox.news.notify_one();
    }

    /// Until when the store is down, or zero if it is not.
    pub(crate) fn down_until(&self) -> Timestamp {
        Timestamp::from_nanos(self.inbox.down_until.load(Ordering::Relaxed))
    }

    /// How often the store has answered after an outage, the first time of all included.
    pub(crate) fn recoveries(&self) -> u64 {
        self.inbox.recoveries.load(Ordering::Relaxed)
    }

    /// How the store failed last.
    pub(crate) fn cause(&self) -> Cause {
        self.inbox.state().last_error.as_ref().map_or(Cause::Timeout, StoreError::cause)
    }
}

/// For simulations, which have no thread.
#[cfg(all(test, not(casgate_loom)))]
impl Handle {
    pub(crate) fn unattended() -> Arc<Self> {
        Arc::new(Self { inbox: Arc::default() })
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.inbox
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inbox.state().closed = true;
        self.inbox.news.notify_one();
    }
}

impl Inbox {
    /// Waits for news until `until`, and returns the limits to look at; `None` when all handles are
    /// gone.
    pub(crate) fn wait(&self, until: Timestamp) -> Option<Vec<Arc<Shared>>> {
        let mut state = self.state();
        loop {
            if !state.queue.is_empty() {
                return Some(std::mem::take(&mut state.queue));
            }
            if state.closed {
                return None;
            }
            let now = SystemClock.now();
            if now >= until {
                return Some(Vec::new());
            }
            let wait = (until - now).min(Duration::from_secs(3_600));
            let waited = self.news.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes note of a call. The store is down until `until`, or zero.
    pub(crate) fn tell(&self, succeeded: bool, error: Option<StoreError>, until: Timestamp) {
        let mut state = self.state();
        state.was_down |= until > Timestamp::ZERO;
        let is_first = self.recoveries.load(Ordering::Relaxed) == 0;
        if succeeded && (state.was_down || is_first) {
            state.was_down = false;
            self.recoveries.fetch_add(1, Ordering::Relaxed);
        }
        state.is_up = succeeded;
        if error.is_some() {
            state.last_error = error;
        }
        self.expect_at(until);
    }

    /// Takes note of a failure of one limit.
    pub(crate) fn note(&self, error: StoreError) {
        self.state().last_error = Some(error);
    }

    /// Lets callers know that the store is down until that instant.
    pub(crate) fn expect_at(&self, until: Timestamp) {
        self.down_until.store(until.as_nanos(), Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
