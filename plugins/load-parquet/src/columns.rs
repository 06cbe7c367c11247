//! Arrow columns as Parquet columns: their types, and their values.

use std::borrow::Cow;
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::schema::types::{Type, TypePtr};
use sluicebox_stage::{Column, DataType, Fault, Field, Schema, Values};

use crate::encode::{Data, Physical};

/// Decimals of up to so many digits are stored in 4 and in 8 bytes.
const DIGITS_OF_INT32: u8 = 9;
const DIGITS_OF_INT64: u8 = 18;

/// How the values of a field are stored.
///
/// # Errors
/// `invalid-config` for a type that this stage does not write.
pub(crate) fn physical(field: &Field) -> Result<Physical, Fault> {
    Ok(match field.data_type {
        DataType::Boolean => Physical::Boolean,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Date32 => Physical::Int32 { signed: true },
        DataType::Uint8 | DataType::Uint16 | DataType::Uint32 => Physical::Int32 { signed: false },
        DataType::Int64 | DataType::Timestamp => Physical::Int64 { signed: true },
        DataType::Uint64 => Physical::Int64 { signed: false },
        DataType::Float32 => Physical::Float,
        DataType::Float64 => Physical::Double,
        DataType::Utf8 | DataType::Binary => Physical::Bytes,
        DataType::Decimal128 => match decimal_of(field)?.0 {
            precision if precision <= DIGITS_OF_INT32 => Physical::Int32 { signed: true },
            precision if precision <= DIGITS_OF_INT64 => Physical::Int64 { signed: true },
            precision => Physical::Fixed(width_of(precision)),
        },
        DataType::Other => {
            return Err(Fault::invalid_config(format!(
                "column `{}` is of type {}, which load-parquet does not write; drop it or make it text before this stage (transform-select: drop = [\"{}\"])",
                field.name,
                field.detail.as_deref().unwrap_or("other"),
                field.name
            )));
        }
    })
}

fn decimal_of(field: &Field) -> Result<(u8, i8), Fault> {
    match field.precision_and_scale() {
        Some((precision @ 1..=38, scale)) if scale >= 0 && scale.unsigned_abs() <= precision => Ok((precision, scale)),
        _ => Err(Fault::invalid_config(format!(
            "column `{}` is a decimal of precision and scale {}, which Parquet cannot hold; cast it before this stage (transform-select)",
            field.name,
            field.detail.as_deref().unwrap_or("unknown")
        ))),
    }
}

/// Bytes that hold a signed number of so many decimal digits.
fn width_of(precision: u8) -> usize {
    let bits = (f64::from(precision) * std::f64::consts::LOG2_10).ceil() + 1.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 16")]
    let bytes = (bits / 8.0).ceil() as usize;
    bytes.min(16)
}

/// The schema of the file.
///
/// # Errors
/// `invalid-config` for a column that this stage does not write.
pub(crate) fn file_schema(schema: &Schema) -> Result<TypePtr, Fault> {
    let columns = schema.iter().map(file_field).collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("schema")
        .with_fields(columns)
        .build()
        .map(Arc::new)
        .map_err(|error| Fault::internal(format!("the schema of the file cannot be made: {error}")))
}

