use super::FleetLimiter;
use casgate::Admitted;
use casgate::clock::{Clock, SystemClock};
use casgate::wait::{ThreadTimer, Timer};
use core::fmt;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::future::Future;

impl FleetLimiter {
    /// Waits in line for `n` permits, at most for as long as `patience`, and for a day at most.
    ///
    /// The waiters of this process are served in the order of their arrival. There is no order
    /// among processes, and a [`check`](Self::check) from outside can come before the first in
    /// line. While the store is down, the first in line asks again when the store is asked again.
    ///
    /// ```no_run
    /// # async fn of(limiter: &casgate_redis::FleetLimiter) -> Result<(), Box<dyn std::error::Error>> {
    /// limiter.acquire(1, std::time::Duration::from_secs(5)).await?;
    /// // send the request
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The future can be dropped at any time. It spends permits only when it is ready, and those
    /// behind it move up.
    ///
    /// # Errors
    ///
    /// [`AcquireError::NeverFits`] at once. [`AcquireError::TooLate`] after `patience`, or as soon
    /// as the first in line learns that it would have to wait for longer.
    pub async fn acquire(&self, n: u32, patience: Duration) -> Result<Admitted, AcquireError> {
        if self.shared.never_fits(n) {
            return Err(AcquireError::NeverFits);
        }
        let patience = patience.min(LONGEST);
        let deadline = SystemClock.now() + patience;
        let place = self.shared.line.enter();
        let wait = async {
            place.turn().await;
            loop {
                let not = match self.ask(n).await {
                    Ok(admitted) => return Ok(admitted),
                    Err(not) => not,
                };
                let wait = not.retry_after().ok_or(AcquireError::NeverFits)?;
                if SystemClock.now() + wait > deadline {
                    return Err(AcquireError::TooLate);
                }
                ThreadTimer.sleep(wait).await;
            }
        };
        let (mut wait, mut end) = (pin!(wait), pin!(ThreadTimer.sleep(patience)));
        poll_fn(|cx| match wait.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => end.as_mut().poll(cx).map(|()| Err(AcquireError::TooLate)),
        })
        .await
    }
}

/// A day. Longer waits are none that anybody means.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Why a wait ended without permits. Nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcquireError {
    /// So many permits are never admitted together.
    NeverFits,
    /// The patience is over: by the last answer to the first in line.
    TooLate,
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeverFits => "the limiter never admits so many permits together",
            Self::TooLate => "the permits were not ready in time",
        })
    }
}

impl core::error::Error for AcquireError {}
