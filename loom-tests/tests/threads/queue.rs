//! Every operation of a queue next to every other on real threads, and whether the table of operations is complete.

use super::keyed::assert_complete;
use casgate::algorithm::{Adjustable, Both};
use casgate::wait::Queue;
use casgate::{FixedWindow, SlidingWindow, TokenBucket};
use loom_tests::explore::explore;
use loom_tests::scenarios::queue::*;
use loom_tests::seeded::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

type Of<A> = Queue<A, Time, Time>;

#[test]
fn every_public_operation_is_in_the_table_of_pairs() {
    let sources =
        [include_str!("../../../src/wait/queue.rs"), include_str!("../../../src/wait/acquire.rs")];
    let raced = OPERATIONS.iter().flat_map(|operation| operation.methods);
    assert_complete(&sources, raced.chain(NO_OPERATIONS).copied());
}

/// Each run takes the next pair.
fn all<L: Line>(queue: &str, scene: Scene) {
    let all = Mutex::new(Vec::new());
    pairs::<L>(|_, plays| all.lock().unwrap().push(plays));
    let (all, next) = (all.into_inner().unwrap(), AtomicUsize::new(0));
    explore(queue, move || {
        race::<L>(scene, &all[next.fetch_add(1, Ordering::Relaxed) % all.len()]);
    });
}

#[test]
fn pairs_of_operations() {
    for wakers_ask in [false, true] {
        let scene = Scene { wakers_ask, ..Scene::PLAIN };
        all::<Of<TokenBucket>>("token bucket", scene);
        all::<Of<TokenBucket>>("token bucket of 2", Scene { burst: 2, ..scene });
        all::<Of<FixedWindow>>("fixed window", scene);
        all::<Of<Both<TokenBucket, FixedWindow>>>("both", scene);
        all::<Of<Adjustable<TokenBucket>>>("adjustable token bucket", scene);
        all::<Of<Adjustable<FixedWindow>>>("adjustable fixed window", scene);
        all::<Of<SlidingWindow>>("sliding window", scene);
        all::<WrongQueue<{ QueueBug::None as u8 }>>("small queue", scene);
    }
}

/// Four callers, each run with the next four operations.
#[test]
fn four_operations_at_once() {
    fn four<L: Line>(queue: &str) {
        let (all, next) = (acts::<L>().collect::<Vec<_>>(), AtomicUsize::new(0));
        explore(queue, move || {
            let run = next.fetch_add(1, Ordering::Relaxed);
            let n = all.len();
            let plays = [1, n, n * n, n * n * n].map(|step| {
                // All that come in a burst of runs differ.
                let i = run.wrapping_mul(7_919) / step;
                Play { act: all[i % n], now: TIMES[i % TIMES.len()][0] }
            });
            race::<L>(Scene::PLAIN, &plays);
        });
    }
    four::<Of<TokenBucket>>("token bucket");
    four::<Of<FixedWindow>>("fixed window");
    four::<Of<Adjustable<TokenBucket>>>("adjustable token bucket");
    four::<Of<SlidingWindow>>("sliding window");
}

/// Threads that block and do not use the timer: all are served, in a time that this machine takes.
#[test]
fn threads_that_block() {
    use casgate::{Limiter, Quota};
    use std::sync::Arc;
    use std::thread;

    let quota = Quota::per_second(20_000).with_burst(1);
    let queue = Arc::new(Queue::new(Limiter::token_bucket(quota)));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let each = (0..50).map(|_| queue.acquire().block().expect("never closed").at());
                each.collect::<Vec<_>>()
            })
        })
        .collect();
    let mut all = Vec::new();
    for thread in threads {
        let own = thread.join().unwrap();
        assert!(own.is_sorted_by(|one, next| one < next), "one after another");
        all.extend(own);
    }
    all.sort();
    let apart = all.windows(2).all(|pair| (pair[1] - pair[0]).as_nanos() >= 50_000);
    assert!(apart, "two in one place: {all:?}");
    assert_eq!((all.len(), queue.waiting()), (200, 0));
}
