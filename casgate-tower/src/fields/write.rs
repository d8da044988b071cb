use super::{LEGACY_LIMIT, LEGACY_REMAINING, LEGACY_RESET, POLICY, RATE_LIMIT, Standing};
use super::{structured, text};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt::{self, Write};

/// Which header fields are written.
///
/// [`DRAFT_11`](Self::DRAFT_11) is the default.
///
/// ```
/// use casgate_tower::fields::Fields;
/// assert_eq!(Fields::default(), Fields::DRAFT_11);
/// assert_eq!(Fields::NONE.and(Fields::LEGACY), Fields::LEGACY);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fields {
    draft_11: bool,
    legacy: bool,
}

impl Default for Fields {
    fn default() -> Self {
        Self::DRAFT_11
    }
}

impl Fields {
    /// `RateLimit-Policy` and `RateLimit`, as
    /// [draft 11](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/) has them.
    ///
    /// Each is a list of all policies. A policy has the quota as `q` permits per `w` seconds. A limit has the
    /// [permits left](Standing::remaining) as `r`, and `t` as [`Standing::within`] explains it. A burst that is not
    /// the quota's permits stands in the parameter `casgate-burst`.
    pub const DRAFT_11: Self = Self { draft_11: true, legacy: false };

    /// `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`, of the policy that binds most.
    ///
    /// No document defines them. `Reset` has three meanings: seconds from now, the time in Unix seconds, and a time
    /// in another form, such as milliseconds or a date. Here it is the seconds from now until the limiter is full
    /// again, rounded up. `Limit` is the permits of a full limiter, so `Remaining` is never more.
    ///
    /// A response has each field once. Where an inner layer wrote them already, those with the smaller `Remaining`
    /// stay.
    pub const LEGACY: Self = Self { draft_11: false, legacy: true };

    /// No field.
    pub const NONE: Self = Self { draft_11: false, legacy: false };

    /// Returns the fields of both.
    ///
    /// ```
    /// # use casgate_tower::fields::Fields;
    /// const BOTH: Fields = Fields::DRAFT_11.and(Fields::LEGACY);
    /// assert_ne!(BOTH, Fields::DRAFT_11);
    /// ```
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        let draft_11 = self.draft_11 || other.draft_11;
        Self { draft_11, legacy: self.legacy || other.legacy }
    }

    /// Writes the fields, and nothing for an empty slice.
    ///
    /// The standings are sorted: the policy that binds the client most comes first. Denied policies come before
    /// others, with the longest wait first. Then come those with the fewest permits left.
    ///
    /// A line is appended to those of draft 11 that an inner layer wrote: the lines of a field are one list. A line
    /// is left out where the map has no room for it. Each value is one allocation.
    ///
    /// ```
    /// use casgate::{FixedWindow, Limiter, Quota, Timestamp};
    /// use casgate_tower::fields::{Announced, Fields, Name, Refill, Standing};
    /// use http::HeaderMap;
    ///
    /// let quota = Quota::per_minute(100);
    /// let announced = Announced::new(Name::new("default")?, quota).refill(Refill::AtOnce);
    /// let admitted = Limiter::fixed_window(quota).check_at(Timestamp::from_secs(10))?;
    ///
    /// let mut headers = HeaderMap::new();
    /// let fields = Fields::DRAFT_11.and(Fields::LEGACY);
    /// fields.write(&mut [Standing::admitted(&announced, &admitted)], &mut headers);
    /// assert_eq!(headers["ratelimit-policy"], r#""default";q=100;w=60"#);
    /// assert_eq!(headers["ratelimit"], r#""default";r=99;t=50"#);
    /// assert_eq!(headers["x-ratelimit-reset"], "50");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write(self, standings: &mut [Standing<'_>], headers: &mut HeaderMap) {
        Standing::sort(standings);
        let Some(binding) = standings.first() else { return };
        if self.draft_11 {
            append(headers, POLICY, list(standings, policy));
            append(headers, RATE_LIMIT, list(standings, limit));
        }
        if self.legacy && !binds_more(headers, binding) {
            insert(headers, LEGACY_LIMIT, number(binding.limit().into()));
            insert(headers, LEGACY_REMAINING, number(binding.remaining().into()));
            insert(headers, LEGACY_RESET, number(binding.reset_after()));
        }
    }
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        // The error is of a full map, and the fields are hints.
        let _ = headers.try_append(name, value);
    }
}

pub(super) fn insert(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        let _ = headers.try_insert(name, value);
    }
}

/// Whether the legacy fields that stand already are of a policy that binds more.
fn binds_more(headers: &HeaderMap, binding: &Standing<'_>) -> bool {
    let written = headers.get(LEGACY_REMAINING).and_then(structured::digits);
    written.is_some_and(|remaining| remaining < u64::from(binding.remaining()))
}

pub(super) fn number(number: u64) -> Option<HeaderValue> {
    text::value(|out| write!(out, "{number}"))
}

fn list(
    standings: &[Standing<'_>],
    item: fn(&Standing<'_>, &mut dyn Write) -> fmt::Result,
) -> Option<HeaderValue> {
    text::value(|out| {
        for (index, standing) in standings.iter().enumerate() {
            if index > 0 {
                out.write_str(", ")?;
            }
            text::quoted(standing.announced().name().as_str(), out)?;
            item(standing, out)?;
        }
        Ok(())
    })
}

fn policy(standing: &Standing<'_>, out: &mut dyn Write) -> fmt::Result {
    let announced = standing.announced();
    let (permits, seconds) = announced.per();
    write!(out, ";q={permits};w={seconds}")?;
    if let Some(unit) = announced.other_unit() {
        write!(out, ";qu=\"{unit}\"")?;
    }
    match announced.other_burst() {
        Some(burst) => write!(out, ";casgate-burst={burst}"),
        None => Ok(()),
    }
}

fn limit(standing: &Standing<'_>, out: &mut dyn Write) -> fmt::Result {
    write!(out, ";r={};t={}", standing.remaining(), standing.within())
}
