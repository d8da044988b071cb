//! Wrong queues: a small one behind a lock, in front of a bucket of one permit, with one bug on purpose.

use crate::explore::Mutex;
use crate::scenarios::queue::{Left, Line, Outcome, Patience, Sleep, Time, Wait, Wish};
use casgate::clock::Clock;
use casgate::wait::{AcquireError, Timer};
use casgate::{Limiter, Quota, Timestamp, TokenBucket};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread::panicking;
use std::time::Duration;

/// What a [`WrongQueue`] does wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueBug {
    /// Nothing.
    None,
    /// A waiter that is to wait leaves its waker in a second step.
    LostWakeUp,
    /// A waiter that is dropped keeps its place in the line.
    BlockedHead,
    /// A waiter whose permit is ready takes it along when it is dropped.
    LostPermit,
    /// A waiter whose permit is not ready yet takes it along when it is dropped.
    BurntPlace,
    /// Wakers are woken under the lock.
    WokenUnderLock,
    /// Wakers that are replaced are dropped under the lock.
    DroppedUnderLock,
    /// A waiter keeps the waker of its first poll.
    OldWaker,
    /// One that comes when a permit is free takes it, even if others wait.
    Barging,
    /// A close wakes nobody.
    SilentClose,
}

/// A queue with the bug of which `BUG` is the number. Only the first of the line has a place.
#[derive(Debug)]
pub struct WrongQueue<const BUG: u8> {
    time: Time,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    interval: Duration,
    full_at: Timestamp,
    arrivals: u64,
    waiters: Vec<Waiter>,
    is_closed: bool,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    deadline: Timestamp,
    /// When the bucket was full without its permit, and when that is ready.
    place: Option<[Timestamp; 2]>,
    /// When it would have been, if that is after the deadline.
    late: Option<Timestamp>,
    armed: Timestamp,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Later {
    wake: Vec<Waker>,
    gone: Vec<Waker>,
}

enum Look {
    Done(Outcome),
    Until(Timestamp),
}

const fn is(bug: QueueBug, number: u8) -> bool {
    bug as u8 == number
}

impl State {
    /// Takes a place for the first, and wakes it if that is earlier than it thinks. A waiter that
    /// cannot be in time learns of it.
    fn promote(&mut self, now: Timestamp, later: &mut Later) {
        let ready_at = self.full_at.max(now);
        let in_time = |waiter: &&mut Waiter| waiter.late.is_none();
        while let Some(first) = self.waiters.iter_mut().find(in_time) {
            if first.place.is_some() {
                return;
            }
            let is_late = ready_at > first.deadline;
            if is_late || ready_at < first.armed {
                later.wake.extend(first.waker.take());
            }
            if !is_late {
                first.place = Some([self.full_at, ready_at]);
                self.full_at = ready_at + self.interval;
                return;
            }
            first.late = Some(ready_at);
        }
    }

    fn give_back(&mut self, [given, ready_at]: [Timestamp; 2]) {
        if self.full_at == ready_at + self.interval {
            self.full_at = given;
        }
    }

    /// When a waiter behind so many others could have its permit.
    fn expected(&self, ahead: usize, now: Timestamp) -> Timestamp {
        let is_queued = |waiter: &&Waiter| waiter.place.is_none() && waiter.late.is_none();
        let queued = self.waiters[..ahead].iter().filter(is_queued).count();
        self.full_at.max(now) + self.interval * queued as u32
    }

    fn look<const BUG: u8>(&mut self, id: u64, now: Timestamp, later: &mut Later) -> Look {
        self.promote(now, later);
        let Some(i) = self.waiters.iter().position(|waiter| waiter.id == id) else {
            return Look::Done(Err(AcquireError::Closed));
        };
        let waiter = &mut self.waiters[i];
        if !is(QueueBug::OldWaker, BUG) {
            later.gone.extend(waiter.waker.take());
            waiter.armed = Timestamp::ZERO;
        }
        let deadline = waiter.deadline;
        let outcome = match (waiter.place, waiter.late) {
            (_, Some(ready_at)) => Err(AcquireError::TooLate { ready_after: ready_at - now }),
            (Some([_, ready_at]), _) if ready_at <= now => Ok(ready_at),
            (Some([_, ready_at]), _) => return Look::Until(ready_at),
            (None, None) => match self.expected(i, now) {
                ready_at if ready_at <= deadline => return Look::Until(ready_at),
                ready_at => Err(AcquireError::TooLate { ready_after: ready_at - now }),
            },
        };
        later.gone.extend(self.waiters.remove(i).waker);
        self.promote(now, later);
        Look::Done(outcome)
    }

    /// Leaves a waker for one that is to wait.
    fn arm(&mut self, id: u64, until: Timestamp, waker: &Waker) {
        if let Some(waiter) = self.waiters.iter_mut().find(|waiter| waiter.id == id) {
            waiter.armed = until;
            waiter.waker.get_or_insert_with(|| waker.clone());
        }
    }

    /// A new waiter's number, or why it may not wait.
    fn arrive(&mut self, deadline: Timestamp, now: Timestamp) -> Result<u64, AcquireError> {
        let ready_at = self.expected(self.waiters.len(), now);
        if self.is_closed {
            return Err(AcquireError::Closed);
        }
        if ready_at > deadline {
            return Err(AcquireError::TooLate { ready_after: ready_at - now });
        }
        let id = self.arrivals;
        self.arrivals += 1;
        let (place, late, armed, waker) = (None, None, Timestamp::ZERO, None);
        self.waiters.push(Waiter { id, deadline, place, late, armed, waker });
        Ok(id)
    }
}

impl<const BUG: u8> WrongQueue<BUG> {
    fn work<R>(&self, step: impl FnOnce(&mut State, &mut Later) -> R) -> R {
        let mut later = Later::default();
        let mut state = self.state.lock().expect("nobody panics with it");
        let result = step(&mut state, &mut later);
        if is(QueueBug::WokenUnderLock, BUG) {
            later.wake.drain(..).for_each(Waker::wake);
        }
        if is(QueueBug::DroppedUnderLock, BUG) {
            later.gone.clear();
        }
        drop(state);
        later.wake.into_iter().for_each(Waker::wake);
        result
    }

