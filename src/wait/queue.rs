use super::timer::{LONGEST, ThreadTimer, Timer};
use super::waiters::{Granted, Later, Look, Waiters};
use crate::algorithm::{Adjust, Adjustable, Algorithm, TokenBucket};
use crate::clock::{Clock, SystemClock};
use crate::decision::Admitted;
use crate::limiter::Limiter;
use crate::quota::Quota;
use crate::sync::{AtomicU64, Lock, Ordering, const_unless_modelled};
use crate::timestamp::Timestamp;
use core::fmt;
use core::pin::Pin;
use core::task::Waker;

/// A limiter with a line in front of it: see [the module](super).
///
/// ```
/// use casgate::wait::Queue;
/// use casgate::{Limiter, Quota};
/// use std::thread;
///
/// static POOL: Queue = Queue::new(Limiter::token_bucket(Quota::per_second(2_000).with_burst(1)));
///
/// thread::scope(|scope| {
///     for worker in 0..3 {
///         scope.spawn(move || {
///             POOL.acquire().block().expect("nobody closes it");
///             println!("worker {worker} begins");
///         });
///     }
/// });
/// ```
pub struct Queue<A: Algorithm = TokenBucket, C = SystemClock, T = ThreadTimer> {
    limiter: Limiter<A, C>,
    timer: T,
    most: usize,
    /// How many wait, between a bit that says whether it is closed and one for a [pause](PAUSED).
    /// Changed under the lock, read without.
    gate: AtomicU64,
    waiters: Lock<Waiters<A::Seen>>,
}

/// The highest bit of the gate: there is a pause, or was one when somebody asked last.
const PAUSED: u64 = 1 << 63;

impl<A: Algorithm, C> Queue<A, C> {
    const_unless_modelled! {
        /// Returns a queue in front of `limiter`, with a timer that needs no runtime.
        ///
        /// ```
        /// use casgate::wait::Queue;
        /// use casgate::{FixedWindow, Limiter, Quota};
        /// static EXPORTS: Queue<FixedWindow> = Queue::new(Limiter::fixed_window(Quota::per_minute(3)));
        /// assert!(EXPORTS.acquire().block().is_ok());
        /// ```
        #[must_use]
        pub fn new(limiter: Limiter<A, C>) -> Self {
            Self::with_timer(limiter, ThreadTimer)
        }
    }
}

impl<A: Algorithm, C, T> Queue<A, C, T> {
    const_unless_modelled! {
        /// Returns a queue in front of `limiter` whose tasks are woken by `timer`.
        ///
        /// ```
        /// use casgate::wait::{Queue, ThreadTimer};
        /// use casgate::{Limiter, Quota};
        /// let queue = Queue::with_timer(Limiter::token_bucket(Quota::per_second(10)), ThreadTimer);
        /// assert!(queue.acquire().block().is_ok());
        /// ```
        #[must_use]
        pub fn with_timer(limiter: Limiter<A, C>, timer: T) -> Self {
            Self {
                limiter,
                timer,
                most: usize::MAX,
                gate: AtomicU64::new(0),
                waiters: Lock::new(Waiters::new()),
            }
        }
    }

    /// Lets at most `most` wait. Further ones fail with
    /// [`AcquireError::TooManyWaiting`](super::AcquireError::TooManyWaiting). Without this there is
    /// no limit.
    ///
    /// ```
    /// use casgate::wait::{AcquireError, Queue};
    /// use casgate::{Limiter, Quota};
    /// let queue = Queue::new(Limiter::token_bucket(Quota::per_hour(1))).most_waiting(0);
    /// assert!(queue.acquire().block().is_ok());
    /// assert_eq!(queue.acquire().block(), Err(AcquireError::TooManyWaiting));
    /// ```
    #[must_use]
    pub const fn most_waiting(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// Returns the limiter. Requests that cannot wait go to it directly.
    ///
    /// ```
    /// use casgate::wait::Queue;
    /// use casgate::{Limiter, Quota};
    /// let queue = Queue::new(Limiter::token_bucket(Quota::per_hour(1)));
    /// assert!(queue.limiter().is_allowed());
    /// ```
    ///
    /// The queue does not see what a [`refund`](Limiter::refund) or a [`reset`](Limiter::reset)
    /// returns, until somebody arrives, leaves or is served.
    #[must_use]
    pub const fn limiter(&self) -> &Limiter<A, C> {
        &self.limiter
    }

    /// Returns how many wait.
    ///
    /// ```
    /// use casgate::wait::Queue;
    /// use casgate::{Limiter, Quota};
    /// let queue = Queue::new(Limiter::token_bucket(Quota::per_hour(1)));
    /// let wait = queue.acquire(); // not polled, so it does not wait yet
    /// assert_eq!(queue.waiting(), 0);
    /// # drop(wait);
    /// ```
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiters.lock().all.len()
    }

    /// Closes the queue. All waits in line, and all that begin after this has returned, fail with
    /// [`AcquireError::Closed`](super::AcquireError::Closed). Booked permits are given back, as if
    /// [dropped](super#cancellation). The limiter stays as it is.
    ///
    /// ```
    /// use casgate::wait::{AcquireError, Queue};
    /// use casgate::{Limiter, Quota};
    /// let queue = Queue::new(Limiter::token_bucket(Quota::per_hour(1)));
    /// queue.close();
    /// assert_eq!(queue.acquire().block(), Err(AcquireError::Closed));
    /// assert!(queue.limiter().is_allowed());
    /// ```
    pub fn close(&self) {
        self.work(|waiters, later| waiters.close(&self.limiter, later));
    }

