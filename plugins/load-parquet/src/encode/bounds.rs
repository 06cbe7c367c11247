//! Smallest and greatest values of a column chunk.

use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::file::statistics::{Statistics, ValueStatistics};

use super::data::Physical;

/// Longer texts are cut: a bound needs not be exact.
const LONGEST: usize = 64;

/// The bounds seen so far; none before the first value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bounds {
    None,
    Boolean(bool, bool),
    Signed(i64, i64),
    Unsigned(u64, u64),
    Double(f64, f64),
    Bytes(Vec<u8>, Vec<u8>),
}

impl Bounds {
    pub(crate) fn add_boolean(&mut self, value: bool) {
        *self = match *self {
            Self::Boolean(low, high) => Self::Boolean(low & value, high | value),
            _ => Self::Boolean(value, value),
        };
    }

    /// Whole numbers, by their low bits.
    pub(crate) fn add_integers(&mut self, physical: Physical, values: impl Iterator<Item = i64>) {
        let (signed, narrow) = match physical {
            Physical::Int32 { signed } => (signed, true),
            Physical::Int64 { signed } => (signed, false),
            _ => return,
        };
        if signed {
            let start = if let Self::Signed(low, high) = *self { (low, high) } else { (i64::MAX, i64::MIN) };
            let (low, high) = values.fold(start, |(low, high), value| (low.min(value), high.max(value)));
            if low <= high {
                *self = Self::Signed(low, high);
            }
        } else {
            let mask = if narrow { u64::from(u32::MAX) } else { u64::MAX };
            let start = if let Self::Unsigned(low, high) = *self { (low, high) } else { (u64::MAX, 0) };
            let (low, high) = values
                .map(|value| value.cast_unsigned() & mask)
                .fold(start, |(low, high), value| (low.min(value), high.max(value)));
            if low <= high {
                *self = Self::Unsigned(low, high);
            }
        }
    }

    /// NaN has no place between bounds and is left out.
    pub(crate) fn add_floats(&mut self, values: impl Iterator<Item = f64>) {
        let start = if let Self::Double(low, high) = *self { (low, high) } else { (f64::INFINITY, f64::NEG_INFINITY) };
        let mut any = matches!(self, Self::Double(..));
        let (low, high) = values.fold(start, |(low, high), value| {
            any |= !value.is_nan();
            (if value < low { value } else { low }, if value > high { value } else { high })
        });
        if any {
            *self = Self::Double(low, high);
        }
    }

    pub(crate) fn add_bytes<'a>(&mut self, values: impl Iterator<Item = &'a [u8]>) {
        for value in values {
            match self {
                Self::Bytes(low, high) => {
                    if value < low.as_slice() {
                        value.clone_into(low);
                    } else if value > high.as_slice() {
                        value.clone_into(high);
                    }
                }
                _ => *self = Self::Bytes(value.to_vec(), value.to_vec()),
            }
        }
    }

    /// As the chunk's metadata has them.
    #[allow(clippy::cast_possible_truncation, reason = "values of a 32-bit column fit 32 bits")]
    pub(crate) fn statistics(&self, physical: Physical, nulls: u64) -> Statistics {
        let nulls = Some(nulls);
        let signed_zero = |low: f64, high: f64| {
            // As the format asks: a zero may be either, so the bounds hold both.
            (if low == 0.0 { -0.0 } else { low }, if high == 0.0 { 0.0 } else { high })
        };
        match (physical, self) {
            (Physical::Boolean, Self::Boolean(low, high)) => {
                Statistics::boolean(Some(*low), Some(*high), None, nulls, false)
            }
            (Physical::Boolean, _) => Statistics::boolean(None, None, None, nulls, false),
            (Physical::Int32 { .. }, Self::Signed(low, high)) => {
                Statistics::int32(Some(*low as i32), Some(*high as i32), None, nulls, false)
            }
            (Physical::Int32 { .. }, Self::Unsigned(low, high)) => {
                Statistics::int32(Some(*low as i32), Some(*high as i32), None, nulls, false)
            }
            (Physical::Int32 { .. }, _) => Statistics::int32(None, None, None, nulls, false),
            (Physical::Int64 { .. }, Self::Signed(low, high)) => {
                Statistics::int64(Some(*low), Some(*high), None, nulls, false)
            }
            (Physical::Int64 { .. }, Self::Unsigned(low, high)) => {
                Statistics::int64(Some(low.cast_signed()), Some(high.cast_signed()), None, nulls, false)
            }
            (Physical::Int64 { .. }, _) => Statistics::int64(None, None, None, nulls, false),
            (Physical::Float, Self::Double(low, high)) => {
                let (low, high) = signed_zero(*low, *high);
                Statistics::float(Some(low as f32), Some(high as f32), None, nulls, false)
            }
            (Physical::Float, _) => Statistics::float(None, None, None, nulls, false),
            (Physical::Double, Self::Double(low, high)) => {
                let (low, high) = signed_zero(*low, *high);
                Statistics::double(Some(low), Some(high), None, nulls, false)
            }
            (Physical::Double, _) => Statistics::double(None, None, None, nulls, false),
            (Physical::Bytes, Self::Bytes(low, high)) => bytes_statistics(low, high, nulls),
            (Physical::Bytes, _) => Statistics::byte_array(None, None, None, nulls, false),
            (Physical::Fixed(_), _) => {
                Statistics::fixed_len_byte_array(None::<FixedLenByteArray>, None, None, nulls, false)
            }
        }
    }
}

