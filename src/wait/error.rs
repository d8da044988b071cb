use crate::decision::{nanos, rounded_up};
use core::fmt;
use core::time::Duration;

/// Why a wait ended without permits.
///
/// Nothing was taken. Where a wait that is [closed](super::Queue::close) had booked permits, they
/// are given back as far as [possible](super#cancellation).
///
/// ```
/// use casgate::wait::{AcquireError, Queue};
/// use casgate::{Limiter, Quota};
///
/// let queue = Queue::new(Limiter::token_bucket(Quota::per_second(10).with_burst(5)));
/// assert_eq!(queue.acquire().permits(6).block(), Err(AcquireError::NeverFits));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AcquireError {
    /// The limiter never admits so many permits together, or its clock is out of the algorithm's
    /// range.
    NeverFits,
    /// The permits would be ready after the deadline.
    TooLate {
        /// How long after the wait has failed they would be ready, if nobody else asks. It is zero
        /// if they are ready then. The text of the error rounds it up to milliseconds.
        ready_after: Duration,
    },
    /// As many wait already as [may wait](super::Queue::most_waiting).
    TooManyWaiting,
    /// The queue was [closed](super::Queue::close).
    Closed,
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverFits => f.write_str("the limiter never admits so many permits together"),
            Self::TooLate { ready_after } => {
                let wait = rounded_up(nanos(*ready_after));
                write!(f, "the permits would be ready after the deadline, in {wait:?}")
            }
            Self::TooManyWaiting => f.write_str("too many wait already"),
            Self::Closed => f.write_str("the queue is closed"),
        }
    }
}

impl std::error::Error for AcquireError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_the_wait_rounded_up() {
        let late = |nanos| AcquireError::TooLate { ready_after: Duration::from_nanos(nanos) };
        let text = "the permits would be ready after the deadline, in ";
        for (nanos, wait) in [(0, "0ns"), (1, "1µs"), (3_600_000_000_001, "3600.001s")] {
            assert_eq!(late(nanos).to_string(), format!("{text}{wait}"));
        }
    }
}