    /// Works on the waiters, and then does what must be done without the lock.
    fn work<R>(&self, step: impl FnOnce(&mut Waiters<A::Seen>, &mut Later) -> R) -> R {
        let mut later = Later::default();
        let mut waiters = self.waiters.lock();
        let result = step(&mut waiters, &mut later);
        let paused = if waiters.paused_until > Timestamp::ZERO { PAUSED } else { 0 };
        let gate = paused | (waiters.all.len() as u64) << 1 | u64::from(waiters.closed);
        // Relaxed: a caller that comes later, by any order that it can know of, reads this or newer. One that comes at the same
        // time may be decided before.
        self.gate.store(gate, Ordering::Relaxed);
        drop(waiters);
        later.run();
        result
    }
}

impl<A: Algorithm, C: Clock, T: Timer> Queue<A, C, T> {
    /// `None` too if somebody waits.
    #[inline(always)]
    pub(super) fn try_acquire(&self, permits: u32) -> Option<Admitted> {
        // Relaxed: see `work`.
        let gate = self.gate.load(Ordering::Relaxed);
        // Nobody is ahead of one who wants nothing.
        let is_open = gate == 0 || permits == 0 && gate & (PAUSED | 1) == 0;
        if is_open { self.limiter.ask(permits).ok() } else { None }
    }

    /// Serves nobody before `until`, for example until the instant that an upstream server named in
    /// its `Retry-After`.
    ///
    /// Waiters keep their order and their patience: a wait that would end after its deadline fails
    /// at once. Their booked permits go back as far as [possible](super#cancellation). The limiter
    /// itself goes on, and refills. An earlier pause that ends later is kept, and a new quota ends
    /// none. A request that overlaps the call may still be served. A place that cannot go back is
    /// kept for its waiter, or lost if that is dropped in the pause.
    ///
    /// ```
    /// use casgate::wait::{AcquireError, Queue};
    /// use casgate::{Limiter, Quota};
    /// use casgate::clock::Clock;
    /// use std::time::Duration;
    ///
    /// let queue = Queue::new(Limiter::token_bucket(Quota::per_second(10)));
    /// queue.pause_until(queue.limiter().clock().now() + Duration::from_secs(60));
    /// let wait = queue.acquire().within(Duration::from_secs(1)).block();
    /// assert!(matches!(wait, Err(AcquireError::TooLate { .. })));
    /// assert!(queue.limiter().is_allowed());
    /// ```
    pub fn pause_until(&self, until: Timestamp) {
        self.work(|waiters, later| {
            if until > self.limiter.clock().now() {
                waiters.pause(&self.limiter, until, later);
            }
        });
    }

    pub(super) fn arrive(
        &self,
        permits: u32,
        deadline: Timestamp,
        now: Timestamp,
        waker: Waker,
    ) -> (u64, Look<A::Seen>) {
        let wanted = (permits, deadline);
        self.work(|waiters, later| {
            waiters.arrive(&self.limiter, wanted, self.most, now, waker, later)
        })
    }

    pub(super) fn look(&self, id: u64, now: Timestamp, waker: Waker) -> Look<A::Seen> {
        self.work(|waiters, later| waiters.look(&self.limiter, id, now, waker, later))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn leave(&self, id: u64) {
        let now = self.now();
        self.work(|waiters, later| waiters.leave(&self.limiter, id, now, later));
    }

    #[cfg(feature = "stream")]
    pub(super) fn give_up(&self, granted: Granted<A::Seen>) {
        let now = self.now();
        self.work(|waiters, later| waiters.give_up(&self.limiter, granted, now, later));
    }

    pub(super) fn admitted(&self, granted: &Granted<A::Seen>) -> Admitted {
        let Granted { permits, place, .. } = *granted;
        let (algorithm, state) = (self.limiter.algorithm(), self.limiter.state());
        algorithm.admitted(state, place.taken, permits, place.ready_at)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.limiter.clock().now()
    }

    pub(super) fn sleep(&self, until: Timestamp) -> Pin<Box<T::Sleep>> {
        Box::pin(self.timer.sleep(LONGEST.min(until - self.now())))
    }
}

impl<R: Adjust, C: Clock, T> Queue<Adjustable<R>, C, T> {
    /// Changes the quota, as [`Limiter::set_quota`], and moves the waiters. Their permits are ready
    /// when the new quota allows. A waiter that cannot be served in time then fails: the next in
    /// line at once, others when their time has come.
    ///
    /// ```
    /// use casgate::wait::Queue;
    /// use casgate::{Limiter, Quota};
    /// let queue = Queue::new(Limiter::adjustable_token_bucket(Quota::per_hour(1)));
    /// assert!(queue.acquire().block().is_ok());
    /// queue.set_quota(Quota::per_second(1_000));
    /// assert!(queue.acquire().block().is_ok());
    /// ```
    ///
    /// If it is changed by [`limiter`](Self::limiter), booked permits keep their instants, and the
    /// next in line learn of the change when theirs has come.
    pub fn set_quota(&self, quota: Quota) {
        self.work(|waiters, later| {
            // Under the lock: of two changes the later one must not place those who wait by an older time.
            let now = self.limiter.clock().now();
            waiters.give_back_places(&self.limiter, |ready_at| ready_at > now);
            self.limiter.set_quota_at(quota, now);
            waiters.promote(&self.limiter, now, None, later);
        });
    }
}

impl<A: Algorithm, C, T> fmt::Debug for Queue<A, C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("limiter", &self.limiter)
            .field("waiters", &*self.waiters.lock())
            .finish_non_exhaustive()
    }
}