fn bytes_statistics(low: &[u8], high: &[u8], nulls: Option<u64>) -> Statistics {
    let (short_low, short_high) = (cut(low), next_after_cut(high));
    let exact_high = high.len() <= LONGEST;
    let statistics = ValueStatistics::new(
        Some(ByteArray::from(short_low.to_vec())),
        short_high.map(ByteArray::from),
        None,
        nulls,
        false,
    );
    Statistics::ByteArray(statistics.with_min_is_exact(short_low.len() == low.len()).with_max_is_exact(exact_high))
}

/// The first bytes, cut between characters.
fn cut(value: &[u8]) -> &[u8] {
    if value.len() <= LONGEST {
        return value;
    }
    let continues = |at: usize| value.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let end = (0..=LONGEST).rev().find(|at| !continues(*at)).unwrap_or(LONGEST);
    value.get(..if end == 0 { LONGEST } else { end }).unwrap_or_default()
}

/// A short text that is greater than every text that begins like `value`; none if there is no simple one.
fn next_after_cut(value: &[u8]) -> Option<Vec<u8>> {
    let mut short = cut(value).to_vec();
    if short.len() == value.len() {
        return Some(short);
    }
    while let Some(last) = short.pop() {
        if last < 0x7f {
            short.push(last + 1);
            return Some(short);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

    use super::*;

    #[test]
    fn long_texts_are_bounded() {
        let long = "ä".repeat(100);
        assert_eq!(cut(long.as_bytes()).len(), 64);
        assert!(next_after_cut(long.as_bytes()).is_none());
        let ascii = "x".repeat(100);
        let above = next_after_cut(ascii.as_bytes()).unwrap();
        assert!(above.as_slice() > ascii.as_bytes());
        assert_eq!(above.len(), 64);
        assert!(cut(ascii.as_bytes()) < ascii.as_bytes());
    }

    #[test]
    fn floats_leave_nan_out() {
        let mut bounds = Bounds::None;
        bounds.add_floats([f64::NAN].into_iter());
        assert_eq!(bounds, Bounds::None);
        bounds.add_floats([f64::NAN, 0.0, 2.0].into_iter());
        assert_eq!(bounds, Bounds::Double(0.0, 2.0));
        let Statistics::Double(statistics) = bounds.statistics(Physical::Double, 0) else { panic!() };
        assert!(statistics.min_opt().unwrap().is_sign_negative());
    }

    #[test]
    fn unsigned_numbers_are_compared_as_such() {
        let mut bounds = Bounds::None;
        let physical = Physical::Int32 { signed: false };
        bounds.add_integers(physical, [i64::from(u32::MAX.cast_signed()), 5].into_iter());
        assert_eq!(bounds, Bounds::Unsigned(5, u64::from(u32::MAX)));
    }
}
