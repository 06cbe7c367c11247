//! Decimals, 16 bytes each.

use super::{Builder, Validity, Value};
use crate::{Column, Values};

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
