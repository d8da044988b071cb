use super::*;

fn heeded(status: u16, headers: &[(&'static str, &'static str)]) -> Option<Duration> {
    let now = httpdate::parse_http_date("Thu, 26 Nov 2026 12:00:00 GMT").unwrap();
    let headers =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    heed(StatusCode::from_u16(status).unwrap(), &headers.collect(), now)
}

const fn pause(secs: u64) -> Option<Duration> {
    Some(Duration::from_secs(secs))
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    assert_eq!(heeded(429, &[("retry-after", "7")]), pause(7));
    assert_eq!(heeded(503, &[("retry-after", " 7 ")]), pause(7));
    assert_eq!(heeded(429, &[("retry-after", "Thu, 26 Nov 2026 12:01:00 GMT")]), pause(60));
    assert_eq!(heeded(429, &[("retry-after", "Thu, 26 Nov 2026 11:00:00 GMT")]), pause(0));
    assert_eq!(heeded(429, &[("retry-after", "99999999999999999999999")]), pause(u64::MAX));
    for malformed in ["", "-1", "1.5", "soon", "7s", "Thu, 26 Nov"] {
        assert_eq!(heeded(429, &[("retry-after", malformed)]), None, "{malformed:?}");
    }
}

/// A redirect or a success may have one too, and it says nothing of a limit.
#[test]
fn retry_after_counts_on_429_and_503_alone() {
    for status in [200, 202, 301, 413, 500] {
        assert_eq!(heeded(status, &[("retry-after", "7")]), None, "{status}");
    }
}

/// Draft 11: clients let `Retry-After` win.
#[test]
fn retry_after_comes_before_the_fields() {
    let both = [("retry-after", "7"), ("ratelimit", r#""a";r=0;t=60"#)];
    assert_eq!(heeded(429, &both), pause(7));
    assert_eq!(heeded(200, &both), pause(60));
}

#[test]
fn the_fields_tell_a_pause_when_nothing_is_left() {
    assert_eq!(heeded(200, &[("ratelimit", r#""a";r=0;t=60"#)]), pause(60));
    assert_eq!(heeded(200, &[("ratelimit", r#""a";r=3;t=60"#)]), None);
    let two = r#""burst";r=9;t=1, "daily";r=4213;t=52011"#;
    assert_eq!(heeded(200, &[("ratelimit", two)]), None);
    let spent = r#""burst";r=0;t=1, "daily";r=0;t=52011"#;
    assert_eq!(heeded(200, &[("ratelimit", spent)]), pause(52_011));
    assert_eq!(heeded(200, &[("ratelimit", "rubbish;;")]), None);
    assert_eq!(heeded(200, &[]), None);
}

/// Draft 11: fields on a response from a cache are ignored.
#[test]
fn a_cached_response_tells_nothing() {
    assert_eq!(heeded(200, &[("ratelimit", r#""a";r=0;t=60"#), ("age", "5")]), None);
}
