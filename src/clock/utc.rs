use super::Clock;
use crate::timestamp::Timestamp;
use core::time::Duration;

/// The wall clock: the time since 1970-01-01, 00:00 UTC, or 00:00 in a time zone with a fixed
/// offset.
///
/// On this clock the fixed windows of a minute, an hour or a day are those of the calendar. Use it
/// where somebody else counts your requests in such windows:
///
/// ```
/// use casgate::clock::UtcClock;
/// use casgate::{FixedWindow, Limiter, Quota};
///
/// // A provider that admits 100 requests in each minute of the calendar.
/// static API: Limiter<FixedWindow, UtcClock> =
///     Limiter::fixed_window(Quota::per_minute(100)).with_clock(UtcClock::new());
/// assert!(API.is_allowed());
/// ```
///
/// # Time zones
///
/// [`ahead_by`](Self::ahead_by) and [`behind_by`](Self::behind_by) set the offset. Daylight saving
/// is not followed: where it applies, days begin an hour off for half of the year. A window is a
/// fixed length of time, so there are none of months. A window of a week begins on a Thursday, as
/// 1970-01-01 was one; three days ahead it begins on a Monday.
///
/// # A wall clock can step back
///
/// An administrator or a time server can set it back, and a leap second does. This clock follows:
/// it keeps no state and does not hold its timestamps. The limiter's state never goes back, so its
/// bound still holds for the timestamps. Until the clock has caught up, the limiter [is
/// stricter](super#a-clock-that-steps-back). If the clock was a day ahead, that takes a day. A
/// limiter can be [reset](crate::Limiter::reset) sooner. Where that matters more than the calendar,
/// use [`SystemClock`](super::SystemClock).
///
/// # Range
///
/// Instants before the origin count as the origin. A [`KeyedLimiter`](crate::KeyedLimiter)
/// distinguishes timestamps for at least 67 years, which on this clock may end in 2037. After that
/// its keys get no new permits. `UtcClock::new().behind_by(…)` with a whole number of days begins
/// later: with 10,957 days, in 2000.
///
/// ```
/// use casgate::clock::{Clock, UtcClock};
/// use std::time::Duration;
///
/// const DAY: Duration = Duration::from_secs(86_400);
/// static SINCE_2000: UtcClock = UtcClock::new().behind_by(DAY.saturating_mul(10_957));
/// assert!(SINCE_2000.now() < UtcClock::new().now());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UtcClock {
    /// Nanoseconds to add to the Unix time.
    offset: i64,
}

impl UtcClock {
    /// Returns the clock of UTC.
    ///
    /// ```
    /// use casgate::clock::{Clock, UtcClock};
    /// let year = UtcClock::new().now().as_nanos() / (365 * 86_400 * 1_000_000_000) + 1970;
    /// assert!(year > 2024);
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self { offset: 0 }
    }

    /// Returns the clock of a time zone that is further ahead by so much, that is to the east.
    ///
    /// ```
    /// use casgate::clock::UtcClock;
    /// use std::time::Duration;
    ///
    /// const HOUR: Duration = Duration::from_secs(3_600);
    /// static TOKYO: UtcClock = UtcClock::new().ahead_by(HOUR.saturating_mul(9)); // UTC+9
    /// assert_eq!(TOKYO.behind_by(HOUR.saturating_mul(9)), UtcClock::new());
    /// ```
    ///
    /// # Panics
    ///
    /// If `by` or the offset in all exceeds 292 years. In a `static` that is a compile error.
    #[must_use]
    pub const fn ahead_by(self, by: Duration) -> Self {
        match self.offset.checked_add(in_range(by)) {
            Some(offset) => Self { offset },
            None => panic!("{}", TOO_FAR),
        }
    }

    /// Returns the clock of a time zone that is further behind by so much, that is to the west.
    ///
    /// ```
    /// use casgate::clock::UtcClock;
    /// use std::time::Duration;
    ///
    /// // UTC-3:30, the standard time of Newfoundland.
    /// static ST_JOHNS: UtcClock = UtcClock::new().behind_by(Duration::from_secs(12_600));
    /// assert_ne!(ST_JOHNS, UtcClock::new());
    /// ```
    ///
    /// # Panics
    ///
    /// As [`ahead_by`](Self::ahead_by).
    #[must_use]
    pub const fn behind_by(self, by: Duration) -> Self {
        match self.offset.checked_sub(in_range(by)) {
            Some(offset) => Self { offset },
            None => panic!("{}", TOO_FAR),
        }
    }

    /// The timestamp of an instant so many seconds and then nanoseconds after 1970, saturating.
    #[inline]
    fn timestamp(self, secs: i64, nanos: u32) -> Timestamp {
        let unix = i128::from(secs) * 1_000_000_000 + i128::from(nanos);
        let local = unix + i128::from(self.offset);
        Timestamp::from_nanos(local.clamp(0, u64::MAX.into()) as u64)
    }
}

const TOO_FAR: &str = "the offset of a UtcClock is at most 292 years";

