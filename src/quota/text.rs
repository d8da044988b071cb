//! A quota as text.

use super::parse_error::{ParseQuotaError, ParseQuotaErrorKind};
use super::{LONGEST, Quota, QuotaError};
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

/// The canonical names of the units, from the longest.
const UNITS: [(u64, &str); 7] = [
    (86_400_000_000_000, "d"),
    (3_600_000_000_000, "h"),
    (60_000_000_000, "min"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
    (1_000, "us"),
    (1, "ns"),
];

/// Writes the canonical form: the period in the longest unit that divides it, and the burst only if
/// it differs from the permits. [Parsing](Quota#impl-FromStr-for-Quota) it returns the same quota.
///
/// ```
/// use casgate::Quota;
/// use std::time::Duration;
///
/// assert_eq!(Quota::per_minute(100).with_burst(20).to_string(), "100/min burst 20");
/// assert_eq!(Quota::new(3, Duration::from_secs(90))?.to_string(), "3/90s");
/// # Ok::<(), casgate::QuotaError>(())
/// ```
impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.period_nanos().get();
        let divides = |&(unit, _): &(u64, _)| nanos % unit == 0;
        let (unit, name) = UNITS.into_iter().find(divides).unwrap_or((1, "ns"));
        match nanos / unit {
            1 => write!(f, "{}/{name}", self.permits())?,
            count => write!(f, "{}/{count}{name}", self.permits())?,
        }
        if self.burst() == self.permits() {
            return Ok(());
        }
        write!(f, " burst {}", self.burst())
    }
}

/// Parses a quota: permits, `/` or `per`, a period, and `burst` with a number if it differs from
/// the permits.
///
/// - A period is a unit, with or without a number before it: `100/min`, `5/100ms`.
/// - The units are `ns`, `us`, `ms`, `s`, `m` or `min`, `h` and `d`, or in words `sec`, `second`,
///   `minute`, `hour` and `day`, the last four with a plural `s` too. A day has 86,400 seconds.
/// - An `r` for requests may stand after the permits: `10r/s`.
/// - Numbers are whole, and may have `_` between digits: `1_000/h`.
/// - Words and units are lower case. ASCII whitespace may stand between any two parts.
///
/// ```
/// use casgate::{ParseQuotaError, Quota};
///
/// let quota: Quota = "100/min burst 20".parse()?;
/// assert_eq!(quota, Quota::per_minute(100).with_burst(20));
/// for text in ["100 per minute", "100r/m", "1_00 / 60 seconds", "100/60_000ms burst 100"] {
///     assert_eq!(text.parse(), Ok(Quota::per_minute(100)));
/// }
/// # Ok::<(), ParseQuotaError>(())
/// ```
///
/// # Errors
///
/// A [`ParseQuotaError`] with the position of what is wrong. No text panics.
impl FromStr for Quota {
    type Err = ParseQuotaError;

    fn from_str(text: &str) -> Result<Self, ParseQuotaError> {
        Parser::new(text)?.quota()
    }
}

/// Parses as [`FromStr`] does.
impl TryFrom<&str> for Quota {
    type Error = ParseQuotaError;

    fn try_from(text: &str) -> Result<Self, ParseQuotaError> {
        text.parse()
    }
}

