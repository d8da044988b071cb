//! Clocks that are chosen while the program runs, and clocks that step back.

use casgate::clock::{CachedClock, Clock, ManualClock, Precise, SystemClock, UtcClock};
use casgate::{
    AdjustableLimiter, Both, FixedWindow, KeyedLimiter, Limiter, Quota, SlidingWindowLimiter, Slot,
    Timestamp, TokenBucket,
};
use std::sync::{Arc, Barrier};
use std::time::Duration;

type AnyClock = Box<dyn Clock + Send + Sync>;

static MANUAL: ManualClock = ManualClock::new();

/// `with_clock` is `const` for each kind of limiter that fits a `static`.
mod statics {
    use super::*;

    const HOURLY: Quota = Quota::per_hour(1);
    const UTC: UtcClock = UtcClock::new();

    static BUCKET: Limiter<TokenBucket, UtcClock> = Limiter::token_bucket(HOURLY).with_clock(UTC);
    static BOTH: Limiter<Both<TokenBucket, FixedWindow>, UtcClock> =
        Limiter::both(TokenBucket::new(HOURLY), FixedWindow::new(HOURLY)).with_clock(UTC);
    static ADJUSTABLE: AdjustableLimiter<UtcClock> =
        Limiter::adjustable_token_bucket(HOURLY).with_clock(UTC);
    static SLIDING: SlidingWindowLimiter<UtcClock, [Slot; 1]> =
        Limiter::sliding_window_array(Duration::from_secs(3_600)).with_clock(UTC);

    #[test]
    fn stand_on_other_clocks() {
        assert!(BUCKET.is_allowed() && BOTH.is_allowed());
        assert!(ADJUSTABLE.is_allowed() && SLIDING.is_allowed());
    }
}

fn chosen(name: &str) -> AnyClock {
    match name {
        "system" => Box::new(SystemClock),
        "precise" => Box::new(Precise(SystemClock)),
        "utc" => Box::new(UtcClock::new()),
        "cached" => Box::new(CachedClock::new(SystemClock)),
        "manual" => Box::new(&MANUAL),
        _ => panic!("no such clock"),
    }
}

#[test]
fn a_limiter_holds_a_clock_that_was_chosen_while_the_program_ran() {
    struct Service {
        global: Limiter<FixedWindow, AnyClock>,
        clients: KeyedLimiter<AnyClock>,
    }
    fn is_shared<T: Send + Sync>(value: T) -> T {
        value
    }
    for name in ["system", "precise", "utc", "cached", "manual"] {
        let quota = Quota::new(2, Duration::from_secs(1 << 30)).unwrap();
        let service = is_shared(Service {
            global: Limiter::fixed_window(quota).with_clock(chosen(name)),
            clients: KeyedLimiter::token_bucket(Quota::per_day(1), 10).with_clock(chosen(name)),
        });
        assert!(service.global.is_allowed() && service.global.is_allowed(), "{name}");
        assert!(!service.global.is_allowed(), "{name}");
        assert!(service.clients.is_allowed("a") && !service.clients.is_allowed("a"), "{name}");
    }
}

/// Each method by a number of its own.
struct Numbered;

impl Clock for Numbered {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(3)
    }

    fn recent(&self) -> Timestamp {
        Timestamp::from_nanos(2)
    }

    fn max_lag(&self) -> Duration {
        Duration::from_nanos(1)
    }
}

#[test]
fn a_pointer_reads_its_clock_method_by_method() {
    fn read(clock: impl Clock) -> [u128; 3] {
        let nanos = |time: Timestamp| u128::from(time.as_nanos());
        [nanos(clock.now()), nanos(clock.recent()), clock.max_lag().as_nanos()]
    }
    let borrowed = &Numbered;
    assert_eq!(read(Numbered), [3, 2, 1]);
    assert_eq!(read(borrowed), [3, 2, 1]);
    assert_eq!(read(Box::new(Numbered)), [3, 2, 1]);
    assert_eq!(read(Arc::new(Numbered)), [3, 2, 1]);
    assert_eq!(read(Box::new(Numbered) as AnyClock), [3, 2, 1]);
    assert_eq!(read(&*(Arc::new(Numbered) as Arc<dyn Clock>)), [3, 2, 1]);
    assert_eq!(read(Precise(Numbered)), [3, 3, 0], "without its cheap timestamps");
}

/// With four threads some exchanges are lost, on every machine with two cores.
#[test]
fn callers_on_one_clock_get_the_limit_and_no_more() {
    const LIMIT: u32 = 600_000;
    let limiter = Limiter::token_bucket(Quota::per_hour(LIMIT)).with_clock(ManualClock::new());
    let begin = Barrier::new(4);
    let passed = || {
        begin.wait();
        (0..LIMIT / 2).filter(|_| limiter.is_allowed()).count()
    };
    let passed: usize = std::thread::scope(|scope| {
        let callers: [_; 4] = std::array::from_fn(|_| scope.spawn(passed));
        callers.map(|caller| caller.join().unwrap()).iter().sum()
    });
    assert_eq!(passed, LIMIT as usize);
}

const TWO_A_MINUTE: Quota = Quota::per_minute(2);
const AHEAD: Timestamp = Timestamp::from_secs(3_600);
const BACK: Timestamp = Timestamp::from_secs(3_540);

#[test]
fn a_window_denies_until_a_clock_that_stepped_back_is_in_it_again() {
    let clock = ManualClock::new();
    let limiter = Limiter::fixed_window(TWO_A_MINUTE).with_clock(&clock);
    clock.set(AHEAD);
    assert!(limiter.is_allowed());
    clock.set(BACK);
    assert_eq!(limiter.check().unwrap_err().retry_after(), Some(Duration::from_secs(60)));
    clock.advance(Duration::from_secs(60));
    assert!(limiter.is_allowed() && !limiter.is_allowed(), "what was spent in it stays spent");
}

#[test]
fn a_bucket_counts_what_is_outstanding_for_longer_if_its_clock_steps_back() {
    let clock = ManualClock::new();
    let limiter = Limiter::token_bucket(TWO_A_MINUTE).with_clock(&clock);
    clock.set(AHEAD);
    assert!(limiter.is_allowed());
    clock.set(BACK);
    assert_eq!(limiter.check().unwrap_err().retry_after(), Some(Duration::from_secs(60)));
    clock.set(AHEAD);
    assert!(limiter.is_allowed() && !limiter.is_allowed());
}

#[test]
fn a_cached_clock_does_not_step_back_with_its_clock() {
    let manual = ManualClock::new();
    let clock = CachedClock::new(&manual);
    manual.set(AHEAD);
    assert_eq!(clock.tick(), AHEAD);
    manual.set(BACK);
    assert_eq!((clock.tick(), clock.now(), clock.age()), (AHEAD, AHEAD, Duration::ZERO));
}

/// The units of this quota are the shortest that there are. What the documentation of `UtcClock` says of the years.
#[test]
fn a_keyed_limiter_tells_timestamps_apart_until_2037() {
    const YEAR: u64 = 31_557_600;
    let limiter = KeyedLimiter::token_bucket(Quota::new(1, Duration::from_nanos(500)).unwrap(), 10);
    let spent_and_back = |year: u64| {
        let at = Timestamp::from_secs((year - 1970) * YEAR);
        assert!(limiter.is_allowed_at(&year, at));
        limiter.is_allowed_at(&year, at + Duration::from_secs(1))
    };
    assert!(spent_and_back(2026) && spent_and_back(2036));
    assert!(!spent_and_back(2060), "later timestamps count as the last");
}
