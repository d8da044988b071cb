//! The table that the crate began with: groups of concurrent calls, each at one timestamp, with the
//! *number* that passes. Never which.

use casgate::testing::{History, race};
use casgate::{FixedWindowLimiter, Limiter, Quota, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// `calls` concurrent calls at `at` milliseconds, of which `pass` pass.
struct Group {
    at: u64,
    calls: usize,
    pass: u64,
}

const fn group(at: u64, calls: usize, pass: u64) -> Group {
    Group { at, calls, pass }
}

/// Runs the groups one after another, the calls of each group at once.
fn play(quota: Quota, groups: &[Group]) {
    let limiter = Arc::new(Limiter::fixed_window(quota));
    for (i, &Group { at, calls, pass }) in groups.iter().enumerate() {
        let now = Timestamp::from_millis(at);
        let history = Arc::new(History::default());
        let (gate, recorder) = (Arc::clone(&limiter), Arc::clone(&history));
        race(calls, move |caller| {
            recorder.record(caller, 1, now, |n, now| gate.check_n_at(n, now))
        });
        let admitted = history.admitted(..);
        assert_eq!(admitted, pass, "group {i} at {at} ms of {quota:?}\n{history}");
        history.assert_tickets_in_order();
        history.assert_tickets_gap_free(..);
        history.assert_denials_final();
    }
}

#[test]
fn two_calls_at_zero_one_passes() {
    play(Quota::per_second(1), &[group(0, 2, 1)]);
}

#[test]
fn one_per_second() {
    play(
        Quota::per_second(1),
        &[
            group(0, 2, 1),
            group(500, 3, 0),
            group(999, 2, 0),
            group(1_000, 4, 1),
            group(1_999, 1, 0),
            group(2_000, 1, 1),
            group(86_400_000, 16, 1),
        ],
    );
}

#[test]
fn ten_per_second_fill_over_several_groups() {
    play(
        Quota::per_second(10),
        &[
            group(100, 4, 4),
            group(200, 4, 4),
            group(300, 4, 2),
            group(999, 8, 0),
            group(1_000, 32, 10),
            group(3_500, 9, 9),
            group(3_999, 9, 1),
        ],
    );
}

#[test]
fn late_timestamps_only_lose() {
    play(
        Quota::per_second(3),
        &[
            group(5_000, 2, 2),
            group(4_999, 4, 0), // an older window is closed for good
            group(5_800, 1, 1), // and its callers have cost the newer one nothing
            group(5_100, 2, 0), // late within the window: full
            group(6_100, 2, 2),
            group(6_050, 2, 1), // late within the window: room for one
            group(0, 8, 0),
            group(6_999, 4, 0),
            group(7_000, 4, 3),
        ],
    );
}

#[test]
fn windows_of_another_length() {
    let quota = Quota::new(2, Duration::from_millis(250)).unwrap();
    play(
        quota,
        &[group(249, 3, 2), group(250, 3, 2), group(499, 1, 0), group(750, 1, 1), group(751, 5, 1)],
    );
}

/// Callers of both sides of a boundary in one race: which window's callers come first is not known,
/// so the older window's number is a range; the newer one's is not.
#[test]
fn mixed_windows_in_one_race() {
    static LIMITER: FixedWindowLimiter = Limiter::fixed_window(Quota::per_second(5));
    for round in 1..200 {
        let boundary = Timestamp::from_secs(2 * round);
        let before = Timestamp::from_nanos(boundary.as_nanos() - 1);
        let history = Arc::new(History::default());
        let recorder = Arc::clone(&history);
        race(16, move |caller| {
            let now = if caller % 2 == 0 { before } else { boundary };
            recorder.record(caller, 1, now, |n, now| LIMITER.check_n_at(n, now))
        });
        history.assert_admitted(boundary.., 5);
        assert!(history.admitted(..boundary) <= 5, "{history}");
        history.assert_tickets_in_order();
        history.assert_tickets_gap_free(..boundary);
        history.assert_tickets_gap_free(boundary..);
        history.assert_denials_final();
    }
}
