//! The client: tasks that share the quota of an upstream.

use crate::http::Connection;
use casgate::wait::{AcquireError, Queue};
use casgate::{Quota, QuotaError, StrictQuota};
use indicatif::ProgressBar;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;

/// The quota for a client of an upstream that serves `limit` requests in any `period`, by their arrival.
///
/// The bound of a queue holds for the instants at which its permits are ready. A request arrives later than that: its
/// task is polled late, and the network takes time. One request may take longer than another by up to `jitter`. Those
/// that arrive within one period then had their permits ready within a period and the jitter. So the client keeps the
/// limit in every interval of that length.
///
/// A tenth of the limit may come at once. A larger burst makes the rate lower.
pub(crate) fn quota(
    limit: u32,
    period: Duration,
    jitter: Duration,
) -> Result<StrictQuota, QuotaError> {
    Quota::at_most(limit).with_burst((limit / 10).max(1)).try_in_any(period + jitter)
}

/// What the client was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) served: u64,
    pub(crate) denied: u64,
}

/// Sends `each` requests from each of the tasks. With `queue` they wait for permits; without, they do not.
pub(crate) async fn run(
    upstream: SocketAddr,
    (tasks, each): (u32, u32),
    queue: Option<&'static Queue>,
    progress: &ProgressBar,
) -> Result<Tally, Box<dyn Error + Send + Sync>> {
    let mut running = JoinSet::new();
    for _ in 0..tasks {
        running.spawn(task(upstream, each, queue, progress.clone()));
    }
    let mut sum = Tally::default();
    while let Some(ended) = running.join_next().await {
        let tally = ended??;
        sum.served += tally.served;
        sum.denied += tally.denied;
    }
    Ok(sum)
}

async fn task(
    upstream: SocketAddr,
    requests: u32,
    queue: Option<&'static Queue>,
    progress: ProgressBar,
) -> Result<Tally, Box<dyn Error + Send + Sync>> {
    let mut tally = Tally::default();
    // Before it waits: to connect takes longer than to send, and it would be part of the jitter.
    let mut connection = Connection::open(upstream).await?;
    for _ in 0..requests {
        if let Some(queue) = queue {
            match queue.acquire().await {
                Ok(_) => {}
                Err(AcquireError::Closed) => break, // the program ends
                Err(error) => return Err(error.into()),
            }
        }
        match connection.get("/item").await? {
            200 => tally.served += 1,
            429 => tally.denied += 1,
            other => return Err(format!("the upstream answers {other}").into()),
        }
        progress.inc(1);
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Upstream;
    use casgate::{Limiter, Timestamp};
    use std::net::Ipv4Addr;
    use std::sync::{Arc, OnceLock};
    use std::time::Instant;
    use tokio::net::TcpListener;

    const HOUR: Duration = Duration::from_secs(3_600);
    const PERIOD: Duration = Duration::from_secs(1);

    async fn serve(upstream: &Arc<Upstream>) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(Arc::clone(upstream).serve(listener));
        address
    }

    #[tokio::test]
    async fn without_a_queue_the_upstream_denies_what_is_above_its_quota() {
        let upstream = Upstream::new(20, HOUR);
        let address = serve(&upstream).await;
        let tally = run(address, (10, 3), None, &ProgressBar::hidden()).await.unwrap();
        assert_eq!(tally, Tally { served: 20, denied: 10 });
        assert_eq!((upstream.count().served, upstream.count().denied), (20, 10));
    }

    #[tokio::test]
    async fn in_line_nothing_is_denied_and_who_waits_is_sent_away_at_the_end() {
        static QUEUE: OnceLock<Queue> = OnceLock::new();
        let queue =
            QUEUE.get_or_init(|| Queue::new(Limiter::strict(quota(20, HOUR, HOUR).unwrap())));
        let upstream = Upstream::new(20, HOUR);
        let address = serve(&upstream).await;
        let client = tokio::spawn(async move {
            run(address, (10, 3), Some(queue), &ProgressBar::hidden()).await
        });
        while queue.waiting() < 10 {
            tokio::task::yield_now().await;
        }
        queue.close();
        // The burst was served; the next permit was minutes away.
        assert_eq!(client.await.unwrap().unwrap(), Tally { served: 2, denied: 0 });
        assert_eq!((upstream.count().served, upstream.count().denied), (2, 0));
    }

    /// How many requests an upstream denies whose client sends as early as it may. What it sends in the first `jitter`
    /// arrives together at the end of that, and the rest arrives at once.
    fn denied(quota: StrictQuota, jitter: Duration) -> u64 {
        let (limiter, upstream) = (Limiter::strict(quota), Upstream::new(quota.limit(), PERIOD));
        let start = Instant::now();
        for ready_at in (0..5_000).map(Duration::from_millis) {
            while limiter.is_allowed_at(Timestamp::ZERO + ready_at) {
                upstream.admits(start + ready_at.max(jitter));
            }
        }
        upstream.count().denied
    }

    #[test]
    fn the_quota_leaves_room_for_the_jitter() {
        let jitter = Duration::from_millis(200);
        for limit in [1, 9, 10, 50, 1_000] {
            assert_eq!(denied(quota(limit, PERIOD, jitter).unwrap(), jitter), 0, "{limit}");
        }
        assert!(denied(quota(50, PERIOD, Duration::ZERO).unwrap(), jitter) > 0);
    }
}
