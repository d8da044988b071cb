//! The thread that talks to the store.

use crate::breaker::Breaker;
use crate::fleet::Inbox;
use crate::holder::{Step, Trip};
use crate::limiter::Shared;
use crate::protocol::Script;
use crate::store::{Call, Cause, Store, StoreError, panic_text};
use casgate::Timestamp;
use casgate::clock::{Clock, SystemClock};
use core::cmp::Ordering;
use core::time::Duration;
use std::collections::BinaryHeap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Weak};
use std::thread;

/// The most calls that are sent together.
const BATCH: usize = 500;

/// A reply may take as long as the longest lease of its batch lives, and this at least.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(50);

/// And this at most: all limits wait for it.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(1);

/// From so many alarms on it is worth a look which of them still count.
const MANY_ALARMS: usize = 64;

/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

pub(crate) fn start(store: Box<dyn Store>, inbox: Arc<Inbox>) {
    let (breaker, alarms) = (Breaker::default(), BinaryHeap::new());
    let refresher = Refresher { store, inbox, breaker, alarms, many_alarms: MANY_ALARMS };
    thread::Builder::new()
        .name("casgate-fleet".to_owned())
        .spawn(move || refresher.run())
        .expect("the operating system gives a thread");
}

struct Refresher {
    store: Box<dyn Store>,
    inbox: Arc<Inbox>,
    breaker: Breaker,
    alarms: BinaryHeap<Alarm>,
    /// With so many alarms, those that count no more are removed.
    many_alarms: usize,
}

/// A limit to look at, at that instant.
struct Alarm {
    at: Timestamp,
    limit: Weak<Shared>,
}

/// What a limit asks.
struct Asked {
    limit: Arc<Shared>,
    script: Script,
    arguments: Vec<i64>,
}

impl Refresher {
    fn run(mut self) {
        loop {
            let until = self.alarms.peek().map_or(Timestamp::MAX, |alarm| alarm.at);
            let Some(mut limits) = self.inbox.wait(until) else { return };
            let now = SystemClock.now();
            while self.alarms.peek().is_some_and(|alarm| alarm.at <= now) {
                let Some(Alarm { at, limit }) = self.alarms.pop() else { break };
                limits.extend(limit.upgrade().filter(|limit| limit.take_alarm(at)));
            }
            self.serve(limits);
        }
    }

    /// Asks for what the limits need. A store that has failed is asked for one of them first.
    fn serve(&mut self, mut limits: Vec<Arc<Shared>>) {
        if self.breaker.is_open() {
            if SystemClock.now() >= self.breaker.until() {
                self.probe(&mut limits);
            }
            if self.breaker.is_open() {
                for limit in limits {
                    self.look_at(&limit, self.breaker.until());
                }
                return;
            }
        }
        let mut limits = limits.into_iter();
        while limits.len() > 0 {
            // For each batch, since leases end while a call lasts.
            let now = SystemClock.now();
            let batch: Vec<Asked> =
                limits.by_ref().filter_map(|l| self.look(l, now, false)).take(BATCH).collect();
            if batch.is_empty() {
                return;
            }
            self.ask(batch);
            if self.breaker.is_open() {
                for limit in limits.by_ref() {
                    self.look_at(&limit, self.breaker.until());
                }
            }
        }
    }

    fn probe(&mut self, limits: &mut Vec<Arc<Shared>>) {
        let now = SystemClock.now();
        while let Some(limit) = limits.pop() {
            let timeout = timeout(&limit);
            if let Some(asked) = self.look(limit, now, true) {
                // While it lasts, nobody waits for it.
                self.inbox.expect_at(now + timeout);
                self.ask(vec![asked]);
                return;
            }
        }
    }

    fn look(&mut self, limit: Arc<Shared>, now: Timestamp, probing: bool) -> Option<Asked> {
        match limit.look(now, probing) {
            Step::Ask { script, arguments } => Some(Asked { limit, script, arguments }),
            Step::LookAt(at) => {
                self.look_at(&limit, at);
                None
            }
            Step::Rest => None,
        }
    }

