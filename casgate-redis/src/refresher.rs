//! The thread that talks to the store.

use crate::breaker::Breaker;
use crate::fleet::Inbox;
use crate::holder::{Step, Trip};
use crate::limiter::Shared;
use crate::protocol::Script;
use crate::store::{Call, Cause, Store, StoreError};
use casgate::Timestamp;
use casgate::clock::{Clock, SystemClock};
use core::cmp::Ordering;
use core::time::Duration;
use std::collections::BinaryHeap;
use std::sync::{Arc, Weak};
use std::thread;

/// The most calls that are sent together.
const BATCH: usize = 500;

/// A reply may take as long as the longest lease of its batch lives, and this at least.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(50);

/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

pub(crate) fn start(store: Box<dyn Store>, inbox: Arc<Inbox>) {
    let (breaker, alarms) = (Breaker::default(), BinaryHeap::new());
    let refresher = Refresher { store, inbox, breaker, alarms };
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
                limits.extend(limit.upgrade().filter(|limit| limit.is_alarm(at)));
            }
            self.serve(limits, now);
        }
    }

    /// Asks for what the limits need. A store that has failed is asked for one of them first.
    fn serve(&mut self, mut limits: Vec<Arc<Shared>>, now: Timestamp) {
        if self.breaker.is_open() {
            if now >= self.breaker.until() {
                self.probe(&mut limits, now);
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

    fn probe(&mut self, limits: &mut Vec<Arc<Shared>>, now: Timestamp) {
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
        let replies = self.store.call(&calls, timeout).and_then(|replies| {
            if replies.len() == batch.len() {
                Ok(replies)
            } else {
                let detail = format!("{} replies to {} calls", replies.len(), batch.len());
                Err(StoreError::new(Cause::Other, detail))
            }
        });
        let received = SystemClock.now();
        let replies = match replies {
            Ok(replies) => replies,
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        };
        let failure = replies.iter().find_map(|reply| reply.as_ref().err()).cloned();
        if replies.iter().any(Result::is_ok) {
            self.breaker.succeed();
        } else {
            self.breaker.fail(received, timeout.min(LONGEST_PAUSE), fastrand::f64());
        }
        // Before any caller hears of it: what they are told next is there then.
        self.inbox.tell(!self.breaker.is_open(), failure, self.breaker.until());
        for (Asked { limit, .. }, reply) in batch.iter().zip(replies) {
            let trip = Trip { sent, received, random: fastrand::f64() };
            let look_at = match reply.map(|numbers| limit.settle(&numbers, trip)) {
                Ok(Ok(look_at)) => look_at,
                failure => {
                    if let Ok(Err(garbage)) = failure {
                        self.inbox.note(StoreError::new(Cause::Other, garbage.to_string()));
                    }
                    // The store's own pause, or one for this limit alone.
                    let pause = received + limit.lifetime.mul_f64(fastrand::f64());
                    let until = if self.breaker.is_open() { self.breaker.until() } else { pause };
                    limit.fail(until);
                    until
                }
            };
            self.look_at(limit, look_at);
        }
    }
}

/// How long a call for that limit may take.
fn timeout(limit: &Shared) -> Duration {
    limit.lifetime.max(SHORTEST_TIMEOUT)
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
