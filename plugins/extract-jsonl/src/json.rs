//! One line of JSON: checked to the last byte, and where the wanted values stand in it.

use crate::path::Node;

/// What sort of value stands in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Sort {
    /// there is none
    #[default]
    Missing,
    Null,
    Boolean,
    Number,
    /// without escapes
    Plain,
    /// with escapes
    Escaped,
    /// an object or an array
    Nested,
}

/// A wanted value: `bytes[start..end]`, strings without their quotes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) sort: Sort,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// What is wrong, and how many bytes from the start of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) what: &'static str,
    pub(crate) at: usize,
}

/// Deeper nesting is refused: it would use up the stack.
const DEPTH_MAX: usize = 128;

/// Reads `bytes[start..end]`, one object, into `slots`, one for each column of `root`. `unwanted` is told the keys of the
/// object itself that no path begins with (raw, between its quotes), with the sort of their value.
pub(crate) fn read_line(
    bytes: &[u8],
    start: usize,
    end: usize,
    root: &Node,
    slots: &mut [Slot],
    unwanted: &mut dyn FnMut(&[u8], Slot),
) -> Result<(), Wrong> {
    slots.fill(Slot::default());
    let content = bytes.get(..end).unwrap_or_default();
    let mut parser = Parser { bytes: content, at: start, slots, unwanted, key: Vec::new() };
    let result = parser.line(root);
    result.map_err(|what| Wrong { what, at: parser.at.min(end) - start })
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    slots: &'a mut [Slot],
    unwanted: &'a mut dyn FnMut(&[u8], Slot),
    key: Vec<u8>,
}

