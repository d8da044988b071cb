use casgate_redis::protocol::{
    LeaseQuota, Request, Returned, Script, ServerTime, State, WindowQuota, WindowRequest,
    WindowState,
};
use casgate_redis::{Call, Cause, Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A server in this process: the pure twins of the scripts, on a clock of its own, with faults. Clones are one server.
#[derive(Clone)]
pub(crate) struct Server {
    inner: Arc<(Mutex<Inner>, Condvar)>,
}

/// What it decides about a call before it runs: an error in place of the reply.
type Fault = Box<dyn FnMut(&str) -> Option<StoreError> + Send>;

struct Inner {
    lease: Option<LeaseQuota>,
    window: Option<WindowQuota>,
    /// With the instant until which it is kept.
    states: HashMap<String, (State, u64)>,
    windows: HashMap<String, WindowState>,
    began: (Instant, u64),
    is_down: bool,
    /// Calls wait from this batch on.
    held_from: Option<usize>,
    panics: bool,
    /// How long a reply is on its way.
    delay: Duration,
    fault: Option<Fault>,
    /// The keys of each batch that was sent.
    batches: Vec<Vec<String>>,
    timeouts: Vec<Duration>,
    /// The permits of each reply.
    granted: Vec<u32>,
}

/// Some instant of 2026 that is a whole number of minutes.
pub(crate) const MINUTE: u64 = 1_780_000_020_000_000;

impl Server {
    pub(crate) fn of_leases(quota: LeaseQuota) -> Self {
        Self::new(Some(quota), None)
    }

    pub(crate) fn of_windows(quota: WindowQuota) -> Self {
        Self::new(None, Some(quota))
    }

    fn new(lease: Option<LeaseQuota>, window: Option<WindowQuota>) -> Self {
        let inner = Inner {
            lease,
            window,
            states: HashMap::new(),
            windows: HashMap::new(),
            began: (Instant::now(), MINUTE),
            is_down: false,
            held_from: None,
            panics: false,
            delay: Duration::ZERO,
            fault: None,
            batches: Vec::new(),
            timeouts: Vec::new(),
            granted: Vec::new(),
        };
        Self { inner: Arc::new((Mutex::new(inner), Condvar::new())) }
    }

    /// Sets its clock, in microseconds since 1970.
    pub(crate) fn set_clock(&self, micros: u64) {
        self.lock().began = (Instant::now(), micros);
    }

    pub(crate) fn clock(&self) -> u64 {
        self.lock().now()
    }

    /// From now on no call has a reply, or again one.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.lock().is_down = is_down;
    }

    pub(crate) fn set_fault(&self, fault: impl FnMut(&str) -> Option<StoreError> + Send + 'static) {
        self.lock().fault = Some(Box::new(fault));
    }

    /// The next call panics.
    pub(crate) fn panic_once(&self) {
        self.lock().panics = true;
    }

    /// From now on replies are on their way for so long.
    pub(crate) fn set_delay(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// Loses all that it knows.
    pub(crate) fn forget(&self) {
        let mut inner = self.lock();
        inner.states.clear();
        inner.windows.clear();
    }

    /// Forgets the calls that it notes for the test.
    pub(crate) fn forget_calls(&self) {
        let mut inner = self.lock();
        inner.batches.clear();
        inner.timeouts.clear();
        inner.granted.clear();
    }

    /// The permits that a window has granted, less those returned.
    pub(crate) fn used(&self, key: &str) -> u64 {
        let inner = self.lock();
        let of_key = inner.windows.iter().filter(|(name, _)| name.contains(key));
        of_key.map(|(_, state)| state.used).sum()
    }

    /// From now on calls wait on their way to the server, until they are released.
    pub(crate) fn hold(&self) {
        let mut inner = self.lock();
        inner.held_from = Some(inner.batches.len());
    }

    /// The same, for calls after the first so many.
    pub(crate) fn hold_after(&self, calls: usize) {
        self.lock().held_from = Some(calls);
    }

    pub(crate) fn release(&self) {
        self.lock().held_from = None;
        self.inner.1.notify_all();
    }

    pub(crate) fn batches(&self) -> Vec<Vec<String>> {
        self.lock().batches.clone()
    }

    /// The calls for keys that contain a text.
    pub(crate) fn calls(&self, key: &str) -> usize {
        self.lock().batches.iter().flatten().filter(|called| called.contains(key)).count()
    }

    pub(crate) fn timeouts(&self) -> Vec<Duration> {
        self.lock().timeouts.clone()
    }

    pub(crate) fn granted(&self) -> Vec<u32> {
        self.lock().granted.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Store for Server {
    fn call(
        &mut self,
        calls: &[Call<'_>],
        timeout: Duration,
    ) -> Result<Vec<Result<Vec<i64>, StoreError>>, StoreError> {
        let mut inner = self.lock();
        inner.batches.push(calls.iter().map(|call| call.key.to_owned()).collect());
        inner.timeouts.push(timeout);
        let batch = inner.batches.len();
        while inner.held_from.is_some_and(|from| batch > from) {
            inner = self.inner.1.wait(inner).unwrap();
        }
        assert!(!std::mem::take(&mut inner.panics), "a store may panic");
        if inner.is_down {
            return Err(StoreError::new(Cause::Unreachable, "it is down"));
        }
        let replies = calls.iter().map(|call| inner.run(call)).collect();
        let delay = inner.delay;
        drop(inner);
        std::thread::sleep(delay);
        Ok(replies)
    }
}

impl Inner {
    fn now(&self) -> u64 {
        self.began.1 + self.began.0.elapsed().as_micros() as u64
    }

    fn run(&mut self, call: &Call<'_>) -> Result<Vec<i64>, StoreError> {
        if let Some(error) = self.fault.as_mut().and_then(|fault| fault(call.key)) {
            return Err(error);
        }
        let now = ServerTime::from_micros(self.now());
        let (key, arguments) = (call.key.to_owned(), call.arguments);
        if call.script == Script::LEASE {
            let quota = self.lease.expect("a server of leases");
            let request = Request::new(arguments[9] as u32)
                .at_least(arguments[10] as u32)
                .carrying(ServerTime::from_micros(arguments[11] as u64));
            let request = match u64::try_from(arguments[12]) {
                Ok(epoch) => request.counted_in(epoch),
                Err(_) => request,
            };
            let kept = self.states.remove(&key);
            let kept = kept.filter(|(_, until)| now.as_micros() < *until);
            let (state, grant) = State::grant(kept.map(|(state, _)| state), &quota, &request, now);
            // Denials write nothing, as a rule.
            let until = match kept {
                Some((before, until)) if before == state => until,
                _ => now.as_micros() + 1_000 * state.lives_millis(&quota, now),
            };
            self.states.insert(key, (state, until));
            self.granted.push(grant.permits);
            Ok(vec![
                grant.permits.into(),
                grant.tat.as_micros() as i64,
                grant.now.as_micros() as i64,
                grant.epoch as i64,
                grant.holders.into(),
                grant.state_missing.into(),
            ])
        } else {
            let quota = self.window.expect("a server of windows");
            let request = WindowRequest::new(arguments[2] as u32, arguments[4] as u64)
                .at_least(arguments.get(8).map_or(0, |&least| least as u32))
                .among(arguments[3] as u32)
                .returning(Returned {
                    permits: arguments[5] as u32,
                    window: arguments[6] as u64,
                    sequence: arguments[7] as u64,
                });
            let (state, grant) =
                WindowState::grant(self.windows.remove(&key), &quota, &request, now);
            self.windows.insert(key, state);
            self.granted.push(grant.permits);
            Ok(vec![
                grant.permits.into(),
                grant.window as i64,
                grant.ends_in.as_micros() as i64,
                grant.left.into(),
            ])
        }
    }
}
