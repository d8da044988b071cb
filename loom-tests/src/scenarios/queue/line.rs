//! What is raced: a queue in front of every limiter.

use super::world::{Outcome, Time, Wait};
use casgate::algorithm::{Adjust, Adjustable, Algorithm, Both, Weighted};
use casgate::wait::Queue;
use casgate::{FixedWindow, Limiter, Quota, SlidingWindow, Timestamp, TokenBucket};
use std::sync::Arc;
use std::time::Duration;

/// What a waiter asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// How many permits.
    pub permits: u32,
    /// Until when.
    pub patience: Patience,
}

/// Until when it waits.
#[derive(Clone, Copy, Debug)]
pub enum Patience {
    /// Without end.
    Endless,
    /// As long.
    Within(Duration),
    /// Until then.
    By(Timestamp),
}

/// What is left at an instant, and the time until it is all.
pub type Left = (u32, Duration);

/// A queue, right or wrong.
pub trait Line: Send + Sync + Sized + 'static {
    /// Whether it takes permits ahead of time, and gives back those of a waiter that is dropped.
    const BOOKS: bool = true;

    /// Whether those of waiters who are polled late are taken for them.
    const KEEPS_PACE: bool = Self::BOOKS;

    /// Whether several permits can be asked for.
    const IS_WEIGHTED: bool = true;

    /// Whether the quota can be changed.
    const IS_ADJUSTABLE: bool = false;

    /// Whether it can be paused.
    const CAN_PAUSE: bool = true;

    /// The limiter without a queue.
    type Alone: Alone;

    /// A queue that nobody waits in.
    fn new(quota: Quota, most: usize, time: Time) -> Self;

    /// A wait that has not been polled yet.
    fn acquire(self: &Arc<Self>, wish: Wish) -> Wait;

    /// Blocks this thread.
    ///
    /// # Errors
    ///
    /// If no permits were taken.
    fn block(self: &Arc<Self>, wish: Wish) -> Outcome;

    /// Sends all away.
    fn close(&self);

    /// Changes the quota, if it can be changed.
    fn set_quota(&self, quota: Quota);

    /// Pauses.
    fn pause_until(&self, until: Timestamp);

    /// How many wait.
    fn waiting(&self) -> usize;

    /// Asks for a permit from outside the queue: when it was admitted.
    fn check(&self) -> Option<Timestamp>;

    /// What is left.
    fn left(&self, now: Timestamp) -> Left;
}

/// A limiter of which nobody waits for permits: what the served must be allowed, and leave behind.
pub trait Alone {
    /// One that nobody has asked yet.
    fn new(quota: Quota) -> Self;

    /// Takes permits.
    ///
    /// # Errors
    ///
    /// If they are not there, after how long they are.
    fn take(&self, n: u32, now: Timestamp) -> Result<(), Duration>;

    /// Changes the quota.
    fn set_quota(&self, quota: Quota, now: Timestamp);

    /// What is left.
    fn left(&self, now: Timestamp) -> Left;
}

fn left<A: Algorithm, C>(limiter: &Limiter<A, C>, now: Timestamp) -> Left {
    let snapshot = limiter.peek_at(now);
    (snapshot.remaining(), snapshot.reset_after())
}

fn take<A: Weighted>(limiter: &Limiter<A>, n: u32, now: Timestamp) -> Result<(), Duration> {
    let never = "no more than the limit is asked for";
    limiter.check_n_at(n, now).map(drop).map_err(|denied| denied.retry_after().expect(never))
}

fn adjust<R: Adjust>(queue: &Queue<Adjustable<R>, Time, Time>, quota: Quota) {
    queue.set_quota(quota);
}

macro_rules! line {
    (
        $rule:ty, $new:expr, $take:expr, $ask:ident,
        [$weighted:literal, $books:literal, $adjustable:literal $(, $set_quota:ident)?]
    ) => {
        impl Alone for Limiter<$rule> {
            fn new(quota: Quota) -> Self {
                let new: fn(Quota) -> Self = $new;
                new(quota)
            }

            fn take(&self, n: u32, now: Timestamp) -> Result<(), Duration> {
                let take: fn(&Self, u32, Timestamp) -> Result<(), Duration> = $take;
                take(self, n, now)
            }

            fn set_quota(&self, _quota: Quota, _now: Timestamp) {
                $(Limiter::$set_quota(self, _quota, _now);)?
            }

            fn left(&self, now: Timestamp) -> Left {
                left(self, now)
            }
        }

        impl Line for Queue<$rule, Time, Time> {
            const BOOKS: bool = $books;
            const IS_WEIGHTED: bool = $weighted;
            const IS_ADJUSTABLE: bool = $adjustable;

            type Alone = Limiter<$rule>;

            fn new(quota: Quota, most: usize, time: Time) -> Self {
                let limiter = <Limiter<$rule> as Alone>::new(quota).with_clock(time.clone());
                Queue::with_timer(limiter, time).most_waiting(most)
            }

            fn acquire(self: &Arc<Self>, wish: Wish) -> Wait {
                let wait = $ask!(self, wish);
                Box::pin(async move { wait.await.map(|admitted| admitted.at()) })
            }

            fn block(self: &Arc<Self>, wish: Wish) -> Outcome {
                $ask!(self, wish).block().map(|admitted| admitted.at())
            }

            fn close(&self) {
                Queue::close(self);
            }

            fn set_quota(&self, _quota: Quota) {
                $(
                    let _ = stringify!($set_quota);
                    adjust(self, _quota);
                )?
            }

            fn pause_until(&self, until: Timestamp) {
                Queue::pause_until(self, until);
            }

            fn waiting(&self) -> usize {
                Queue::waiting(self)
            }

            fn check(&self) -> Option<Timestamp> {
                self.limiter().check().ok().map(|admitted| admitted.at())
            }

            fn left(&self, now: Timestamp) -> Left {
                left(self.limiter(), now)
            }
        }
    };
}

macro_rules! ask_one {
    ($queue:ident, $wish:ident) => {{
        assert_eq!($wish.permits, 1, "this limiter takes one permit at a time");
        ask!($queue, $wish)
    }};
}

macro_rules! ask_n {
    ($queue:ident, $wish:ident) => {
        ask!($queue, $wish).permits($wish.permits)
    };
}

macro_rules! ask {
    ($queue:ident, $wish:ident) => {
        match $wish.patience {
            Patience::Endless => $queue.acquire_owned(),
            Patience::Within(patience) => $queue.acquire_owned().within(patience),
            Patience::By(deadline) => $queue.acquire_owned().by(deadline),
        }
    };
}

line!(TokenBucket, Limiter::token_bucket, take, ask_n, [true, true, false]);
line!(FixedWindow, Limiter::fixed_window, take, ask_n, [true, true, false]);
line!(
    Both<TokenBucket, FixedWindow>,
    |quota| Limiter::both(TokenBucket::new(quota), FixedWindow::new(quota)),
    take,
    ask_n,
    [true, true, false]
);
line!(
    Adjustable<TokenBucket>,
    Limiter::adjustable_token_bucket,
    take,
    ask_n,
    [true, true, true, set_quota_at]
);
line!(
    Adjustable<FixedWindow>,
    Limiter::adjustable_fixed_window,
    take,
    ask_n,
    [true, true, true, set_quota_at]
);
line!(
    SlidingWindow,
    Limiter::sliding_window,
    |limiter, n, now| {
        assert_eq!(n, 1, "a sliding window takes one permit at a time");
        limiter.check_at(now).map(drop).map_err(|denied| denied.retry_after().expect("a time"))
    },
    ask_one,
    [false, false, false]
);
