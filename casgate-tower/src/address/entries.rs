use super::node;
use core::iter::Rev;
use core::net::IpAddr;
use http::header::{HeaderMap, HeaderName, HeaderValue, ValueIter};

/// The last entry of a line: its address, if it can be read, and what stands before its comma.
pub(super) struct Last<'a> {
    pub(super) address: Option<IpAddr>,
    pub(super) before: Option<&'a [u8]>,
}

/// Splits the last entry off. `None` if nobody can say where it begins.
pub(super) type Split = fn(&[u8]) -> Option<Last<'_>>;

/// The entries of a header from the right, over all its lines. They end where an entry cannot be
/// separated from the next.
///
/// An entry is read when it is asked for, so what stands left of the answer costs nothing.
pub(super) struct Entries<'a> {
    lines: Option<Rev<ValueIter<'a, HeaderValue>>>,
    /// What is left of the line.
    line: Option<&'a [u8]>,
    split: Split,
}

impl<'a> Entries<'a> {
    pub(super) fn new(headers: &'a HeaderMap, name: &HeaderName, split: Split) -> Self {
        Self { lines: Some(headers.get_all(name).iter().rev()), line: None, split }
    }
}

impl Iterator for Entries<'_> {
    type Item = Option<IpAddr>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = match self.line.take() {
            Some(line) => line,
            None => self.lines.as_mut()?.next()?.as_bytes(),
        };
        let Some(last) = (self.split)(line) else {
            self.lines = None;
            return None;
        };
        self.line = last.before;
        Some(last.address)
    }
}

/// Splits a list at its commas, and at nothing else.
pub(super) fn plain(line: &[u8]) -> Option<Last<'_>> {
    let comma = line.iter().rposition(|&byte| byte == b',');
    let (before, entry) = match comma {
        Some(comma) => (Some(&line[..comma]), &line[comma + 1..]),
        None => (None, line),
    };
    Some(Last { address: node::address(entry.trim_ascii()), before })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::FORWARDED;

    #[test]
    fn a_line_is_read_when_it_is_asked_for() {
        fn split(line: &[u8]) -> Option<Last<'_>> {
            assert_eq!(line, b"right");
            Some(Last { address: None, before: Some(b"never read") })
        }
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED, HeaderValue::from_static("left"));
        headers.append(FORWARDED, HeaderValue::from_static("right"));
        assert_eq!(Entries::new(&headers, &FORWARDED, split).next(), Some(None));
    }

    #[test]
    fn the_entries_end_where_one_cannot_be_split_off() {
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED, HeaderValue::from_static("left"));
        headers.append(FORWARDED, HeaderValue::from_static("right"));
        fn split(line: &[u8]) -> Option<Last<'_>> {
            (line == b"left").then_some(Last { address: None, before: None })
        }
        let mut entries = Entries::new(&headers, &FORWARDED, split);
        assert_eq!((entries.next(), entries.next()), (None, None));
    }
}
