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
            // A caller may have asked just when its alarm went off. One look is enough: two would be two requests.
            limits.sort_unstable_by_key(Arc::as_ptr);
            limits.dedup_by(|one, other| Arc::ptr_eq(one, other));
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
        let mut failure = None;
        let mut succeeded = false;
        match replies {
            Ok(replies) => {
                for (Asked { limit, .. }, reply) in batch.iter().zip(replies) {
                    let trip = Trip { sent, received, random: fastrand::f64() };
                    let settled = reply.and_then(|numbers| {
                        let settled = limit.settle(&numbers, trip);
                        settled.map_err(|error| StoreError::new(Cause::Other, error.to_string()))
                    });
                    match settled {
                        Ok(at) => {
                            succeeded = true;
                            self.look_at(limit, at);
                        }
                        Err(error) => {
                            let until = received + limit.lifetime.mul_f64(fastrand::f64());
                            limit.fail(until);
                            self.look_at(limit, until);
                            failure = Some(error);
                        }
                    }
                }
            }
            Err(error) => failure = Some(error),
        }
        if succeeded {
            self.breaker.succeed();
        } else {
            let most = timeout.min(LONGEST_PAUSE);
            self.breaker.fail(received, most, fastrand::f64());
            let until = self.breaker.until();
            for Asked { limit, .. } in &batch {
                limit.fail(until);
                self.look_at(limit, until);
            }
        }
        self.inbox.tell(succeeded, failure, self.breaker.until());
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
