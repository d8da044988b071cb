//! What can be waited on, each with the rule of a quota.

use crate::leak;
use casgate::clock::Clock;
use casgate::wait::{Queue, Timer, TokioClock, TokioTimer};
use casgate::{KeyedLimiter, Limiter, Quota, TokenBucket};
use governor::clock::ReasonablyRealtime;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use rate_net::AsyncLimiter;
use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::Semaphore;

/// A shared line of waiters.
pub(crate) trait Line: Copy + Send + 'static {
    /// Waits for one permit: whether it was granted.
    fn granted(self) -> impl Future<Output = bool> + Send + 'static;
}

pub(crate) fn queue<C: Clock, T: Timer>(
    quota: Quota,
    clock: C,
    timer: T,
) -> Queue<TokenBucket, C, T> {
    Queue::with_timer(Limiter::token_bucket(quota).with_clock(clock), timer)
}

impl<C, T> Line for &'static Queue<TokenBucket, C, T>
where
    C: Clock + Send + Sync + 'static,
    T: Timer<Sleep: Send> + Send + Sync + 'static,
{
    async fn granted(self) -> bool {
        self.acquire().await.is_ok()
    }
}

/// A queue whose waiters say themselves how long they wait.
pub(crate) struct Patient(
    pub(crate) Queue<TokenBucket, TokioClock, TokioTimer>,
    pub(crate) Duration,
);

impl Line for &'static Patient {
    async fn granted(self) -> bool {
        self.0.acquire().within(self.1).await.is_ok()
    }
}

/// One key's permits, which have no queue: each waiter reserves its place at once.
pub(crate) struct OneKey(KeyedLimiter<TokioClock>);

impl OneKey {
    pub(crate) fn new(quota: Quota) -> Self {
        Self(KeyedLimiter::token_bucket(quota, 1).with_clock(TokioClock::new()))
    }
}

impl Line for &'static OneKey {
    async fn granted(self) -> bool {
        self.0.acquire("key").timer(TokioTimer).await.is_ok()
    }
}

/// Another crate's clock that shows the time of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<C>(pub(crate) C);

impl<C: Clock> governor::clock::Clock for Shown<C> {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.now().as_nanos())
    }
}

impl<C: Clock + Send + Sync> clock_lib::Clock for Shown<C> {
    fn now(&self) -> clock_lib::Monotonic {
        static BASE: LazyLock<clock_lib::Monotonic> = LazyLock::new(clock_lib::Monotonic::now);
        *BASE + Duration::from_nanos(self.0.now().as_nanos())
    }

    fn wall(&self) -> clock_lib::Wall {
        clock_lib::Wall::now()
    }
}

type Governor<C> = governor::RateLimiter<
    NotKeyed,
    InMemoryState,
    C,
    NoOpMiddleware<<C as governor::clock::Clock>::Instant>,
>;

pub(crate) fn governor<C: governor::clock::Clock>(quota: Quota, clock: C) -> Governor<C> {
    let [permits, burst] =
        [quota.permits(), quota.burst()].map(|n| NonZeroU32::new(n).expect("not 0"));
    let interval = quota.period() / permits.get();
    let quota = governor::Quota::with_period(interval).expect("not 0").allow_burst(burst);
    governor::RateLimiter::direct_with_clock(quota, clock)
}

impl<C> Line for &'static Governor<C>
where
    C: ReasonablyRealtime<Instant: Send + Sync> + Send + Sync + 'static,
{
    async fn granted(self) -> bool {
        self.until_ready().await;
        true
    }
}

/// What governor's `until_ready` does, on another clock and timer: that one has a real timer, whatever its clock.
pub(crate) struct Retries<C: Clock, T> {
    limiter: Governor<Shown<C>>,
    clock: C,
    timer: T,
}

impl<C: Clock + Copy, T> Retries<C, T> {
    pub(crate) fn new(quota: Quota, clock: C, timer: T) -> Self {
        Self { limiter: governor(quota, Shown(clock)), clock, timer }
    }
}

