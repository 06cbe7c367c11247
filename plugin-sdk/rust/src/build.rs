//! Columns made row by row.

use crate::{Column, Values};

/// A number that a column can hold as it is.
pub trait Native: Copy + Default {
    /// The values as a column holds them.
    fn into_values(values: Vec<Self>) -> Values;
}

/// A value that knows the type of its column; for [`Column::from_options`].
pub trait Value {
    /// What makes the column.
    type Builder: Builder<Item = Self>;
}

/// What all builders have in common.
pub trait Builder: Default {
    /// What one row is made of.
    type Item;
    /// Adds a row, or a null.
    fn push_option(&mut self, value: Option<Self::Item>);
    /// The column.
    fn finish(self) -> Column;
}

pub(crate) fn from_options<T: Value>(values: impl IntoIterator<Item = Option<T>>) -> Column {
    let mut builder = T::Builder::default();
    values.into_iter().for_each(|value| builder.push_option(value));
    builder.finish()
}

/// Which rows are there. No memory until the first null.
#[derive(Clone, Debug, Default)]
struct Validity {
    bits: Vec<u8>,
    // bits of rows before the first null are not kept; then all are
    any_null: bool,
}

impl Validity {
    #[inline]
    fn valid(&mut self, row: usize) {
        if self.any_null {
            self.push(row, true);
        }
    }

    fn null(&mut self, row: usize) {
        if !self.any_null {
            self.any_null = true;
            self.bits = crate::Mask::all(row).into_bytes();
        }
        self.push(row, false);
    }

    #[inline]
    fn push(&mut self, row: usize, valid: bool) {
        if row.is_multiple_of(8) {
            self.bits.push(u8::from(valid));
        } else if let Some(last) = self.bits.last_mut() {
            *last |= u8::from(valid) << (row % 8);
        }
    }

    fn finish(self) -> Option<Vec<u8>> {
        self.any_null.then_some(self.bits)
    }
}

/// Makes a column of numbers. Dates are [`Int32Builder`] (days), timestamps [`Int64Builder`] (microseconds).
///
/// ```
/// use sluicebox_stage::Int64Builder;
/// let mut builder = Int64Builder::with_capacity(2);
/// builder.push(7);
/// builder.push_null();
/// let column = builder.finish();
/// assert_eq!((column.rows(), column.null_count()), (2, 1));
/// ```
#[derive(Clone, Debug, Default)]
pub struct PrimitiveBuilder<T> {
    values: Vec<T>,
    validity: Validity,
}

