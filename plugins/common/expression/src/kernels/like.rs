//! LIKE: `%` stands for any text, `_` for one character.

use crate::{
    kernels::{present, tests},
    node::{Kernel, RowError},
    vector::Value,
};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Literal(Vec<u8>),
    /// `_`
    One,
    /// `%`
    Any,
}

/// A pattern, made ready.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    Exact(Vec<u8>),
    Prefix(Vec<u8>),
    Suffix(Vec<u8>),
    Contains(Vec<u8>),
    Parts(Vec<Part>),
}

impl Pattern {
    pub(crate) fn new(pattern: &str, escape: Option<char>) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            let literal = match c {
                c if Some(c) == escape => chars.next().unwrap_or(c),
                '%' => {
                    if parts.last() != Some(&Part::Any) {
                        parts.push(Part::Any);
                    }
                    continue;
                }
                '_' => {
                    parts.push(Part::One);
                    continue;
                }
                c => c,
            };
            let mut bytes = [0; 4];
            let bytes = literal.encode_utf8(&mut bytes).as_bytes();
            match parts.last_mut() {
                Some(Part::Literal(text)) => text.extend_from_slice(bytes),
                _ => parts.push(Part::Literal(bytes.to_vec())),
            }
        }
        match parts.as_slice() {
            [] => Pattern::Exact(Vec::new()),
            [Part::Literal(text)] => Pattern::Exact(text.clone()),
            [Part::Any] => Pattern::Prefix(Vec::new()),
            [Part::Literal(text), Part::Any] => Pattern::Prefix(text.clone()),
            [Part::Any, Part::Literal(text)] => Pattern::Suffix(text.clone()),
            [Part::Any, Part::Literal(text), Part::Any] => Pattern::Contains(text.clone()),
            _ => Pattern::Parts(parts),
        }
    }

    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        match self {
            Pattern::Exact(literal) => text == literal,
            Pattern::Prefix(literal) => text.starts_with(literal),
            Pattern::Suffix(literal) => text.ends_with(literal),
            Pattern::Contains(literal) => find(text, literal).is_some(),
            Pattern::Parts(parts) => parts_match(parts, text),
        }
    }
}

/// Where `needle` first stands.
pub(crate) fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, needle)
}

/// Greedy from the left: only the last `%` needs another try, so the time is bounded by length times length.
fn parts_match(parts: &[Part], text: &[u8]) -> bool {
    let (mut at, mut part) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    loop {
        let rest = text.get(at..).unwrap_or(&[]);
        let step = match parts.get(part) {
            None if rest.is_empty() => return true,
            None => None,
            Some(Part::Any) => {
                part += 1;
                again = Some((at, part));
                continue;
            }
            Some(Part::One) => character(rest),
            Some(Part::Literal(literal)) => rest.starts_with(literal).then_some(literal.len()),
        };
        match (step, again) {
            (Some(length), _) => {
                at += length;
                part += 1;
            }
            (None, Some((from, behind))) => {
                let Some(length) = character(text.get(from..).unwrap_or(&[])) else { return false };
                again = Some((from + length, behind));
                (at, part) = (from + length, behind);
            }
            (None, None) => return false,
        }
    }
}

/// Bytes of the first character.
fn character(text: &[u8]) -> Option<usize> {
    Some(match text.first()? {
        0..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    })
}

/// LIKE with a pattern that is known.
pub(crate) fn like(pattern: Pattern, negated: bool) -> Kernel {
    Box::new(move |rows, arguments| {
        let Some(text) = arguments.first() else { return Err(RowError::new(0, "an argument is needed")) };
        let texts = text.strings();
        Ok(tests(rows, &arguments, |row| pattern.matches(texts.bytes(row)) != negated))
    })
}

/// LIKE with a pattern of each row; that of the row before is kept.
pub(crate) fn like_each(escape: Option<char>, negated: bool) -> Kernel {
    Box::new(move |rows, arguments| {
        let [text, pattern]: &[Value] = arguments.as_slice() else {
            return Err(RowError::new(0, "two arguments are needed"));
        };
        let (texts, patterns) = (text.strings(), pattern.strings());
        let mut last: Option<(&str, Pattern)> = None;
        let set = crate::bits::pack(rows.count, |row| {
            let wanted = patterns.get(row);
            if last.as_ref().is_none_or(|(pattern, _)| *pattern != wanted) {
                last = Some((wanted, Pattern::new(wanted, escape)));
            }
            last.as_ref().is_some_and(|(_, pattern)| pattern.matches(texts.bytes(row)) != negated)
        });
        Ok(Value::column(crate::vector::Data::Bool(set), present(&arguments, rows.count), rows.count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (text, pattern, found) in [
            ("abc", "abc", true),
            ("abc", "ab", false),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "%b%", true),
            ("abc", "a_c", true),
            ("aéc", "a_c", true),
            ("aéc", "a__c", false),
            ("abcbd", "a%b_", true),
            ("ab%d", "ab\\%d", true),
            ("abxd", "ab\\%d", false),
            ("", "%", true),
            ("", "_", false),
            ("日本語", "%本_", true),
            ("aaaaaaaaab", "%a%a%a%c", false),
            ("a\nb", "a%b", true),
        ] {
            assert_eq!(Pattern::new(pattern, Some('\\')).matches(text.as_bytes()), found, "{text} like {pattern}");
        }
    }
}
