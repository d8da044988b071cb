//! Every public operation of a sharded token bucket next to every other.

use super::super::at;
use super::stock::{Stocked, TICK, drain, judge_stock, spent_at_first, there};
use crate::explore::atomic::{AtomicUsize, Ordering};
use crate::explore::thread::{self, ThreadId};
use casgate::algorithm::Sharded;
use casgate::clock::Clock;
use casgate::wait::Queue;
use casgate::{Limiter, Quota, Timestamp, TokenBucket};
use std::future::{Future, Pending, pending};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockStep {
    /// Asks for a permit at a timestamp.
    Check,
    /// Asks for one at the clock's, and once more if that was late.
    CheckByClock,
    /// Asks for one, and for no numbers.
    IsAllowed,
    /// Takes a place in a queue, or leaves it.
    Place,
    /// Looks.
    Peek,
    /// Prints it.
    Describe,
}

impl StockStep {
    /// Whether it may take a permit.
    #[must_use]
    pub const fn asks(self) -> bool {
        !matches!(self, Self::Peek | Self::Describe)
    }
}

/// The public methods that an operation stands for. A place in line is a queue's, and `Debug` is a trait's.
pub const STOCK_OPERATIONS: [(&[&str], StockStep); 6] = [
    (&["check_at"], StockStep::Check),
    (&["check"], StockStep::CheckByClock),
    (&["is_allowed", "is_allowed_at"], StockStep::IsAllowed),
    (&[], StockStep::Place),
    (&["peek", "peek_at"], StockStep::Peek),
    (&[], StockStep::Describe),
];

/// Public methods that make a sharded limiter.
pub const NO_STOCK_OPERATIONS: &[&str] =
    &["sharded_fixed_window", "sharded_token_bucket", "with_cells", "with_clock", "private"];

/// What its caller learns.
#[derive(Clone, Copy, Debug)]
pub enum Learned {
    /// Whether a permit was admitted.
    Decided(bool),
    /// Whether there was a place at once. That there was none is by a peek, which is no denial.
    Place(bool),
    /// What is left.
    Left(u32),
    /// No number.
    Nothing,
}

/// A bucket in cells with all operations, right or wrong.
pub trait Stepped: Stocked {
    /// Does it at `now`.
    fn step(&self, step: StockStep, now: Timestamp) -> Learned;
}

/// A clock that shows each thread the time that it has been given.
#[derive(Debug, Default)]
pub struct Own(Mutex<Vec<(ThreadId, Timestamp)>>);

impl Own {
    fn set(&self, now: Timestamp) {
        let id = thread::current().id();
        let mut all = self.0.lock().expect("nobody panics with it");
        all.retain(|own| own.0 != id);
        all.push((id, now));
    }
}

impl Clock for Own {
    fn now(&self) -> Timestamp {
        let id = thread::current().id();
        let all = self.0.lock().expect("nobody panics with it");
        all.iter().find(|own| own.0 == id).map_or(Timestamp::ZERO, |own| own.1)
    }
}

/// Sleeps for as long as anybody looks.
type Asleep = fn(Duration) -> Pending<()>;

/// A queue in front of it.
pub type StockQueue = Queue<Sharded<TokenBucket>, Own, Asleep>;

impl Stocked for StockQueue {
    fn stocked(burst: u32, cells: usize) -> Self {
        let quota = Quota::new(1, Duration::from_nanos(TICK)).expect("one a tick");
        let limiter = Limiter::sharded_token_bucket(quota.with_burst(burst)).with_cells(cells);
        Self::with_timer(limiter.with_clock(Own::default()), |_| pending())
    }

    fn is_allowed(&self, now: Timestamp) -> bool {
        self.limiter().is_allowed_at(now)
    }

    fn left(&self, now: Timestamp) -> u32 {
        self.limiter().peek_at(now).remaining()
    }
}

impl Stepped for StockQueue {
    fn step(&self, step: StockStep, now: Timestamp) -> Learned {
        let limiter = self.limiter();
        limiter.clock().set(now);
        match step {
            StockStep::Check => Learned::Decided(limiter.check_at(now).is_ok()),
            StockStep::CheckByClock => Learned::Decided(limiter.check().is_ok()),
            StockStep::IsAllowed => Learned::Decided(limiter.is_allowed_at(now)),
            StockStep::Place => {
                let wait = pin!(self.acquire());
                let polled = wait.poll(&mut Context::from_waker(Waker::noop()));
                Learned::Place(matches!(polled, Poll::Ready(Ok(_))))
            }
            StockStep::Peek => Learned::Left(limiter.peek_at(now).remaining()),
            StockStep::Describe => {
                assert!(format!("{limiter:?}").contains("cells"), "its cells are printed");
                Learned::Nothing
            }
        }
    }
}

/// What was left of a bucket at 0, and when the two operations come.
pub const STOCK_TIMES: [(u32, [u64; 2]); 5] =
    [(1, [0, 0]), (3, [0, 0]), (0, [20, 20]), (0, [20, 0]), (0, [0, 20])];

/// Both operations at once, at their timestamps, on a bucket of which `left` permits are left at 0.
///
/// # Panics
///
/// If they and all later callers are admitted more than the bound of any interval, or not all that was there; if
/// one is denied at the newest timestamp, and a permit was left; or if a peek is of more than there was, or of fewer
/// than are left and not in cells.
pub fn stock_pair<L: Stepped>(cells: usize, left: u32, steps: [StockStep; 2], times: [u64; 2]) {
    let burst = 8 * cells as u32;
    let spent = burst - left;
    let limiter = spent_at_first::<L>(burst, cells, spent);
    let begun = Arc::new(AtomicUsize::new(0));
    let learned = [0, 1]
        .map(|caller| {
            let (limiter, begun) = (Arc::clone(&limiter), Arc::clone(&begun));
            thread::spawn(move || {
                // As in the pairs of the other limiters.
                begun.fetch_add(1, Ordering::AcqRel);
                limiter.step(steps[caller], at(times[caller]))
            })
        })
        .map(|thread| thread.join().expect("no caller panics"));
    let newest = times[0].max(times[1]);
    let more = drain(&*limiter, newest);
    let about = || format!("{steps:?} at {times:?}: {learned:?}");
    let mut answers = Vec::new();
    for (caller, &now) in times.iter().enumerate() {
        match learned[caller] {
            Learned::Decided(ok) => {
                let is_final = !ok && now == newest;
                assert!(!is_final || more == 0, "{more} left after a denial, {}", about());
                answers.push((now, ok));
            }
            Learned::Place(ok) => answers.push((now, ok)),
            Learned::Left(peeked) => {
                let before = there(burst, now) - spent;
                assert!(peeked <= before, "a peek of {peeked} of {before}, {}", about());
                // What leases take to cells meanwhile.
                let held = if steps[1 - caller].asks() { burst / 8 } else { 0 };
                let is_low = now == newest && peeked + held < more;
                assert!(!is_low, "a peek of {peeked}, {more} to be had, {}", about());
            }
            Learned::Nothing => {}
        }
    }
    // What another waiter has taken for one that is dropped then cannot go back.
    let is_dropped = |learned: &Learned| matches!(learned, Learned::Place(false));
    let lost = if steps == [StockStep::Place; 2] {
        learned.iter().filter(|l| is_dropped(l)).count()
    } else {
        0
    };
    judge_stock(burst, spent, (newest, more), &answers, lost as u32);
}
