//! Columns of values, and literals as columns of one row.

use std::sync::Arc;

use crate::{bits, node::RowError, types::Type};

/// The values of a column by how they are stored: dates as `Int32`, timestamps as `Int64`, binary as `Text`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    Bool(Vec<u8>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    UInt8(Vec<u8>),
    UInt16(Vec<u16>),
    UInt32(Vec<u32>),
    UInt64(Vec<u64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Decimal(Vec<i128>),
    Text(Strings),
}

/// Texts one after another; text i is `data[offsets[i]..offsets[i + 1]]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Strings {
    pub(crate) offsets: Vec<i32>,
    pub(crate) data: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Vector {
    pub(crate) rows: usize,
    pub(crate) data: Data,
    /// bits of the rows that are not null; none = no nulls
    pub(crate) validity: Option<Vec<u8>>,
}

/// A column, or one value that stands for every row.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) vector: Arc<Vector>,
    pub(crate) scalar: bool,
}

/// Values of one type: a column, or one value for every row.
#[derive(Clone, Copy)]
pub(crate) enum Slice<'a, T> {
    Column(&'a [T]),
    One(T),
}

impl<T: Copy + Default> Slice<'_, T> {
    pub(crate) fn get(&self, row: usize) -> T {
        match self {
            Slice::Column(values) => values.get(row).copied().unwrap_or_default(),
            Slice::One(value) => *value,
        }
    }
}

impl Vector {
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.validity.as_ref().is_some_and(|validity| !bits::get(validity, row))
    }
}

impl Value {
    pub(crate) fn column(data: Data, validity: Option<Vec<u8>>, rows: usize) -> Self {
        Self { vector: Arc::new(Vector { rows, data, validity }), scalar: false }
    }

    pub(crate) fn literal(data: Data) -> Self {
        Self { vector: Arc::new(Vector { rows: 1, data, validity: None }), scalar: true }
    }

    /// The null of a type, as a literal.
    pub(crate) fn null(of: &Type) -> Self {
        let vector = Vector { rows: 1, data: Data::zeros(of, 1), validity: Some(vec![0]) };
        Self { vector: Arc::new(vector), scalar: true }
    }

    pub(crate) fn is_null_literal(&self) -> bool {
        self.scalar && self.vector.is_null(0)
    }

    pub(crate) fn data(&self) -> &Data {
        &self.vector.data
    }

    pub(crate) fn validity(&self) -> Option<&[u8]> {
        self.vector.validity.as_deref()
    }

    /// Where in the vector the value of a row stands.
    pub(crate) fn at(&self, row: usize) -> usize {
        if self.scalar { 0 } else { row }
    }

    pub(crate) fn valid(&self, row: usize) -> bool {
        !self.vector.is_null(self.at(row))
    }

    /// The vector itself, without a copy where nobody else holds it.
    pub(crate) fn into_vector(self) -> Vector {
        Arc::try_unwrap(self.vector).unwrap_or_else(|shared| (*shared).clone())
    }

    /// One value for each of `rows` rows.
    pub(crate) fn spread(self, rows: usize) -> Result<Vector, RowError> {
        if !self.scalar {
            return Ok(self.into_vector());
        }
        let validity = self.vector.is_null(0).then(|| bits::filled(rows, false));
        Ok(Vector { rows, data: self.vector.data.repeat(rows)?, validity })
    }

    pub(crate) fn strings(&self) -> Texts<'_> {
        match self.data() {
            Data::Text(strings) => Texts {
                text: std::str::from_utf8(&strings.data).unwrap_or(""),
                bytes: &strings.data,
                offsets: &strings.offsets,
                scalar: self.scalar,
            },
            _ => Texts { text: "", bytes: &[], offsets: &[], scalar: self.scalar },
        }
    }
}

/// Rows of text, or of bytes. A row that cannot be read, which only a mistake within this crate makes, is empty.
#[derive(Clone, Copy)]
pub(crate) struct Texts<'a> {
    text: &'a str,
    pub(crate) bytes: &'a [u8],
    pub(crate) offsets: &'a [i32],
    scalar: bool,
}

impl<'a> Texts<'a> {
    /// An offset below 0, which the host does not let pass, becomes one behind the end.
    fn range(&self, row: usize) -> std::ops::Range<usize> {
        let row = if self.scalar { 0 } else { row };
        match self.offsets.get(row..row + 2) {
            Some([from, to]) => *from as usize..*to as usize,
            _ => 0..0,
        }
    }

    pub(crate) fn get(&self, row: usize) -> &'a str {
        self.text.get(self.range(row)).unwrap_or("")
    }

    pub(crate) fn bytes(&self, row: usize) -> &'a [u8] {
        self.bytes.get(self.range(row)).unwrap_or(&[])
    }
}

