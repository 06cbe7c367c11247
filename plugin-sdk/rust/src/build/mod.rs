//! Columns made row by row.

mod bits;
mod bytes;
mod decimal;

pub use bits::BooleanBuilder;
pub use bytes::{BinaryBuilder, Utf8Builder};
pub use decimal::Decimal128Builder;

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
