use super::error::AcquireError;
use super::holder::Holder;
use super::queue::Queue;
use super::timer::Timer;
use super::waiters::{Granted, Look};
use crate::algorithm::{Algorithm, Machine, Weighted};
use crate::clock::Clock;
use crate::decision::Admitted;
use crate::timestamp::Timestamp;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};

/// The wait for permits, from [`Queue::acquire`]. Await it, or [block](Self::block) a thread.
///
/// It takes its place in the queue when it is first polled. Dropped before it is ready, it gives back
/// what was booked for it, as far as [possible](super#cancellation).
///
/// ```
/// use casgate::wait::{AcquireError, Queue};
/// use casgate::{Limiter, Quota};
/// use std::time::Duration;
///
/// static API: Queue = Queue::new(Limiter::token_bucket(Quota::per_second(100).with_burst(20)));
///
/// async fn call() -> Result<(), AcquireError> {
///     let admitted = API.acquire().permits(5).within(Duration::from_secs(2)).await?;
///     println!("go on; {} left", admitted.remaining());
///     Ok(())
/// }
/// ```
///
/// # Panics
///
/// If it is polled after it was ready.
#[must_use = "a wait does nothing until it is awaited or blocks"]
pub struct Acquire<H: Holder> {
    queue: H,
    permits: u32,
    patience: Patience,
    state: State<Asleep<H>>,
}

#[derive(Clone, Copy, Debug)]
enum Patience {
    Endless,
    Within(Duration),
    By(Timestamp),
}

enum State<S> {
    New,
    Waits { id: u64, sleep: Option<(Timestamp, S)> },
    Done,
}

pub(super) type Seen<H> = <<H as Holder>::Algorithm as Machine>::Seen;

type Asleep<H> = Pin<Box<<<H as Holder>::Timer as Timer>::Sleep>>;

impl<A: Algorithm, C: Clock, T: Timer> Queue<A, C, T> {
    /// Waits for one permit or, with [`permits`](Acquire::permits), for several.
    ///
    /// ```
    /// use casgate::wait::Queue;
    /// use casgate::{Limiter, Quota};
    /// let queue = Queue::new(Limiter::token_bucket(Quota::per_second(10)));
    /// assert_eq!(queue.acquire().block()?.remaining(), 9);
    /// # Ok::<(), casgate::wait::AcquireError>(())
    /// ```
    pub fn acquire(&self) -> Acquire<&Self> {
        Acquire::new(self)
    }

    /// Waits as [`acquire`](Self::acquire), and keeps the queue alive: for tasks that outlive the
    /// caller.
    ///
    /// ```
    /// use casgate::wait::Queue;
    /// use casgate::{Limiter, Quota};
    /// use std::sync::Arc;
    /// let queue = Arc::new(Queue::new(Limiter::token_bucket(Quota::per_second(10))));
    /// let wait = queue.acquire_owned();
    /// let worker = std::thread::spawn(move || wait.block().is_ok());
    /// assert!(worker.join().unwrap());
    /// ```
    pub fn acquire_owned(self: &Arc<Self>) -> Acquire<Arc<Self>> {
        Acquire::new(Arc::clone(self))
    }
}

impl<H: Holder> Acquire<H> {
    pub(super) const fn new(queue: H) -> Self {
        Self { queue, permits: 1, patience: Patience::Endless, state: State::New }
    }

    /// Waits at most so long from the first poll on. If the permits will not be ready by then, the
    /// wait fails at once. This replaces [`by`](Self::by).
    ///
    /// ```
    /// use casgate::wait::{AcquireError, Queue};
    /// use casgate::{Limiter, Quota};
    /// use std::time::Duration;
    ///
    /// let queue = Queue::new(Limiter::token_bucket(Quota::per_hour(1)));
    /// assert!(queue.acquire().within(Duration::ZERO).block().is_ok());
    /// let error = queue.acquire().within(Duration::from_secs(60)).block().unwrap_err(); // at once
    /// assert!(matches!(error, AcquireError::TooLate { .. }));
    /// ```
    pub fn within(mut self, patience: Duration) -> Self {
        self.start_again(Patience::Within(patience));
        self
    }

    /// Waits at most until `deadline`, a timestamp of the limiter's clock. If the permits will not
    /// be ready by then, the wait fails at once. This replaces [`within`](Self::within).
    ///
    /// ```
    /// use casgate::clock::ManualClock;
    /// use casgate::wait::{AcquireError, Queue};
    /// use casgate::{Limiter, Quota, Timestamp};
    /// use std::time::Duration;
    ///
    /// let limiter = Limiter::token_bucket(Quota::per_second(1)).with_clock(ManualClock::new());
    /// let queue = Queue::new(limiter);
    /// assert!(queue.acquire().by(Timestamp::ZERO).block().is_ok());
    /// assert_eq!(
    ///     queue.acquire().by(Timestamp::from_millis(900)).block(),
    ///     Err(AcquireError::TooLate { ready_after: Duration::from_secs(1) }),
    /// );
    /// ```
    pub fn by(mut self, deadline: Timestamp) -> Self {
        self.start_again(Patience::By(deadline));
        self
    }