fn file_field(field: &Field) -> Result<TypePtr, Fault> {
    let utc = field.detail.is_some();
    let logical = match field.data_type {
        DataType::Int8 => Some(LogicalType::integer(8, true)),
        DataType::Int16 => Some(LogicalType::integer(16, true)),
        DataType::Uint8 => Some(LogicalType::integer(8, false)),
        DataType::Uint16 => Some(LogicalType::integer(16, false)),
        DataType::Uint32 => Some(LogicalType::integer(32, false)),
        DataType::Uint64 => Some(LogicalType::integer(64, false)),
        DataType::Utf8 => Some(LogicalType::String),
        DataType::Date32 => Some(LogicalType::Date),
        DataType::Timestamp => Some(LogicalType::timestamp(utc, TimeUnit::MICROS)),
        DataType::Decimal128 => {
            let (precision, scale) = decimal_of(field)?;
            Some(LogicalType::decimal(i32::from(scale), i32::from(precision)))
        }
        _ => None,
    };
    let physical = physical(field)?;
    let (kind, length) = match physical {
        Physical::Boolean => (PhysicalType::BOOLEAN, -1),
        Physical::Int32 { .. } => (PhysicalType::INT32, -1),
        Physical::Int64 { .. } => (PhysicalType::INT64, -1),
        Physical::Float => (PhysicalType::FLOAT, -1),
        Physical::Double => (PhysicalType::DOUBLE, -1),
        Physical::Bytes => (PhysicalType::BYTE_ARRAY, -1),
        Physical::Fixed(width) => (PhysicalType::FIXED_LEN_BYTE_ARRAY, i32::try_from(width).unwrap_or(16)),
    };
    let (precision, scale) = match field.data_type {
        DataType::Decimal128 => decimal_of(field).map(|(precision, scale)| (i32::from(precision), i32::from(scale)))?,
        _ => (-1, -1),
    };
    Type::primitive_type_builder(&field.name, kind)
        .with_repetition(if field.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED })
        .with_logical_type(logical)
        .with_length(length)
        .with_precision(precision)
        .with_scale(scale)
        .build()
        .map(Arc::new)
        .map_err(|error| Fault::invalid_config(format!("column `{}` cannot be put into Parquet: {error}", field.name)))
}

/// The values of a column as the file stores them.
///
/// # Errors
/// `internal` where the host gave values of another type than the schema says.
pub(crate) fn data<'a>(column: &'a Column, field: &Field, physical: Physical) -> Result<Data<'a>, Fault> {
    Ok(match (&column.values, physical) {
        (Values::Bits(bits), Physical::Boolean) => Data::Boolean(bits),
        (Values::Int8(values), _) => Data::Int32(values.iter().map(|value| i32::from(*value)).collect()),
        (Values::Int16(values), _) => Data::Int32(values.iter().map(|value| i32::from(*value)).collect()),
        (Values::Int32(values), _) => Data::Int32(Cow::Borrowed(values)),
        (Values::Int64(values), _) => Data::Int64(Cow::Borrowed(values)),
        (Values::Uint8(values), _) => Data::Int32(values.iter().map(|value| i32::from(*value)).collect()),
        (Values::Uint16(values), _) => Data::Int32(values.iter().map(|value| i32::from(*value)).collect()),
        (Values::Uint32(values), _) => Data::Int32(values.iter().map(|value| value.cast_signed()).collect()),
        (Values::Uint64(values), _) => Data::Int64(values.iter().map(|value| value.cast_signed()).collect()),
        (Values::Float32(values), _) => Data::Float(values),
        (Values::Float64(values), _) => Data::Double(values),
        (Values::Variable { offsets, data }, Physical::Bytes) => Data::Bytes { offsets, data },
        (Values::FixedBytes(values), _) => decimals(values, physical),
        _ => {
            return Err(Fault::internal(format!("column `{}` did not come in the form of its type", field.name)));
        }
    })
}

/// 128-bit decimals in as many bytes as their precision asks for.
#[allow(clippy::cast_possible_truncation, reason = "values of a decimal fit its precision")]
fn decimals(values: &[u8], physical: Physical) -> Data<'static> {
    let numbers = values.as_chunks::<16>().0.iter().map(|bytes| i128::from_le_bytes(*bytes));
    match physical {
        Physical::Int32 { .. } => Data::Int32(numbers.map(|number| number as i32).collect()),
        Physical::Int64 { .. } => Data::Int64(numbers.map(|number| number as i64).collect()),
        Physical::Fixed(width) => {
            let mut data = Vec::with_capacity(values.len() / 16 * width);
            for number in numbers {
                data.extend_from_slice(number.to_be_bytes().get(16 - width..).unwrap_or_default());
            }
            Data::Fixed { width, data }
        }
        _ => Data::Fixed { width: 16, data: Vec::new() },
    }
}
