//! The checker is shown logs whose excess is known, and faults of its own that these logs detect.

use crate::log;
use crate::record::{Admission, Excess, Rate, Record, fairness};

/// One permit refills in a millisecond.
const RATE: Rate = Rate { permits: 1_000 };
const MILLI: u64 = 1_000_000;

/// A log, in milliseconds, and the excess of its worst interval.
const LOGS: [(&str, u64); 10] = [
    ("", 0),
    ("5 3\n", 3),
    // Equal instants add up.
    ("5 3\n5 4\n5 1\n", 8),
    // What refills between two admissions is not an excess.
    ("0 5\n10 5\n", 5),
    ("0 5\n2 5\n", 8),
    // The worst interval lies inside, and is longer than any two admissions.
    ("0 2\n50 6\n52 6\n54 6\n100 2\n", 14),
    // It begins at neither the first instant nor a round one.
    ("7 1\n999 9\n1001 9\n2000 9\n", 16),
    // Lines of several threads and processes are not in order.
    ("54 6\n0 2\n52 6\n100 2\n50 6\n", 14),
    // A last line without its end: it may have been `8 71`.
    ("5 3\n8 7", 3),
    ("5 3\n5 4\n8 7000", 7),
];

type Checker = fn(&str) -> u64;

fn admissions(text: &str) -> Vec<Admission> {
    let admissions = log::read(text).expect("a log");
    admissions
        .into_iter()
        .map(|Admission { at, permits }| Admission { at: at * MILLI, permits })
        .collect()
}

fn honest(text: &str) -> u64 {
    Record::new(admissions(text)).excess(RATE).permits
}

/// Every interval by itself.
fn by_definition(admissions: &[Admission]) -> u64 {
    let mut most: i128 = 0;
    for first in admissions {
        for last in admissions.iter().filter(|last| last.at >= first.at) {
            let within = first.at..=last.at;
            let inside = admissions.iter().filter(|admission| within.contains(&admission.at));
            let sum: u64 = inside.map(|admission| admission.permits).sum();
            let refilled = i128::from(last.at - first.at) * i128::from(RATE.permits);
            most = most.max(i128::from(sum) * 1_000_000_000 - refilled);
        }
    }
    most.unsigned_abs().div_ceil(1_000_000_000) as u64
}

fn by_definition_of(text: &str) -> u64 {
    by_definition(&admissions(text))
}

/// Takes the logs as they come.
fn unsorted(text: &str) -> u64 {
    let mut level: i128 = 0;
    let (mut last, mut most) = (0, 0);
    for Admission { at, permits } in admissions(text) {
        let refilled = i128::from(at.saturating_sub(last)) * i128::from(RATE.permits);
        level = (level - refilled).max(0) + i128::from(permits) * 1_000_000_000;
        (last, most) = (at, most.max(level));
    }
    (most / 1_000_000_000) as u64
}

/// Keeps one admission of each instant.
fn one_an_instant(text: &str) -> u64 {
    let mut admissions = admissions(text);
    admissions.sort_unstable();
    admissions.dedup_by_key(|admission| admission.at);
    Record::new(admissions).excess(RATE).permits
}

/// Takes a line without its end for one.
fn torn(text: &str) -> u64 {
    honest(&format!("{text}\n").replace("\n\n", "\n"))
}

/// Judges the intervals that begin with the first admission.
fn from_the_first(text: &str) -> u64 {
    let record = Record::new(admissions(text));
    let Excess { from, .. } = record.excess(Rate { permits: 0 });
    let ends = admissions(text).into_iter().map(|admission| admission.at);
    let excess = |end: u64| {
        let sum = record.within(from..end + 1).total();
        sum.saturating_sub((end - from) * RATE.permits / 1_000_000_000)
    };
    ends.map(excess).max().unwrap_or(0)
}

