//! A world in which time passes only when everybody waits: its clock, its timer and its tasks. What happens in it is the
//! same in every run.

use crate::leak;
use casgate::Timestamp;
use casgate::clock::Clock;
use casgate::wait::Timer;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// The timer's, as tokio's.
const STEP: u64 = 1_000_000;

#[derive(Clone, Copy)]
pub(crate) struct Time(&'static Inner);

#[derive(Default)]
struct Inner {
    now: AtomicU64,
    sleeps: AtomicU64,
    /// By the instant at which they wake, and by their number.
    sleepers: Mutex<BTreeMap<(u64, u64), Waker>>,
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.now.load(Relaxed))
    }
}

impl Timer for Time {
    type Sleep = Sleep;

    fn sleep(&self, delay: Duration) -> Sleep {
        let until = self.0.now.load(Relaxed).saturating_add(delay.as_nanos() as u64);
        let number = self.0.sleeps.fetch_add(1, Relaxed);
        Sleep { time: *self, place: (until.next_multiple_of(STEP), number) }
    }
}

impl Time {
    /// Sleeps until so long after the beginning.
    pub(crate) fn sleep_until(&self, since: Duration) -> Sleep {
        self.sleep(since.saturating_sub(Duration::from_nanos(self.now().as_nanos())))
    }

    fn sleepers<R>(&self, step: impl FnOnce(&mut BTreeMap<(u64, u64), Waker>) -> R) -> R {
        step(&mut self.0.sleepers.lock().expect("nobody panics"))
    }
}

pub(crate) struct Sleep {
    time: Time,
    place: (u64, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.place.0 <= self.time.0.now.load(Relaxed) {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        let _old = self.time.sleepers(|sleepers| sleepers.insert(self.place, waker));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let _waker = self.time.sleepers(|sleepers| sleepers.remove(&self.place));
    }
}

struct Flag {
    number: usize,
    is_woken: AtomicBool,
    woken: Arc<Mutex<VecDeque<usize>>>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        if !self.is_woken.swap(true, Relaxed) {
            self.woken.lock().expect("nobody panics").push_back(self.number);
        }
    }
}

pub(crate) struct World {
    pub(crate) time: Time,
    woken: Arc<Mutex<VecDeque<usize>>>,
    tasks: Vec<Task>,
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    flag: Arc<Flag>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { time: Time(leak(Inner::default())), woken: Arc::default(), tasks: Vec::new() }
    }

    /// Adds a task that never ends.
    pub(crate) fn spawn(&mut self, future: impl Future<Output = ()> + 'static) {
        let (number, woken) = (self.tasks.len(), Arc::clone(&self.woken));
        let flag = Arc::new(Flag { number, is_woken: AtomicBool::new(false), woken });
        Arc::clone(&flag).wake();
        self.tasks.push(Task { future: Box::pin(future), flag });
    }

    /// Goes on for so long.
    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.time.0.now.load(Relaxed) + duration.as_nanos() as u64;
        loop {
            while let Some(number) = self.next_woken() {
                let Task { future, flag } = &mut self.tasks[number];
                flag.is_woken.store(false, Relaxed);
                let waker = Waker::from(Arc::clone(flag));
                let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
                assert!(polled.is_pending(), "a task ended");
            }
            let next = self.time.sleepers(|sleepers| sleepers.keys().next().map(|place| place.0));
            let next = next.expect("somebody sleeps");
            if next > end {
                self.time.0.now.store(end, Relaxed);
                return;
            }
            self.time.0.now.store(next, Relaxed);
            let due = self.time.sleepers(|sleepers| {
                let later = sleepers.split_off(&(next + 1, 0));
                std::mem::replace(sleepers, later)
            });
            due.into_values().for_each(Waker::wake);
        }
    }

    fn next_woken(&self) -> Option<usize> {
        self.woken.lock().expect("nobody panics").pop_front()
    }
}