type Parsed<T> = Result<T, &'static str>;

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next byte that is no blank; it is not passed over.
    #[inline(always)]
    fn token(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                other => return other,
            }
        }
    }

    fn line(&mut self, root: &Node) -> Parsed<()> {
        if self.token() != Some(b'{') {
            return Err("a line has to be one JSON object");
        }
        self.object(Some(root), 0, true)?;
        match self.token() {
            None => Ok(()),
            Some(_) => Err("something stands behind the object"),
        }
    }

    /// One value; `node` says what is wanted of it.
    fn value(&mut self, node: Option<&Node>, depth: usize) -> Parsed<Slot> {
        let first = self.token();
        let start = self.at;
        let slot = |sort: Sort, start: usize, end: usize| Slot { sort, start, end };
        let found = match first {
            Some(b'"') => {
                let escaped = self.string()?;
                slot(if escaped { Sort::Escaped } else { Sort::Plain }, start + 1, self.at - 1)
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                slot(Sort::Number, start, self.at)
            }
            Some(b'{' | b'[') => {
                if depth == DEPTH_MAX {
                    return Err("nested deeper than 128");
                }
                if first == Some(b'{') {
                    self.object(node, depth + 1, false)?;
                } else {
                    self.array(node, depth + 1)?;
                }
                slot(Sort::Nested, start, self.at)
            }
            Some(b't') => self.word(b"true", Sort::Boolean)?,
            Some(b'f') => self.word(b"false", Sort::Boolean)?,
            Some(b'n') => self.word(b"null", Sort::Null)?,
            None => return Err("it ends where a value should be"),
            Some(_) => return Err("no value begins like this"),
        };
        if let Some(node) = node {
            for column in &node.columns {
                if let Some(slot) = self.slots.get_mut(*column) {
                    if slot.sort != Sort::Missing {
                        return Err("its key stands twice in the object");
                    }
                    *slot = found;
                }
            }
        }
        Ok(found)
    }

    fn word(&mut self, word: &'static [u8], sort: Sort) -> Parsed<Slot> {
        let start = self.at;
        if self.bytes.get(start..start + word.len()) != Some(word) {
            return Err("no value begins like this");
        }
        self.at += word.len();
        Ok(Slot { sort, start, end: self.at })
    }

    fn object(&mut self, node: Option<&Node>, depth: usize, top: bool) -> Parsed<()> {
        self.at += 1;
        let node = node.filter(|node| top || !node.keys.is_empty());
        if let Some(node) = node {
            node.expected.set(0);
        }
        if self.token() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.token() != Some(b'"') {
                return Err("a key in quotes should stand here");
            }
            let start = self.at + 1;
            let escaped = self.string()?;
            let (key_start, key_end) = (start, self.at - 1);
            let member = match node {
                None => None,
                Some(node) => {
                    let raw = self.bytes.get(key_start..key_end).unwrap_or_default();
                    if escaped {
                        self.key.clear();
                        unescape(raw, &mut self.key)?;
                        node.member(&self.key)
                    } else {
                        node.member(raw)
                    }
                }
            };
            if self.token() != Some(b':') {
                return Err("a colon should stand here");
            }
            self.at += 1;
            let found = self.value(member, depth)?;
            if top && member.is_none() {
                (self.unwanted)(self.bytes.get(key_start..key_end).unwrap_or_default(), found);
            }
            match self.token() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err("a comma or } should stand here"),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn array(&mut self, node: Option<&Node>, depth: usize) -> Parsed<()> {
        self.at += 1;
        let node = node.filter(|node| node.wants_items());
        if self.token() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        for place in 0.. {
            self.value(node.and_then(|node| node.item(place)), depth)?;
            match self.token() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err("a comma or ] should stand here"),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Passes over a string; whether it has escapes.
    fn string(&mut self) -> Parsed<bool> {
        self.at += 1;
        let mut escaped = false;
        loop {
            // Eight at a time, while none of them matters.
            while let Some(word) = self.bytes.get(self.at..self.at + 8).and_then(|word| word.try_into().ok()) {
                let first = special(u64::from_le_bytes(word));
                self.at += first;
                if first < 8 {
                    break;
                }
            }
            match self.peek() {
                None => return Err("a string is not closed"),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(0..0x20) => return Err("a control character stands in a string; write it as an escape, e.g. \\t"),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        Ok(escaped)
    }

    fn escape(&mut self) -> Parsed<()> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let unit = hex(self.bytes, self.at + 2)?;
                self.at += 6;
                match unit {
                    0xd800..0xdc00 => {
                        let low = (self.bytes.get(self.at..self.at + 2) == Some(b"\\u"))
                            .then(|| hex(self.bytes, self.at + 2));
                        if !matches!(low.transpose()?, Some(0xdc00..0xe000)) {
                            return Err("half of a pair of \\u escapes stands alone");
                        }
                        self.at += 6;
                    }
                    0xdc00..0xe000 => return Err("half of a pair of \\u escapes stands alone"),
                    _ => {}
                }
            }
            _ => return Err("no escape is written like this"),
        }
        Ok(())
    }

    fn number(&mut self) -> Parsed<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let first = self.peek();
        match self.digits() {
            0 => return Err("digits should stand here"),
            2.. if first == Some(b'0') => return Err("a number begins with 0"),
            _ => {}
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err("digits should stand behind the point");
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err("digits should stand in the exponent");
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }
}

/// The place of the first byte of eight that ends a run of plain characters; 8: none does.
#[inline(always)]
fn special(word: u64) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(LOW) & !word & HIGH;
    let control = word.wrapping_sub(LOW * 0x20) & !word & HIGH;
    let found = zero(word ^ (LOW * u64::from(b'"'))) | zero(word ^ (LOW * u64::from(b'\\'))) | control;
    // Borrows only reach bytes behind the first that is found.
    found.trailing_zeros() as usize / 8
}

fn hex(bytes: &[u8], at: usize) -> Parsed<u32> {
    let digits = bytes.get(at..at + 4).ok_or("four hex digits should stand behind \\u")?;
    digits.iter().try_fold(0, |value, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or("four hex digits should stand behind \\u")?;
        Ok(value * 16 + digit)
    })
}

