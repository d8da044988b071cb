//! Decisions of real limiters at timestamps of the test's own.

use casgate::algorithm::Weighted;
use casgate::{Admitted, Denied, Limiter, Quota, Timestamp};
use casgate_tower::fields::{Announced, Fields, Name, Refill, Standing, write_retry_after};
use http::{HeaderMap, HeaderName};
use std::time::Duration;

pub(crate) fn per(permits: u32, millis: u64) -> Quota {
    Quota::new(permits, Duration::from_millis(millis)).unwrap()
}

pub(crate) fn steadily(name: &str, quota: Quota) -> Announced {
    Announced::new(Name::new(name).unwrap(), quota)
}

pub(crate) fn at_once(name: &str, quota: Quota) -> Announced {
    steadily(name, quota).refill(Refill::AtOnce)
}

/// One decision after another, each for so many permits at so many milliseconds. The last counts.
pub(crate) fn decide<A: Weighted>(
    limiter: &Limiter<A>,
    requests: &[(u32, u64)],
) -> Result<Admitted, Denied> {
    let ask = |&(n, millis): &(u32, u64)| limiter.check_n_at(n, Timestamp::from_millis(millis));
    requests.iter().map(ask).last().unwrap()
}

pub(crate) fn standing<'a>(
    announced: &'a Announced,
    decision: &Result<Admitted, Denied>,
) -> Standing<'a> {
    match decision {
        Ok(admitted) => Standing::admitted(announced, admitted),
        Err(denied) => Standing::denied(announced, denied),
    }
}

/// What a server writes, in every format.
pub(crate) fn written(standings: &mut [Standing<'_>]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    Fields::DRAFT_11.and(Fields::LEGACY).write(standings, &mut headers);
    write_retry_after(standings, &mut headers);
    headers
}

/// The lines of a field.
pub(crate) fn lines<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

/// Headers of these lines.
pub(crate) fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), value.parse().unwrap());
    }
    headers
}