macro_rules! slices {
    ($($name:ident $variant:ident $type:ty),*) => {
        impl Value {
            $(
                pub(crate) fn $name(&self) -> Slice<'_, $type> {
                    match self.data() {
                        Data::$variant(values) if self.scalar => Slice::One(values.first().copied().unwrap_or_default()),
                        Data::$variant(values) => Slice::Column(values),
                        _ => Slice::One(Default::default()),
                    }
                }
            )*
        }
    };
}
slices!(int32s Int32 i32, int64s Int64 i64, uint64s UInt64 u64, float64s Float64 f64, decimals Decimal i128);

macro_rules! each {
    ($data:expr, $values:ident => $fixed:expr, $strings:ident => $text:expr, $bits:ident => $bool:expr) => {
        match $data {
            Data::Bool($bits) => Data::Bool($bool),
            Data::Int8($values) => Data::Int8($fixed),
            Data::Int16($values) => Data::Int16($fixed),
            Data::Int32($values) => Data::Int32($fixed),
            Data::Int64($values) => Data::Int64($fixed),
            Data::UInt8($values) => Data::UInt8($fixed),
            Data::UInt16($values) => Data::UInt16($fixed),
            Data::UInt32($values) => Data::UInt32($fixed),
            Data::UInt64($values) => Data::UInt64($fixed),
            Data::Float32($values) => Data::Float32($fixed),
            Data::Float64($values) => Data::Float64($fixed),
            Data::Decimal($values) => Data::Decimal($fixed),
            Data::Text($strings) => Data::Text($text),
        }
    };
}

impl Data {
    pub(crate) fn zeros(of: &Type, rows: usize) -> Data {
        match of {
            Type::Null | Type::Boolean => Data::Bool(vec![0; bits::bytes(rows)]),
            Type::Int8 => Data::Int8(vec![0; rows]),
            Type::Int16 => Data::Int16(vec![0; rows]),
            Type::Int32 | Type::Date => Data::Int32(vec![0; rows]),
            Type::Int64 | Type::Timestamp(_) => Data::Int64(vec![0; rows]),
            Type::UInt8 => Data::UInt8(vec![0; rows]),
            Type::UInt16 => Data::UInt16(vec![0; rows]),
            Type::UInt32 => Data::UInt32(vec![0; rows]),
            Type::UInt64 => Data::UInt64(vec![0; rows]),
            Type::Float32 => Data::Float32(vec![0.0; rows]),
            Type::Float64 => Data::Float64(vec![0.0; rows]),
            Type::Decimal(..) => Data::Decimal(vec![0; rows]),
            Type::Utf8 | Type::Binary | Type::Other(_) => {
                Data::Text(Strings { offsets: vec![0; rows + 1], data: Vec::new() })
            }
        }
    }

    /// The first value, `rows` times.
    fn repeat(&self, rows: usize) -> Result<Data, RowError> {
        Ok(each!(self,
            values => vec![values.first().copied().unwrap_or_default(); rows],
            strings => {
                let width = strings.data.len();
                let end = |row: usize| row.checked_mul(width).and_then(|end| i32::try_from(end).ok());
                let Some(offsets) = (0..=rows).map(end).collect() else {
                    return Err(RowError::new(0, "the texts of this column are longer than 2 GiB together"));
                };
                Strings { offsets, data: strings.data.repeat(rows) }
            },
            bits => bits::filled(rows, bits::get(bits, 0))
        ))
    }
}

/// Makes texts, row after row.
pub(crate) struct TextBuilder {
    pub(crate) strings: Strings,
    /// the first row that no longer fitted into 2 GiB
    full: Option<usize>,
}

impl TextBuilder {
    pub(crate) fn new(rows: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { strings: Strings { offsets, data: Vec::with_capacity(bytes) }, full: None }
    }

    /// Ends the row, whose bytes have been pushed to `strings.data`.
    pub(crate) fn end(&mut self) {
        match i32::try_from(self.strings.data.len()) {
            Ok(end) => self.strings.offsets.push(end),
            Err(_) => {
                let last = self.strings.offsets.last().copied().unwrap_or(0);
                self.full.get_or_insert(self.strings.offsets.len() - 1);
                self.strings.data.truncate(usize::try_from(last).unwrap_or(0));
                self.strings.offsets.push(last);
            }
        }
    }

    pub(crate) fn push(&mut self, text: &[u8]) {
        self.strings.data.extend_from_slice(text);
        self.end();
    }

    /// Bytes that still fit.
    pub(crate) fn room(&self) -> usize {
        (i32::MAX as usize).saturating_sub(self.strings.data.len())
    }

    /// Marks this row as one that does not fit.
    pub(crate) fn overflow(&mut self) {
        self.full.get_or_insert(self.strings.offsets.len() - 1);
        self.end();
    }

    pub(crate) fn finish(self) -> Result<Data, RowError> {
        match self.full {
            None => Ok(Data::Text(self.strings)),
            Some(row) => Err(RowError::new(row, "the texts of this column are longer than 2 GiB together")),
        }
    }
}
