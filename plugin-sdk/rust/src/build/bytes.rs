//! Text and bytes: one buffer, and where each row ends.

use super::{Builder, Validity, Value};
use crate::{Column, Values};

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
