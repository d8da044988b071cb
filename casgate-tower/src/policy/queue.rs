use super::Policy;
use super::limited::{Ask, Limited};
use super::line::{Entered, Late, Line};
use crate::outcome::Outcome;
use casgate::algorithm::Weighted;
use casgate::clock::Clock;
use casgate::wait::{Acquire, AcquireError, Queue, Timer};
use casgate::{Admitted, Denied, LimitN, Quota, Snapshot};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

impl Policy {
    /// Takes a queue: a request waits for its permits for at most `patience`. If they cannot be
    /// ready by then, it is denied at once. The fields announce `quota`.
    ///
    /// ```
    /// use casgate::wait::Queue;
    /// use casgate::{Limiter, Quota};
    /// use casgate_tower::Policy;
    /// use std::time::Duration;
    /// let quota = Quota::per_second(100).with_burst(1);
    /// let queue = Queue::new(Limiter::token_bucket(quota)).most_waiting(500);
    /// let policy = Policy::over_queue(queue, quota, Duration::from_secs(2));
    /// # drop(policy);
    /// ```
    ///
    /// In a stack a request stands in line when all others admit it, in one queue after the other.
    /// If a wait fails, or the request is dropped meanwhile, what was charged is
    /// [refunded](casgate::Limiter::refund), and a place in line given back as far as
    /// [possible](casgate::wait#cancellation). In [shadow](Policy::shadow) nothing waits. A request
    /// enters the queue when the service is called, which for a queue with tokio's timer must be in
    /// a runtime.
    pub fn over_queue<A, C, T>(
        queue: impl Into<Arc<Queue<A, C, T>>>,
        quota: Quota,
        patience: Duration,
    ) -> Self
    where
        A: Weighted + 'static,
        C: Clock + 'static,
        T: Timer + 'static,
        Queue<A, C, T>: Send + Sync,
        Acquire<Arc<Queue<A, C, T>>>: Send,
    {
        let pace = quota.period() / quota.permits();
        let waiting = Arc::new(Waiting::new(queue.into(), pace));
        let line: Arc<dyn Line> = Arc::clone(&waiting) as Arc<dyn Line>;
        Self { line: Some((line, patience)), ..Self::of(waiting, quota) }
    }
}

/// A queue to stand in.
pub(crate) struct Waiting<Q> {
    queue: Arc<Q>,
    /// After how long somebody has left a full queue.
    pace: Duration,
}

impl<Q> Waiting<Q> {
    pub(crate) const fn new(queue: Arc<Q>, pace: Duration) -> Self {
        Self { queue, pace }
    }
}

impl<Q> Clone for Waiting<Q> {
    fn clone(&self) -> Self {
        Self { queue: Arc::clone(&self.queue), ..*self }
    }
}

impl<A, C, T> Limited for Waiting<Queue<A, C, T>>
where
    A: Weighted,
    C: Clock,
    Queue<A, C, T>: Send + Sync,
{
    fn check(&self, ask: &Ask) -> Result<Admitted, Denied> {
        self.queue.limiter().check_n(ask.cost)
    }

    fn peek(&self, _: &Ask) -> Snapshot {
        self.queue.limiter().peek()
    }

    fn with(&self, _: &Ask, act: &mut dyn FnMut(&dyn LimitN)) {
        act(self.queue.limiter());
    }
}

impl<A, C, T> Line for Waiting<Queue<A, C, T>>
where
    A: Weighted + 'static,
    C: Clock + 'static,
    T: Timer + 'static,
    Queue<A, C, T>: Send + Sync,
    Acquire<Arc<Queue<A, C, T>>>: Send,
{
    fn enter(&self, cost: u32, patience: Duration) -> Entered {
        let acquire = self.queue.acquire_owned().permits(cost).within(patience);
        let mut wait = Place { acquire, line: self.clone(), patience };
        // Without a waker of the task, which polls it again: so a request that need not wait allocates nothing.
        match Pin::new(&mut wait).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Entered::Now(answer),
            Poll::Pending => Entered::Waits(Box::pin(wait)),
        }
    }

    #[cfg(feature = "client")]
    fn pause(&self, pause: Duration) {
        self.queue.pause_until(self.queue.limiter().clock().now() + pause);
    }
}

impl<A: Weighted, C: Clock, T> Waiting<Queue<A, C, T>> {
    fn late(&self, error: AcquireError, patience: Duration) -> Late {
        let (outcome, retry_after) = match error {
            AcquireError::NeverFits => (Outcome::Never, None),
            AcquireError::TooLate { ready_after } => {
                (Outcome::Timeout, Some(ready_after.saturating_sub(patience)))
            }
            AcquireError::TooManyWaiting => (Outcome::QueueFull, Some(self.pace)),
            AcquireError::Closed => (Outcome::Denied, None),
        };
        Late { outcome, retry_after, now: self.queue.limiter().peek() }
    }
}

struct Place<A: Weighted, C: Clock, T: Timer> {
    acquire: Acquire<Arc<Queue<A, C, T>>>,
    line: Waiting<Queue<A, C, T>>,
    patience: Duration,
}

impl<A: Weighted, C: Clock, T: Timer> Future for Place<A, C, T> {
    type Output = Result<Admitted, Late>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let acquired = Pin::new(&mut self.acquire).poll(cx);
        acquired.map(|answer| answer.map_err(|error| self.line.late(error, self.patience)))
    }
}
