//! Booleans, a bit each.

use super::{Builder, Validity, Value};
use crate::{Column, Values};

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
