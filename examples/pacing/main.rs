//! Worker threads at the pace of a quota, and an orderly end: `cargo run --release --example pacing`.

use casgate::wait::{AcquireError, Queue};
use casgate::{Limiter, Quota};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

static PACE: Queue = Queue::new(Limiter::token_bucket(Quota::per_second(10).with_burst(1)));

/// Does job after job, each in its turn, until there is none or the queue is closed.
fn work(pace: &Queue, jobs: &Mutex<Range<u32>>, done: Sender<u32>) -> Result<(), AcquireError> {
    loop {
        // The job first: a worker that finds none spends no permit.
        let Some(job) = jobs.lock().expect("no worker panics").next() else { return Ok(()) };
        pace.acquire().block()?; // if it fails, the job was not begun
        done.send(job).expect("the receiver outlives the workers");
    }
}

/// Runs a pool until `watch` returns, and closes the queue. Returns how each worker ended.
fn run(
    pace: &Queue,
    workers: usize,
    jobs: Range<u32>,
    watch: impl FnOnce(&Receiver<u32>),
) -> Vec<Result<(), AcquireError>> {
    let (jobs, (done, results)) = (Mutex::new(jobs), mpsc::channel());
    thread::scope(|scope| {
        let start = |_| {
            let (jobs, done) = (&jobs, done.clone());
            scope.spawn(|| work(pace, jobs, done))
        };
        let pool: Vec<_> = (0..workers).map(start).collect();
        watch(&results);
        pace.close(); // wakes the workers that wait
        pool.into_iter().map(|worker| worker.join().expect("no worker panics")).collect()
    })
}

fn main() {
    let end = Instant::now() + Duration::from_secs(2);
    let ends = run(&PACE, 4, 0..1_000, |results| {
        while let Ok(job) = results.recv_timeout(end.saturating_duration_since(Instant::now())) {
            println!("job {job} is done");
        }
    });
    for (worker, end) in ends.iter().enumerate() {
        match end {
            Ok(()) => println!("worker {worker} found no more jobs"),
            Err(error) => println!("worker {worker} has stopped: {error}"),
        }
    }
}

#[cfg(test)]
#[test]
fn workers_do_what_the_quota_allows_and_stop_when_the_queue_is_closed() {
    let pace = Queue::new(Limiter::token_bucket(Quota::per_hour(3)));
    let ends = run(&pace, 4, 0..9, |results| assert_eq!(results.iter().take(3).count(), 3));
    assert_eq!(ends, [Err(AcquireError::Closed); 4]);

    let pace = Queue::new(Limiter::token_bucket(Quota::per_hour(9)));
    let ends = run(&pace, 4, 0..9, |results| assert_eq!(results.iter().take(9).count(), 9));
    assert_eq!(ends, [Ok(()); 4]);
}