/// Reads from left to right. Only ASCII is ever passed over, so a position is never inside a
/// character.
struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, ParseQuotaError> {
        let mut parser = Self { text: text.as_bytes(), at: 0 };
        parser.spaces();
        if parser.is_at_end() {
            return Err(ParseQuotaError::new(ParseQuotaErrorKind::Empty, 0));
        }
        Ok(parser)
    }

    fn quota(mut self) -> Result<Quota, ParseQuotaError> {
        let start = self.at;
        let permits = self.count()?;
        self.spaces();
        self.per()?;
        self.spaces();
        let period = self.period()?;
        let quota = Quota::new(permits, period).map_err(|error| invalid(error, start))?;
        self.spaces();
        let start = self.at;
        let quota = match self.word() {
            b"burst" => {
                self.spaces();
                let start = self.at;
                let burst = self.count()?;
                quota.try_with_burst(burst).map_err(|error| invalid(error, start))?
            }
            _ => {
                self.at = start;
                quota
            }
        };
        self.end().map(|()| quota)
    }

    fn per(&mut self) -> Result<(), ParseQuotaError> {
        let mut start = self.at;
        let mut word = self.word();
        if word == b"r" {
            self.spaces();
            start = self.at;
            word = self.word();
        }
        match (word, self.text.get(self.at)) {
            (b"per", _) => Ok(()),
            (b"", Some(b'/')) => {
                self.at += 1;
                Ok(())
            }
            _ => Err(ParseQuotaError::new(ParseQuotaErrorKind::ExpectedPer, start)),
        }
    }

    fn period(&mut self) -> Result<Duration, ParseQuotaError> {
        let start = self.at;
        let count = match self.text.get(self.at) {
            Some(b'0'..=b'9') => self.number()?,
            _ => 1,
        };
        self.spaces();
        let at_unit = self.at;
        let unit: u64 = match self.word() {
            b"ns" => 1,
            b"us" => 1_000,
            b"ms" => 1_000_000,
            b"s" | b"sec" | b"second" | b"seconds" => 1_000_000_000,
            b"m" | b"min" | b"minute" | b"minutes" => 60_000_000_000,
            b"h" | b"hour" | b"hours" => 3_600_000_000_000,
            b"d" | b"day" | b"days" => 86_400_000_000_000,
            _ => return Err(ParseQuotaError::new(ParseQuotaErrorKind::UnknownUnit, at_unit)),
        };
        match count.checked_mul(unit) {
            Some(nanos) if nanos <= LONGEST => Ok(Duration::from_nanos(nanos)),
            _ => Err(invalid(QuotaError::PeriodTooLong, start)),
        }
    }

    /// A number of permits.
    fn count(&mut self) -> Result<u32, ParseQuotaError> {
        let start = self.at;
        u32::try_from(self.number()?)
            .map_err(|_| ParseQuotaError::new(ParseQuotaErrorKind::Overflow, start))
    }

    fn number(&mut self) -> Result<u64, ParseQuotaError> {
        let start = self.at;
        let mut number = Some(0u64);
        loop {
            let Some(digit @ b'0'..=b'9') = self.text.get(self.at) else {
                return Err(ParseQuotaError::new(ParseQuotaErrorKind::ExpectedNumber, self.at));
            };
            let digit = u64::from(digit - b'0');
            number = number.and_then(|number| number.checked_mul(10)?.checked_add(digit));
            self.at += 1;
            match self.text.get(self.at) {
                Some(b'0'..=b'9') => {}
                Some(b'_') => self.at += 1,
                _ => break,
            }
        }
        match number {
            Some(0) => Err(ParseQuotaError::new(ParseQuotaErrorKind::Zero, start)),
            Some(number) => Ok(number),
            None => Err(ParseQuotaError::new(ParseQuotaErrorKind::Overflow, start)),
        }
    }

    /// The lower-case letters here, however many.
    fn word(&mut self) -> &'a [u8] {
        let rest = &self.text[self.at..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
        self.at += length;
        &rest[..length]
    }

    fn spaces(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    fn end(mut self) -> Result<(), ParseQuotaError> {
        self.spaces();
        if self.is_at_end() {
            return Ok(());
        }
        Err(ParseQuotaError::new(ParseQuotaErrorKind::TrailingText, self.at))
    }
}

const fn invalid(error: QuotaError, position: usize) -> ParseQuotaError {
    ParseQuotaError::new(ParseQuotaErrorKind::Invalid(error), position)
}

/// Parses a period as it stands in a quota: `100ms`, `min`.
#[cfg(feature = "serde")]
pub(crate) fn parse_period(text: &str) -> Result<Duration, ParseQuotaError> {
    let mut parser = Parser::new(text)?;
    let period = parser.period()?;
    parser.end().map(|()| period)
}