    fn look_at(&mut self, limit: &Arc<Shared>, at: Timestamp) {
        if limit.set_alarm(at) {
            self.alarms.push(Alarm { at, limit: Arc::downgrade(limit) });
        }
        if self.alarms.len() >= self.many_alarms {
            // Those of limits that are gone would keep their memory.
            self.alarms.retain(Alarm::counts);
            self.many_alarms = MANY_ALARMS.max(2 * self.alarms.len());
        }
    }

    fn ask(&mut self, batch: Vec<Asked>) {
        let timeout = batch.iter().map(|asked| timeout(&asked.limit)).max().unwrap_or_default();
        let calls: Vec<Call<'_>> = batch
            .iter()
            .map(|Asked { limit, script, arguments }| Call {
                script: *script,
                key: limit.key(),
                arguments,
            })
            .collect();
        // Before it is sent: what the lease's deadline counts from.
        let sent = SystemClock.now();
        let replies = call(&mut *self.store, &calls, timeout);
        let received = SystemClock.now();
        let answered = replies.is_ok();
        let replies = match replies {
            Ok(replies) => replies,
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        };
        let failure = replies.iter().find_map(|reply| reply.as_ref().err()).cloned();
        // An error in the place of a reply may be for its key alone.
        let may_be_of_key = |reply: &Result<_, StoreError>| {
            reply.as_ref().map_or_else(|error| answered && error.cause().may_be_of_key(), |_| true)
        };
        let is_down = replies.iter().all(Result::is_err) && !replies.iter().all(may_be_of_key);
        // Of a cluster, each call fails by itself.
        let is_reply = |reply: &Result<_, StoreError>| {
            reply.as_ref().map_or_else(|error| error.cause().is_reply(), |_| true)
        };
        let is_up = !is_down && replies.iter().any(is_reply);
        let longest = timeout.min(LONGEST_PAUSE);
        if is_down {
            self.breaker.fail(received, longest, fastrand::f64());
        } else {
            self.breaker.succeed();
        }
        // Before any caller hears of it: what they are told next is there then.
        self.inbox.tell(is_up, failure, self.breaker.until());
        for (Asked { limit, .. }, reply) in batch.iter().zip(replies) {
            let trip = Trip { sent, received, random: fastrand::f64() };
            let look_at = match reply.map(|numbers| limit.settle(&numbers, trip)) {
                Ok(Ok(look_at)) => look_at,
                failure => {
                    if let Ok(Err(garbage)) = failure {
                        self.inbox.note(StoreError::new(Cause::Other, garbage.to_string()));
                    }
                    // The store's own pause, or one for this limit alone.
                    if is_down {
                        limit.fail(self.breaker.until());
                        self.breaker.until()
                    } else {
                        limit.fail_alone(received, longest, fastrand::f64())
                    }
                }
            };
            self.look_at(limit, look_at);
        }
    }
}

/// Calls the store, and takes a panic or a wrong number of replies for a failure.
fn call(
    store: &mut dyn Store,
    calls: &[Call<'_>],
    timeout: Duration,
) -> Result<Vec<Result<Vec<i64>, StoreError>>, StoreError> {
    // All limits would wait for a thread that is gone.
    let replies = panic::catch_unwind(AssertUnwindSafe(|| store.call(calls, timeout))).map_err(
        |panic| StoreError::new(Cause::Other, format!("it panicked: {}", panic_text(&*panic))),
    )??;
    if replies.len() == calls.len() {
        Ok(replies)
    } else {
        let detail = format!("{} replies to {} calls", replies.len(), calls.len());
        Err(StoreError::new(Cause::Other, detail))
    }
}

/// How long a call for that limit may take.
fn timeout(limit: &Shared) -> Duration {
    limit.lifetime.clamp(SHORTEST_TIMEOUT, LONGEST_TIMEOUT)
}

impl Alarm {
    fn counts(&self) -> bool {
        self.limit.upgrade().is_some_and(|limit| limit.has_alarm(self.at))
    }
}

/// The earliest alarm is the greatest, as the heap wants it.
impl Ord for Alarm {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.cmp(&self.at)
    }
}

impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Alarm {}
