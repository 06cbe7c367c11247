//! The one pass over the bytes: where fields end. Quoted delimiters and line ends are passed over.

use crate::simd::{masks, prefix_xor};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    /// inside quotes, takes its meaning from the byte behind it
    pub(crate) escape: Option<u8>,
    /// lines that begin with it are passed over
    pub(crate) comment: Option<u8>,
    /// blanks around fields do not count
    pub(crate) trim: bool,
}

impl Dialect {
    pub(crate) fn is_blank(byte: u8) -> bool {
        byte == b' ' || byte == b'\t'
    }
}

/// What a pass found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scan {
    /// behind the last record that is whole
    pub(crate) rows_end: usize,
    /// line ends that end a record
    pub(crate) records: usize,
    /// whether there is a quote among them
    pub(crate) quotes: bool,
    /// whether all bytes are ASCII
    pub(crate) ascii: bool,
}

/// Scans `bytes[start..end]`, which begins a record. `ends` then holds `start`, and for each field of the whole records the
/// position behind its delimiter or line end: field k is `ends[k] .. ends[k + 1] - 1`.
///
/// A quote opens a quoted field only where the field begins; elsewhere it is a character like others, as in the `csv`
/// crate. The quick way takes every quote for one that opens or closes, and stops where that would differ.
pub(crate) fn scan(bytes: &[u8], start: usize, end: usize, dialect: &Dialect, ends: &mut Vec<u32>) -> Scan {
    let quick = match dialect {
        Dialect { escape: None, comment: None, .. } => scan_quick(bytes, start, end, dialect, ends),
        _ => None,
    };
    let scan = quick.unwrap_or_else(|| scan_exact(bytes, start, end, dialect, ends));
    while ends.len() > 1 && ends.last().is_some_and(|last| *last as usize > scan.rows_end) {
        ends.pop();
    }
    scan
}

/// None where a quote stands inside of an unquoted field.
fn scan_quick(bytes: &[u8], start: usize, end: usize, dialect: &Dialect, ends: &mut Vec<u32>) -> Option<Scan> {
    let content = bytes.get(start..end)?;
    let delimiter = dialect.delimiter;
    // Without quotes, look for line ends once more: they are there anyway.
    let quote = dialect.quote.unwrap_or(b'\n');
    let quoting = if dialect.quote.is_some() { u64::MAX } else { 0 };
    let (chunks, rest) = content.as_chunks::<64>();
    let mut last = [0_u8; 64];
    last.get_mut(..rest.len())?.copy_from_slice(rest);
    let rest_mask = (1_u64 << rest.len()) - 1;

    let mut found = Scan { rows_end: start, records: 0, quotes: false, ascii: true };
    // All ones inside of quotes.
    let mut inside = 0_u64;
    // Whether the byte before this chunk lets a quote open behind it.
    let mut may_open = 1_u64;
    let mut high = false;
    let mut position = start;
    let mut used = 1;
    make_room(ends, content.len() / 4 + 128);
    *ends.get_mut(0)? = start as u32;

    for (chunk, mask) in chunks.iter().map(|chunk| (chunk, u64::MAX)).chain(std::iter::once((&last, rest_mask))) {
        let seen = masks(chunk, delimiter, quote);
        high |= seen.high;
        let quotes = seen.quote & quoting & mask;
        let mut newlines = seen.newline & mask;
        let mut fields = (seen.delimiter | seen.newline) & mask;
        if quotes | inside == 0 {
            may_open = fields >> 63;
        } else {
            found.quotes = true;
            let inner = prefix_xor(quotes) ^ inside;
            inside = ((inner as i64) >> 63) as u64;
            fields &= !inner;
            newlines &= !inner;
            // A doubled quote closes and opens again.
            let opens = quotes & inner;
            let before = fields | (quotes & !inner);
            if opens & !(before << 1 | may_open) != 0 {
                return None;
            }
            may_open = before >> 63;
        }
        if newlines != 0 {
            found.rows_end = position + 64 - newlines.leading_zeros() as usize;
            found.records += newlines.count_ones() as usize;
        }
        if ends.len() < used + 64 {
            make_room(ends, used * 2 + 128);
        }
        let room: &mut [u32; 64] = ends.get_mut(used..used + 64)?.try_into().ok()?;
        used += write_positions(fields, position as u32 + 1, room);
        position += 64;
    }
    ends.truncate(used);
    found.ascii = !high;
    Some(found)
}