impl<T: Native> PrimitiveBuilder<T> {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty builder with room for so many rows.
    pub fn with_capacity(rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows), validity: Validity::default() }
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, value: T) {
        self.validity.valid(self.values.len());
        self.values.push(value);
    }

    /// Adds a null.
    #[inline]
    pub fn push_null(&mut self) {
        self.validity.null(self.values.len());
        self.values.push(T::default());
    }

    /// Adds a row, or a null.
    #[inline]
    pub fn push_option(&mut self, value: Option<T>) {
        match value {
            Some(value) => self.push(value),
            None => self.push_null(),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The column.
    pub fn finish(self) -> Column {
        let rows = self.values.len();
        Column::new(T::into_values(self.values), self.validity.finish(), rows)
    }
}

impl<T: Native> Builder for PrimitiveBuilder<T> {
    type Item = T;
    fn push_option(&mut self, value: Option<T>) {
        Self::push_option(self, value);
    }
    fn finish(self) -> Column {
        Self::finish(self)
    }
}

macro_rules! natives {
    ($($native:ty, $variant:ident, $builder:ident;)*) => {
        $(
            impl Native for $native {
                fn into_values(values: Vec<Self>) -> Values {
                    Values::$variant(values)
                }
            }

            impl Value for $native {
                type Builder = PrimitiveBuilder<$native>;
            }

            #[doc = concat!("Makes a column of `", stringify!($native), "`.")]
            pub type $builder = PrimitiveBuilder<$native>;
        )*
    };
}

natives! {
    i8, Int8, Int8Builder;
    i16, Int16, Int16Builder;
    i32, Int32, Int32Builder;
    i64, Int64, Int64Builder;
    u8, Uint8, Uint8Builder;
    u16, Uint16, Uint16Builder;
    u32, Uint32, Uint32Builder;
    u64, Uint64, Uint64Builder;
    f32, Float32, Float32Builder;
    f64, Float64, Float64Builder;
}

/// Makes a column of booleans.
#[derive(Clone, Debug, Default)]
pub struct BooleanBuilder {
    bits: Vec<u8>,
    rows: usize,
    validity: Validity,
}

impl BooleanBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty builder with room for so many rows.
    pub fn with_capacity(rows: usize) -> Self {
        Self { bits: Vec::with_capacity(rows.div_ceil(8)), ..Self::default() }
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, value: bool) {
        self.validity.valid(self.rows);
        self.push_bit(value);
    }

    /// Adds a null.
    #[inline]
    pub fn push_null(&mut self) {
        self.validity.null(self.rows);
        self.push_bit(false);
    }

    /// Adds a row, or a null.
    #[inline]
    pub fn push_option(&mut self, value: Option<bool>) {
        match value {
            Some(value) => self.push(value),
            None => self.push_null(),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The column.
    pub fn finish(self) -> Column {
        Column::new(Values::Bits(self.bits), self.validity.finish(), self.rows)
    }

    #[inline]
    fn push_bit(&mut self, value: bool) {
        if self.rows.is_multiple_of(8) {
            self.bits.push(u8::from(value));
        } else if let Some(last) = self.bits.last_mut() {
            *last |= u8::from(value) << (self.rows % 8);
        }
        self.rows += 1;
    }
}

impl Builder for BooleanBuilder {
    type Item = bool;
    fn push_option(&mut self, value: Option<bool>) {
        Self::push_option(self, value);
    }
    fn finish(self) -> Column {
        Self::finish(self)
    }
}

impl Value for bool {
    type Builder = BooleanBuilder;
}

/// Makes a column of bytes.
#[derive(Clone, Debug)]
pub struct BinaryBuilder {
    offsets: Vec<i32>,
    data: Vec<u8>,
    validity: Validity,
}

impl Default for BinaryBuilder {
    fn default() -> Self {
        Self { offsets: vec![0], data: Vec::new(), validity: Validity::default() }
    }
}

impl BinaryBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty builder with room for so many rows and bytes in all.
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { offsets, data: Vec::with_capacity(bytes), validity: Validity::default() }
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, value: &[u8]) {
        self.data.extend_from_slice(value);
        self.end_row();
    }

    /// Adds a null.
    #[inline]
    pub fn push_null(&mut self) {
        self.validity.null(self.len());
        self.offsets.push(self.offsets.last().copied().unwrap_or(0));
    }

    /// Adds a row, or a null.
    #[inline]
    pub fn push_option(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => self.push(value),
            None => self.push_null(),
        }
    }

    /// Adds a row whose bytes `write` appends.
    #[inline]
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.data.len();
        write(&mut self.data);
        debug_assert!(self.data.len() >= start, "what is written stays");
        self.end_row();
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of all rows so far; a column holds at most 2 GiB, so cut the batch before.
    pub fn byte_len(&self) -> usize {
        self.data.len()
    }

    /// The column.
    pub fn finish(self) -> Column {
        let rows = self.len();
        let values = Values::Variable { offsets: self.offsets, data: self.data };
        Column::new(values, self.validity.finish(), rows)
    }

    #[inline]
    fn end_row(&mut self) {
        self.validity.valid(self.len());
        // past 2 GiB the offsets wrap, and the host refuses the column by its offsets
        self.offsets.push(self.data.len() as i32);
    }
}

impl Value for Vec<u8> {
    type Builder = BinaryBuilder;
}

