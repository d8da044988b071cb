//! Every operation of the sinks, the streams and the waits of one queue next to every other on real threads, and the
//! same of the waits for a key. Afterwards only those are polled who were woken. The [`judge`] knows no order: it counts.

mod judge;
mod keys;
mod queue;

use super::sim::Time;
use casgate::Timestamp;
use casgate::clock::Clock;
use judge::{Broken, Record};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Of one permit, in milliseconds.
const STEP: u64 = 10;

const fn ms(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// What a waiter of any kind got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Waits,
    /// By its caller, without a permit that was spent.
    Dropped,
    /// At an instant at which a permit is ready; or by then, if it was polled late.
    Served {
        at: Timestamp,
        is_exact: bool,
    },
    Failed,
}

/// Who is woken.
#[derive(Debug, Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// What is waited by.
trait Waits {
    /// Whether it is over, with the instant of its permits if it tells.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Timestamp>, ()>>;
}

/// One who waits.
struct Waiter<W> {
    waits: Option<W>,
    bell: Arc<Bell>,
    end: End,
}

impl<W: Waits> Waiter<W> {
    fn new(waits: W) -> Self {
        Self { waits: Some(waits), bell: Arc::default(), end: End::Waits }
    }

    /// Polls it with a waker of its own, if it still waits.
    fn poll(&mut self, now: Timestamp, is_punctual: bool) {
        let Some(waits) = self.waits.as_mut().filter(|_| self.end == End::Waits) else { return };
        self.bell = Arc::default();
        let waker = Waker::from(Arc::clone(&self.bell));
        match waits.poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => {}
            Poll::Ready(Ok(told)) => {
                let is_exact = is_punctual || told.is_some();
                self.end = End::Served { at: told.unwrap_or(now), is_exact };
            }
            Poll::Ready(Err(())) => self.end = End::Failed,
        }
    }

    fn drop_it(&mut self) {
        if self.waits.take().is_some() && self.end == End::Waits {
            self.end = End::Dropped;
        }
    }

    fn is_woken(&self) -> bool {
        self.end == End::Waits && self.waits.is_some() && self.bell.0.load(Ordering::Acquire)
    }
}

/// Lets the time go on, and polls only those who were woken, until nobody waits. Returns false if somebody waits in vain.
fn settle<W: Waits>(time: &Time, waiters: &mut [Waiter<W>]) -> bool {
    let raced = time.now();
    for _ in 0..20 * (waiters.len() + 1) {
        let now = time.now();
        if let Some(waiter) = waiters.iter_mut().find(|waiter| waiter.is_woken()) {
            // Those who were woken before the race are polled late.
            waiter.poll(now, now > raced);
        } else if waiters.iter().all(|w| w.end != End::Waits || w.waits.is_none()) {
            return true;
        } else {
            let Some(next) = time.next_event() else { return false };
            time.advance_to(next);
        }
    }
    false
}

/// Both at once.
fn together(calls: [impl FnOnce() + Send; 2]) {
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        for call in calls {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                call();
            });
        }
    });
}

const ROUNDS: usize = if cfg!(debug_assertions) { 4 } else { 200 };

/// When they race: before the first permit, at its instant, and when three are ready.
const TIMES: [u64; 3] = [0, STEP, 3 * STEP];

/// Each pair of a table at all times.
fn every_pair<O: Copy>(
    table: &[(&'static str, O)],
    race: impl Fn([O; 2], Timestamp) -> Result<(), (Broken, String)>,
) {
    for (i, &(first, one)) in table.iter().enumerate() {
        for &(second, other) in &table[i..] {
            for at in TIMES {
                for _ in 0..ROUNDS {
                    if let Err((broken, about)) = race([one, other], ms(at)) {
                        panic!("{first} next to {second} at {at} ms: {broken:?}\n{about}");
                    }
                }
            }
        }
    }
}

/// An operation bears the name of its method. Those of an `Arc` are the same, and all waits for a key have a timer.
#[test]
fn no_operation_is_missing() {
    let sources = [
        include_str!("../../../src/wait/sink.rs"),
        include_str!("../../../src/wait/stream.rs"),
        include_str!("../../../src/wait/keyed.rs"),
    ];
    let raced = queue::names().chain(keys::names()).chain(["timer"]).collect::<Vec<_>>();
    let methods = sources.iter().flat_map(|source| source.split("    pub fn ").skip(1));
    let names = methods.map(|rest| rest.split(['(', '<']).next().unwrap_or(rest));
    let mut count = 0;
    for name in names {
        assert!(raced.contains(&name.trim_end_matches("_owned")), "{name} is in no pair");
        count += 1;
    }
    assert!(count > 8, "{count} were found");
}
