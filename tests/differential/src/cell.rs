//! Answers of both sides as values that can be compared.

use datafusion::arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{
        DataType as ArrowType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
        Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
        TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use sluicebox_stage::{Column, DataType, Field, Values};

/// One value, whatever its width.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// null
    Null,
    /// boolean
    Bool(bool),
    /// a whole number
    Int(i128),
    /// a float
    Float(f64),
    /// text; bytes as hexadecimal digits
    Text(String),
    /// days
    Date(i64),
    /// microseconds
    Time(i64),
    /// a decimal, without zeros behind
    Decimal(i128, i8),
}

impl Cell {
    /// Whether both are the same; floats to a relative 1e-12, for libraries round differently.
    pub fn is(&self, other: &Cell) -> bool {
        match (self, other) {
            (Cell::Float(a), Cell::Float(b)) => close(*a, *b),
            (Cell::Int(a), Cell::Float(b)) | (Cell::Float(b), Cell::Int(a)) => close(*a as f64, *b),
            (a, b) => a == b,
        }
    }
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-12 * a.abs().max(b.abs()) || (a - b).abs() < 1e-300
}

fn decimal(mut value: i128, mut scale: i8) -> Cell {
    while scale > 0 && value % 10 == 0 {
        value /= 10;
        scale -= 1;
    }
    Cell::Decimal(value, scale)
}

/// The values of our column.
pub fn ours(field: &Field, column: &Column) -> Vec<Cell> {
    let scale = field.precision_and_scale().map_or(0, |(_, scale)| scale);
    let cell = |row: usize| {
        if column.is_null(row) {
            return Some(Cell::Null);
        }
        Some(match (&column.values, field.data_type) {
            (Values::Bits(bits), _) => Cell::Bool(bits.get(row / 8)? >> (row % 8) & 1 == 1),
            (Values::Int32(values), DataType::Date32) => Cell::Date(i64::from(*values.get(row)?)),
            (Values::Int64(values), DataType::Timestamp) => Cell::Time(*values.get(row)?),
            (Values::Int8(values), _) => Cell::Int(i128::from(*values.get(row)?)),
            (Values::Int16(values), _) => Cell::Int(i128::from(*values.get(row)?)),
            (Values::Int32(values), _) => Cell::Int(i128::from(*values.get(row)?)),
            (Values::Int64(values), _) => Cell::Int(i128::from(*values.get(row)?)),
            (Values::Uint8(values), _) => Cell::Int(i128::from(*values.get(row)?)),
            (Values::Uint16(values), _) => Cell::Int(i128::from(*values.get(row)?)),
            (Values::Uint32(values), _) => Cell::Int(i128::from(*values.get(row)?)),
            (Values::Uint64(values), _) => Cell::Int(i128::from(*values.get(row)?)),
            (Values::Float32(values), _) => Cell::Float(f64::from(*values.get(row)?)),
            (Values::Float64(values), _) => Cell::Float(*values.get(row)?),
            (Values::Variable { .. }, DataType::Utf8) => Cell::Text(column.strs()?.get(row)?.to_owned()),
            (Values::Variable { .. }, _) => Cell::Text(hex(column.bytes()?.get(row)?)),
            (Values::FixedBytes(bytes), _) => decimal(i128::from_le_bytes(*bytes.as_chunks::<16>().0.get(row)?), scale),
            _ => return None,
        })
    };
    (0..column.rows())
        .map(|row| cell(row).unwrap_or_else(|| Cell::Text("a column that does not fit its field".to_owned())))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The values of DataFusion's column.
pub fn theirs(array: &ArrayRef) -> Vec<Cell> {
    let cell = |row: usize| {
        if array.is_null(row) {
            return Cell::Null;
        }
        macro_rules! int {
            ($type:ty) => {
                Cell::Int(i128::from(array.as_primitive::<$type>().value(row)))
            };
        }
        match array.data_type() {
            ArrowType::Null => Cell::Null,
            ArrowType::Boolean => Cell::Bool(array.as_boolean().value(row)),
            ArrowType::Int8 => int!(Int8Type),
            ArrowType::Int16 => int!(Int16Type),
            ArrowType::Int32 => int!(Int32Type),
            ArrowType::Int64 => int!(Int64Type),
            ArrowType::UInt8 => int!(UInt8Type),
            ArrowType::UInt16 => int!(UInt16Type),
            ArrowType::UInt32 => int!(UInt32Type),
            ArrowType::UInt64 => int!(UInt64Type),
            ArrowType::Float32 => Cell::Float(f64::from(array.as_primitive::<Float32Type>().value(row))),
            ArrowType::Float64 => Cell::Float(array.as_primitive::<Float64Type>().value(row)),
            ArrowType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
            ArrowType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row).to_owned()),
            ArrowType::Utf8View => Cell::Text(array.as_string_view().value(row).to_owned()),
            ArrowType::Binary => Cell::Text(hex(array.as_binary::<i32>().value(row))),
            ArrowType::BinaryView => Cell::Text(hex(array.as_binary_view().value(row))),
            ArrowType::Date32 => Cell::Date(i64::from(array.as_primitive::<Date32Type>().value(row))),
            ArrowType::Timestamp(unit, _) => Cell::Time(match unit {
                TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row) * 1_000_000,
                TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row) * 1000,
                TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
                TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1000),
            }),
            ArrowType::Decimal128(_, scale) => decimal(array.as_primitive::<Decimal128Type>().value(row), *scale),
            other => Cell::Text(format!("a column of {other}")),
        }
    };
    (0..array.len()).map(cell).collect()
}