impl Builder for BinaryBuilder {
    type Item = Vec<u8>;
    fn push_option(&mut self, value: Option<Vec<u8>>) {
        Self::push_option(self, value.as_deref());
    }
    fn finish(self) -> Column {
        Self::finish(self)
    }
}

/// Makes a column of text.
#[derive(Clone, Debug, Default)]
pub struct Utf8Builder(BinaryBuilder);

impl Utf8Builder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty builder with room for so many rows and bytes in all.
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self(BinaryBuilder::with_capacity(rows, bytes))
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, value: &str) {
        self.0.push(value.as_bytes());
    }

    /// Adds a null.
    #[inline]
    pub fn push_null(&mut self) {
        self.0.push_null();
    }

    /// Adds a row, or a null.
    #[inline]
    pub fn push_option(&mut self, value: Option<&str>) {
        self.0.push_option(value.map(str::as_bytes));
    }

    /// Adds a row of what is formatted, without a string in between: `builder.push_fmt(format_args!("{x:.2}"))`.
    pub fn push_fmt(&mut self, text: std::fmt::Arguments<'_>) {
        use std::io::Write;
        self.0.push_with(|data| {
            // a Vec takes all that is written to it
            let _ = data.write_fmt(text);
        });
    }

    /// Adds a row of bytes that are known to be UTF-8; the host refuses the column where they are not.
    #[inline]
    pub fn push_utf8_bytes(&mut self, value: &[u8]) {
        self.0.push(value);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of all rows so far; a column holds at most 2 GiB, so cut the batch before.
    pub fn byte_len(&self) -> usize {
        self.0.byte_len()
    }

    /// The column.
    pub fn finish(self) -> Column {
        self.0.finish()
    }
}

macro_rules! texts {
    ($($text:ty, $builder:ident $(<$life:lifetime>)?;)*) => {
        $(
            #[doc(hidden)]
            #[derive(Default)]
            pub struct $builder $(<$life>)? (Utf8Builder, std::marker::PhantomData<$text>);

            impl $(<$life>)? Builder for $builder $(<$life>)? {
                type Item = $text;
                fn push_option(&mut self, value: Option<$text>) {
                    self.0.push_option(value.as_ref().map(AsRef::as_ref));
                }
                fn finish(self) -> Column {
                    self.0.finish()
                }
            }

            impl $(<$life>)? Value for $text {
                type Builder = $builder $(<$life>)?;
            }
        )*
    };
}

texts! {
    &'a str, StrBuilder<'a>;
    String, StringBuilder;
}

/// Makes a column of 128-bit decimals, unscaled: 12.34 of scale 2 is 1234.
#[derive(Clone, Debug, Default)]
pub struct Decimal128Builder {
    bytes: Vec<u8>,
    validity: Validity,
}

impl Decimal128Builder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty builder with room for so many rows.
    pub fn with_capacity(rows: usize) -> Self {
        Self { bytes: Vec::with_capacity(rows * 16), validity: Validity::default() }
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, value: i128) {
        self.validity.valid(self.len());
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Adds a null.
    #[inline]
    pub fn push_null(&mut self) {
        self.validity.null(self.len());
        self.bytes.extend_from_slice(&[0; 16]);
    }

    /// Adds a row, or a null.
    #[inline]
    pub fn push_option(&mut self, value: Option<i128>) {
        match value {
            Some(value) => self.push(value),
            None => self.push_null(),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.bytes.len() / 16
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The column.
    pub fn finish(self) -> Column {
        let rows = self.len();
        Column::new(Values::FixedBytes(self.bytes), self.validity.finish(), rows)
    }
}

impl Builder for Decimal128Builder {
    type Item = i128;
    fn push_option(&mut self, value: Option<i128>) {
        Self::push_option(self, value);
    }
    fn finish(self) -> Column {
        Self::finish(self)
    }
}

impl Value for i128 {
    type Builder = Decimal128Builder;
}