    fn leave(&self, id: u64) {
        let now = self.time.now();
        self.work(|state, later| {
            let Some(i) = state.waiters.iter().position(|waiter| waiter.id == id) else { return };
            let place = state.waiters[i].place;
            if !is(QueueBug::BlockedHead, BUG) {
                later.gone.extend(state.waiters.remove(i).waker);
            }
            if let Some(place) = place {
                let is_ready = place[1] <= now;
                let is_kept = is(QueueBug::LostPermit, BUG) && is_ready
                    || is(QueueBug::BurntPlace, BUG) && !is_ready;
                if !is_kept {
                    state.give_back(place);
                }
            }
            state.promote(now, later);
        });
    }
}

/// The wait for a permit of a [`WrongQueue`].
#[derive(Debug)]
struct WrongWait<const BUG: u8> {
    queue: Arc<WrongQueue<BUG>>,
    patience: Patience,
    id: Option<u64>,
    sleep: Option<(Timestamp, Pin<Box<Sleep>>)>,
}

impl<const BUG: u8> WrongWait<BUG> {
    fn look(&mut self, waker: &Waker) -> Look {
        let now = self.queue.time.now();
        let deadline = match self.patience {
            Patience::Endless => Timestamp::MAX,
            Patience::Within(patience) => now + patience,
            Patience::By(deadline) => deadline,
        };
        let is_two_steps = is(QueueBug::LostWakeUp, BUG);
        let mut id = self.id;
        let look = self.queue.work(|state, later| {
            if is(QueueBug::Barging, BUG) && id.is_none() && state.full_at <= now {
                state.full_at = now + state.interval;
                return Look::Done(Ok(now));
            }
            let known = match id {
                Some(id) => id,
                None => match state.arrive(deadline, now) {
                    Ok(new) => *id.insert(new),
                    Err(error) => return Look::Done(Err(error)),
                },
            };
            let look = state.look::<BUG>(known, now, later);
            if let (Look::Until(until), false) = (&look, is_two_steps) {
                state.arm(known, *until, waker);
            }
            look
        });
        self.id = id;
        if let (Look::Until(until), Some(id), true) = (&look, id, is_two_steps) {
            self.queue.work(|state, _| state.arm(id, *until, waker));
        }
        look
    }
}

impl<const BUG: u8> Future for WrongWait<BUG> {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let this = self.get_mut();
        for _ in 0..2 {
            let until = match this.look(context.waker()) {
                Look::Done(outcome) => {
                    this.id = None;
                    return Poll::Ready(outcome);
                }
                Look::Until(until) => until,
            };
            let time = &this.queue.time;
            let fresh = || (until, Box::pin(time.sleep(until - time.now())));
            let (_, sleep) = match &mut this.sleep {
                Some(sleep) if sleep.0 == until => sleep,
                sleep => sleep.insert(fresh()),
            };
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            this.sleep = None;
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<const BUG: u8> Drop for WrongWait<BUG> {
    fn drop(&mut self) {
        // After a deadlock there is no lock to be had.
        if let (Some(id), false) = (self.id, panicking()) {
            self.queue.leave(id);
        }
    }
}

impl<const BUG: u8> Line for WrongQueue<BUG> {
    const KEEPS_PACE: bool = false;
    const IS_WEIGHTED: bool = false;
    const CAN_PAUSE: bool = false;

    type Alone = Limiter<TokenBucket>;

    fn new(quota: Quota, _most: usize, time: Time) -> Self {
        let (interval, full_at) = (quota.period() / quota.permits(), Timestamp::ZERO);
        let state = State { interval, full_at, arrivals: 0, waiters: Vec::new(), is_closed: false };
        Self { time, state: Mutex::new(state) }
    }

    fn acquire(self: &Arc<Self>, Wish { patience, .. }: Wish) -> Wait {
        let queue = Arc::clone(self);
        Box::pin(WrongWait { queue, patience, id: None, sleep: None })
    }

    fn block(self: &Arc<Self>, wish: Wish) -> Outcome {
        let wait = pin!(self.acquire(wish));
        match wait.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => panic!("it would block forever"),
        }
    }

    fn close(&self) {
        self.work(|state, later| {
            state.is_closed = true;
            for waiter in std::mem::take(&mut state.waiters) {
                waiter.place.into_iter().for_each(|place| state.give_back(place));
                let to =
                    if is(QueueBug::SilentClose, BUG) { &mut later.gone } else { &mut later.wake };
                to.extend(waiter.waker);
            }
        });
    }

    fn set_quota(&self, _quota: Quota) {}

    /// Pauses nothing, which would be a bug of its own.
    fn pause_until(&self, _until: Timestamp) {}

    fn waiting(&self) -> usize {
        self.work(|state, _| state.waiters.len())
    }

    fn check(&self) -> Option<Timestamp> {
        let now = self.time.now();
        self.work(|state, _| {
            let is_free = state.full_at <= now;
            if is_free {
                state.full_at = now + state.interval;
            }
            is_free.then_some(now)
        })
    }

    fn left(&self, now: Timestamp) -> Left {
        self.work(|state, _| (u32::from(state.full_at <= now), state.full_at - now))
    }
}
