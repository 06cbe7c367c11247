//! Between the contract's columns and those of this crate.

use sluicebox_stage::{Batch, Column, DataType, Fault, Field, Schema, Values};

use crate::{
    plan::ColumnInfo,
    types::Type,
    vector::{Data, Strings, Vector},
};

pub(crate) fn columns_of(schema: &Schema) -> Vec<ColumnInfo> {
    let column = |field: &Field| ColumnInfo { name: field.name.clone(), ty: type_of(field), nullable: field.nullable };
    schema.iter().map(column).collect()
}

fn type_of(field: &Field) -> Type {
    match field.data_type {
        DataType::Boolean => Type::Boolean,
        DataType::Int8 => Type::Int8,
        DataType::Int16 => Type::Int16,
        DataType::Int32 => Type::Int32,
        DataType::Int64 => Type::Int64,
        DataType::Uint8 => Type::UInt8,
        DataType::Uint16 => Type::UInt16,
        DataType::Uint32 => Type::UInt32,
        DataType::Uint64 => Type::UInt64,
        DataType::Float32 => Type::Float32,
        DataType::Float64 => Type::Float64,
        DataType::Utf8 => Type::Utf8,
        DataType::Binary => Type::Binary,
        DataType::Date32 => Type::Date,
        DataType::Timestamp => Type::Timestamp(field.detail.clone()),
        DataType::Decimal128 => {
            let (precision, scale) = field.precision_and_scale().unwrap_or((38, 10));
            Type::Decimal(precision, scale)
        }
        DataType::Other => Type::Other(field.detail.clone().unwrap_or_else(|| "other".to_owned())),
    }
}

/// The contract's name of a type, and its detail.
pub(crate) fn data_type(ty: &Type) -> (DataType, Option<String>) {
    match ty {
        Type::Null | Type::Boolean => (DataType::Boolean, None),
        Type::Int8 => (DataType::Int8, None),
        Type::Int16 => (DataType::Int16, None),
        Type::Int32 => (DataType::Int32, None),
        Type::Int64 => (DataType::Int64, None),
        Type::UInt8 => (DataType::Uint8, None),
        Type::UInt16 => (DataType::Uint16, None),
        Type::UInt32 => (DataType::Uint32, None),
        Type::UInt64 => (DataType::Uint64, None),
        Type::Float32 => (DataType::Float32, None),
        Type::Float64 => (DataType::Float64, None),
        Type::Utf8 => (DataType::Utf8, None),
        Type::Binary => (DataType::Binary, None),
        Type::Date => (DataType::Date32, None),
        Type::Timestamp(zone) => (DataType::Timestamp, zone.clone()),
        Type::Decimal(precision, scale) => (DataType::Decimal128, Some(format!("{precision},{scale}"))),
        Type::Other(name) => (DataType::Other, Some(name.clone())),
    }
}

/// Copies one column in.
pub(crate) fn read(batch: &Batch, index: usize) -> Result<Vector, Fault> {
    let rows = batch.rows();
    let column = batch.column(index)?;
    let data = match column.values {
        Values::Bits(bits) => Data::Bool(bits),
        Values::Int8(values) => Data::Int8(values),
        Values::Int16(values) => Data::Int16(values),
        Values::Int32(values) => Data::Int32(values),
        Values::Int64(values) => Data::Int64(values),
        Values::Uint8(values) => Data::UInt8(values),
        Values::Uint16(values) => Data::UInt16(values),
        Values::Uint32(values) => Data::UInt32(values),
        Values::Uint64(values) => Data::UInt64(values),
        Values::Float32(values) => Data::Float32(values),
        Values::Float64(values) => Data::Float64(values),
        Values::Variable { offsets, data } => Data::Text(Strings { offsets, data }),
        Values::FixedBytes(bytes) => {
            Data::Decimal(bytes.as_chunks::<16>().0.iter().map(|bytes| i128::from_le_bytes(*bytes)).collect())
        }
        Values::VariableBytes { .. } | Values::Strings(_) => {
            return Err(Fault::internal("a column came in a form that was not asked for"));
        }
    };
    Ok(Vector { rows, data, validity: column.validity })
}

pub(crate) fn write(vector: Vector) -> Column {
    let values = match vector.data {
        Data::Bool(bits) => Values::Bits(bits),
        Data::Int8(values) => Values::Int8(values),
        Data::Int16(values) => Values::Int16(values),
        Data::Int32(values) => Values::Int32(values),
        Data::Int64(values) => Values::Int64(values),
        Data::UInt8(values) => Values::Uint8(values),
        Data::UInt16(values) => Values::Uint16(values),
        Data::UInt32(values) => Values::Uint32(values),
        Data::UInt64(values) => Values::Uint64(values),
        Data::Float32(values) => Values::Float32(values),
        Data::Float64(values) => Values::Float64(values),
        Data::Text(strings) => Values::Variable { offsets: strings.offsets, data: strings.data },
        Data::Decimal(values) => Values::FixedBytes(values.iter().flat_map(|value| value.to_le_bytes()).collect()),
    };
    Column::new(values, vector.validity, vector.rows)
}