fn make_room(ends: &mut Vec<u32>, entries: usize) {
    if ends.len() < entries {
        ends.resize(entries, 0);
    }
}

/// Writes `base` + the place of each bit; answers how many. What stands behind them in `room` is overwritten.
#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "all indices are below 64")]
fn write_positions(mut bits: u64, base: u32, room: &mut [u32; 64]) -> usize {
    let count = bits.count_ones() as usize;
    let mut take = |i: usize| {
        room[i] = base + bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
    };
    // In eights, without asking at each bit.
    for i in 0..8 {
        take(i);
    }
    if count > 8 {
        for i in 8..16 {
            take(i);
        }
        if count > 16 {
            for i in 16..count.min(64) {
                take(i);
            }
        }
    }
    count
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    RecordStart,
    FieldStart,
    Plain,
    Quoted,
    /// behind a quote inside of quotes: it closes, unless another follows
    Closing,
    Escaped,
    Comment,
}

/// One byte after the other; knows everything.
fn scan_exact(bytes: &[u8], start: usize, end: usize, dialect: &Dialect, ends: &mut Vec<u32>) -> Scan {
    let mut found = Scan { rows_end: start, records: 0, quotes: false, ascii: true };
    ends.clear();
    ends.push(start as u32);
    let mut state = State::RecordStart;
    for (i, &byte) in bytes.get(start..end).unwrap_or_default().iter().enumerate() {
        found.ascii &= byte.is_ascii();
        let behind = start + i + 1;
        match state {
            State::Comment if byte != b'\n' => continue,
            State::Escaped => {
                state = State::Quoted;
                continue;
            }
            State::Quoted => {
                if dialect.escape == Some(byte) {
                    state = State::Escaped;
                } else if dialect.quote == Some(byte) {
                    state = State::Closing;
                }
                continue;
            }
            State::RecordStart if dialect.comment == Some(byte) => {
                state = State::Comment;
                continue;
            }
            _ => {}
        }
        if byte == b'\n' {
            ends.push(behind as u32);
            found.rows_end = behind;
            found.records += 1;
            state = State::RecordStart;
        } else if byte == dialect.delimiter {
            ends.push(behind as u32);
            state = State::FieldStart;
        } else if dialect.quote == Some(byte) && state != State::Plain {
            found.quotes = true;
            state = State::Quoted;
        } else if state == State::RecordStart || state == State::FieldStart {
            if !(dialect.trim && Dialect::is_blank(byte)) {
                state = State::Plain;
            }
        } else {
            state = State::Plain;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const PLAIN: Dialect = Dialect { delimiter: b',', quote: Some(b'"'), escape: None, comment: None, trim: false };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn the_quick_way_is_the_exact_way(
            pieces in proptest::collection::vec(prop_oneof![
                4 => Just(","), 3 => Just("\n"), 3 => Just("\""), 1 => Just("\"\""), 4 => Just("a"), 1 => Just("é"), 1 => Just("\r\n"),
                2 => Just("\"quoted, with\ncomma\""), 2 => Just("a field that is long enough to pass over a chunk")], 0..60),
            before in 0_usize..70, quoting: bool,
        ) {
            let dialect = Dialect { quote: quoting.then_some(b'"'), ..PLAIN };
            let text = format!("{}{}", " ".repeat(before), pieces.concat());
            let (mut quick, mut exact) = (Vec::new(), Vec::new());
            let expected = scan_exact(text.as_bytes(), before, text.len(), &dialect, &mut exact);
            if let Some(found) = scan_quick(text.as_bytes(), before, text.len(), &dialect, &mut quick) {
                prop_assert_eq!(found, expected);
                prop_assert_eq!(quick, exact);
            } else {
                // Only a quote inside of a field may be too much for it.
                prop_assert!(text.contains('"'));
            }
        }
    }

    #[test]
    fn clean_quotes_go_the_quick_way() {
        let text = "a,\"b,\n\"\"c\"\"\",d\n\"\",\"x\"\r\n".repeat(20);
        let mut ends = Vec::new();
        let found = scan_quick(text.as_bytes(), 0, text.len(), &PLAIN, &mut ends).unwrap();
        assert_eq!((found.records, found.rows_end, ends.len()), (40, text.len(), 101));
    }
}
