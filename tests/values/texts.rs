//! The text of a quota: every quota survives it, and every text is answered.

use casgate::ParseQuotaErrorKind::{self, *};
use casgate::{Quota, QuotaError};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{TestCaseResult, TestError, TestRunner};
use std::time::Duration;

const LONGEST: u64 = 1 << 61;
const UNITS: [u64; 7] =
    [1, 1_000, 1_000_000, 1_000_000_000, 60_000_000_000, 3_600_000_000_000, 86_400_000_000_000];

fn quota(permits: u32, nanos: u64) -> Quota {
    Quota::new(permits, Duration::from_nanos(nanos)).unwrap()
}

/// Numbers of every size, and the ends.
fn within(last: u64) -> impl Strategy<Value = u64> {
    let any = (0..64u32, any::<u64>()).prop_map(move |(shift, n)| (n >> shift).clamp(1, last));
    prop_oneof![4 => any, 1 => Just(1), 1 => Just(last)]
}

/// Whole units too, which are rare otherwise.
fn periods() -> impl Strategy<Value = u64> {
    let whole = |unit: u64| within(LONGEST / unit).prop_map(move |count| count * unit);
    prop_oneof![within(LONGEST), select(&UNITS[..]).prop_flat_map(whole)]
}

fn quotas() -> impl Strategy<Value = Quota> {
    let permits = |period: u64| (Just(period), within(period.min(u32::MAX.into())));
    let bursts = |(period, permits): (u64, u64)| {
        let last = u128::from(LONGEST) * u128::from(permits) / u128::from(period);
        let burst = within(last.min(u32::MAX.into()) as u64);
        (Just(quota(permits as u32, period)), prop_oneof![Just(permits), burst])
    };
    let with_burst = |(quota, burst): (Quota, u64)| quota.with_burst(burst as u32);
    periods().prop_flat_map(permits).prop_flat_map(bursts).prop_map(with_burst)
}

fn survives(text: impl Fn(Quota) -> String) -> impl Fn(Quota) -> TestCaseResult {
    move |quota| {
        let text = text(quota);
        prop_assert_eq!(text.parse(), Ok(quota), "{}", text);
        prop_assert_eq!(text.as_str().try_into(), Ok(quota), "{}", text);
        Ok(())
    }
}

fn runner() -> TestRunner {
    TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(4_000)
    })
}

#[test]
fn every_quota_survives_its_text() {
    runner().run(&quotas(), survives(|quota| quota.to_string())).unwrap();
}

/// The property above notices a unit that is mistaken, and a burst that is left out.
#[test]
fn the_property_fails_for_wrong_texts() {
    let wrong: [fn(Quota) -> String; 2] = [
        |quota| quota.to_string().replace("us", "ms"),
        |quota| quota.to_string().replace(" burst 1", ""),
    ];
    for text in wrong {
        let outcome = runner().run(&quotas(), survives(text));
        assert!(matches!(outcome, Err(TestError::Fail(..))), "{outcome:?}");
    }
}

#[test]
fn the_extremes_survive() {
    let most = u32::MAX;
    for (quota, text) in [
        (quota(1, 1), "1/ns"),
        (quota(1, 1).with_burst(most), "1/ns burst 4294967295"),
        (quota(most, u64::from(most)), "4294967295/4294967295ns"),
        (quota(most, LONGEST), "4294967295/2305843009213693952ns"),
        (quota(most, LONGEST).with_burst(1), "4294967295/2305843009213693952ns burst 1"),
        (quota(1, LONGEST), "1/2305843009213693952ns"),
        (quota(1, LONGEST / UNITS[6] * UNITS[6]), "1/26687d"),
    ] {
        assert_eq!((quota.to_string().as_str(), text.parse()), (text, Ok(quota)));
    }
}

#[test]
fn each_form_is_the_quota_that_it_says() {
    for (text, permits, nanos, burst, shortest) in [
        ("100/min", 100, 60_000_000_000, 100, "100/min"),
        ("100 per minute", 100, 60_000_000_000, 100, "100/min"),
        ("100 / minutes", 100, 60_000_000_000, 100, "100/min"),
        ("100/m", 100, 60_000_000_000, 100, "100/min"),
        ("10r/s", 10, 1_000_000_000, 10, "10/s"),
        ("10 r / s", 10, 1_000_000_000, 10, "10/s"),
        ("10 r per second", 10, 1_000_000_000, 10, "10/s"),
        ("10per sec", 10, 1_000_000_000, 10, "10/s"),
        ("5/100ms", 5, 100_000_000, 5, "5/100ms"),
        ("5/100 ms", 5, 100_000_000, 5, "5/100ms"),
        ("5/1000ms", 5, 1_000_000_000, 5, "5/s"),
        ("3/90s", 3, 90_000_000_000, 3, "3/90s"),
        ("3 per 120 seconds", 3, 120_000_000_000, 3, "3/2min"),
        ("100/min burst 20", 100, 60_000_000_000, 20, "100/min burst 20"),
        ("100/min burst20", 100, 60_000_000_000, 20, "100/min burst 20"),
        ("100/min burst 100", 100, 60_000_000_000, 100, "100/min"),
        ("1/60s burst 9", 1, 60_000_000_000, 9, "1/min burst 9"),
        ("1_000/h", 1_000, 3_600_000_000_000, 1_000, "1000/h"),
        ("1/hour", 1, 3_600_000_000_000, 1, "1/h"),
        ("1/48 hours", 1, 172_800_000_000_000, 1, "1/2d"),
        ("7/d", 7, 86_400_000_000_000, 7, "7/d"),
        ("7/day", 7, 86_400_000_000_000, 7, "7/d"),
        ("7/7days", 7, 604_800_000_000_000, 7, "7/7d"),
        ("1/2us", 1, 2_000, 1, "1/2us"),
        ("3/5_0ns", 3, 50, 3, "3/50ns"),
        (" \t007 / 1 s burst 8\n", 7, 1_000_000_000, 8, "7/s burst 8"),
    ] {
        let expected = quota(permits, nanos).with_burst(burst);
        assert_eq!(text.parse(), Ok(expected), "{text}");
        assert_eq!(expected.to_string(), shortest, "{text}");
    }
}

