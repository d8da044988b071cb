//! A queue in front of it.

use casgate::algorithm::Sharded;
use casgate::wait::{AcquireError, Queue, TokioClock, TokioTimer};
use casgate::{FixedWindow, Limiter, Quota, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::time;

type Paused = Arc<Queue<Sharded<FixedWindow>, TokioClock, TokioTimer>>;

fn queue(quota: Quota, cells: usize) -> Paused {
    let limiter =
        Limiter::sharded_fixed_window(quota).with_cells(cells).with_clock(TokioClock::new());
    Arc::new(Queue::with_timer(limiter, TokioTimer))
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_served_in_order_window_after_window() {
    for cells in [1, 2, 4] {
        let queue = queue(Quota::per_second(10), cells);
        let first = time::Instant::now();
        // Each window begins with the clock's own second.
        let tasks: Vec<_> = (0..35).map(|_| tokio::spawn(queue.acquire_owned())).collect();
        let mut before = Timestamp::ZERO;
        let mut by_second = [0; 4];
        for task in tasks {
            let at = task.await.unwrap().unwrap().at();
            assert!(at >= before, "{cells} cells: in order");
            before = at;
            by_second[(at.as_nanos() / 1_000_000_000) as usize] += 1;
        }
        assert_eq!(by_second, [10, 10, 10, 5], "{cells} cells");
        assert!(first.elapsed() < Duration::from_secs(4));
        assert_eq!(queue.waiting(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_waits_take_nothing() {
    let queue = queue(Quota::per_second(4), 2);
    assert_eq!(queue.limiter().take_up_to(4), 4);
    let late = queue.acquire().within(Duration::from_millis(10)).await;
    assert!(matches!(late, Err(AcquireError::TooLate { .. })), "{late:?}");
    assert!(time::timeout(Duration::from_millis(10), queue.acquire()).await.is_err());
    assert_eq!(queue.waiting(), 0);
    time::sleep(Duration::from_secs(1)).await;
    assert_eq!(queue.limiter().peek().remaining(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_serves_in_order_and_at_its_pace() {
    let quota = Quota::per_second(100).with_burst(64);
    let limiter = Limiter::sharded_token_bucket(quota).with_cells(2).with_clock(TokioClock::new());
    let queue = Arc::new(Queue::with_timer(limiter, TokioTimer));
    let first = time::Instant::now();
    let tasks: Vec<_> = (0..364).map(|_| tokio::spawn(queue.acquire_owned())).collect();
    let mut before = Timestamp::ZERO;
    for task in tasks {
        let at = task.await.unwrap().unwrap().at();
        assert!(at >= before, "in order");
        before = at;
    }
    // Of 300 permits beyond the burst; a lease takes up to four more for a cell before the next may come.
    let elapsed = first.elapsed();
    assert!(
        elapsed >= Duration::from_secs(3) && elapsed < Duration::from_millis(3_200),
        "{elapsed:?}"
    );
    assert_eq!(queue.waiting(), 0);
}
