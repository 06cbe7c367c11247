//! Rows as JSON objects.

use sluicebox_file_load::cells::{CellValues, Cells, slice};
use sluicebox_stage::Schema;

use crate::options::{Decimals, Nulls};

/// How a row becomes a line.
pub(crate) struct RowFormat {
    /// of each column, `"name":`
    keys: Vec<Vec<u8>>,
    nulls: Nulls,
    decimals: Decimals,
}

impl RowFormat {
    pub(crate) fn new(schema: &Schema, nulls: Nulls, decimals: Decimals) -> Self {
        let key = |name: &str| {
            let mut key = Vec::with_capacity(name.len() + 3);
            push_string(&mut key, name.as_bytes());
            key.push(b':');
            key
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
            out.extend_from_slice(key);
            if null { out.extend_from_slice(b"null") } else { self.push_value(out, cells, row) }
        }
        out.extend_from_slice(b"}\n");
        not_finite
    }

    fn push_value(&self, out: &mut Vec<u8>, cells: &Cells, row: usize) {
        let quoted = match &cells.values {
            CellValues::Utf8 { offsets, data } => return push_string(out, slice(offsets, data, row)),
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

/// Appends text as a JSON string: quotes, backslashes and control characters are escaped, all else is UTF-8 already.
fn push_string(out: &mut Vec<u8>, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\') {
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
