//! Rows as lines.

use sluicebox_file_load::cells::{CellValues, Cells, push_slice, slice};

use crate::options::{LineEnding, Quote};

/// How a row becomes a line.
pub(crate) struct RowFormat {
    delimiter: u8,
    always: bool,
    null: Vec<u8>,
    line_end: &'static [u8],
    /// true for the bytes that make quotes needed
    special: [bool; 256],
}

impl RowFormat {
    pub(crate) fn new(delimiter: u8, quote: Quote, null: Vec<u8>, line_ending: LineEnding) -> Self {
        let mut special = [false; 256];
        for (byte, is) in (0..=u8::MAX).zip(special.iter_mut()) {
            *is = byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n');
        }
        let line_end: &[u8] = match line_ending {
            LineEnding::Lf => b"\n",
            LineEnding::Crlf => b"\r\n",
        };
        Self { delimiter, always: quote == Quote::Always, null, line_end, special }
    }

    /// The line of names.
    pub(crate) fn push_header<'a>(&self, out: &mut Vec<u8>, names: impl Iterator<Item = &'a str>) {
        for (at, name) in names.enumerate() {
            if at > 0 {
                out.push(self.delimiter);
            }
            self.push_text(out, name.as_bytes());
        }
        out.extend_from_slice(self.line_end);
    }

    /// One row. A line of one null that is written as nothing gets quotes, as readers skip empty lines.
    pub(crate) fn push_row(&self, out: &mut Vec<u8>, columns: &[Cells], row: usize) {
        for (at, cells) in columns.iter().enumerate() {
            if at > 0 {
                out.push(self.delimiter);
            }
            if !cells.is_valid(row) {
                if self.null.is_empty() && columns.len() == 1 {
                    out.extend_from_slice(b"\"\"");
                } else {
                    out.extend_from_slice(&self.null);
                }
            } else if let CellValues::Utf8 { offsets, data } = &cells.values {
                let text = slice(offsets, data, row);
                if self.is_plain(text) { push_slice(out, offsets, data, row) } else { self.push_quoted(out, text) }
            } else {
                cells.push(out, row);
            }
        }
        out.extend_from_slice(self.line_end);
    }

    fn push_text(&self, out: &mut Vec<u8>, text: &[u8]) {
        if self.is_plain(text) { out.extend_from_slice(text) } else { self.push_quoted(out, text) }
    }

    /// Whether the text stands without quotes.
    #[inline]
    fn is_plain(&self, text: &[u8]) -> bool {
        let special = |byte: &u8| self.special.get(usize::from(*byte)).copied().unwrap_or(true);
        !self.always && !text.iter().any(special) && text != self.null
    }

    fn push_quoted(&self, out: &mut Vec<u8>, text: &[u8]) {
        out.push(b'"');
        for (at, piece) in text.split(|byte| *byte == b'"').enumerate() {
            if at > 0 {
                out.extend_from_slice(b"\"\"");
            }
            out.extend_from_slice(piece);
        }
        out.push(b'"');
    }
}