#[test]
fn each_error_says_what_and_where() {
    let cases: &[(&str, ParseQuotaErrorKind, usize)] = &[
        ("", Empty, 0),
        (" \n", Empty, 0),
        ("/s", ExpectedNumber, 0),
        ("  x", ExpectedNumber, 2),
        ("-5/s", ExpectedNumber, 0),
        ("+5/s", ExpectedNumber, 0),
        ("_5/s", ExpectedNumber, 0),
        ("5_/s", ExpectedNumber, 2),
        ("5__0/s", ExpectedNumber, 2),
        ("5/1_s", ExpectedNumber, 4),
        ("5/s burst", ExpectedNumber, 9),
        ("5/s burst ", ExpectedNumber, 10),
        ("5/s burst -1", ExpectedNumber, 10),
        ("5", ExpectedPer, 1),
        ("5 ", ExpectedPer, 2),
        ("5r", ExpectedPer, 2),
        ("5.5/s", ExpectedPer, 1),
        ("5rr/s", ExpectedPer, 1),
        ("5 rper s", ExpectedPer, 2),
        ("5 r pers", ExpectedPer, 4),
        ("5 PER s", ExpectedPer, 2),
        ("5 \u{2044} s", ExpectedPer, 2),
        ("0/s", Zero, 0),
        (" 0_0/s", Zero, 1),
        ("5/0s", Zero, 2),
        ("5/s burst 0", Zero, 10),
        ("5/", UnknownUnit, 2),
        ("5/ ", UnknownUnit, 3),
        ("5/7", UnknownUnit, 3),
        ("5/-1s", UnknownUnit, 2),
        ("5/1.5s", UnknownUnit, 3),
        ("5/fortnight", UnknownUnit, 2),
        ("5/ 2 weeks", UnknownUnit, 5),
        ("5/S", UnknownUnit, 2),
        ("5/\u{b5}s", UnknownUnit, 2),
        ("5/sburst 3", UnknownUnit, 2),
        ("4294967296/s", Overflow, 0),
        ("99999999999999999999/s", Overflow, 0),
        ("5/18446744073709551616ns", Overflow, 2),
        ("5/s burst 4294967296", Overflow, 10),
        ("5/s 5", TrailingText, 4),
        ("5/s, burst 5", TrailingText, 3),
        ("5/s bursts 5", TrailingText, 4),
        ("5/s burst 5 5", TrailingText, 12),
        ("5/1h30m", TrailingText, 4),
        ("5/s\u{a0}", TrailingText, 3),
        (" 2/ns", Invalid(QuotaError::TooFast), 1),
        ("1000000001/s", Invalid(QuotaError::TooFast), 0),
        ("1/2305843009213693953ns", Invalid(QuotaError::PeriodTooLong), 2),
        ("1/26688d", Invalid(QuotaError::PeriodTooLong), 2),
        ("1/18446744073709551615d", Invalid(QuotaError::PeriodTooLong), 2),
        ("1/d burst 30000", Invalid(QuotaError::BurstTooLong), 10),
    ];
    for &(text, kind, position) in cases {
        let error = text.parse::<Quota>().unwrap_err();
        assert_eq!((error.kind(), error.position()), (kind, position), "{text:?}");
        assert_eq!(Quota::try_from(text), Err(error));
        assert!(error.to_string().ends_with(&format!(" (byte {position})")), "{error}");
    }
}

/// Texts that get far.
fn nearly() -> impl Strategy<Value = String> {
    let part = select(vec![
        "0",
        "1",
        "9",
        "5_0",
        "4294967296",
        "18446744073709551616",
        "_",
        " ",
        "\t",
        "r",
        "/",
        "per",
        "ns",
        "us",
        "ms",
        "s",
        "min",
        "hours",
        "d",
        "burst",
        "x",
        "M",
        "\u{b5}",
        "-",
        ".",
    ]);
    proptest::collection::vec(part, 0..9).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn every_text_is_answered(text in prop_oneof![any::<String>(), nearly()]) {
        match text.parse::<Quota>() {
            Ok(quota) => survives(|quota| quota.to_string())(quota)?,
            Err(error) => {
                prop_assert!(text.is_char_boundary(error.position()), "{text:?}: {error}");
                let left_of_it = &text[..error.position()];
                prop_assert!(left_of_it.is_ascii(), "{text:?}: {error}");
            }
        }
    }
}