/// Adds the text that `raw`, the inside of a string that was checked, stands for.
pub(crate) fn unescape(raw: &[u8], into: &mut Vec<u8>) -> Parsed<()> {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, behind) = rest.split_at(at);
        into.extend_from_slice(before);
        let (plain, length) = match behind.get(1) {
            Some(b'b') => (b'\x08', 2),
            Some(b'f') => (b'\x0c', 2),
            Some(b'n') => (b'\n', 2),
            Some(b'r') => (b'\r', 2),
            Some(b't') => (b'\t', 2),
            Some(b'u') => {
                let mut unit = hex(behind, 2)?;
                let mut length = 6;
                if (0xd800..0xdc00).contains(&unit) {
                    unit = 0x10000 + ((unit - 0xd800) << 10) + hex(behind, 8)?.wrapping_sub(0xdc00);
                    length = 12;
                }
                let character = char::from_u32(unit).ok_or("half of a pair of \\u escapes stands alone")?;
                into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = behind.get(length..).unwrap_or_default();
                continue;
            }
            Some(other) => (*other, 2),
            None => return Err("no escape is written like this"),
        };
        into.push(plain);
        rest = behind.get(length..).unwrap_or_default();
    }
    into.extend_from_slice(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn whole(text: &str) -> Result<(), Wrong> {
        read_line(text.as_bytes(), 0, text.len(), &Node::default(), &mut [], &mut |_, _| {})
    }

    #[test]
    fn what_is_wrong_is_told() {
        let wrong = |text: &str| whole(text).map_err(|wrong| (wrong.at, wrong.what)).unwrap_err();
        assert_eq!(wrong("[1]"), (0, "a line has to be one JSON object"));
        assert_eq!(wrong("{\"a\":1} x"), (8, "something stands behind the object"));
        assert_eq!(wrong("{\"a\" 1}"), (5, "a colon should stand here"));
        assert_eq!(wrong("{\"a\":1"), (6, "a comma or } should stand here"));
        assert_eq!(wrong("{\"a\":01}"), (7, "a number begins with 0"));
        assert_eq!(wrong("{\"a\":\"x"), (7, "a string is not closed"));
        assert_eq!(wrong("{\"a\":\"\\ud800\"}"), (12, "half of a pair of \\u escapes stands alone"));
        assert_eq!(wrong("{\"a\":nul}"), (5, "no value begins like this"));
        assert_eq!(wrong("{a:1}"), (1, "a key in quotes should stand here"));
        assert_eq!(wrong(&format!("{{\"a\":{}", "[".repeat(1000))), (133, "nested deeper than 128"));
    }

    fn piece() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\"",
            "\"",
            "\\",
            "\\n",
            "\\u00e4",
            "\\ud834\\udd1e",
            "\\ud834",
            "1",
            "0",
            "-",
            "-0.5",
            "1e5",
            ".",
            "e",
            "true",
            "false",
            "null",
            " ",
            "é",
            "\t",
            "12345678",
            "abcdefgh",
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        /// Lines of pieces: what serde_json takes for an object is one here, and no other.
        #[test]
        fn what_serde_json_takes_is_taken(pieces in prop::collection::vec(piece(), 0..12), in_object: bool) {
            let text = pieces.concat();
            let text = if in_object { format!("{{\"k\":{text}}}") } else { text };
            let expected = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text);
            match expected {
                Ok(_) => prop_assert_eq!(whole(&text), Ok(())),
                // Numbers beyond f64 are JSON; serde_json refuses them.
                Err(error) if error.to_string().contains("out of range") => {}
                Err(_) => prop_assert!(whole(&text).is_err(), "{}", text),
            }
        }

        #[test]
        fn strings_come_back(text in any::<String>()) {
            let line = serde_json::json!({ "k": text }).to_string();
            let node = Node::of_keys(["k"].into_iter());
            let mut slots = [Slot::default()];
            read_line(line.as_bytes(), 0, line.len(), &node, &mut slots, &mut |_, _| {}).unwrap();
            let mut plain = Vec::new();
            unescape(&line.as_bytes()[slots[0].start..slots[0].end], &mut plain).unwrap();
            prop_assert_eq!(String::from_utf8(plain).unwrap(), text.clone());
            prop_assert_eq!(slots[0].sort == Sort::Escaped, line.contains('\\'));
        }

        #[test]
        fn eight_bytes_at_once(bytes: [u8; 8]) {
            let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
            prop_assert_eq!(special(u64::from_le_bytes(bytes)), bytes.iter().take_while(|byte| plain(byte)).count());
        }
    }
}
