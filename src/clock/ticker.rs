use super::{CachedClock, Clock};
use core::convert::Infallible;
use core::ops::Deref;
use core::time::Duration;
use std::io::{self, Error, ErrorKind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};

/// A thread that ticks a [`CachedClock`] while this guard lives.
///
/// When the guard is dropped, the thread is woken, ends and is joined. The drop waits for a tick
/// that is under way, not for the interval. A guard that is leaked lets the thread run until the
/// process ends; the thread does not keep the process alive. After a `fork` there is no thread in
/// the child.
///
/// ```
/// use casgate::clock::{CachedClock, SystemClock, Ticker};
/// use casgate::{Limiter, Quota, TokenBucket};
/// use std::time::Duration;
///
/// static TIME: CachedClock = CachedClock::new(SystemClock);
/// static API: Limiter<TokenBucket, &CachedClock> =
///     Limiter::token_bucket(Quota::per_second(100)).with_clock(&TIME);
///
/// fn main() -> std::io::Result<()> {
///     let _ticker = Ticker::spawn(&TIME, Duration::from_millis(1))?;
///     assert!(API.is_allowed());
///     Ok(())
/// }
/// ```
///
/// # Lag
///
/// The thread waits for the interval after each tick, and the system may wake it late. So the clock
/// lags by the interval and some more: on a busy machine by many milliseconds. [`CachedClock::age`]
/// returns by how much at the moment.
#[derive(Debug)]
#[must_use = "the thread stops when the ticker is dropped"]
pub struct Ticker {
    /// Nothing is ever sent: the thread notices the drop. `None` while the ticker is dropped.
    stop: Option<Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Ticks the clock once, and then from a new thread every `interval`. The clock is an
    /// `Arc<CachedClock>` or a `&'static CachedClock`.
    ///
    /// ```
    /// use casgate::clock::{CachedClock, Clock, SystemClock, Ticker};
    /// use casgate::Timestamp;
    /// use std::sync::Arc;
    /// use std::time::Duration;
    ///
    /// let time = Arc::new(CachedClock::new(SystemClock));
    /// let ticker = Ticker::spawn(time.clone(), Duration::from_millis(1))?;
    /// assert!(ticker.is_ticking());
    ///
    /// drop(ticker);
    /// assert_eq!(Arc::strong_count(&time), 1, "the thread has ended");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the interval is zero. Otherwise the system's reason why it
    /// starts no thread.
    pub fn spawn<P, C>(clock: P, interval: Duration) -> io::Result<Self>
    where
        P: Deref<Target = CachedClock<C>> + Send + 'static,
        C: Clock,
    {
        if interval.is_zero() {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "the interval of a ticker is not zero",
            ));
        }
        clock.tick();
        Self::spawn_waiting(clock, move |stop| {
            matches!(stop.recv_timeout(interval), Err(RecvTimeoutError::Timeout))
        })
    }

    /// Ticks each time that `wait` has waited, until it returns `false`.
    fn spawn_waiting<P, C>(
        clock: P,
        mut wait: impl FnMut(&Receiver<Infallible>) -> bool + Send + 'static,
    ) -> io::Result<Self>
    where
        P: Deref<Target = CachedClock<C>> + Send + 'static,
        C: Clock,
    {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("casgate-ticker".into()).spawn(move || {
            while wait(&stopped) {
                clock.tick();
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Returns whether the thread runs. It ends early only if the clock panics.
    ///
    /// ```
    /// use casgate::clock::{CachedClock, SystemClock, Ticker};
    /// use std::time::Duration;
    ///
    /// static TIME: CachedClock = CachedClock::new(SystemClock);
    /// let ticker = Ticker::spawn(&TIME, Duration::from_millis(1))?;
    /// assert!(ticker.is_ticking());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn is_ticking(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A clock may own its ticker. Then its thread may be the one that drops it, and cannot wait
            // for its own end.
            if thread.thread().id() != thread::current().id() {
                // A panic of the clock has been reported by the thread itself.
                let _ = thread.join();
            }
        }
    }
}

#[cfg(all(test, not(any(casgate_loom, casgate_shuttle))))]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, SystemClock};
    use crate::timestamp::Timestamp;
    use std::sync::{Arc, Mutex};

    const SECOND: Duration = Duration::from_secs(1);

    fn manual() -> (Arc<ManualClock>, Arc<CachedClock<Arc<ManualClock>>>) {
        let manual = Arc::new(ManualClock::new());
        (Arc::clone(&manual), Arc::new(CachedClock::new(manual)))
    }

    #[test]
    fn it_ticks_once_each_time_the_interval_has_passed() {
        let (manual, clock) = manual();
        let (pass, passed) = mpsc::channel();
        let (wait, waits) = mpsc::channel();
        let ticker = Ticker::spawn_waiting(Arc::clone(&clock), move |_| {
            wait.send(()).is_ok() && passed.recv().is_ok()
        })
        .unwrap();
        waits.recv().unwrap();
        for second in 1..10 {
            manual.advance(SECOND);
            assert_eq!(clock.now(), Timestamp::from_secs(second - 1));
            assert_eq!(clock.age(), SECOND);
            pass.send(()).unwrap();
            waits.recv().unwrap();
            assert_eq!((clock.now(), clock.age()), (Timestamp::from_secs(second), Duration::ZERO));
        }
        assert!(ticker.is_ticking());
        drop(pass);
        drop(ticker);
        assert_eq!(Arc::strong_count(&clock), 1);
    }

    /// If the drop did not wake the thread, this would take 584 years.
    #[test]
    fn a_dropped_ticker_has_ended_whatever_the_interval() {
        for interval in [Duration::MAX, Duration::from_nanos(u64::MAX), Duration::from_nanos(1)] {
            let (manual, clock) = manual();
            manual.advance(SECOND);
            let ticker = Ticker::spawn(Arc::clone(&clock), interval).unwrap();
            assert_eq!(clock.now(), Timestamp::from_secs(1), "it has ticked at once");
            drop(ticker);
            assert_eq!(Arc::strong_count(&clock), 1);
        }
    }

    /// Waits as long as it takes, without a deadline of its own.
    #[test]
    fn it_ticks_by_itself() {
        let clock = Arc::new(CachedClock::new(SystemClock));
        let _ticker = Ticker::spawn(Arc::clone(&clock), Duration::from_nanos(1)).unwrap();
        for _ in 0..3 {
            let before = clock.now();
            while clock.now() == before {
                thread::yield_now();
            }
        }
    }

    #[test]
    fn an_interval_of_zero_is_an_error() {
        let (_, clock) = manual();
        let error = Ticker::spawn(clock, Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("interval"));
    }

    /// A clock that does something at its second timestamp, the first that the thread takes.
    struct Then(Mutex<u32>, Box<dyn Fn() + Send + Sync>);

    impl Clock for Then {
        fn now(&self) -> Timestamp {
            let mut calls = self.0.lock().unwrap();
            *calls += 1;
            if *calls == 2 {
                drop(calls);
                (self.1)();
            }
            Timestamp::ZERO
        }
    }

    #[test]
    fn a_panic_of_the_clock_ends_the_thread_and_nothing_else() {
        let panics = Box::new(|| std::panic::resume_unwind(Box::new("a clock that fails")));
        let clock = Arc::new(CachedClock::new(Then(Mutex::new(0), panics)));
        let ticker = Ticker::spawn(Arc::clone(&clock), Duration::from_nanos(1)).unwrap();
        while ticker.is_ticking() {
            thread::yield_now();
        }
        drop(ticker);
        assert_eq!(Arc::strong_count(&clock), 1);
    }

    #[test]
    fn a_ticker_that_its_own_thread_drops_ends() {
        let (hand_over, handed_over) = mpsc::channel::<Ticker>();
        let handed_over = Mutex::new(handed_over);
        let drops = Box::new(move || drop(handed_over.lock().unwrap().recv().unwrap()));
        let clock = Arc::new(CachedClock::new(Then(Mutex::new(0), drops)));
        let ticker = Ticker::spawn(Arc::clone(&clock), Duration::from_nanos(1)).unwrap();
        hand_over.send(ticker).unwrap();
        while Arc::strong_count(&clock) > 1 {
            thread::yield_now();
        }
    }
}
