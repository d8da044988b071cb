//! What a server asks of its clients, in its response.

use crate::fields;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, StatusCode};
use std::time::{Duration, SystemTime};

/// What a client should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heed {
    /// As before.
    Nothing,
    /// Send nothing for so long.
    Pause(Duration),
    /// Believe that no more than so many permits are left.
    Remaining(u64),
}

pub(super) fn heed(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Heed {
    let is_overload =
        [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
    let retry_after =
        headers.get_all(RETRY_AFTER).iter().filter_map(|value| wait(value, now)).max();
    if let (true, Some(pause)) = (is_overload, retry_after) {
        return Heed::Pause(pause);
    }
    let limits = fields::read(headers);
    let spent =
        limits.iter().filter(|limit| limit.remaining == 0).filter_map(|limit| limit.within).max();
    match (spent, limits.iter().map(|limit| limit.remaining).min()) {
        (Some(pause), _) => Heed::Pause(pause),
        (None, Some(remaining)) => Heed::Remaining(remaining),
        (None, None) => Heed::Nothing,
    }
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