/// Judges aligned windows of 100 ms.
fn in_windows(text: &str) -> u64 {
    let record = Record::new(admissions(text));
    let sum = |window: u64| record.within(100 * MILLI * window..100 * MILLI * (window + 1)).total();
    (0..30).map(|window| sum(window).saturating_sub(100)).max().unwrap_or(0)
}

/// Forgets a refill between two admissions that are no neighbours.
fn of_neighbours(text: &str) -> u64 {
    let mut admissions = admissions(text);
    admissions.sort_unstable();
    let pairs = admissions.windows(2).map(by_definition);
    pairs.max().unwrap_or_else(|| by_definition(&admissions))
}

fn the_excess_of_a_log_is_known() {
    for (text, excess) in LOGS {
        assert_eq!(honest(text), excess, "{text:?}");
        assert_eq!(by_definition_of(text), excess, "{text:?}");
    }
}

fn a_faulty_checker_is_detected() {
    let faulty: [(&str, Checker); 6] = [
        ("unsorted", unsorted),
        ("one an instant", one_an_instant),
        ("torn", torn),
        ("from the first", from_the_first),
        ("in windows", in_windows),
        ("of neighbours", of_neighbours),
    ];
    for (name, checker) in faulty {
        assert!(LOGS.iter().any(|(text, excess)| checker(text) != *excess), "{name}");
    }
}

fn one_pass_finds_what_all_intervals_have() {
    let random = &mut fastrand::Rng::with_seed(19);
    for _ in 0..2_000 {
        let admissions: Vec<Admission> = (0..random.usize(..12))
            .map(|_| Admission { at: random.u64(..20 * MILLI), permits: random.u64(..8) })
            .collect();
        let found = Record::new(admissions.clone()).excess(RATE);
        assert_eq!(found.permits, by_definition(&admissions), "{admissions:?}");
        // And it is in the interval that is named.
        let inside: Vec<_> = admissions
            .into_iter()
            .filter(|admission| (found.from..=found.to).contains(&admission.at))
            .collect();
        assert_eq!(found.permits, by_definition(&inside), "{inside:?}");
    }
}

fn a_line_that_is_none_is_an_error() {
    for text in ["5\n", "5 3 1\n", "5 x\n", "1 2\n\n3 4\n", "8 7 5 3\n"] {
        assert!(log::read(text).is_err(), "{text:?}");
    }
    assert_eq!(log::read("no end"), Ok(Vec::new()));
}

fn the_fewest_of_a_window_are_found() {
    let record = Record::new(admissions("0 5\n10 5\n20 5\n31 5\n40 5\n"));
    let fewest =
        |length: u64, from: u64, to: u64| record.fewest(length * MILLI, from * MILLI..to * MILLI);
    assert_eq!(fewest(10, 0, 41), Some(0)); // between 20 and 31
    assert_eq!(fewest(11, 0, 41), Some(5));
    assert_eq!(fewest(20, 0, 41), Some(5)); // 11 to 30
    assert_eq!(fewest(10, 0, 20), Some(5));
    assert_eq!(fewest(41, 0, 41), Some(25));
    assert_eq!(fewest(42, 0, 41), None);
    assert_eq!(fewest(5, 41, 50), Some(0));
}

fn the_fairness_of_shares_is_known() {
    assert_eq!(fairness(&[7, 7, 7, 7]), 1.0);
    assert_eq!(fairness(&[7, 0, 0, 0]), 0.25);
    assert!((0.89..0.91).contains(&fairness(&[2, 1])));
}

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("checker: the excess of a log is known", the_excess_of_a_log_is_known),
    ("checker: a faulty checker is detected", a_faulty_checker_is_detected),
    ("checker: one pass finds what all intervals have", one_pass_finds_what_all_intervals_have),
    ("checker: a line that is none is an error", a_line_that_is_none_is_an_error),
    ("checker: the fewest of a window are found", the_fewest_of_a_window_are_found),
    ("checker: the fairness of shares is known", the_fairness_of_shares_is_known),
];
