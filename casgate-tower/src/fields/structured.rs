//! Lists of structured fields ([RFC 9651](https://www.rfc-editor.org/rfc/rfc9651)), as far as the
//! limits need them.

use super::LARGEST;
use http::{HeaderMap, HeaderName, HeaderValue};

/// A member of a list: a String, or leniently a Token, with its parameters.
pub(super) struct Member {
    pub(super) text: String,
    /// In order. Of a key that stands twice, the later counts.
    parameters: Vec<(String, Bare)>,
}

/// A bare item, of which no other type has a meaning here.
#[derive(Clone, Copy)]
enum Bare {
    Integer(i64),
    Other,
}

impl Member {
    /// Returns the parameter if there is one, and an outer `None` if it is not a number from zero.
    pub(super) fn number(&self, key: &str) -> Option<Option<u64>> {
        match self.parameters.iter().rev().find(|(name, _)| name == key) {
            None => Some(None),
            Some((_, Bare::Integer(number))) => u64::try_from(*number).ok().map(Some),
            Some((_, Bare::Other)) => None,
        }
    }
}

/// Returns the members of the list that all lines of a field are together, or `None` if it is
/// malformed.
pub(super) fn list(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<Member>> {
    let mut lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let mut bytes = lines.next()?.to_vec();
    for line in lines {
        bytes.extend_from_slice(b", ");
        bytes.extend_from_slice(line);
    }
    Parser { rest: &bytes }.list()
}

/// Returns the number of a value that has digits alone, at most [`u64::MAX`].
pub(super) fn digits(value: &HeaderValue) -> Option<u64> {
    let digits = value.as_bytes().trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit =
        |number: u64, byte: &u8| number.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
    Some(digits.iter().fold(0, digit))
}

/// Reads from left to right. `None` is malformed.
struct Parser<'a> {
    rest: &'a [u8],
}

impl<'a> Parser<'a> {
    fn list(mut self) -> Option<Vec<Member>> {
        let mut members = Vec::new();
        self.take_while(|byte| byte == b' ');
        if self.rest.is_empty() {
            return Some(members);
        }
        loop {
            members.push(self.member()?);
            self.white_space();
            if self.rest.is_empty() {
                return Some(members);
            }
            self.expect(b',')?;
            self.white_space();
        }
    }

    fn member(&mut self) -> Option<Member> {
        let text = match self.peek()? {
            b'"' => self.string()?,
            _ => self.token()?,
        };
        let mut parameters = Vec::new();
        while self.takes(b';') {
            self.take_while(|byte| byte == b' ');
            let key = self.key()?;
            // A key alone is a Boolean.
            let value = if self.takes(b'=') { self.bare()? } else { Bare::Other };
            parameters.push((key, value));
        }
        Some(Member { text, parameters })
    }

    fn key(&mut self) -> Option<String> {
        if !matches!(self.peek()?, b'a'..=b'z' | b'*') {
            return None;
        }
        let key = self.take_while(
            |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'*'),
        );
        Some(text(key))
    }

    fn bare(&mut self) -> Option<Bare> {
        match self.peek()? {
            b'-' | b'0'..=b'9' => return self.number(),
            b'"' => drop(self.string()?),
            b':' => self.byte_sequence()?,
            b'?' => self.boolean()?,
            b'@' => self.date()?,
            b'%' => self.display_string()?,
            _ => drop(self.token()?),
        }
        Some(Bare::Other)
    }

    /// An Integer of at most 15 digits, or a Decimal of at most 12 before the point and 3 after it.
    fn number(&mut self) -> Option<Bare> {
        let negative = self.takes(b'-');
        let whole = self.take_while(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 15 {
            return None;
        }
        if self.takes(b'.') {
            let fraction = self.take_while(|byte| byte.is_ascii_digit());
            return (whole.len() <= 12 && matches!(fraction.len(), 1..=3)).then_some(Bare::Other);
        }
        let number = whole.iter().fold(0, |number, byte| number * 10 + i64::from(byte - b'0'));
        debug_assert!(number.unsigned_abs() <= LARGEST);
        Some(Bare::Integer(if negative { -number } else { number }))
    }

    fn string(&mut self) -> Option<String> {
        self.expect(b'"')?;
        let mut string = String::new();
        loop {
            let plain = |byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
            string.push_str(&text(self.take_while(plain)));
            match self.next()? {
                b'"' => return Some(string),
                b'\\' => match self.next()? {
                    escaped @ (b'"' | b'\\') => string.push(char::from(escaped)),
                    _ => return None,
                },
                _ => return None,
            }
        }
    }

    fn token(&mut self) -> Option<String> {
        let first = self.peek()?;
        if !first.is_ascii_alphabetic() && first != b'*' {
            return None;
        }
        let part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte);
        Some(text(self.take_while(part)))
    }

    fn byte_sequence(&mut self) -> Option<()> {
        self.expect(b':')?;
        self.take_while(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        self.expect(b':')
    }

    fn boolean(&mut self) -> Option<()> {
        self.expect(b'?')?;
        matches!(self.next()?, b'0' | b'1').then_some(())
    }

    fn date(&mut self) -> Option<()> {
        self.expect(b'@')?;
        matches!(self.number()?, Bare::Integer(_)).then_some(())
    }

    /// Characters outside ASCII stand in it as `%` and two digits for each byte of UTF-8.
    fn display_string(&mut self) -> Option<()> {
        self.expect(b'%')?;
        self.expect(b'"')?;
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                b'"' => return std::str::from_utf8(&bytes).ok().map(drop),
                b'%' => bytes.push(self.hex()? << 4 | self.hex()?),
                plain @ b' '..=b'~' => bytes.push(plain),
                _ => return None,
            }
        }
    }

    fn hex(&mut self) -> Option<u8> {
        match self.next()? {
            digit @ b'0'..=b'9' => Some(digit - b'0'),
            digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.takes(byte).then_some(())
    }

    fn takes(&mut self, byte: u8) -> bool {
        let takes = self.peek() == Some(byte);
        if takes {
            self.rest = &self.rest[1..];
        }
        takes
    }

    fn white_space(&mut self) {
        self.take_while(|byte| byte == b' ' || byte == b'\t');
    }

    fn take_while(&mut self, is_part: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().take_while(|&&byte| is_part(byte)).count();
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }
}

/// Bytes that were found to be ASCII.
fn text(ascii: &[u8]) -> String {
    ascii.iter().copied().map(char::from).collect()
}
