//! One column's values as a guest sees them.

use crate::mask::{Mask, bit, count_ones};
use crate::view::{BinaryView, BitView, DecimalView, StrView};

/// Which form a column is read in; see the contract's table. `Typed` is the one that this SDK is quick at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Form {
    /// numbers as numbers, text and bytes as offsets and data
    #[default]
    Typed,
    /// everything as little-endian bytes
    Raw,
    /// text as one string a row
    Strings,
}

/// The values of a column in one of the contract's forms. A row that is null has some value in its place.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// boolean: one bit a row, least significant first
    Bits(Vec<u8>),
    /// int8
    Int8(Vec<i8>),
    /// int16
    Int16(Vec<i16>),
    /// int32, date32
    Int32(Vec<i32>),
    /// int64, timestamp
    Int64(Vec<i64>),
    /// uint8
    Uint8(Vec<u8>),
    /// uint16
    Uint16(Vec<u16>),
    /// uint32
    Uint32(Vec<u32>),
    /// uint64
    Uint64(Vec<u64>),
    /// float32
    Float32(Vec<f32>),
    /// float64
    Float64(Vec<f64>),
    /// utf8, binary: row i is `data[offsets[i] .. offsets[i + 1]]`; one offset more than rows, the first is 0
    Variable {
        /// one more than rows; none is smaller than the one before
        offsets: Vec<i32>,
        /// the rows' bytes, one after another
        data: Vec<u8>,
    },
    /// little-endian, 1, 2, 4, 8 or 16 bytes a row; decimal128 has 16
    FixedBytes(Vec<u8>),
    /// as `Variable`, the offsets as little-endian bytes
    VariableBytes {
        /// 4 bytes each
        offsets: Vec<u8>,
        /// the rows' bytes, one after another
        data: Vec<u8>,
    },
    /// utf8: none = null
    Strings(Vec<Option<String>>),
}

/// One column: values, and which of them are there.
///
/// ```
/// use sluicebox_stage::Column;
/// let delay = Column::from_options([Some(2.0), None, Some(-7.0)]);
/// assert_eq!(delay.null_count(), 1);
/// let Some(values) = delay.as_f64() else { panic!("not a float64") };
/// let late = (0..delay.rows()).filter(|row| delay.is_valid(*row) && values[*row] > 0.0).count();
/// assert_eq!(late, 1);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The values.
    pub values: Values,
    /// One bit a row, 1 = present, least significant first; none = no nulls.
    pub validity: Option<Vec<u8>>,
    rows: usize,
}

