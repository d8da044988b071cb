//! Times of a limiter as the fields write them.

use super::announced::SECOND;
use std::time::Duration;

/// A keyed limiter counts in units below this one, and rounds up. So a permit that is back by then
/// is there when the client reads of it, and a wait that is longer than whole seconds by less is
/// over when the client returns.
pub(super) const MICROSECOND: u64 = 1_000;

/// What a limiter keeps as nanoseconds fits in 64 bits.
pub(super) fn in_nanos(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}

/// How many whole seconds a client waits, at least one.
pub(super) fn in_seconds(wait: Duration) -> u64 {
    whole_seconds(in_nanos(wait)).max(1)
}

/// Rounded up, but for less than a microsecond.
pub(super) const fn whole_seconds(nanos: u64) -> u64 {
    nanos.saturating_sub(MICROSECOND - 1).div_ceil(SECOND)
}
