use super::{LEGACY_LIMIT, LEGACY_REMAINING, LEGACY_RESET, POLICY, RATE_LIMIT, Standing};
use super::{structured, text};
use http::{HeaderMap, HeaderName, HeaderValue};

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
    /// `RateLimit-Policy` and `RateLimit`, as [draft
    /// 11](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/) has them.
    ///
    /// Each is a list of all policies. A policy has the quota as `q` permits per `w` seconds. A
    /// limit has the [permits left](Standing::remaining) as `r`, and `t` as [`Standing::within`]
    /// explains it. A burst that is not the quota's permits stands in the parameter
    /// `casgate-burst`.
    pub const DRAFT_11: Self = Self { draft_11: true, legacy: false };

    /// `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`, of the policy that
    /// binds most.
    ///
    /// No document defines them. `Reset` has three meanings: seconds from now, the time in Unix
    /// seconds, and a time in another form, such as milliseconds or a date. Here it is the seconds
    /// from now until the limiter is full again, rounded up, and zero if `Remaining` is all of
    /// `Limit`. `Limit` is the permits of a full limiter, so `Remaining` is never more.
    ///
    /// A response has each field once. Where an inner layer wrote them already, those with the
    /// smaller `Remaining` stay.
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
    /// The standings are sorted: the policy that binds the client most comes first. Denied policies
    /// come before others, with the longest wait first. Then come those with the fewest permits
    /// left.
    ///
    /// A line is appended to those of draft 11 that an inner layer wrote: the lines of a field are
    /// one list. A line is left out where the map has no room for it. Each value is one allocation,
    /// but for the `RateLimit-Policy` of a single policy, which is composed already.
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
        if let Some(mut composed) = self.compose(standings) {
            composed.write(headers);
        }
    }

    /// Composes the fields, for a response that is not there yet. `None` if there are none.
    pub(crate) fn compose(self, standings: &mut [Standing<'_>]) -> Option<Composed> {
        Standing::sort(standings);
        let binding = standings.first()?;
        let legacy = self.legacy.then(|| Legacy {
            limit: binding.limit(),
            remaining: binding.remaining(),
            reset_after: binding.reset_after(),
        });
        let draft_11 = self.draft_11.then(|| (policies(standings), limits(standings)));
        Some(Composed { draft_11, legacy })
    }
}

/// The fields of a response.
pub(crate) struct Composed {
    /// The policies and what is left of each. A value is `None` if it is none that a header can
    /// have.
    draft_11: Option<(Option<HeaderValue>, Option<HeaderValue>)>,
    legacy: Option<Legacy>,
}

struct Legacy {
    limit: u32,
    remaining: u32,
    reset_after: u64,
}

impl Composed {
    /// Writes them, once.
    pub(crate) fn write(&mut self, headers: &mut HeaderMap) {
        if let Some((policies, limits)) = self.draft_11.take() {
            append(headers, POLICY, policies);
            append(headers, RATE_LIMIT, limits);
        }
        if let Some(legacy) = &self.legacy {
            legacy.write(headers);
        }
    }
}

impl Legacy {
    fn write(&self, headers: &mut HeaderMap) {
        if !binds_more(headers, self.remaining) {
            insert(headers, LEGACY_LIMIT, number(self.limit.into()));
            insert(headers, LEGACY_REMAINING, number(self.remaining.into()));
            // The last permit may count as left and be back within a microsecond.
            let is_full = self.remaining == self.limit;
            insert(headers, LEGACY_RESET, number(if is_full { 0 } else { self.reset_after }));
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
fn binds_more(headers: &HeaderMap, left: u32) -> bool {
    let written = headers.get(LEGACY_REMAINING).and_then(structured::digits);
    written.is_some_and(|remaining| remaining < u64::from(left))
}

pub(super) fn number(number: u64) -> Option<HeaderValue> {
    text::value(|out| write!(out, "{number}"))
}

/// The items of the policies, which are composed already.
fn policies(standings: &[Standing<'_>]) -> Option<HeaderValue> {
    if let [standing] = standings {
        return Some(standing.announced().item().clone());
    }
    let items = || standings.iter().map(|standing| standing.announced().item().as_bytes());
    let mut text = Vec::with_capacity(items().map(|item| item.len() + 2).sum::<usize>() - 2);
    for item in items() {
        separate(&mut text);
        text.extend_from_slice(item);
    }
    HeaderValue::try_from(text).ok()
}

/// What is left of each. Without the machinery of `fmt`, since every response has it.
fn limits(standings: &[Standing<'_>]) -> Option<HeaderValue> {
    let items = || {
        let item = |standing: &Standing<'_>| (u64::from(standing.remaining()), standing.within());
        standings.iter().map(move |standing| (standing.announced().quoted(), item(standing)))
    };
    let length = |(name, (r, t)): (&[u8], _)| ", ;r=;t=".len() + name.len() + digits(r) + digits(t);
    // A value keeps a buffer without room to spare as it is, and needs a second one otherwise.
    let mut text = Vec::with_capacity(items().map(length).sum::<usize>() - 2);
    for (name, (r, t)) in items() {
        separate(&mut text);
        text.extend_from_slice(name);
        text.extend_from_slice(b";r=");
        text.extend_from_slice(itoa::Buffer::new().format(r).as_bytes());
        text.extend_from_slice(b";t=");
        text.extend_from_slice(itoa::Buffer::new().format(t).as_bytes());
    }
    HeaderValue::try_from(text).ok()
}

fn separate(text: &mut Vec<u8>) {
    if !text.is_empty() {
        text.extend_from_slice(b", ");
    }
}

fn digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}
