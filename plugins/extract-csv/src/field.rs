//! One field: its text without quotes, and whether it is null.

use crate::scan::Dialect;
use sluicebox_file_read::Guess;

/// The scanned fields of a part of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) bytes: &'a [u8],
    /// as `scan` leaves them
    pub(crate) ends: &'a [u32],
    /// fields of a record
    pub(crate) width: usize,
    pub(crate) dialect: Dialect,
}

/// What stands in a field.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Text<'a> {
    /// as it stands, blanks removed where the dialect says so
    Plain(&'a [u8]),
    /// it was in quotes
    Quoted(&'a [u8]),
    /// something stands behind the closing quote
    Malformed,
}

impl<'a> Fields<'a> {
    /// Where field `k` (its start is `ends[k]`) starts and ends. `last`: it is the last of its record.
    #[inline(always)]
    #[allow(clippy::indexing_slicing, reason = "an index past the end is a mistake in this crate: stop")]
    pub(crate) fn span(&self, k: usize, last: bool) -> (usize, usize) {
        let start = self.ends[k] as usize;
        let mut end = self.ends[k + 1] as usize - 1;
        if last && end > start && self.bytes[end - 1] == b'\r' {
            end -= 1;
        }
        (start, end)
    }

    /// Whether a line of `found` fields, its end included, is blank or a comment.
    pub(crate) fn is_no_record(&self, line: &[u8], found: usize) -> bool {
        found == 1
            && (matches!(line, b"\n" | b"\r\n")
                || (self.dialect.comment.is_some() && line.first().copied() == self.dialect.comment))
    }

    /// The text of `bytes[start..end]`; `scratch` holds it where quotes were doubled.
    pub(crate) fn text<'s>(&self, start: usize, end: usize, scratch: &'s mut Vec<u8>) -> Text<'s>
    where
        'a: 's,
    {
        let mut raw = self.bytes.get(start..end).unwrap_or_default();
        if self.dialect.trim {
            raw = trim(raw);
        }
        match (self.dialect.quote, raw.split_first()) {
            (Some(quote), Some((first, rest))) if *first == quote => unquote(rest, quote, self.dialect.escape, scratch),
            _ => Text::Plain(raw),
        }
    }
}

fn trim(mut raw: &[u8]) -> &[u8] {
    while let Some((first, rest)) = raw.split_first() {
        if !Dialect::is_blank(*first) {
            break;
        }
        raw = rest;
    }
    while let Some((last, rest)) = raw.split_last() {
        if !Dialect::is_blank(*last) {
            break;
        }
        raw = rest;
    }
    raw
}

/// `rest` is what stands behind the opening quote.
fn unquote<'s>(rest: &'s [u8], quote: u8, escape: Option<u8>, scratch: &'s mut Vec<u8>) -> Text<'s> {
    let special = |byte: &u8| *byte == quote || Some(*byte) == escape;
    if let Some(at) = rest.iter().position(special)
        && at + 1 == rest.len()
        && rest.get(at) == Some(&quote)
    {
        return Text::Quoted(rest.get(..at).unwrap_or_default());
    }
    scratch.clear();
    let mut bytes = rest.iter().copied();
    loop {
        match bytes.next() {
            None => return Text::Malformed,
            Some(byte) if Some(byte) == escape => match bytes.next() {
                None => return Text::Malformed,
                Some(byte) => scratch.push(byte),
            },
            Some(byte) if byte == quote => match bytes.next() {
                None => return Text::Quoted(scratch),
                Some(byte) if byte == quote => scratch.push(quote),
                Some(_) => return Text::Malformed,
            },
            Some(byte) => scratch.push(byte),
        }
    }
}

/// The texts that stand for null.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nulls {
    markers: Vec<Vec<u8>>,
    /// bit n: there is a marker of n bytes; bit 63: of 63 or more
    lengths: u64,
    value_like: bool,
}

impl Nulls {
    pub(crate) fn new(markers: &[String]) -> Self {
        let markers: Vec<Vec<u8>> = markers.iter().map(|marker| marker.clone().into_bytes()).collect();
        let lengths = markers.iter().fold(0, |lengths, marker| lengths | 1 << marker.len().min(63));
        let value_like =
            markers.iter().any(|marker| Guess::of(marker) != Guess::Text || marker.iter().any(u8::is_ascii_digit));
        Self { markers, lengths, value_like }
    }

    /// Whether `text` stands for null.
    #[inline(always)]
    pub(crate) fn has(&self, text: &[u8]) -> bool {
        self.lengths >> text.len().min(63) & 1 == 1 && self.find(text)
    }

    #[inline(never)]
    fn find(&self, text: &[u8]) -> bool {
        self.markers.iter().any(|marker| marker.first() == text.first() && marker == text)
    }

    /// Whether a marker could be taken for a value of some type other than text.
    pub(crate) fn value_like(&self) -> bool {
        self.value_like
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn quotes_come_off() {
        let text = |raw: &str, escape: Option<u8>| {
            let mut scratch = Vec::new();
            let raw = raw.as_bytes().to_vec();
            match unquote(&raw[1..], b'"', escape, &mut scratch) {
                Text::Quoted(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
                _ => None,
            }
        };
        assert_eq!(text("\"a\"", None).as_deref(), Some("a"));
        assert_eq!(text("\"\"", None).as_deref(), Some(""));
        assert_eq!(text("\"a\"\"b\"", None).as_deref(), Some("a\"b"));
        assert_eq!(text("\"\"\"\"", None).as_deref(), Some("\""));
        assert_eq!(text("\"a\\\"b\\\\\"", Some(b'\\')).as_deref(), Some("a\"b\\"));
        for bad in ["\"", "\"a", "\"a\"b", "\"a\"b\"", "\"\"\""] {
            assert_eq!(text(bad, None), None, "{bad}");
        }
        assert_eq!(text("\"a\\\"", Some(b'\\')), None);
    }

    #[test]
    fn null_markers() {
        let nulls = Nulls::new(&["".into(), "NA".into()]);
        assert!(nulls.has(b"") && nulls.has(b"NA") && !nulls.has(b"N") && !nulls.has(b"na") && !nulls.value_like());
        assert!(Nulls::new(&["-999".into()]).value_like());
        assert!(!Nulls::new(&[]).has(b""));
    }
}
