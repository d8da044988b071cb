//! A small world of its own: a clock that jumps to the next event, a timer on it, and tasks that are polled when they
//! are woken. Nothing in it depends on threads or on real time.

use casgate::Timestamp;
use casgate::clock::Clock;
use casgate::wait::Timer;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// The time of a world, and those who sleep in it.
#[derive(Clone, Default)]
pub(crate) struct Time(Arc<Mutex<Sleepers>>);

#[derive(Default)]
struct Sleepers {
    now: u64,
    /// The timer wakes at multiples of this (0: exactly).
    granularity: u64,
    next: u64,
    wakers: BTreeMap<(u64, u64), Option<Waker>>,
}

impl Time {
    /// A time whose timer wakes at whole multiples of `granularity`.
    pub(crate) fn in_steps_of(granularity: Duration) -> Self {
        let time = Self::default();
        time.inner().granularity = granularity.as_nanos() as u64;
        time
    }

    fn inner(&self) -> MutexGuard<'_, Sleepers> {
        self.0.lock().unwrap()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.advance_to(self.now() + by);
    }

    /// Goes on to that instant, and wakes all that slept until then.
    pub(crate) fn advance_to(&self, instant: Timestamp) {
        let mut inner = self.inner();
        inner.now = inner.now.max(instant.as_nanos());
        let after = (inner.now + 1, 0);
        let later = inner.wakers.split_off(&after);
        let due = std::mem::replace(&mut inner.wakers, later);
        drop(inner);
        due.into_values().flatten().for_each(Waker::wake);
    }

    /// When the next sleeper wakes.
    pub(crate) fn next_event(&self) -> Option<Timestamp> {
        let inner = self.inner();
        inner.wakers.keys().next().map(|&(until, _)| Timestamp::from_nanos(until))
    }

    pub(crate) fn sleepers(&self) -> usize {
        self.inner().wakers.len()
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.inner().now)
    }
}

impl Timer for Time {
    type Sleep = Sleep;

    fn sleep(&self, delay: Duration) -> Sleep {
        let mut inner = self.inner();
        let until = inner.now.saturating_add(delay.as_nanos() as u64);
        let until = match inner.granularity {
            0 => until,
            step => until.div_ceil(step) * step,
        };
        let id = inner.next;
        inner.next += 1;
        Sleep { time: self.clone(), key: (until, id) }
    }
}

pub(crate) struct Sleep {
    time: Time,
    key: (u64, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.time.inner();
        if inner.now >= self.key.0 {
            return Poll::Ready(());
        }
        let old = inner.wakers.insert(self.key, Some(context.waker().clone()));
        drop(inner);
        drop(old);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let gone = self.time.inner().wakers.remove(&self.key);
        drop(gone);
    }
}

/// Tasks, and those of them that were woken.
pub(crate) struct Tasks<T> {
    futures: Vec<Option<Pin<Box<dyn Future<Output = T>>>>>,
    woken: Arc<Mutex<Woken>>,
    polls: Vec<u32>,
    /// In the order of their first polls.
    arrivals: Vec<usize>,
    neglected: HashSet<usize>,
}

#[derive(Default)]
struct Woken {
    queue: VecDeque<usize>,
    all: HashSet<usize>,
}

impl Woken {
    fn push(&mut self, task: usize) {
        if self.all.insert(task) {
            self.queue.push_back(task);
        }
    }

    fn pop(&mut self) -> Option<usize> {
        let task = self.queue.pop_front()?;
        self.all.remove(&task);
        Some(task)
    }
}

struct Flag {
    task: usize,
    woken: Arc<Mutex<Woken>>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap().push(self.task);
    }
}

impl<T> Tasks<T> {
    pub(crate) fn new() -> Self {
        Self {
            futures: Vec::new(),
            woken: Arc::default(),
            polls: Vec::new(),
            arrivals: Vec::new(),
            neglected: HashSet::new(),
        }
    }

    /// Adds a task, which is polled at the next [`run`](Self::run): its number.
    pub(crate) fn spawn(&mut self, future: impl Future<Output = T> + 'static) -> usize {
        let task = self.futures.len();
        self.futures.push(Some(Box::pin(future)));
        self.polls.push(0);
        self.wake(task);
        task
    }

    /// Adds so many tasks.
    pub(crate) fn spawn_all<F>(&mut self, count: usize, mut future: impl FnMut() -> F) -> Vec<usize>
    where
        F: Future<Output = T> + 'static,
    {
        (0..count).map(|_| self.spawn(future())).collect()
    }

    /// Wakes a task for no reason.
    pub(crate) fn wake(&mut self, task: usize) {
        self.woken.lock().unwrap().push(task);
    }

    /// Those who are woken and not polled since.
    pub(crate) fn woken(&self) -> Vec<usize> {
        self.woken.lock().unwrap().queue.iter().copied().collect()
    }

    /// Changes the order in which those who are woken are polled.
    pub(crate) fn reorder(&mut self, order: impl FnOnce(&mut [usize])) {
        order(self.woken.lock().unwrap().queue.make_contiguous());
    }

    /// Polls whoever was woken, until nobody is: those that are done, in order.
    pub(crate) fn run(&mut self) -> Vec<(usize, T)> {
        let mut done = Vec::new();
        loop {
            let Some(task) = self.woken.lock().unwrap().pop() else { return done };
            if !self.neglected.contains(&task) {
                done.extend(self.poll(task).map(|output| (task, output)));
            }
        }
    }

    /// Polls one task, if it is neither done nor dropped.
    pub(crate) fn poll(&mut self, task: usize) -> Option<T> {
        let waker = Waker::from(Arc::new(Flag { task, woken: Arc::clone(&self.woken) }));
        let future = self.futures[task].as_mut()?;
        if self.polls[task] == 0 {
            self.arrivals.push(task);
        }
        self.polls[task] += 1;
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => {
                self.futures[task] = None;
                Some(output)
            }
            Poll::Pending => None,
        }
    }

    /// Drops a task: whether it was still there.
    pub(crate) fn cancel(&mut self, task: usize) -> bool {
        self.futures[task].take().is_some()
    }

    /// Never polls that task again.
    pub(crate) fn neglect(&mut self, task: usize) {
        self.neglected.insert(task);
    }

    /// Leaks a task: whether it was still there.
    pub(crate) fn forget(&mut self, task: usize) -> bool {
        let future = self.futures[task].take();
        let was_there = future.is_some();
        std::mem::forget(future);
        was_there
    }

    /// How often a task was polled after its first poll.
    pub(crate) fn wakes(&self, task: usize) -> u32 {
        self.polls[task].saturating_sub(1)
    }

    /// Those who were polled, in the order of their first polls.
    pub(crate) fn arrivals(&self) -> &[usize] {
        &self.arrivals
    }

    /// Those who are neither done nor dropped nor neglected.
    pub(crate) fn unfinished(&self) -> Vec<usize> {
        let is_there = |task: &usize| self.futures[*task].is_some();
        (0..self.futures.len())
            .filter(|task| is_there(task) && !self.neglected.contains(task))
            .collect()
    }

    /// Runs, and lets the time go on from event to event, until nobody waits or `until`: those that are done, when.
    pub(crate) fn run_until(
        &mut self,
        time: &Time,
        until: Timestamp,
    ) -> Vec<(usize, Timestamp, T)> {
        let mut done = Vec::new();
        loop {
            let now = time.now();
            done.extend(self.run().into_iter().map(|(task, output)| (task, now, output)));
            match time.next_event() {
                Some(next) if next <= until => time.advance_to(next),
                _ => {
                    time.advance_to(until);
                    return done;
                }
            }
        }
    }
}
