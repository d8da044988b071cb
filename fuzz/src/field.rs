//! What a client reads from a response, before bytes that are header fields.

use casgate_tower::fields::{ServerLimit, read};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

const NAMES: [&str; 6] = [
    "ratelimit",
    "ratelimit-policy",
    "x-ratelimit-remaining",
    "x-ratelimit-limit",
    "x-ratelimit-reset",
    "age",
];

/// The largest integer of a structured field.
const LARGEST: u64 = 999_999_999_999_999;

/// Judges what is read from lines, of which the first byte picks the name, and what is read of that as `written`.
///
/// # Panics
///
/// If a limit has a number that no field can have, if `written` is not read back, or if an unknown parameter or an
/// `Age` do not do what they must.
pub fn fields(bytes: &[u8], written: impl Fn(&ServerLimit) -> (String, Option<String>)) {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|&byte| byte == b'\n').take(64) {
        if let Some((&name, value)) = line.split_first() {
            append(&mut headers, NAMES[usize::from(name) % NAMES.len()], value);
        }
    }
    let limits = read(&headers);
    limits.iter().for_each(possible);
    if limits.is_empty() {
        return;
    }

    let mut stored = headers.clone();
    append(&mut stored, "age", b"1");
    assert_eq!(read(&stored), [], "stored, and read");

    // The legacy fields have no name to write.
    if headers.contains_key("ratelimit") && limits.iter().all(|limit| !limit.name.is_empty()) {
        for suffix in ["", ";unknown=\"r=1\""] {
            let mut again = HeaderMap::new();
            for limit in &limits {
                let (text, policy) = written(limit);
                append(&mut again, "ratelimit", (text + suffix).as_bytes());
                if let Some(policy) = policy {
                    append(&mut again, "ratelimit-policy", (policy + suffix).as_bytes());
                }
            }
            assert_eq!(read(&again), limits, "{again:?}");
        }
    }
}

fn append(headers: &mut HeaderMap, name: &'static str, value: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.append(HeaderName::from_static(name), value);
    }
}

fn possible(limit: &ServerLimit) {
    let numbers = [Some(limit.remaining), limit.quota, limit.within.map(|time| time.as_secs())];
    assert!(numbers.into_iter().flatten().all(|number| number <= LARGEST), "{limit:?}");
    assert!(limit.window.is_none_or(|window| !window.is_zero()), "{limit:?}");
    assert!(limit.window.is_none_or(|window| window.as_secs() <= LARGEST), "{limit:?}");
    assert!(limit.name.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{limit:?}");
}

/// A limit and its policy as draft 11 writes them.
#[must_use]
pub fn written(limit: &ServerLimit) -> (String, Option<String>) {
    write(limit, &limit.name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Escapes all but a backslash at the end of a name: no seed has one, and the fuzzer must make it.
#[must_use]
pub fn careless(limit: &ServerLimit) -> (String, Option<String>) {
    match limit.name.strip_suffix('\\') {
        Some(name) => write(limit, &(name.replace('\\', "\\\\").replace('"', "\\\"") + "\\")),
        None => written(limit),
    }
}

fn write(limit: &ServerLimit, name: &str) -> (String, Option<String>) {
    let parameter = |key, time: Option<Duration>| {
        time.map_or(String::new(), |time| format!(";{key}={}", time.as_secs()))
    };
    let text = format!("\"{name}\";r={}{}", limit.remaining, parameter("t", limit.within));
    let policy = limit.quota.map(|q| format!("\"{name}\";q={q}{}", parameter("w", limit.window)));
    (text, policy)
}
