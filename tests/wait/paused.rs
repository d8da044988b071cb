//! On tokio's time, which a test pauses: it jumps from sleeper to sleeper.

use casgate::wait::{AcquireError, Queue, TokioClock, TokioTimer};
use casgate::{Limiter, Quota, Timestamp, TokenBucket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time;

type Paused = Arc<Queue<TokenBucket, TokioClock, TokioTimer>>;

fn queue(quota: Quota) -> Paused {
    let limiter = Limiter::token_bucket(quota).with_clock(TokioClock::new());
    Arc::new(Queue::with_timer(limiter, TokioTimer))
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_waiting_takes_no_time() {
    let queue = queue(Quota::per_minute(1));
    let start = time::Instant::now();
    let tasks: Vec<_> = (0..61).map(|_| tokio::spawn(queue.acquire_owned())).collect();
    for (minute, task) in (0..).zip(tasks) {
        let admitted = task.await.unwrap().unwrap();
        assert_eq!(admitted.at(), Timestamp::from_secs(60 * minute));
        assert_eq!(start.elapsed(), Duration::from_secs(60 * minute));
    }
}

#[tokio::test(start_paused = true)]
async fn hopeless_waits_fail_before_any_time_goes_by() {
    let queue = queue(Quota::per_second(1).with_burst(1));
    let start = time::Instant::now();
    queue.acquire().await.unwrap();
    let late = queue.acquire().within(Duration::from_millis(999)).await;
    assert_eq!(late, Err(AcquireError::TooLate { ready_after: Duration::from_secs(1) }));
    assert_eq!(start.elapsed(), Duration::ZERO);
    // Dropped by a timeout, it takes nothing.
    let wait = time::timeout(Duration::from_millis(999), queue.acquire());
    assert!(wait.await.is_err());
    assert_eq!(queue.waiting(), 0);
    queue.acquire().await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    // One that waits is sent away by another task.
    let waits = tokio::spawn(queue.acquire_owned());
    tokio::task::yield_now().await;
    assert_eq!(queue.waiting(), 1);
    queue.close();
    assert_eq!(waits.await.unwrap(), Err(AcquireError::Closed));
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn timeouts_around_the_waits_of_twice_the_load_burn_nothing() {
    let queue = queue(Quota::per_second(100).with_burst(10));
    let served = Arc::new(AtomicU32::new(0));
    let start = time::Instant::now();
    let mut before = 0;
    for second in 1..=10u64 {
        for call in 0..200 {
            let (queue, served) = (Arc::clone(&queue), Arc::clone(&served));
            tokio::spawn(async move {
                if let Ok(outcome) = time::timeout(Duration::from_secs(1), queue.acquire()).await {
                    outcome.unwrap();
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
            let next = Duration::from_secs(second - 1) + Duration::from_millis(5 * (call + 1));
            time::sleep_until(start + next).await;
        }
        let now = served.load(Ordering::Relaxed);
        assert!(now - before >= 99, "{} in second {second}", now - before);
        before = now;
    }
}
