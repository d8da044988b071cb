use super::timer::{LONGEST, ThreadTimer, Timer};
use crate::clock::Clock;
use crate::decision::Denied;
use crate::keyed::{Key, KeyedLimiter, KeyedReservation};
use core::fmt;
use core::future::Future;
use core::hash::{BuildHasher, Hash};
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::thread;

impl<C: Clock, S: BuildHasher> KeyedLimiter<C, S> {
    /// Waits for the key's permits. See [`Key::acquire`].
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1_000).with_burst(1), 100);
    /// limiter.acquire("a").block()?;
    /// limiter.acquire("a").block()?; // a millisecond later
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    pub fn acquire<Q: Hash + ?Sized>(&self, key: &Q) -> AcquireKey<'_, C, S> {
        self.key(key).acquire()
    }
}

impl<'a, C: Clock, S> Key<'a, C, S> {
    /// Waits for one permit of the key or, with [`permits`](AcquireKey::permits), for several.
    ///
    /// There is no queue for each key, which would need memory. The wait [reserves](Self::reserve)
    /// its place when it is first polled, and sleeps until then. So waiters of a key are served in
    /// that order.
    ///
    /// *The trap.* A place that others have built on stays taken when its wait is dropped. If many
    /// wait for a key and each gives up by a timeout *around* the wait, all places can be lost, and
    /// nobody is served. So give the patience to [`within`](AcquireKey::within): then a wait that
    /// would be too long fails at once, and takes nothing.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// use std::time::Duration;
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 100);
    /// let patience = Duration::from_secs(1);
    /// assert!(limiter.key("a").acquire().within(patience).block().is_ok());
    /// let denied = limiter.key("a").acquire().within(patience).block().unwrap_err(); // at once
    /// assert!(denied.retry_after().unwrap() > Duration::from_secs(3_000));
    /// ```
    pub fn acquire(&self) -> AcquireKey<'a, C, S> {
        AcquireKey {
            key: *self,
            permits: 1,
            patience: Duration::MAX,
            timer: ThreadTimer,
            state: State::New,
        }
    }
}

/// The wait for permits of a key, from [`Key::acquire`]. Await it, or [block](Self::block) a
/// thread.
///
/// It takes its place when it is first polled. Dropped before it is ready, it gives that back if
/// nobody has built on it.
///
/// ```
/// use casgate::{Denied, KeyedLimiter, Quota};
/// use std::time::Duration;
///
/// async fn send(limiter: &KeyedLimiter, host: &str) -> Result<(), Denied> {
///     limiter.acquire(host).within(Duration::from_secs(5)).await?;
///     println!("to {host}");
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// [`Denied`] if the wait would be longer than the patience. Its `retry_after` is how much longer.
///
/// # Panics
///
/// If it is polled after it was ready.
#[must_use = "a wait does nothing until it is awaited or blocks"]
pub struct AcquireKey<'a, C, S, T: Timer = ThreadTimer> {
    key: Key<'a, C, S>,
    permits: u32,
    patience: Duration,
    timer: T,
    state: State<'a, T>,
}

enum State<'a, T: Timer> {
    New,
    Waits { reserved: KeyedReservation<'a>, sleep: Option<Pin<Box<T::Sleep>>> },
    Done,
}

impl<'a, C: Clock, S, T: Timer> AcquireKey<'a, C, S, T> {
    /// Asks for `n` permits, which are taken together. It gives up a place that it has.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(9), 100);
    /// limiter.acquire("a").permits(4).block()?;
    /// assert_eq!(limiter.peek("a").remaining(), 5);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    pub fn permits(self, n: u32) -> Self {
        Self { permits: n, state: State::New, ..self }
    }

    /// Waits at most so long. If the permits will not be ready by then, the wait fails at once. It
    /// gives up a place that it has.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// use std::time::Duration;
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 100);
    /// assert!(limiter.acquire("a").within(Duration::ZERO).block().is_ok());
    /// assert!(limiter.acquire("a").within(Duration::ZERO).block().is_err());
    /// ```
    pub fn within(self, patience: Duration) -> Self {
        Self { patience, state: State::New, ..self }
    }

    /// Sleeps by another timer. It gives up a place that it has.
    ///
    /// ```
    /// use casgate::wait::ThreadTimer;
    /// use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(1), 100);
    /// assert!(limiter.acquire("a").timer(ThreadTimer).block().is_ok());
    /// ```
    pub fn timer<U: Timer>(self, timer: U) -> AcquireKey<'a, C, S, U> {
        let Self { key, permits, patience, .. } = self;
        AcquireKey { key, permits, patience, timer, state: State::New }
    }

    /// Blocks the thread until the permits are ready. The timer is not used.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(100), 100);
    /// limiter.acquire("a").block()?;
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the wait would be longer than the patience; nothing is spent.
    pub fn block(self) -> Result<(), Denied> {
        let reserved = self.key.reserve(self.permits, self.patience)?;
        loop {
            let left = reserved.ready_at() - self.key.now();
            if left.is_zero() {
                reserved.commit();
                return Ok(());
            }
            thread::sleep(left);
        }
    }

    fn sleep(&self, reserved: &KeyedReservation<'_>) -> Pin<Box<T::Sleep>> {
        let left = reserved.ready_at() - self.key.now();
        Box::pin(self.timer.sleep(left.min(LONGEST)))
    }
}

impl<C: Clock, S, T: Timer + Unpin> Future for AcquireKey<'_, C, S, T> {
    type Output = Result<(), Denied>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (reserved, mut sleep) = match mem::replace(&mut this.state, State::Done) {
            State::New => (this.key.reserve(this.permits, this.patience)?, None),
            State::Waits { reserved, sleep } => (reserved, sleep),
            State::Done => panic!("a wait that is over was polled again"),
        };
        // A timer that is early is asked once more, and then it is somebody else's turn.
        for _ in 0..2 {
            if reserved.ready_at() <= this.key.now() {
                reserved.commit();
                return Poll::Ready(Ok(()));
            }
            let asleep = sleep.get_or_insert_with(|| this.sleep(&reserved));
            if asleep.as_mut().poll(context).is_pending() {
                this.state = State::Waits { reserved, sleep };
                return Poll::Pending;
            }
            sleep = None;
        }
        this.state = State::Waits { reserved, sleep };
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<C, S, T: Timer> fmt::Debug for AcquireKey<'_, C, S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireKey")
            .field("permits", &self.permits)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}
