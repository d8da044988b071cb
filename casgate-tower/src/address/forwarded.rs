//! `Forwarded`, read from the right.
//!
//! A client writes what it likes on the left, and a proxy appends to it. A reader from the left
//! would follow the client's quotes: after `for="x` the element of the proxy is part of a string.
//! From the right, an element of a proxy is read by its own bytes and no others. Its last quote
//! ends a string, which begins at the first quote before it that no backslash escapes.

use super::entries::Last;
use super::node;
use core::net::IpAddr;

/// One `name=value`, the last of a text.
struct Pair<'a> {
    name: &'a [u8],
    value: Value<'a>,
    /// The separator to the left, and what stands before it.
    before: Option<(u8, &'a [u8])>,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Plain(&'a [u8]),
    /// Between the quotes.
    Quoted(&'a [u8]),
}

/// Splits the last element off. `None` if it is malformed, or says twice whom it is for.
pub(super) fn last(line: &[u8]) -> Option<Last<'_>> {
    let mut node = None;
    let mut text = line;
    loop {
        let pair = last_pair(text)?;
        if pair.name.eq_ignore_ascii_case(b"for") && node.replace(pair.value).is_some() {
            return None;
        }
        match pair.before {
            Some((b';', before)) => text = before,
            before => {
                let before = before.map(|(_, before)| before);
                return Some(Last { address: node.and_then(Value::address), before });
            }
        }
    }
}

/// Splits the last pair off. The grammar has pairs of nothing too, as at the end of `for=_a;`.
fn last_pair(text: &[u8]) -> Option<Pair<'_>> {
    let text = text.trim_ascii_end();
    let (text, quoted) = match text.strip_suffix(b"\"") {
        Some(text) => {
            let open = opening(text)?;
            (&text[..open], Some(&text[open + 1..]))
        }
        None => (text, None),
    };
    let separator = text.iter().rposition(|byte| b",;\"".contains(byte));
    let (before, pair) = match separator {
        Some(at) if text[at] == b'"' => return None,
        Some(at) => (Some((text[at], &text[..at])), &text[at + 1..]),
        None => (None, text),
    };
    let pair = pair.trim_ascii_start();
    let (name, value) = match quoted {
        Some(value) => (pair.strip_suffix(b"=")?, Value::Quoted(value)),
        None if pair.is_empty() => {
            return Some(Pair { name: pair, value: Value::Plain(pair), before });
        }
        None => {
            let equals = pair.iter().position(|&byte| byte == b'=')?;
            (&pair[..equals], Value::Plain(&pair[equals + 1..]))
        }
    };
    let is_token = !name.is_empty() && name.iter().all(|&byte| is_token(byte));
    is_token.then_some(Pair { name, value, before })
}

/// Finds the quote that opens the string before a closing quote.
fn opening(text: &[u8]) -> Option<usize> {
    let is_escaped = |at: usize| {
        let escapes = text[..at].iter().rev().take_while(|&&byte| byte == b'\\').count();
        escapes % 2 == 1
    };
    if is_escaped(text.len()) {
        return None; // It closes nothing.
    }
    let mut end = text.len();
    loop {
        end = text[..end].iter().rposition(|&byte| byte == b'"')?;
        if !is_escaped(end) {
            return Some(end);
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl Value<'_> {
    fn address(self) -> Option<IpAddr> {
        match self {
            Self::Plain(text) => node::address(text),
            Self::Quoted(text) => {
                let mut plain = [0; node::LONGEST];
                let mut length = 0;
                let mut bytes = text.iter();
                while let Some(&byte) = bytes.next() {
                    let byte = if byte == b'\\' { *bytes.next()? } else { byte };
                    *plain.get_mut(length)? = byte;
                    length += 1;
                }
                node::address(&plain[..length])
            }
        }
    }
}