    /// Blocks the thread until the permits are ready. Threads and tasks wait in one queue. The
    /// timer is not used.
    ///
    /// ```
    /// use casgate::wait::Queue;
    /// use casgate::{Limiter, Quota};
    ///
    /// let queue = Queue::new(Limiter::token_bucket(Quota::per_second(1_000).with_burst(1)));
    /// for _ in 0..3 {
    ///     queue.acquire().block()?;
    /// }
    /// # Ok::<(), casgate::wait::AcquireError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`AcquireError`] if no permits were taken, and why.
    #[inline(always)]
    pub fn block(mut self) -> Result<Admitted, AcquireError> {
        if let Some(admitted) = self.at_once() { Ok(admitted) } else { self.block_in_line() }
    }

    /// Apart from what is free at once: there the numbers that the caller does not read are then
    /// not computed.
    #[cold]
    #[inline(never)]
    fn block_in_line(&mut self) -> Result<Admitted, AcquireError> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            match self.look(&waker) {
                Look::Done(outcome) => {
                    return outcome.map(|granted| self.queue.queue().admitted(&granted));
                }
                // A time that has passed meanwhile is zero. Woken early, it looks again.
                Look::Until(instant) => thread::park_timeout(instant - self.queue.queue().now()),
            }
        }
    }

    /// Leaves the queue, if it is in it, to start with other conditions.
    fn start_again(&mut self, patience: Patience) {
        self.leave();
        self.state = State::New;
        self.patience = patience;
    }

    #[inline(always)]
    fn leave(&mut self) {
        if let State::Waits { id, .. } = self.state {
            self.queue.queue().leave(id);
        }
    }

    /// What is free if nobody waits. A deadline that has passed is left to [`look`](Self::look).
    #[inline(always)]
    fn at_once(&mut self) -> Option<Admitted> {
        let is_late =
            matches!(self.patience, Patience::By(deadline) if self.queue.queue().now() > deadline);
        if !matches!(self.state, State::New) || is_late {
            return None;
        }
        let admitted = self.queue.queue().try_acquire(self.permits)?;
        self.state = State::Done;
        Some(admitted)
    }

    fn look(&mut self, waker: &Waker) -> Look<Seen<H>> {
        let queue = self.queue.queue();
        let now = queue.now();
        let look = match self.state {
            State::New => {
                let deadline = match self.patience {
                    Patience::Endless => Timestamp::MAX,
                    Patience::Within(patience) => now + patience,
                    Patience::By(deadline) => deadline,
                };
                let (id, look) = queue.arrive(self.permits, deadline, now, waker.clone());
                self.state = State::Waits { id, sleep: None };
                look
            }
            State::Waits { id, .. } => queue.look(id, now, waker.clone()),
            State::Done => panic!("a wait that is over was polled again"),
        };
        if let Look::Done(_) = look {
            self.state = State::Done;
        }
        look
    }

    #[cold]
    #[inline(never)]
    fn poll_in_line(&mut self, context: &mut Context<'_>) -> Poll<Result<Admitted, AcquireError>> {
        let granted = ready!(self.poll_granted(context));
        Poll::Ready(granted.map(|granted| self.queue.queue().admitted(&granted)))
    }

    /// The permits, once they are ready.
    pub(super) fn poll_granted(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Granted<Seen<H>>, AcquireError>> {
        // A timer that is early is asked once more, and then it is somebody else's turn.
        for _ in 0..2 {
            match self.look(context.waker()) {
                Look::Done(outcome) => return Poll::Ready(outcome),
                Look::Until(instant) => {
                    if self.poll_sleep(instant, context).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether the timer says that `instant` has come. If not, the task is woken then.
    fn poll_sleep(&mut self, instant: Timestamp, context: &mut Context<'_>) -> Poll<()> {
        let State::Waits { sleep, .. } = &mut self.state else { return Poll::Ready(()) };
        let (until, asleep) =
            sleep.get_or_insert_with(|| (instant, self.queue.queue().sleep(instant)));
        if *until != instant {
            (*until, *asleep) = (instant, self.queue.queue().sleep(instant));
        }
        let awake = asleep.as_mut().poll(context);
        if awake.is_ready() {
            *sleep = None;
        }
        awake
    }
}

impl<H: Holder<Algorithm: Weighted>> Acquire<H> {
    /// Asks for `n` permits, which are taken together. Zero are there at once.
    ///
    /// ```
    /// use casgate::wait::Queue;
    /// use casgate::{Limiter, Quota};
    /// let queue = Queue::new(Limiter::token_bucket(Quota::per_second(10)));
    /// assert_eq!(queue.acquire().permits(4).block()?.remaining(), 6);
    /// # Ok::<(), casgate::wait::AcquireError>(())
    /// ```
    pub fn permits(mut self, n: u32) -> Self {
        self.start_again(self.patience);
        self.permits = n;
        self
    }
}

impl<H: Holder> Future for Acquire<H> {
    type Output = Result<Admitted, AcquireError>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match this.at_once() {
            Some(admitted) => Poll::Ready(Ok(admitted)),
            None => this.poll_in_line(context),
        }
    }
}

impl<H: Holder> Drop for Acquire<H> {
    #[inline(always)]
    fn drop(&mut self) {
        self.leave();
    }
}

impl<H: Holder> fmt::Debug for Acquire<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire")
            .field("permits", &self.permits)
            .field("patience", &self.patience)
            .field("waits", &matches!(self.state, State::Waits { .. }))
            .finish_non_exhaustive()
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
