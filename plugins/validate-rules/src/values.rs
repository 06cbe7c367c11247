//! Checks of single values: sets, ranges, patterns, lengths, types.

use regex::bytes::Regex;
use sluicebox_stage::{Column, Values};

use crate::bits;
use crate::options::TypeName;
use crate::parse::reads_as;

/// Short lists are gone through, long ones searched.
const SHORT: usize = 8;

/// What a value has to be.
#[derive(Debug)]
pub(crate) enum ValueCheck {
    /// from, to, both included
    WholeRange(i128, i128),
    FloatRange(f64, f64),
    TextRange(Vec<u8>, Vec<u8>),
    /// one of these, sorted; `false`: none of these
    WholeSet(Vec<i128>, bool),
    FloatSet(Vec<f64>, bool),
    TextSet(Vec<Vec<u8>>, bool),
    BooleanSet(Vec<bool>, bool),
    Regex(Regex),
    /// from, to, both included; in characters or bytes
    Length {
        min: u64,
        max: u64,
        characters: bool,
    },
    Type(TypeName),
}

/// The rows whose value is there and is not what it has to be.
pub(crate) fn breaks(check: &ValueCheck, column: &Column) -> Vec<u8> {
    let bits = match &column.values {
        Values::Bits(values) => booleans(check, values),
        Values::Int8(values) => whole(check, values),
        Values::Int16(values) => whole(check, values),
        Values::Int32(values) => whole(check, values),
        Values::Int64(values) => whole(check, values),
        Values::Uint8(values) => whole(check, values),
        Values::Uint16(values) => whole(check, values),
        Values::Uint32(values) => whole(check, values),
        Values::Uint64(values) => whole(check, values),
        Values::Float32(values) => floats(check, values),
        Values::Float64(values) => floats(check, values),
        Values::FixedBytes(bytes) => {
            let decimals: Vec<i128> =
                bytes.as_chunks::<16>().0.iter().map(|bytes| i128::from_le_bytes(*bytes)).collect();
            whole(check, &decimals)
        }
        Values::Variable { offsets, data } => texts(check, offsets, data),
        Values::VariableBytes { .. } | Values::Strings(_) => Vec::new(),
    };
    bits::keep_present(bits, column.validity.as_deref())
}

fn whole<T: Copy + Ord + TryFrom<i128>>(check: &ValueCheck, values: &[T]) -> Vec<u8> {
    match check {
        ValueCheck::WholeRange(low, high) => {
            // Bounds in the column's own width, so that rows are compared in it; a bound beyond the width is no bound,
            // or one that nothing passes.
            let (smallest, greatest) = (smallest::<T>(), greatest::<T>());
            if *low > greatest || *high < smallest || low > high {
                return bits::of_values(values, |_| true);
            }
            match (T::try_from((*low).max(smallest)), T::try_from((*high).min(greatest))) {
                (Ok(low), Ok(high)) => bits::of_values(values, |value| value < low || value > high),
                _ => bits::of_values(values, |_| true),
            }
        }
        ValueCheck::WholeSet(set, wanted) => {
            let set: Vec<T> = set.iter().filter_map(|value| T::try_from(*value).ok()).collect();
            if set.len() <= SHORT {
                bits::of_values(values, |value| set.contains(&value) != *wanted)
            } else {
                bits::of_values(values, |value| set.binary_search(&value).is_ok() != *wanted)
            }
        }
        _ => Vec::new(),
    }
}

/// The least value of a type of whole numbers.
fn smallest<T: TryFrom<i128>>() -> i128 {
    let candidates =
        [i128::MIN, i128::from(i64::MIN), i128::from(i32::MIN), i128::from(i16::MIN), i128::from(i8::MIN), 0];
    candidates.into_iter().find(|value| T::try_from(*value).is_ok()).unwrap_or(0)
}

/// The greatest.
fn greatest<T: TryFrom<i128>>() -> i128 {
    let candidates = [
        i128::MAX,
        i128::from(u64::MAX),
        i128::from(i64::MAX),
        i128::from(u32::MAX),
        i128::from(i32::MAX),
        i128::from(u16::MAX),
        i128::from(i16::MAX),
        i128::from(u8::MAX),
        i128::from(i8::MAX),
    ];
    candidates.into_iter().find(|value| T::try_from(*value).is_ok()).unwrap_or(0)
}

fn floats<T: Copy + Into<f64>>(check: &ValueCheck, values: &[T]) -> Vec<u8> {
    match check {
        // NaN is in no range.
        ValueCheck::FloatRange(low, high) => bits::of_values(values, |value| {
            let value = value.into();
            !(value >= *low && value <= *high)
        }),
        ValueCheck::FloatSet(set, wanted) => bits::of_values(values, |value| set.contains(&value.into()) != *wanted),
        _ => Vec::new(),
    }
}

fn booleans(check: &ValueCheck, values: &[u8]) -> Vec<u8> {
    let ValueCheck::BooleanSet(set, wanted) = check else { return Vec::new() };
    let passes = |value| set.contains(&value) == *wanted;
    match (passes(false), passes(true)) {
        (true, true) => vec![0; values.len()],
        (false, false) => vec![0xff; values.len()],
        (true, false) => values.to_vec(),
        (false, true) => values.iter().map(|byte| !byte).collect(),
    }
}

fn texts(check: &ValueCheck, offsets: &[i32], data: &[u8]) -> Vec<u8> {
    match check {
        ValueCheck::TextRange(low, high) => {
            bits::of_texts(offsets, data, |text| text < low.as_slice() || text > high.as_slice())
        }
        ValueCheck::TextSet(set, wanted) if set.len() <= SHORT => {
            bits::of_texts(offsets, data, |text| set.iter().any(|one| one == text) != *wanted)
        }
        ValueCheck::TextSet(set, wanted) => bits::of_texts(offsets, data, |text| {
            set.binary_search_by(|one| one.as_slice().cmp(text)).is_ok() != *wanted
        }),
        ValueCheck::Regex(regex) => bits::of_texts(offsets, data, |text| !regex.is_match(text)),
        ValueCheck::Length { min, max, characters } => bits::of_texts(offsets, data, |text| {
            let length = if *characters { characters_of(text) } else { text.len() } as u64;
            length < *min || length > *max
        }),
        ValueCheck::Type(kind) => bits::of_texts(offsets, data, |text| !reads_as(text, *kind)),
        _ => Vec::new(),
    }
}

/// Characters of UTF-8: the bytes that do not continue one.
fn characters_of(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}
