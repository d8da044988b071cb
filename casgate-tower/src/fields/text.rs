//! The text of a field, in one buffer.

use http::HeaderValue;
use std::fmt::{self, Write};

/// The value that `compose` writes, which it must write the same each time: first its length is
/// counted. Text with characters that no value can have is `None`.
pub(super) fn value(compose: impl Fn(&mut dyn Write) -> fmt::Result) -> Option<HeaderValue> {
    let mut length = Length(0);
    compose(&mut length).ok()?;
    // A value keeps a buffer without room to spare as it is, and needs a second one otherwise.
    let mut text = String::with_capacity(length.0);
    compose(&mut text).ok()?;
    HeaderValue::try_from(text).ok()
}

struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// Writes a String of structured fields, which is also one of JSON: `"` and `\` are escaped.
/// Printable ASCII has nothing else to escape.
pub(super) fn quoted(text: &str, out: &mut dyn Write) -> fmt::Result {
    out.write_char('"')?;
    for part in text.split_inclusive(['"', '\\']) {
        match part.as_bytes().last() {
            Some(last @ (b'"' | b'\\')) => {
                out.write_str(&part[..part.len() - 1])?;
                out.write_char('\\')?;
                out.write_char(char::from(*last))?;
            }
            _ => out.write_str(part)?,
        }
    }
    out.write_char('"')
}
