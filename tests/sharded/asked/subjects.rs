//! What is raced.

use super::{Act, Answer, BEFORE, Promise, Run};
use crate::{PERIOD, at, quota};
use casgate::algorithm::{Algorithm, Private, Sharded};
use casgate::clock::ManualClock;
use casgate::wait::Queue;
use casgate::{Limit, Limiter, Quota, TokenBucket};
use std::future::{Future, Pending, pending};
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A limiter, right or wrong.
pub(super) trait Subject: Send + Sync + Sized + 'static {
    /// One that was asked a little before the round of that number.
    fn run(round: usize) -> Run<Self>;

    fn act(&self, act: Act, now: u64) -> Answer;

    fn left(&self, now: u64) -> u32;
}

/// Sleeps for as long as anybody looks.
type Asleep = fn(Duration) -> Pending<()>;

fn queue<A: Algorithm>(
    limiter: Limiter<A, ManualClock>,
    now: u64,
) -> Queue<A, ManualClock, Asleep> {
    limiter.clock().set(at(now));
    Queue::with_timer(limiter, |_| pending())
}

/// The operations of both, with `elsewhere` to be asked first.
fn act<A: Algorithm>(
    queue: &Queue<A, ManualClock, Asleep>,
    act: Act,
    now: u64,
    elsewhere: impl Fn(),
) -> Answer
where
    Limiter<A, ManualClock>: Sync,
{
    let limiter = queue.limiter();
    let decided = |ok| if ok { Answer::Admitted } else { Answer::Denied };
    match act {
        Act::Check => decided(limiter.check().is_ok()),
        Act::CheckAt => decided(limiter.check_at(at(now)).is_ok()),
        Act::IsAllowed => decided(limiter.is_allowed()),
        Act::IsAllowedAt => decided(limiter.is_allowed_at(at(now))),
        Act::Peek => Answer::Left(limiter.peek().remaining()),
        Act::PeekAt => Answer::Left(limiter.peek_at(at(now)).remaining()),
        Act::Limit => {
            let limit: &dyn Limit = limiter;
            decided(limit.check().is_ok())
        }
        Act::Place => {
            let wait = pin!(queue.acquire());
            match wait.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(_)) => Answer::Admitted,
                _ => Answer::NoPlace,
            }
        }
        Act::Describe => {
            assert!(format!("{limiter:?}").contains("cells"), "its cells are printed");
            Answer::Nothing
        }
        Act::End => {
            let ask = || limiter.is_allowed_at(at(now));
            decided(std::thread::scope(|scope| scope.spawn(ask).join().unwrap()))
        }
        Act::Elsewhere => {
            elsewhere();
            decided(limiter.is_allowed_at(at(now)))
        }
    }
}

/// The bucket with cells.
pub(super) struct Stocked(Queue<Sharded<TokenBucket>, ManualClock, Asleep>);

/// A permit of the bucket, in nanoseconds.
const TICK: u64 = 10;
const BURST: u32 = 32;

impl Subject for Stocked {
    /// With all but a few spent at 0. By 20 another two are there.
    fn run(round: usize) -> Run<Self> {
        let quota = Quota::new(1, Duration::from_nanos(TICK)).unwrap().with_burst(BURST);
        let limiter = Limiter::sharded_token_bucket(quota).with_cells([1, 2, 4][round % 3]);
        let times = if round % 2 == 0 { [0, 2 * TICK] } else { [2 * TICK; 2] };
        let limiter = Self(queue(limiter.with_clock(ManualClock::new()), times[1]));
        let promise = Promise::Bucket { burst: BURST, tick: TICK };
        let run = Run { limiter, promise, times, calls: Mutex::default() };
        (0..BURST - [0, 1, 2, 3, 5][round % 5]).for_each(|_| run.call(BEFORE, Act::CheckAt, 0));
        run
    }

    fn act(&self, what: Act, now: u64) -> Answer {
        act(&self.0, what, now, || ())
    }

    fn left(&self, now: u64) -> u32 {
        self.0.limiter().peek_at(at(now)).remaining()
    }
}

/// The window of which threads keep permits, and another of its kind.
pub(super) struct Kept {
    queue: Queue<Private, ManualClock, Asleep>,
    other: Limiter<Private>,
}

pub(super) const LIMIT: u32 = 12;
pub(super) const BATCH: u32 = 3;

/// Of a run that has not been yet: what threads keep of runs before is of windows that are over.
pub(super) fn next_windows(round: usize) -> [u64; 2] {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let first = NEXT.fetch_add(2 * PERIOD, Relaxed);
    if round % 2 == 0 { [first, first + PERIOD] } else { [first, first + 1] }
}

impl Subject for Kept {
    /// With some spent in the first of two windows, or in the one.
    fn run(round: usize) -> Run<Self> {
        let new = || Limiter::sharded_fixed_window(quota(LIMIT)).with_cells([1, 2, 4][round % 3]);
        let times = next_windows(round);
        let limiter = Self {
            queue: queue(new().with_clock(ManualClock::new()).private(BATCH), times[1]),
            other: new().private(BATCH),
        };
        let promise = Promise::Private { limit: LIMIT, period: PERIOD, batch: BATCH };
        let run = Run { limiter, promise, times, calls: Mutex::default() };
        (0..[0, 5, 9, 10, 12][round % 5]).for_each(|_| run.call(BEFORE, Act::CheckAt, times[0]));
        run
    }

    fn act(&self, what: Act, now: u64) -> Answer {
        act(&self.queue, what, now, || {
            let _ = self.other.is_allowed_at(at(now));
        })
    }

    fn left(&self, now: u64) -> u32 {
        self.queue.limiter().peek_at(at(now)).remaining()
    }
}