const fn in_range(by: Duration) -> i64 {
    let nanos = by.as_nanos();
    assert!(nanos <= i64::MAX as u128, "{}", TOO_FAR);
    nanos as i64
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Clock for UtcClock {
    #[inline]
    fn now(&self) -> Timestamp {
        let (secs, nanos) = super::kernel::read(super::kernel::ClockId::Realtime);
        self.timestamp(secs, nanos)
    }

    #[inline]
    fn recent(&self) -> Timestamp {
        let (secs, nanos) = super::kernel::read(super::kernel::ClockId::RealtimeCoarse);
        self.timestamp(secs, nanos)
    }

    #[inline]
    fn max_lag(&self) -> Duration {
        super::kernel::MAX_LAG
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl Clock for UtcClock {
    fn now(&self) -> Timestamp {
        let (secs, nanos) = unix_time(std::time::SystemTime::now());
        self.timestamp(secs, nanos)
    }
}

/// Seconds since 1970, which may be negative, and the nanoseconds that follow them.
#[cfg(any(not(any(target_os = "linux", target_os = "android")), test))]
fn unix_time(time: std::time::SystemTime) -> (i64, u32) {
    match time.duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos()),
        Err(before) => {
            let before = before.duration();
            let secs = i64::try_from(before.as_secs()).map_or(i64::MIN, |secs| -secs);
            match before.subsec_nanos() {
                0 => (secs, 0),
                nanos => (secs.saturating_sub(1), 1_000_000_000 - nanos),
            }
        }
    }
}

#[cfg(all(test, not(casgate_loom)))]
mod tests {
    use super::*;
    use crate::Quota;
    use crate::algorithm::{FixedWindow, Rule};
    use crate::word::Word;
    use std::time::{SystemTime, UNIX_EPOCH};

    const HOUR: Duration = Duration::from_secs(3_600);
    /// 2026-03-01, 23:59:59 UTC.
    const LATE: i64 = 1_772_409_599;

    #[test]
    fn a_day_begins_at_midnight_in_its_time_zone() {
        for (clock, midnight) in [
            (UtcClock::new(), LATE + 1),
            (UtcClock::new().ahead_by(HOUR * 9), LATE + 1 - 9 * 3_600),
            (UtcClock::new().behind_by(HOUR * 3 + HOUR / 2), LATE + 1 + 12_600),
        ] {
            let rule = FixedWindow::new(Quota::per_day(1));
            let spend = |word, now| rule.decide(word, 1, now);
            let last = clock.timestamp(midnight - 1, 999_999_999);
            let word = spend(Word::default(), last).unwrap();
            assert!(spend(word, last).is_none());
            assert!(spend(word, clock.timestamp(midnight - 86_400, 0)).is_none(), "the same day");
            let next = clock.timestamp(midnight, 0);
            assert_eq!(next.as_nanos() % (86_400 * 1_000_000_000), 0);
            assert!(spend(word, next).is_some());
        }
    }

    #[test]
    fn three_days_ahead_a_week_begins_on_monday() {
        let clock = UtcClock::new().ahead_by(HOUR * 72);
        let week = 7 * 86_400 * 1_000_000_000;
        // 2026-03-02 is a Monday.
        assert_eq!(clock.timestamp(LATE + 1, 0).as_nanos() % week, 0);
    }

    #[test]
    fn offsets_add_up() {
        let clock = UtcClock::new().ahead_by(HOUR * 5).behind_by(HOUR * 7);
        assert_eq!(clock, UtcClock::new().behind_by(HOUR * 2));
        assert_eq!(clock.timestamp(7_201, 5), Timestamp::from_nanos(1_000_000_005));
        assert_eq!(UtcClock::new(), UtcClock::default());
    }

    #[test]
    fn the_ends_saturate() {
        let clock = UtcClock::new();
        assert_eq!(clock.timestamp(-1, 999_999_999), Timestamp::ZERO);
        assert_eq!(clock.timestamp(i64::MIN, 0), Timestamp::ZERO);
        assert_eq!(clock.timestamp(i64::MAX, 999_999_999), Timestamp::MAX);
        let longest = Duration::from_nanos(i64::MAX as u64);
        assert_eq!(clock.ahead_by(longest).timestamp(i64::MAX, 0), Timestamp::MAX);
        assert_eq!(clock.ahead_by(longest).timestamp(i64::MIN, 0), Timestamp::ZERO);
        assert_eq!(clock.behind_by(longest).timestamp(0, 0), Timestamp::ZERO);
    }

    #[test]
    #[should_panic = "at most 292 years"]
    fn an_offset_too_far_ahead_panics() {
        let _ = UtcClock::new().ahead_by(Duration::MAX);
    }

    #[test]
    #[should_panic = "at most 292 years"]
    fn offsets_that_are_too_far_behind_in_all_panic() {
        let longest = Duration::from_nanos(i64::MAX as u64);
        let _ = UtcClock::new().behind_by(longest).behind_by(longest);
    }

    #[test]
    fn seconds_before_1970_are_rounded_down() {
        let at = |nanos: i64| {
            let by = Duration::from_nanos(nanos.unsigned_abs());
            unix_time(if nanos < 0 { UNIX_EPOCH - by } else { UNIX_EPOCH + by })
        };
        assert_eq!(at(0), (0, 0));
        assert_eq!(at(1_000_000_007), (1, 7));
        assert_eq!(at(-1), (-1, 999_999_999));
        assert_eq!(at(-1_000_000_000), (-1, 0));
        assert_eq!(at(-1_000_000_001), (-2, 999_999_999));
    }

    /// To the hour, so that the test does not fail if the machine's clock is set while it runs.
    #[test]
    fn it_is_the_wall_clock() {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let wall = Timestamp::ZERO + wall;
        let clock = UtcClock::new();
        for now in [clock.now(), clock.recent()] {
            let apart = wall.saturating_duration_since(now) + now.saturating_duration_since(wall);
            assert!(apart <= HOUR, "{apart:?}");
        }
    }
}
