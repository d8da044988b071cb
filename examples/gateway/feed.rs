//! The ticks of the last minute, and those to come.

use crate::live::Live;
use crate::tally::Tally;
use crate::tick::Tick;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};

/// How often there is a tick.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);

/// How many ticks are kept: a minute.
const KEPT: usize = 120;

/// How many ticks a viewer may be late. A later one is dropped, and begins again.
const LATE: usize = 16;

/// What all open pages are told: one text for all of them.
#[derive(Debug)]
pub(crate) struct Feed {
    /// `None` after the end.
    inner: Mutex<Option<Inner>>,
}

#[derive(Debug)]
struct Inner {
    recent: VecDeque<Arc<str>>,
    live: broadcast::Sender<Arc<str>>,
}

impl Feed {
    pub(crate) fn new() -> Self {
        let inner = Inner { recent: VecDeque::new(), live: broadcast::Sender::new(LATE) };
        Self { inner: Mutex::new(Some(inner)) }
    }

    /// Tells all viewers.
    pub(crate) fn push(&self, tick: &Tick) {
        if let Some(inner) = &mut *self.lock() {
            let text: Arc<str> = tick.to_json().into();
            if inner.recent.len() == KEPT {
                inner.recent.pop_front();
            }
            inner.recent.push_back(Arc::clone(&text));
            let _ = inner.live.send(text); // perhaps nobody looks
        }
    }

    /// The ticks of the last minute and then those to come, without a gap.
    pub(crate) fn ticks(&self) -> impl Stream<Item = Arc<str>> + use<> {
        let (recent, live) = match &*self.lock() {
            Some(inner) => (inner.recent.clone(), inner.live.subscribe()),
            None => (VecDeque::new(), broadcast::Sender::new(1).subscribe()),
        };
        let live = BroadcastStream::new(live).map_while(Result::ok);
        tokio_stream::iter(recent).chain(live)
    }

    /// Ends what all viewers see.
    pub(crate) fn end(&self) {
        *self.lock() = None;
    }

    /// Ticks until the task is dropped.
    pub(crate) async fn run(&self, live: &Live, tally: &Tally) {
        let start = Instant::now();
        let mut ticks = tokio::time::interval(PERIOD);
        // After a stall the missed ticks would come together, and a rate is a count by the time between two.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.push(&Tick::new(start.elapsed(), live, tally));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Inner>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
