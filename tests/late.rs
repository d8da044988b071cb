//! A thread that reads the clock, is stopped, and finds that others have moved the limiter on: it is decided again at
//! a fresh timestamp, whatever the clock.

use casgate::clock::{CachedClock, Clock, ManualClock, Precise};
use casgate::{FixedWindow, KeyedLimiter, Limiter, Quota, Timestamp, TokenBucket};
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// Two a second.
const QUOTA: Quota = Quota::per_second(2);
const OLD: Timestamp = Timestamp::from_millis(500);
const BETWEEN: Timestamp = Timestamp::from_millis(1_400);
const NEW: Timestamp = Timestamp::from_millis(2_500);

/// A clock whose timestamps are written down beforehand. A call that takes one more panics.
#[derive(Default)]
struct Scripted(RefCell<Vec<Timestamp>>);

impl Scripted {
    fn expect(&self, first_to_last: &[Timestamp]) {
        assert_eq!(self.0.borrow().len(), 0, "a timestamp was not taken");
        *self.0.borrow_mut() = first_to_last.iter().rev().copied().collect();
    }
}

impl Clock for Scripted {
    fn now(&self) -> Timestamp {
        self.0.borrow_mut().pop().expect("a timestamp too many was taken")
    }
}

/// One permit at a timestamp, or now.
type Check<'a> = &'a dyn Fn(Option<Timestamp>) -> Result<(), Option<Duration>>;

/// Calls `each` with every kind of limiter on the clock that `clock` makes.
fn every_kind<C: Clock>(clock: impl Fn() -> C, mut each: impl FnMut(&str, Check<'_>)) {
    let other = Quota::per_second(3);
    let (window, bucket) = (FixedWindow::new(QUOTA), TokenBucket::new(QUOTA));
    macro_rules! check {
        ($name:literal, $limiter:expr) => {
            let limiter = $limiter.with_clock(clock());
            each($name, &|now| {
                let answer = now.map_or_else(|| limiter.check(), |now| limiter.check_at(now));
                answer.map(drop).map_err(|denied| denied.retry_after())
            });
            let limiter = $limiter.with_clock(clock());
            each(concat!($name, ", only whether"), &|now| {
                let allowed =
                    now.map_or_else(|| limiter.is_allowed(), |now| limiter.is_allowed_at(now));
                allowed.then_some(()).ok_or(None)
            });
        };
    }
    check!("fixed window", Limiter::fixed_window(QUOTA));
    check!("token bucket", Limiter::token_bucket(QUOTA));
    check!("sliding window", Limiter::sliding_window(QUOTA));
    // After two permits an hour's bucket does not show when they were spent: only the window does.
    let wide = TokenBucket::new(Quota::per_hour(100));
    check!("window and bucket", Limiter::both(window, wide));
    check!("bucket and window", Limiter::both(wide, window));
    check!("two buckets", Limiter::both(bucket, TokenBucket::new(other)));
    check!("adjustable window", Limiter::adjustable_fixed_window(QUOTA));
    check!("adjustable bucket", Limiter::adjustable_token_bucket(QUOTA));

    let keyed = |keyed: KeyedLimiter| keyed.with_clock(clock());
    for (name, limiter) in [
        ("keyed window", keyed(KeyedLimiter::fixed_window(QUOTA, 1))),
        ("keyed bucket", keyed(KeyedLimiter::token_bucket(QUOTA, 1))),
    ] {
        each(name, &|now| {
            let answer = now.map_or_else(|| limiter.check("a"), |now| limiter.check_at("a", now));
            answer.map(drop).map_err(|denied| denied.retry_after())
        });
    }
    let many = KeyedLimiter::token_bucket(QUOTA, 1).with_clock(clock());
    each("many keys", &|now| {
        let mut passed = Ok(());
        let mut each = |_, answer: Result<casgate::Admitted, casgate::Denied>| {
            passed = answer.map(drop).map_err(|denied| denied.retry_after());
        };
        match now {
            Some(now) => many.check_many_at(&["a"], now, &mut each),
            None => many.check_many(&["a"], &mut each),
        }
        passed
    });
    let lent = Limiter::fixed_window(QUOTA).with_clock(clock());
    each("lease", &|now| match now {
        Some(now) => lent.check_at(now).map(drop).map_err(|denied| denied.retry_after()),
        None => lent.lease(1).check().map_err(|denied| denied.retry_after()),
    });
}

#[test]
fn a_late_thread_is_decided_again_at_a_fresh_timestamp() {
    let clock = Scripted::default();
    every_kind(
        || &clock,
        |kind, check| {
            assert_eq!(check(Some(BETWEEN)), Ok(()), "{kind}");
            assert_eq!(check(Some(NEW)), Ok(()), "{kind}: another opens the next window");
            clock.expect(&[OLD, NEW]);
            assert_eq!(check(None), Ok(()), "{kind}: one permit is left in it");
            clock.expect(&[]);
        },
    );
}

#[test]
fn a_late_thread_is_denied_as_of_the_fresh_timestamp() {
    let clock = Scripted::default();
    every_kind(
        || &clock,
        |kind, check| {
            assert!(check(Some(NEW)).is_ok() && check(Some(NEW)).is_ok());
            let denied = check(Some(NEW));
            assert!(denied.is_err());
            // Three if it was read for many keys together, and then once more for this one.
            let many = [OLD, OLD, NEW];
            clock.expect(if kind == "many keys" { &many } else { &many[1..] });
            assert_eq!(check(None), denied, "{kind}");
            clock.expect(&[]);
        },
    );
}

/// A clock between another and the limiter, for a thread that is stopped: its first timestamp is an old one.
struct Stopped<C> {
    clock: C,
    old: Cell<Option<Timestamp>>,
}

impl<C: Clock> Clock for Stopped<C> {
    fn now(&self) -> Timestamp {
        self.old.take().unwrap_or_else(|| self.clock.now())
    }
}

#[test]
fn a_late_thread_is_decided_again_on_every_clock() {
    fn follow<C: Clock>(clock: C) {
        assert_eq!(clock.now(), NEW);
        let clock = Stopped { old: Cell::new(None), clock };
        every_kind(
            || &clock,
            |kind, check| {
                assert_eq!(check(Some(BETWEEN)), Ok(()), "{kind}");
                assert_eq!(check(None), Ok(()), "{kind}: another");
                clock.old.set(Some(OLD));
                assert_eq!(check(None), Ok(()), "{kind}");
                assert_eq!(clock.old.get(), None);
            },
        );
    }
    let manual = ManualClock::new();
    manual.set(NEW);
    follow(&manual);
    follow(Precise(&manual));
    let cached = CachedClock::new(&manual);
    cached.tick();
    follow(&cached);
    follow(Box::new(&manual) as Box<dyn Clock + '_>);
}

#[test]
fn a_thread_that_is_not_late_takes_one_timestamp() {
    let clock = Scripted::default();
    every_kind(
        || &clock,
        |kind, check| {
            if kind == "many keys" {
                return; // Reads the clock again for each key that is denied.
            }
            assert!(check(Some(NEW)).is_ok() && check(Some(NEW)).is_ok());
            clock.expect(&[NEW]);
            assert!(check(None).is_err(), "{kind}");
            clock.expect(&[]);
        },
    );
}
