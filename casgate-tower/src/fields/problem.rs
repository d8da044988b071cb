use super::{Standing, text};
use http::{HeaderValue, StatusCode};
use std::fmt::{self, Write};

/// The media type of a problem's body.
///
/// ```
/// use casgate_tower::fields::PROBLEM_JSON;
/// assert_eq!(PROBLEM_JSON, "application/problem+json");
/// ```
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What the body of a denial says, in the form of [RFC
/// 9457](https://www.rfc-editor.org/rfc/rfc9457).
///
/// The types with a name are those that
/// [draft 11](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/) registers.
///
/// ```
/// use casgate_tower::fields::ProblemType;
/// let body = ProblemType::Blank.body(&[]);
/// assert_eq!(body, br#"{"title":"Too Many Requests","status":429}"#);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemType {
    /// Only the status, without the names of policies.
    #[default]
    Blank,
    /// The client exceeded the quota of the policies named.
    QuotaExceeded,
    /// The server can serve less than usual for a time.
    TemporaryReducedCapacity,
    /// The client's requests look like abuse.
    AbnormalUsageDetected,
}

impl ProblemType {
    /// Returns the status of the response: 503 for reduced capacity, and otherwise 429.
    ///
    /// ```
    /// # use casgate_tower::fields::ProblemType;
    /// assert_eq!(ProblemType::QuotaExceeded.status().as_u16(), 429);
    /// assert_eq!(ProblemType::TemporaryReducedCapacity.status().as_u16(), 503);
    /// ```
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::TemporaryReducedCapacity => StatusCode::SERVICE_UNAVAILABLE,
            Self::Blank | Self::QuotaExceeded | Self::AbnormalUsageDetected => {
                StatusCode::TOO_MANY_REQUESTS
            }
        }
    }

    /// Returns the body, whose media type is [`PROBLEM_JSON`]. It names the policies that denied
    /// the request, except for [`Blank`](Self::Blank).
    ///
    /// ```
    /// use casgate::{Limiter, Quota, Timestamp};
    /// use casgate_tower::fields::{Announced, Name, ProblemType, Standing};
    ///
    /// let announced = Announced::new(Name::new("daily")?, Quota::per_day(9));
    /// let denied = Limiter::fixed_window(Quota::per_day(9)).check_n_at(10, Timestamp::ZERO).unwrap_err();
    /// let body = ProblemType::QuotaExceeded.body(&[Standing::denied(&announced, &denied)]);
    /// assert!(body.ends_with(br#""status":429,"violated-policies":["daily"]}"#));
    /// # Ok::<(), casgate_tower::fields::NameError>(())
    /// ```
    #[must_use]
    pub fn body(self, standings: &[Standing<'_>]) -> Vec<u8> {
        let mut json = String::new();
        // Writing to a string cannot fail.
        let _ = self.compose(standings, &mut json);
        json.into_bytes()
    }

    fn compose(self, standings: &[Standing<'_>], out: &mut dyn Write) -> fmt::Result {
        let status = self.status().as_u16();
        let (anchor, title) = match self {
            Self::Blank => {
                return write!(out, r#"{{"title":"Too Many Requests","status":{status}}}"#);
            }
            Self::QuotaExceeded => ("quota-exceeded", "Quota exceeded"),
            Self::TemporaryReducedCapacity => {
                ("temporary-reduced-capacity", "Capacity temporarily reduced")
            }
            Self::AbnormalUsageDetected => ("abnormal-usage-detected", "Abnormal usage detected"),
        };
        write!(out, r#"{{"type":"https://iana.org/assignments/http-problem-types#{anchor}","#)?;
        write!(out, r#""title":"{title}","status":{status},"violated-policies":["#)?;
        let denied = standings.iter().filter(|standing| standing.is_denied());
        for (index, standing) in denied.enumerate() {
            if index > 0 {
                out.write_char(',')?;
            }
            text::quoted(standing.announced().name().as_str(), out)?;
        }
        out.write_str("]}")
    }
}
