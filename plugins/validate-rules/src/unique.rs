//! Values that come more than once, over all the data.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use sluicebox_stage::{Column, Mask, Values};
use twox_hash::XxHash3_128;

use crate::bits;

/// What was seen: single numbers as they are, all else by a hash of 128 bits. Two different values that share one are
/// less likely than a broken machine, and a row takes the same memory however long its values are.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    numbers: HashSet<u64, BuildHasherDefault<Spread>>,
    hashes: HashSet<u128, BuildHasherDefault<Spread>>,
    key: Vec<u8>,
}

impl Seen {
    /// The rows whose values were seen before. A null is equal to nothing.
    pub(crate) fn add(&mut self, columns: &[&Column], rows: usize) -> Mask {
        let mut again = Mask::none(rows);
        if let [column] = columns
            && let Some(numbers) = as_numbers(&column.values)
        {
            for (row, number) in numbers.into_iter().enumerate() {
                if column.is_valid(row) && !self.numbers.insert(number) {
                    again.set(row, true);
                }
            }
            return again;
        }
        for row in 0..rows {
            if !columns.iter().all(|column| column.is_valid(row)) {
                continue;
            }
            self.key.clear();
            for column in columns {
                push(&mut self.key, &column.values, row);
            }
            if !self.hashes.insert(XxHash3_128::oneshot(&self.key)) {
                again.set(row, true);
            }
        }
        again
    }
}

/// Numbers of up to 64 bits by their bits; all values of a column are of one type, so that bits tell them apart.
fn as_numbers(values: &Values) -> Option<Vec<u64>> {
    fn widen<T: Copy + Into<i64>>(values: &[T]) -> Vec<u64> {
        values.iter().map(|value| (*value).into().cast_unsigned()).collect()
    }
    Some(match values {
        Values::Int8(values) => widen(values),
        Values::Int16(values) => widen(values),
        Values::Int32(values) => widen(values),
        Values::Int64(values) => widen(values),
        Values::Uint8(values) => widen(values),
        Values::Uint16(values) => widen(values),
        Values::Uint32(values) => widen(values),
        Values::Uint64(values) => values.clone(),
        Values::Float32(values) => values.iter().map(|value| float_bits(f64::from(*value))).collect(),
        Values::Float64(values) => values.iter().map(|value| float_bits(*value)).collect(),
        _ => return None,
    })
}

/// 0 and -0 are one value, and so are all NaN.
fn float_bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}

fn push(out: &mut Vec<u8>, values: &Values, row: usize) {
    fn number<T: Copy + Into<i64>>(out: &mut Vec<u8>, values: &[T], row: usize) {
        out.extend(values.get(row).map(|value| (*value).into().to_le_bytes()).iter().flatten());
    }
    match values {
        Values::Bits(values) => out.push(u8::from(bits::get(values, row))),
        Values::Int8(values) => number(out, values, row),
        Values::Int16(values) => number(out, values, row),
        Values::Int32(values) => number(out, values, row),
        Values::Int64(values) => number(out, values, row),
        Values::Uint8(values) => number(out, values, row),
        Values::Uint16(values) => number(out, values, row),
        Values::Uint32(values) => number(out, values, row),
        Values::Uint64(values) => out.extend(values.get(row).map(|value| value.to_le_bytes()).iter().flatten()),
        Values::Float32(values) => {
            out.extend(values.get(row).map(|value| float_bits(f64::from(*value)).to_le_bytes()).iter().flatten());
        }
        Values::Float64(values) => {
            out.extend(values.get(row).map(|value| float_bits(*value).to_le_bytes()).iter().flatten())
        }
        Values::FixedBytes(bytes) => out.extend_from_slice(bytes.get(row * 16..row * 16 + 16).unwrap_or_default()),
        Values::Variable { offsets, data } => {
            if let Some(&[start, end]) = offsets.get(row..).and_then(|rest| rest.first_chunk::<2>()) {
                #[allow(clippy::cast_sign_loss, reason = "offsets are never negative; a negative one finds no data")]
                let text = data.get(start as usize..end as usize).unwrap_or_default();
                out.extend_from_slice(&(text.len() as u64).to_le_bytes());
                out.extend_from_slice(text);
            }
        }
        Values::VariableBytes { .. } | Values::Strings(_) => {}
    }
}

/// Hashes what is a number or a hash already: one multiplication spreads the bits.
#[derive(Debug, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        let spread = (value ^ value >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = spread ^ spread >> 29;
    }

    #[allow(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
    fn write_u128(&mut self, value: u128) {
        self.0 = value as u64;
    }
}
