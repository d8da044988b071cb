//! What a server asks of its clients, in its response.

use crate::fields;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, StatusCode};
use std::time::{Duration, SystemTime};

/// Returns how long a client should send nothing.
///
/// What is left of a limit is not heeded until it is zero: the server's period need not be the
/// client's, and a charge for a second would be missing for a day.
pub(super) fn heed(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let is_overload =
        [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
    let waits = headers.get_all(RETRY_AFTER).iter().filter_map(|value| wait(value, now));
    if let (true, Some(pause)) = (is_overload, waits.max()) {
        return Some(pause);
    }
    let limits = fields::read(headers);
    let spent = limits.iter().filter(|limit| limit.remaining == 0);
    spent.filter_map(|limit| limit.within).max()
}

/// Seconds or a date, of which one in the past is no wait.
fn wait(value: &HeaderValue, now: SystemTime) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than fits is longer than anybody waits.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests;
