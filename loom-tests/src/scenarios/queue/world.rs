//! A time that goes on by request, and the waiters in it. Nothing here adds an interleaving.

use crate::explore::thread::{self, ThreadId};
use casgate::Timestamp;
use casgate::clock::Clock;
use casgate::wait::{AcquireError, Timer};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// How a wait ends: with the instant at which its permits are ready, or without any.
pub type Outcome = Result<Timestamp, AcquireError>;

/// A wait.
pub type Wait = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// The clock and the timer of a scene. In a race each thread has a time of its own, for one that has read the clock
/// may be overtaken by one that reads it later.
#[derive(Clone, Default)]
pub struct Time(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    now: Timestamp,
    own: Vec<(ThreadId, Timestamp)>,
    sleepers: Vec<(Timestamp, u64, Waker)>,
    next: u64,
}

impl Inner {
    fn now(&self) -> Timestamp {
        let id = thread::current().id();
        self.own.iter().find(|own| own.0 == id).map_or(self.now, |own| own.1)
    }
}

impl Time {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("nobody panics with it")
    }

    /// From now on this thread's time is `now`.
    pub(super) fn is_for_this_thread(&self, now: Timestamp) {
        let mut inner = self.inner();
        let id = thread::current().id();
        inner.own.retain(|own| own.0 != id);
        inner.own.push((id, now));
    }

    /// From now on the time is the same for everybody.
    pub(super) fn advance_to(&self, now: Timestamp) {
        let mut inner = self.inner();
        inner.own.clear();
        inner.now = now;
        let all = std::mem::take(&mut inner.sleepers);
        let (due, later): (Vec<_>, _) = all.into_iter().partition(|sleeper| sleeper.0 <= now);
        inner.sleepers = later;
        drop(inner);
        due.into_iter().for_each(|sleeper| sleeper.2.wake());
    }

    /// When the next sleeper wakes.
    pub(super) fn next_event(&self) -> Option<Timestamp> {
        self.inner().sleepers.iter().map(|sleeper| sleeper.0).min()
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Time").field(&self.inner().now).finish()
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        self.inner().now()
    }
}

impl Timer for Time {
    type Sleep = Sleep;

    fn sleep(&self, delay: Duration) -> Sleep {
        let mut inner = self.inner();
        inner.next += 1;
        Sleep { time: self.clone(), until: inner.now() + delay, id: inner.next }
    }
}

/// Ends at an instant.
#[derive(Debug)]
pub struct Sleep {
    time: Time,
    until: Timestamp,
    id: u64,
}

impl Sleep {
    fn forget(&self) -> Option<Waker> {
        let mut inner = self.time.inner();
        let i = inner.sleepers.iter().position(|sleeper| sleeper.1 == self.id)?;
        Some(inner.sleepers.swap_remove(i).2)
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // Wakers may ask the queue, so they are dropped without the lock.
        let _old = self.forget();
        let mut inner = self.time.inner();
        if inner.now() >= self.until {
            return Poll::Ready(());
        }
        inner.sleepers.push((self.until, self.id, context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        drop(self.forget());
    }
}

/// What a waker does to the queue when it is woken or dropped.
pub(super) type Call = Arc<dyn Fn() + Send + Sync>;

/// Wakers keep it, and nobody else: it is dropped where the last waker is.
struct Bell {
    rung: Arc<AtomicBool>,
    call: Option<Call>,
}

impl Bell {
    fn call(&self) {
        if let (Some(call), false) = (&self.call, std::thread::panicking()) {
            call();
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.call();
        self.rung.store(true, Ordering::Release);
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.call();
    }
}

/// What has become of a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Waits,
    Dropped,
    Ended(Outcome),
}

/// A wait, and who is to be woken for it.
pub(super) struct Waiter {
    wait: Option<Wait>,
    call: Option<Call>,
    /// Of the newest waker. Those before it do not count.
    rung: Arc<AtomicBool>,
    pub(super) permits: u32,
    pub(super) deadline: Timestamp,
    pub(super) arrived: Timestamp,
    pub(super) end: End,
    /// When it ended, if that was after the race.
    pub(super) ended: Option<Timestamp>,
}

impl Waiter {
    pub(super) fn new(wait: Wait, permits: u32, deadline: Timestamp, call: Option<Call>) -> Self {
        Self {
            wait: Some(wait),
            call,
            rung: Arc::default(),
            permits,
            deadline,
            arrived: Timestamp::ZERO,
            end: End::Waits,
            ended: None,
        }
    }

    /// Polls it with a waker of its own, if it still waits.
    pub(super) fn poll(&mut self) {
        let Some(wait) = &mut self.wait else { return };
        self.rung = Arc::default();
        let bell = Bell { rung: Arc::clone(&self.rung), call: self.call.clone() };
        let waker = Waker::from(Arc::new(bell));
        if let Poll::Ready(outcome) = wait.as_mut().poll(&mut Context::from_waker(&waker)) {
            self.wait = None;
            self.end = End::Ended(outcome);
        }
    }

    pub(super) fn drop_it(&mut self) {
        if self.wait.take().is_some() {
            self.end = End::Dropped;
        }
    }

    /// Ends it as `outcome` tells.
    pub(super) fn ends(&mut self, outcome: Outcome) {
        (self.wait, self.end) = (None, End::Ended(outcome));
    }

    /// The instant and the permits that it was served.
    pub(super) fn served(&self) -> Option<(Timestamp, u32)> {
        match self.end {
            End::Ended(Ok(at)) => Some((at, self.permits)),
            _ => None,
        }
    }
}

/// Lets the time go on from `now`, and polls only woken waiters, until nobody waits.
///
/// # Panics
///
/// If somebody waits in vain.
pub(super) fn settle(time: &Time, waiters: &mut [Waiter], mut now: Timestamp) {
    time.advance_to(now);
    for _ in 0..20 * waiters.len() {
        let is_rung =
            |waiter: &&mut Waiter| waiter.wait.is_some() && waiter.rung.load(Ordering::Acquire);
        if let Some(waiter) = waiters.iter_mut().find(is_rung) {
            waiter.poll();
            waiter.ended = waiter.wait.is_none().then_some(now);
        } else if waiters.iter().any(|waiter| waiter.wait.is_some()) {
            now = time.next_event().expect("a waiter that nobody wakes");
            time.advance_to(now);
        } else {
            return;
        }
    }
    panic!("a waiter waits forever");
}
