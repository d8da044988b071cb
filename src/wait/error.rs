use crate::timestamp::Timestamp;
use core::fmt;

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
        /// When they would be ready, if nobody else asks: a timestamp of the limiter's clock, in
        /// the text of the error too. The default clock counts from boot on Linux. The wait is
        /// `ready_at.saturating_duration_since(queue.limiter().clock().now())`.
        ready_at: Timestamp,
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
            Self::TooLate { ready_at } => {
                write!(f, "the permits would be ready at {ready_at}, after the deadline")
            }
            Self::TooManyWaiting => f.write_str("too many wait already"),
            Self::Closed => f.write_str("the queue is closed"),
        }
    }
}

impl std::error::Error for AcquireError {}
