use crate::outcome::Outcome;
use crate::policy::Late;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Why a request got no response.
///
/// All but [`Service`](Self::Service) are the layer's: the request was not sent, and took no
/// permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError<E> {
    /// It costs more permits than the limiter ever admits together.
    NeverFits,
    /// Its permits would come after its patience has ended.
    TooLate {
        /// After how long another try would not be too late, if nobody else asks.
        retry_after: Duration,
    },
    /// As many wait already as [may wait](casgate::wait::Queue::most_waiting).
    TooManyWaiting,
    /// The queue was [closed](casgate::wait::Queue::close).
    Closed,
    /// The client's own error.
    Service(E),
}

impl<E> From<Late> for ClientError<E> {
    fn from(late: Late) -> Self {
        match late.outcome {
            Outcome::Timeout => Self::TooLate { retry_after: late.retry_after.unwrap_or_default() },
            Outcome::QueueFull => Self::TooManyWaiting,
            Outcome::Never => Self::NeverFits,
            _ => Self::Closed,
        }
    }
}

impl<E: fmt::Display> fmt::Display for ClientError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverFits => f.write_str("the request costs more than the limiter ever admits"),
            Self::TooLate { retry_after } => {
                write!(f, "the request would wait for too long, retry in {retry_after:?}")
            }
            Self::TooManyWaiting => f.write_str("too many requests wait already"),
            Self::Closed => f.write_str("the queue of requests is closed"),
            Self::Service(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for ClientError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Service(error) => error.source(),
            _ => None,
        }
    }
}
