//! Rows as JSON objects.

use sluicebox_file_load::cells::{CellValues, Cells, slice};
use sluicebox_stage::Schema;

use crate::options::{Decimals, Nulls};

/// How a row becomes a line.
pub(crate) struct RowFormat {
    /// of each column, `"name":`
    keys: Vec<Key>,
    nulls: Nulls,
    decimals: Decimals,
}

/// Bytes that stand in every row, padded so that they are copied in whole blocks.
struct Key {
    blocks: Vec<[u8; 16]>,
    length: usize,
}

impl Key {
    fn new(text: &[u8]) -> Self {
        let block = |part: &[u8]| {
            let mut block = [0; 16];
            block.iter_mut().zip(part).for_each(|(place, byte)| *place = *byte);
            block
        };
        Self { blocks: text.chunks(16).map(block).collect(), length: text.len() }
    }

    #[inline]
    fn push(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.length;
        for block in &self.blocks {
            out.extend_from_slice(block);
        }
        out.truncate(end);
    }
}

impl RowFormat {
    pub(crate) fn new(schema: &Schema, nulls: Nulls, decimals: Decimals) -> Self {
        let key = |name: &str| {
            let mut key = Vec::with_capacity(name.len() + 3);
            push_string(&mut key, name.as_bytes());
            key.push(b':');
            Key::new(&key)
        };
        Self { keys: schema.iter().map(|field| key(&field.name)).collect(), nulls, decimals }
    }

    /// One row; how many of its floats were written as null, as JSON has no NaN and no infinity.
    pub(crate) fn push_row(&self, out: &mut Vec<u8>, columns: &[Cells], row: usize) -> u64 {
        let mut not_finite = 0;
        let mut first = true;
        out.push(b'{');
        for (key, cells) in self.keys.iter().zip(columns) {
            let null = if cells.is_valid(row) {
                let unwritable = is_not_finite(&cells.values, row);
                not_finite += u64::from(unwritable);
                unwritable
            } else {
                true
            };
            if null && self.nulls == Nulls::Omit {
                continue;
            }
            if !std::mem::replace(&mut first, false) {
                out.push(b',');
            }
            key.push(out);
            if null { out.extend_from_slice(b"null") } else { self.push_value(out, cells, row) }
        }
        out.extend_from_slice(b"}\n");
        not_finite
    }

    fn push_value(&self, out: &mut Vec<u8>, cells: &Cells, row: usize) {
        let quoted = match &cells.values {
            CellValues::Utf8 { offsets, data } => {
                let text = slice(offsets, data, row);
                if text.iter().any(must_escape) {
                    return push_string(out, text);
                }
                true
            }
            CellValues::Date(_) | CellValues::Timestamp { .. } | CellValues::Binary { .. } => true,
            CellValues::Decimal { .. } => self.decimals == Decimals::String,
            _ => false,
        };
        if quoted {
            out.push(b'"');
        }
        cells.push(out, row);
        if quoted {
            out.push(b'"');
        }
    }
}

fn is_not_finite(values: &CellValues, row: usize) -> bool {
    match values {
        CellValues::Float32(values) => values.get(row).is_some_and(|value| !value.is_finite()),
        CellValues::Float64(values) => values.get(row).is_some_and(|value| !value.is_finite()),
        _ => false,
    }
}

/// Whether JSON has another form for the byte within a string.
#[inline]
fn must_escape(byte: &u8) -> bool {
    *byte < 0x20 || *byte == b'"' || *byte == b'\\'
}

/// Appends text as a JSON string: quotes, backslashes and control characters are escaped, all else is UTF-8 already.
fn push_string(out: &mut Vec<u8>, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(must_escape) {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((&byte, behind)) = from.split_first() else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend(HEX.get(usize::from(byte >> 4)));
                out.extend(HEX.get(usize::from(byte & 15)));
            }
        }
        rest = behind;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
