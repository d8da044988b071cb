use crate::scene::{decide, headers, lines, standing, steadily};
use casgate::{Limiter, Quota};
use casgate_tower::fields::write_retry_after;

/// How many seconds each policy would have the client wait: `Some(0)` admits, `None` never fits.
fn after(waits: &[Option<u64>], there: &[&str]) -> Vec<String> {
    let quota = Quota::per_minute(60);
    let announced = steadily("p", quota);
    let decision = |wait: &Option<u64>| {
        let bucket = Limiter::token_bucket(quota);
        match *wait {
            Some(0) => decide(&bucket, &[(1, 0)]),
            Some(secs) => decide(&bucket, &[(60, 0), (secs as u32, 0)]),
            None => decide(&bucket, &[(61, 0)]),
        }
    };
    let standings: Vec<_> =
        waits.iter().map(|wait| standing(&announced, &decision(wait))).collect();
    let there: Vec<_> = there.iter().map(|&value| ("retry-after", value)).collect();
    let mut headers = headers(&there);
    write_retry_after(&standings, &mut headers);
    lines(&headers, "retry-after").into_iter().map(str::to_owned).collect()
}

#[test]
fn is_the_longest_wait_of_those_that_denied() {
    assert_eq!(after(&[Some(3), Some(7), Some(0), Some(5)], &[]), ["7"]);
    assert_eq!(after(&[Some(0), Some(1)], &[]), ["1"]);
}

#[test]
fn is_absent_if_nobody_denied_or_no_wait_helps() {
    for waits in [&[][..], &[Some(0), Some(0)], &[Some(7), None], &[None]] {
        assert_eq!(after(waits, &[]), [""; 0]);
    }
    assert_eq!(after(&[None, Some(7)], &["3"]), [""; 0]);
}

#[test]
fn the_later_of_two_wins() {
    for (there, then) in [
        (&["3"][..], &["7"][..]),
        (&["7"], &["7"]),
        (&["8"], &["8"]),
        (&["99999999999999999999999"], &["99999999999999999999999"]),
        (&["3", "5"], &["7"]),
        (&["3", "9"], &["3", "9"]),
        (&["Fri, 31 Dec 1999 23:59:59 GMT"], &["Fri, 31 Dec 1999 23:59:59 GMT"]),
        (&["-1"], &["7"]),
        (&[""], &["7"]),
        (&["9.5"], &["7"]),
    ] {
        assert_eq!(after(&[Some(7)], there), then, "{there:?}");
    }
    assert_eq!(after(&[Some(0)], &["3"]), ["3"]);
}
