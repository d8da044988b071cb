//! The upstream: a server with a quota, which it counts in its own way.

use crate::http;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// A server that serves at most `limit` requests in any `period`, and answers 429 to the others.
#[derive(Debug)]
pub(crate) struct Upstream {
    limit: usize,
    period: Duration,
    count: Mutex<Count>,
}

/// What the upstream has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count {
    /// When the requests of the last period arrived that it has served.
    log: VecDeque<Instant>,
    pub(crate) served: u64,
    pub(crate) denied: u64,
    /// The most that it has served in any period.
    pub(crate) busiest: usize,
}

impl Upstream {
    pub(crate) fn new(limit: u32, period: Duration) -> Arc<Self> {
        Arc::new(Self { limit: limit as usize, period, count: Mutex::default() })
    }

    pub(crate) fn count(&self) -> Count {
        self.count.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it serves a request that arrives at `now`.
    pub(crate) fn admits(&self, now: Instant) -> bool {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        while count.log.front().is_some_and(|&first| now - first >= self.period) {
            count.log.pop_front();
        }
        let is_admitted = count.log.len() < self.limit;
        if is_admitted {
            count.log.push_back(now);
            count.served += 1;
            count.busiest = count.busiest.max(count.log.len());
        } else {
            count.denied += 1;
        }
        is_admitted
    }

    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) -> io::Result<()> {
        loop {
            let (stream, _) = listener.accept().await?;
            let upstream = Arc::clone(&self);
            // Ends when the client hangs up.
            tokio::spawn(http::answer(stream, move || {
                if upstream.admits(Instant::now()) {
                    ("200 OK", "an item\n")
                } else {
                    ("429 Too Many Requests", "too many requests\n")
                }
            }));
        }
    }
}

#[cfg(test)]
#[test]
fn serves_the_limit_in_any_period() {
    let (upstream, start) = (Upstream::new(2, Duration::from_millis(100)), Instant::now());
    let served = [0, 50, 99, 100, 149, 150, 400].map(|t| upstream.admits(start + ms(t)));
    assert_eq!(served, [true, true, false, true, false, true, true]);
    let count = upstream.count();
    assert_eq!((count.served, count.denied, count.busiest), (5, 2, 2));

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }
}
