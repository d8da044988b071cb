//! Arithmetic at both ends of the 64 bits.

use casgate::Timestamp;
use proptest::prelude::*;
use std::time::Duration;

const NANO: Duration = Duration::from_nanos(1);
const ALL: Duration = Duration::from_nanos(u64::MAX);
const MORE: Duration = Duration::from_nanos(u64::MAX).saturating_add(NANO);
const ZERO: Timestamp = Timestamp::ZERO;
const MAX: Timestamp = Timestamp::MAX;

#[test]
fn sums_end_at_both_ends() {
    let one = Timestamp::from_nanos(1);
    for (from, delay, later, earlier) in [
        (ZERO, Duration::ZERO, Some(ZERO), Some(ZERO)),
        (ZERO, NANO, Some(one), None),
        (ZERO, ALL, Some(MAX), None),
        (ZERO, MORE, None, None),
        (ZERO, Duration::MAX, None, None),
        (one, NANO, Some(Timestamp::from_nanos(2)), Some(ZERO)),
        (one, ALL, None, None),
        (MAX, Duration::ZERO, Some(MAX), Some(MAX)),
        (MAX, NANO, None, Some(Timestamp::from_nanos(u64::MAX - 1))),
        (MAX, ALL, None, Some(ZERO)),
        (MAX, MORE, None, None),
        (MAX, Duration::MAX, None, None),
    ] {
        assert_eq!(from.checked_add(delay), later, "{from} + {delay:?}");
        assert_eq!(from.checked_sub(delay), earlier, "{from} - {delay:?}");
        let (later, earlier) = (later.unwrap_or(MAX), earlier.unwrap_or(ZERO));
        assert_eq!((from.saturating_add(delay), from + delay), (later, later));
        assert_eq!((from.saturating_sub(delay), from - delay), (earlier, earlier));
        let (mut sum, mut difference) = (from, from);
        sum += delay;
        difference -= delay;
        assert_eq!((sum, difference), (later, earlier));
    }
}

#[test]
fn differences_end_at_zero() {
    assert_eq!((MAX - ZERO, MAX.checked_duration_since(ZERO)), (ALL, Some(ALL)));
    assert_eq!((ZERO - MAX, ZERO.checked_duration_since(MAX)), (Duration::ZERO, None));
    assert_eq!(
        (MAX - MAX, MAX.checked_duration_since(MAX)),
        (Duration::ZERO, Some(Duration::ZERO))
    );
}

#[test]
fn whole_units_are_rounded_down() {
    let whole = |t: Timestamp| (t.as_secs(), t.as_millis(), t.as_micros(), t.as_nanos());
    assert_eq!(whole(ZERO), (0, 0, 0, 0));
    assert_eq!(whole(Timestamp::from_nanos(999_999_999)), (0, 999, 999_999, 999_999_999));
    assert_eq!(whole(Timestamp::from_secs(1)), (1, 1_000, 1_000_000, 1_000_000_000));
    assert_eq!(whole(MAX), (18_446_744_073, 18_446_744_073_709, 18_446_744_073_709_551, u64::MAX));
}

#[test]
fn text_is_exact() {
    for (nanos, text) in [
        (0, "0s"),
        (1, "0.000000001s"),
        (12_345_000_000, "12.345s"),
        (100_000_000, "0.1s"),
        (60_000_000_000, "60s"),
        (u64::MAX, "18446744073.709551615s"),
    ] {
        assert_eq!(Timestamp::from_nanos(nanos).to_string(), text);
    }
}

proptest! {
    #[test]
    fn text_says_every_nanosecond(nanos: u64) {
        let text = Timestamp::from_nanos(nanos).to_string();
        let number = text.strip_suffix('s').unwrap();
        let (secs, fraction) = number.split_once('.').unwrap_or((number, ""));
        let told: u64 = format!("{secs}{fraction:0<9}").parse().unwrap();
        prop_assert_eq!(told, nanos);
        prop_assert!(!fraction.ends_with('0'));
    }
}
