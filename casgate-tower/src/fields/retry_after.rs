use super::Standing;
use super::structured::digits;
use super::write::{insert, number};
use http::HeaderMap;
use http::header::RETRY_AFTER;

/// Writes `Retry-After`: the longest wait of the policies that denied the request, in whole seconds
/// and never zero. A policy that knows no wait adds nothing.
///
/// If no wait helps with one of them, the field is absent, and one that stands already is removed.
/// Nothing changes if no policy denied.
///
/// Otherwise the later of the two wins if the field stands already. A date cannot be compared
/// without a clock, so it stays. A text that is neither a number nor can be a date is replaced.
///
/// ```
/// use casgate::{Limiter, Quota, Timestamp};
/// use casgate_tower::fields::{self, Announced, Name, Standing};
/// use http::HeaderMap;
///
/// let limiter = Limiter::token_bucket(Quota::per_second(10));
/// let announced = Announced::new(Name::new("default")?, Quota::per_second(10));
/// assert!(limiter.check_n_at(10, Timestamp::ZERO).is_ok());
/// let denied = limiter.check_at(Timestamp::ZERO).unwrap_err();
///
/// let mut headers = HeaderMap::new();
/// fields::write_retry_after(&[Standing::denied(&announced, &denied)], &mut headers);
/// assert_eq!(headers["retry-after"], "1"); // 100 ms, rounded up
/// # Ok::<(), casgate_tower::fields::NameError>(())
/// ```
pub fn write_retry_after(standings: &[Standing<'_>], headers: &mut HeaderMap) {
    let Some(longest) = retry_after(standings) else {
        if standings.iter().any(Standing::is_hopeless) {
            headers.remove(RETRY_AFTER);
        }
        return;
    };
    let stays = |value| match digits(value) {
        Some(written) => written >= longest,
        // A date begins with the name of a day.
        None => value.as_bytes().first().is_some_and(u8::is_ascii_alphabetic),
    };
    if !headers.get_all(RETRY_AFTER).iter().any(stays) {
        insert(headers, RETRY_AFTER, number(longest));
    }
}

/// Returns after how many seconds all that deny would admit, as far as they know: the longest wait.
/// `None` if none denies, none knows a wait, or no wait helps with one of them.
pub(crate) fn retry_after(standings: &[Standing<'_>]) -> Option<u64> {
    let waits = standings.iter().filter_map(Standing::retry_after);
    waits.max().filter(|_| !standings.iter().any(Standing::is_hopeless))
}