impl<C, T> Line for &'static Retries<C, T>
where
    C: Clock + Copy + Send + Sync + 'static,
    T: Timer<Sleep: Send> + Send + Sync + 'static,
{
    async fn granted(self) -> bool {
        while let Err(denied) = self.limiter.check() {
            let now = governor::clock::Clock::now(&Shown(self.clock));
            self.timer.sleep(denied.wait_time_from(now)).await;
        }
        true
    }
}

/// rate-net has a limit for each key: here is one key.
pub(crate) fn rate_net<C: clock_lib::Clock + Clone>(quota: Quota, clock: C) -> AsyncLimiter<C> {
    let builder = rate_net::RateLimiter::builder()
        .algorithm(rate_net::Algorithm::TokenBucket)
        .quota(quota.permits(), quota.period())
        .burst(quota.burst())
        .eviction(rate_net::Eviction::capacity(1));
    AsyncLimiter::new(builder.clock(clock).build())
}

impl<C: clock_lib::Clock + Clone + 'static> Line for &'static AsyncLimiter<C> {
    async fn granted(self) -> bool {
        self.try_until_ready(1_u64).await.is_ok()
    }
}

/// How long a whole burst takes to come back: the interval of those that refill in steps, of whole milliseconds.
fn interval(quota: Quota) -> Duration {
    let interval = quota.period() * quota.burst() / quota.permits();
    assert_eq!(interval.subsec_nanos() % 1_000_000, 0, "whole milliseconds");
    interval
}

/// A fair one, which is the default.
pub(crate) fn leaky_bucket(quota: Quota) -> leaky_bucket::RateLimiter {
    let (burst, interval) = (quota.burst() as usize, interval(quota));
    let mut builder = leaky_bucket::RateLimiter::builder();
    builder.max(burst).initial(burst).refill(burst).interval(interval).fair(true).build()
}

impl Line for &'static leaky_bucket::RateLimiter {
    async fn granted(self) -> bool {
        self.acquire_one().await;
        true
    }
}

/// A queue of permits that somebody must add.
pub(crate) fn semaphore(quota: Quota) -> &'static Semaphore {
    leak(Semaphore::new(quota.burst() as usize))
}

/// Adds them, without an end. `sleep_until` waits until so long after the beginning. It keeps to the rate, but not to the
/// burst: after a stall it adds what each interval brings.
pub(crate) async fn refill<F: Future<Output = ()>>(
    semaphore: &Semaphore,
    quota: Quota,
    sleep_until: impl Fn(Duration) -> F,
) {
    for n in 1.. {
        sleep_until(interval(quota) * n).await;
        let spent = (quota.burst() as usize).saturating_sub(semaphore.available_permits());
        semaphore.add_permits(spent);
    }
}

/// One that a task of tokio's runtime refills.
pub(crate) fn refilled_semaphore(quota: Quota) -> &'static Semaphore {
    let (semaphore, start) = (semaphore(quota), tokio::time::Instant::now());
    let sleep_until = move |since| tokio::time::sleep_until(start + since);
    tokio::spawn(refill(semaphore, quota, sleep_until));
    semaphore
}

impl Line for &'static Semaphore {
    async fn granted(self) -> bool {
        self.acquire().await.map(|permit| permit.forget()).is_ok()
    }
}

/// Makes waits of some kind.
pub(crate) type Waits = Box<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>>>;

pub(crate) fn waits<L: Line>(line: L) -> Waits {
    Box::new(move || Box::pin(line.granted()))
}

/// A name, and what makes its line.
pub(crate) type Maker = (&'static str, fn(Quota) -> Waits);

/// The lines that run on tokio's clock, so that they run on paused time too. To be made in the runtime.
pub(crate) fn on_tokio_clock() -> Vec<Maker> {
    vec![
        ("casgate", |quota| waits(leak(queue(quota, TokioClock::new(), TokioTimer)))),
        ("casgate, one key, reserves", |quota| waits(leak(OneKey::new(quota)))),
        ("governor's loop", |quota| {
            waits(leak(Retries::new(quota, TokioClock::new(), TokioTimer)))
        }),
        ("rate-net", |quota| waits(leak(rate_net(quota, Shown(TokioClock::new()))))),
        ("leaky-bucket, fair", |quota| waits(leak(leaky_bucket(quota)))),
        ("floor: Semaphore, refilled", |quota| waits(refilled_semaphore(quota))),
    ]
}