macro_rules! slices {
    ($($(#[$doc:meta])* $as_name:ident, $from_name:ident, $native:ty, $variant:ident;)*) => {
        /// Typed values; none where the column is of another type. Timestamps are `i64`, dates `i32`.
        impl Column {
            $(
                #[doc = concat!("The values of a column of `", stringify!($native), "`.")]
                pub fn $as_name(&self) -> Option<&[$native]> {
                    match &self.values {
                        Values::$variant(values) => Some(values),
                        _ => None,
                    }
                }

                #[doc = concat!("A column of `", stringify!($native), "` without nulls.")]
                pub fn $from_name(values: Vec<$native>) -> Self {
                    let rows = values.len();
                    Self { values: Values::$variant(values), validity: None, rows }
                }
            )*
        }
    };
}

slices! {
    as_i8, from_i8, i8, Int8;
    as_i16, from_i16, i16, Int16;
    as_i32, from_i32, i32, Int32;
    as_i64, from_i64, i64, Int64;
    as_u8, from_u8, u8, Uint8;
    as_u16, from_u16, u16, Uint16;
    as_u32, from_u32, u32, Uint32;
    as_u64, from_u64, u64, Uint64;
    as_f32, from_f32, f32, Float32;
    as_f64, from_f64, f64, Float64;
}

impl Column {
    /// A column of these parts. Nothing is checked here: the host checks it when a batch is made of it.
    pub fn new(values: Values, validity: Option<Vec<u8>>, rows: usize) -> Self {
        Self { values, validity, rows }
    }

    /// A column of a value or a null for each item; the type is that of the items.
    ///
    /// ```
    /// use sluicebox_stage::Column;
    /// assert_eq!(Column::from_options([Some("EWR"), None]).null_count(), 1);
    /// assert_eq!(Column::from_options([Some(true), None]).null_count(), 1);
    /// ```
    pub fn from_options<T: crate::build::Value>(values: impl IntoIterator<Item = Option<T>>) -> Self {
        crate::build::from_options(values)
    }

    /// A column of a value for each item; the type is that of the items.
    pub fn from_values<T: crate::build::Value>(values: impl IntoIterator<Item = T>) -> Self {
        crate::build::from_options(values.into_iter().map(Some))
    }

    /// A column of booleans without nulls.
    pub fn from_bools(values: impl IntoIterator<Item = bool>) -> Self {
        Self::from_mask(Mask::from_bools(values))
    }

    /// A column of booleans without nulls.
    pub fn from_mask(mask: Mask) -> Self {
        let rows = mask.rows();
        Self { values: Values::Bits(mask.into_bytes()), validity: None, rows }
    }

    /// A column of text without nulls.
    pub fn from_strs<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Self {
        let mut builder = crate::Utf8Builder::new();
        values.into_iter().for_each(|value| builder.push(value.as_ref()));
        builder.finish()
    }

    /// The same values where only rows of `mask` are there; the others are null, as are those that were.
    #[must_use]
    pub fn valid_where(mut self, mask: &Mask) -> Self {
        let mask = match self.validity.take() {
            Some(old) => Mask::from_bits(old, self.rows).and(mask),
            None => mask.clone(),
        };
        if mask.count_ones() < self.rows {
            self.validity = Some(Mask::from_bits(mask.into_bytes(), self.rows).into_bytes());
        }
        self
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether the row holds a value; past the end there is none.
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        row < self.rows && self.validity.as_deref().is_none_or(|bits| bit(bits, row))
    }

    /// Whether the row is null or past the end.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        !self.is_valid(row)
    }

    /// How many rows are null.
    pub fn null_count(&self) -> usize {
        match &self.validity {
            None => 0,
            Some(bits) => self.rows - count_ones(bits).min(self.rows),
        }
    }

    /// The rows that hold a value, as a mask.
    pub fn valid(&self) -> Mask {
        match &self.validity {
            None => Mask::all(self.rows),
            Some(bits) => Mask::from_bits(bits.clone(), self.rows),
        }
    }

    /// Text by row; none where the column is not text and bytes in typed form, or is not UTF-8. The bytes are checked
    /// once, here.
    pub fn strs(&self) -> Option<StrView<'_>> {
        match &self.values {
            Values::Variable { offsets, data } => StrView::new(offsets, data, self.validity.as_deref()),
            _ => None,
        }
    }

    /// Bytes by row; none where the column is neither text nor bytes in typed form.
    pub fn bytes(&self) -> Option<BinaryView<'_>> {
        match &self.values {
            Values::Variable { offsets, data } => Some(BinaryView::new(offsets, data, self.validity.as_deref())),
            _ => None,
        }
    }

    /// Booleans by row; none where the column is of another type.
    pub fn bits(&self) -> Option<BitView<'_>> {
        match &self.values {
            Values::Bits(bits) => Some(BitView::new(bits, self.validity.as_deref(), self.rows)),
            _ => None,
        }
    }

    /// Decimals by row, unscaled; none where the column has not 16 bytes a row.
    pub fn decimals(&self) -> Option<DecimalView<'_>> {
        match &self.values {
            Values::FixedBytes(bytes) => DecimalView::new(bytes, self.validity.as_deref(), self.rows),
            _ => None,
        }
    }
}
