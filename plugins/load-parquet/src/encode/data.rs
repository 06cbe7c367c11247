//! A column's values in the form in which Parquet stores them.

use std::borrow::Cow;

/// How the values of a column are stored, compared and bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Physical {
    Boolean,
    Int32 {
        signed: bool,
    },
    Int64 {
        signed: bool,
    },
    Float,
    Double,
    Bytes,
    /// big-endian two's complement of so many bytes
    Fixed(usize),
}

/// Values of one batch; there is one for each row, null or not.
pub(crate) enum Data<'a> {
    Boolean(&'a [u8]),
    Int32(Cow<'a, [i32]>),
    Int64(Cow<'a, [i64]>),
    Float(&'a [f32]),
    Double(&'a [f64]),
    Bytes { offsets: &'a [i32], data: &'a [u8] },
    Fixed { width: usize, data: Vec<u8> },
}

/// A value of fixed width that has a place in a dictionary.
pub(crate) trait Value: Copy {
    fn bits(self) -> u64;
    fn from_bits(bits: u64) -> Self;
    fn push(values: &[Self], out: &mut Vec<u8>);
}

macro_rules! values {
    ($($type:ty, $bits:ty, |$value:ident| $to:expr, |$word:ident| $from:expr;)*) => {$(
        impl Value for $type {
            #[inline]
            fn bits(self) -> u64 {
                let $value = self;
                u64::from($to)
            }
            #[inline]
            #[allow(clippy::cast_possible_truncation, reason = "the bits came from a value of this width")]
            fn from_bits(bits: u64) -> Self {
                let $word = bits as $bits;
                $from
            }
            fn push(values: &[Self], out: &mut Vec<u8>) {
                let start = out.len();
                out.resize(start + size_of_val(values), 0);
                let places = out.get_mut(start..).unwrap_or_default();
                for (place, value) in places.as_chunks_mut::<{ size_of::<$type>() }>().0.iter_mut().zip(values) {
                    *place = value.to_le_bytes();
                }
            }
        }
    )*};
}

values! {
    i32, u32, |value| value.cast_unsigned(), |word| word.cast_signed();
    i64, u64, |value| value.cast_unsigned(), |word| word.cast_signed();
    f32, u32, |value| value.to_bits(), |word| f32::from_bits(word);
    f64, u64, |value| value.to_bits(), |word| f64::from_bits(word);
}

/// Bit `row`, least significant first.
#[inline]
pub(crate) fn bit(bits: &[u8], row: usize) -> bool {
    bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
}

/// How many of the rows `from .. from + rows` have their bit set; `from` is a multiple of 8.
pub(crate) fn count_ones(bits: &[u8], from: usize, rows: usize) -> usize {
    let whole = bits.get(from / 8..(from + rows) / 8).unwrap_or_default();
    let ones: u32 = whole.iter().map(|byte| byte.count_ones()).sum();
    let tail = (from + rows) / 8 * 8..from + rows;
    ones as usize + tail.filter(|row| bit(bits, *row)).count()
}

/// Calls `each` with every row of `from .. from + rows` whose bit is set, in order; `from` is a multiple of 8.
#[inline]
pub(crate) fn each_present(validity: Option<&[u8]>, from: usize, rows: usize, mut each: impl FnMut(usize)) {
    let Some(bits) = validity else {
        (from..from + rows).for_each(each);
        return;
    };
    for (byte, base) in bits.iter().skip(from / 8).zip((from..from + rows).step_by(8)) {
        let inside = (from + rows - base).min(8);
        let mut left = if inside == 8 { *byte } else { *byte & ((1 << inside) - 1) };
        if left == 0xff {
            (base..base + 8).for_each(&mut each);
            continue;
        }
        while left != 0 {
            each(base + left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }
}

/// The values of the rows that are present.
#[inline]
pub(crate) fn present<'a, T: Copy>(
    values: &'a [T],
    validity: Option<&[u8]>,
    from: usize,
    rows: usize,
    scratch: &'a mut Vec<T>,
) -> &'a [T] {
    let Some(slice) = values.get(from..from + rows) else { return &[] };
    if validity.is_none() {
        return slice;
    }
    scratch.clear();
    scratch.reserve(rows);
    each_present(validity, from, rows, |row| {
        if let Some(value) = values.get(row) {
            scratch.push(*value);
        }
    });
    scratch
}
