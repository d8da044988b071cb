//! A limiter whose answer is awaited.

use super::Policy;
use super::limited::{Ask, Limited};
use super::line::{Entered, Late, Line, Wait};
use crate::outcome::Outcome;
use casgate::{Admitted, Denied, LimitN, Quota, Snapshot};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

impl Policy {
    /// Takes a limiter whose answer is awaited, such as that of a fleet. `ask` asks it for a number
    /// of permits. The fields announce `quota`.
    ///
    /// ```
    /// use casgate::{Admitted, Denied, LimitN, Limiter, Quota};
    /// use casgate_tower::Policy;
    /// use std::sync::Arc;
    ///
    /// // In the place of a `casgate_redis::FleetLimiter`, for which it is the same.
    /// struct Remote(Limiter);
    /// impl Remote {
    ///     async fn ask(&self, n: u32) -> Result<Admitted, Denied> {
    ///         self.0.check_n(n)
    ///     }
    /// }
    /// # impl casgate::Limit for Remote {
    /// #     fn check(&self) -> Result<Admitted, Denied> { self.0.check() }
    /// #     fn check_at(&self, now: casgate::Timestamp) -> Result<Admitted, Denied> { self.0.check_at(now) }
    /// #     fn peek(&self) -> casgate::Snapshot { self.0.peek() }
    /// #     fn peek_at(&self, now: casgate::Timestamp) -> casgate::Snapshot { self.0.peek_at(now) }
    /// # }
    /// # impl LimitN for Remote {
    /// #     fn check_n(&self, n: u32) -> Result<Admitted, Denied> { self.0.check_n(n) }
    /// #     fn check_n_at(&self, n: u32, now: casgate::Timestamp) -> Result<Admitted, Denied> { self.0.check_n_at(n, now) }
    /// #     fn refund(&self, admitted: &Admitted) { self.0.refund(admitted) }
    /// #     fn charge(&self, n: u32) -> Result<Admitted, Denied> { Ok(self.0.charge(n)) }
    /// # }
    ///
    /// let quota = Quota::per_second(1_000);
    /// let limiter = Arc::new(Remote(Limiter::token_bucket(quota)));
    /// let policy = Policy::over_awaited(limiter, quota, |limiter, n| async move { limiter.ask(n).await });
    /// # drop(policy);
    /// ```
    ///
    /// A request is answered with the status 503 (gRPC: 14) if the limiter is
    /// [unavailable](casgate::Reason::Unavailable). In a stack it is asked last, when all policies
    /// that decide at once admit. In [shadow](Policy::shadow) `ask` is not used, but
    /// [`LimitN::check_n`], which may block. Each request allocates its future.
    pub fn over_awaited<L, F, E>(
        limiter: L,
        quota: Quota,
        ask: impl Fn(L, u32) -> F + Send + Sync + 'static,
    ) -> Self
    where
        L: LimitN + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Admitted, E>> + Send + 'static,
        E: Into<Denied>,
    {
        let awaited = Arc::new(Awaited { limiter, ask });
        let line: Arc<dyn Line> = Arc::clone(&awaited) as Arc<dyn Line>;
        Self { line: Some((line, Duration::ZERO)), ..Self::of(awaited, quota) }
    }
}

struct Awaited<L, A> {
    limiter: L,
    ask: A,
}

impl<L: LimitN + Send + Sync, A: Send + Sync> Limited for Awaited<L, A> {
    fn check(&self, ask: &Ask) -> Result<Admitted, Denied> {
        self.limiter.check_n(ask.cost)
    }

    fn peek(&self, _: &Ask) -> Snapshot {
        self.limiter.peek()
    }

    fn with(&self, _: &Ask, act: &mut dyn FnMut(&dyn LimitN)) {
        act(&self.limiter);
    }
}

impl<L, A, F, E> Line for Awaited<L, A>
where
    L: LimitN + Clone + Send + Sync,
    A: Fn(L, u32) -> F + Send + Sync,
    F: Future<Output = Result<Admitted, E>> + Send + 'static,
    E: Into<Denied>,
{
    fn enter(&self, cost: u32, _: Duration) -> Entered {
        let answer = (self.ask)(self.limiter.clone(), cost);
        let mut wait: Wait = Box::pin(async { answer.await.map_err(|error| late(&error.into())) });
        // Without a waker of the task, which polls it again if it waits.
        match wait.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Entered::Now(answer),
            Poll::Pending => Entered::Waits(wait),
        }
    }

    #[cfg(feature = "client")]
    fn pause(&self, _: Duration) {
        unreachable!("a client's policies are queues")
    }
}

fn late(denied: &Denied) -> Late {
    let now = Snapshot::new(denied.limit(), denied.remaining(), denied.reset_after());
    Late { outcome: Outcome::of(denied), retry_after: denied.retry_after(), now }
}
