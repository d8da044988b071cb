//! Waiting in line for permits.
//!
//! A [`Queue`] is a limiter with a line in front of it. Callers that find no permits wait, and are
//! served in the order of their arrival.
//!
//! ```
//! use casgate::wait::Queue;
//! use casgate::{Limiter, Quota};
//!
//! static API: Queue = Queue::new(Limiter::token_bucket(Quota::per_second(100).with_burst(20)));
//!
//! async fn call() -> Result<(), casgate::wait::AcquireError> {
//!     API.acquire().await?;
//!     // send the request
//!     Ok(())
//! }
//! ```
//!
//! # Which method
//!
//! | the caller | asks by |
//! |---|---|
//! | can do without: it answers 429, or drops the work | [`check`](crate::Limiter::check) |
//! | waits its turn, as a task or a thread | [`Queue::acquire`] |
//! | plans ahead and does its own sleeping | [`reserve`](crate::Limiter::reserve) |
//! | waits for one key's permits | [`KeyedLimiter::acquire`](crate::KeyedLimiter::acquire) |
//!
//! # What the queue promises
//!
//! - **The bound of the algorithm** holds for the instants at which permits are
//!   [ready](crate::Admitted::at). A caller can go on later than that: by what its timer lags, and
//!   by what its task waits to be polled.
//! - **First in, first out.** Permits are ready in the order in which waiters were first polled or
//!   blocked, whatever they ask for. A request for many permits is not passed by small ones. Where
//!   nobody waits, an [`acquire`](Queue::acquire) is a check, and counts at a cheap timestamp,
//!   which may be slightly [older](crate::clock#two-timestamps). Permits that were ready when their
//!   waiter was dropped go to the next in line, up to 2 ms after that. So its instant may be that
//!   much before that of a caller that was served in the meantime.
//! - **No hopeless waits.** A waiter whose permits cannot be ready by its deadline fails at once,
//!   and takes nothing. The estimate is exact for single permits of one algorithm if nobody else
//!   takes permits and nobody ahead gives up. For several permits of a window, and for
//!   [`Both`](crate::algorithm::Both), it may be too early: then the waiter fails later. It also
//!   fails later if others take permits by [`limiter`](Queue::limiter), or if the quota changes.
//! - **Nothing is served late.** Permits that a waiter gets are ready by its deadline.
//! - **A neglected waiter**, which is not polled when its time has come, stops nobody else. Each
//!   waiter has a timer of its own, and takes places for those ahead of it too. They cost it at
//!   most twice the time of the permits that they asked for; in a sliding window more.
//!
//! # Requests from outside
//!
//! The first in line has its permits booked in the state of the limiter, so no
//! [`check`](crate::Limiter::check) can come before it. Nor can a check starve the queue. If a
//! waiter is not polled when its time has come, a check can get permits of those behind it, before
//! they are booked. The same holds in the moment in which the line moves up or a new quota is set.
//! With a token bucket, a fixed window, [`Both`](crate::algorithm::Both) or
//! [`Adjustable`](crate::algorithm::Adjustable) the permits are booked ahead of time: for the
//! first, for waiters that follow within 2 ms, and for waiters whose time has come. A [sliding
//! window](crate::SlidingWindow) and a [sharded](crate::algorithm::Sharded) limiter cannot book
//! ahead. There the first in line checks when a permit is free. A check from outside can take that
//! permit first, and can starve the queue. In a [pause](Queue::pause_until) nothing is booked.
//!
//! # Cancellation
//!
//! A wait can be dropped at any time. A future that was never polled has taken nothing. One that is
//! queued leaves, and those behind it move up. If its permits are booked, they are given back
//! exactly, and those behind it move up in the same step. That is possible as long as nobody has
//! taken permits since, outside the queue or behind the waiter in it, and the quota is the same.
//! Otherwise they go to the next in line, if it wants as many. Else they are lost, and so are those
//! that were ready for more than 2 ms: many of them, passed on together, would be a burst. A
//! sliding window and a sharded limiter cannot take back what they have given to a waiter. If that
//! waiter is dropped before it is polled again, its permit goes to the next in line, or is lost.
//!
//! A future that is *leaked* (`mem::forget`) spends its permits when they are due and others wait,
//! and no longer counts against [`most_waiting`](Queue::most_waiting) then. It keeps its memory,
//! and each later [`acquire`](Queue::acquire) takes the lock.
//!
//! Use [`within`](Acquire::within) rather than a timeout around the future: it fails at once where
//! the timeout would wait in vain.
//!
//! # Timers
//!
//! Timers wake late: tokio's by up to a millisecond, others by more. The limiter's pace does not
//! suffer where permits are booked ahead, unless they wake later than the 2 ms and the burst make
//! up for. The clock of the limiter and the timer must run on the same time. Where tokio's time is
//! paused, take `TokioClock` with `TokioTimer`.
//!
//! # Cost
//!
//! If nobody waits, [`acquire`](Queue::acquire) is a load and a [`check`](crate::Limiter::check),
//! and takes no lock and no memory. A waiter takes a lock that only waiters share, and O(log n)
//! steps each time that it is polled. If it would be too late, it first counts the permits of all
//! that are queued ahead of it. The places that it takes or moves for others come on top. It is
//! woken when its time has come. While it is next, waiters that leave also bring it forward and
//! wake it. To drop a waiter whose permits are booked takes time in proportion to the waiters
//! behind it whose permits are booked too.

mod acquire;
mod error;
mod holder;
mod keyed;
mod leave;
mod promote;
mod queue;
#[cfg(feature = "stream")]
mod sink;
#[cfg(feature = "stream")]
mod stream;
mod timer;
#[cfg(feature = "tokio")]
mod tokio;
mod waiters;

pub use self::acquire::Acquire;
pub use self::error::AcquireError;
pub use self::keyed::AcquireKey;
pub use self::queue::Queue;
#[cfg(feature = "stream")]
pub use self::sink::{ThrottleError, ThrottleSink};
#[cfg(feature = "stream")]
pub use self::stream::Throttle;
pub use self::timer::{ThreadTimer, Timer};
#[cfg(feature = "tokio")]
pub use self::tokio::{TokioClock, TokioTimer};
