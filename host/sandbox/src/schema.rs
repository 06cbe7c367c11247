//! Schemas of the contract as Arrow schemas, and back.
//!
//! Metadata of schemas and of their fields does not cross: a guest cannot say it, so a batch that comes from one has
//! none. What is nested within a type stays as it is.

use crate::contract::types;
use crate::refusal::{Refusal, refuse};
use arrow_schema::{DECIMAL128_MAX_PRECISION, DataType, Field, Schema, SchemaRef, TimeUnit};
use sluicebox_model::limits::{COLUMN_NAME_BYTES_MAX, COLUMNS_MAX, TYPE_DEPTH_MAX};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The contract's word for an Arrow type, with the detail that belongs to it.
pub(crate) fn word_of(data_type: &DataType) -> (types::DataType, Option<String>) {
    use types::DataType as Word;
    let word = match data_type {
        DataType::Boolean => Word::Boolean,
        DataType::Int8 => Word::Int8,
        DataType::Int16 => Word::Int16,
        DataType::Int32 => Word::Int32,
        DataType::Int64 => Word::Int64,
        DataType::UInt8 => Word::Uint8,
        DataType::UInt16 => Word::Uint16,
        DataType::UInt32 => Word::Uint32,
        DataType::UInt64 => Word::Uint64,
        DataType::Float32 => Word::Float32,
        DataType::Float64 => Word::Float64,
        DataType::Utf8 => Word::Utf8,
        DataType::Binary => Word::Binary,
        DataType::Date32 => Word::Date32,
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            return (Word::Timestamp, zone.as_ref().map(|zone| zone.to_string()));
        }
        DataType::Decimal128(precision, scale) => return (Word::Decimal128, Some(format!("{precision},{scale}"))),
        other => return (Word::Other, Some(other.to_string())),
    };
    (word, None)
}

/// The schema as a guest sees it.
pub(crate) fn to_guest(schema: &Schema) -> Vec<types::Field> {
    let field = |field: &Arc<Field>| {
        let (data_type, detail) = word_of(field.data_type());
        types::Field { name: field.name().clone(), data_type, nullable: field.is_nullable(), detail }
    };
    schema.fields().iter().map(field).collect()
}

/// The schema that a guest promises. Types that the contract has no word for are found by their name: among the columns
/// of `known`, which is what went in, or as Arrow writes them.
pub(crate) fn promised(fields: &[types::Field], known: &[SchemaRef]) -> Result<SchemaRef, Refusal> {
    // Each looked up once: a guest may promise as many columns as it is given.
    let mut others = HashMap::new();
    for column in known.iter().flat_map(|schema| schema.fields().iter()) {
        if let (types::DataType::Other, Some(name)) = word_of(column.data_type()) {
            others.entry(name).or_insert(column.data_type());
        }
    }
    build(fields, |field| {
        let Some(name) = field.detail.as_deref() else {
            refuse!("column `{}` is of type `other` without a detail that says which", field.name)
        };
        if let Some(known) = others.get(name) {
            return Ok((*known).clone());
        }
        // Arrow's parser calls itself for each level.
        if name.bytes().filter(|byte| *byte == b'(').count() > TYPE_DEPTH_MAX {
            refuse!("column `{}` is of a type that is nested more than {TYPE_DEPTH_MAX} deep", field.name);
        }
        match name.parse::<DataType>() {
            Ok(data_type) => {
                check_type(&data_type, &field.name)?;
                Ok(data_type)
            }
            Err(_) => refuse!(
                "column `{}` is of type `other` and its detail `{name}` names no Arrow type, such as `List(Int64)`",
                field.name
            ),
        }
    })
}

/// The schema of columns that a guest hands over as values.
pub(crate) fn of_values(fields: &[types::Field]) -> Result<SchemaRef, Refusal> {
    build(fields, |field| {
        refuse!("column `{}` is of type `other`, which is made by `from-ipc` instead of from values", field.name)
    })
}

fn build(
    fields: &[types::Field],
    other: impl Fn(&types::Field) -> Result<DataType, Refusal>,
) -> Result<SchemaRef, Refusal> {
    check_names(fields.iter().map(|field| field.name.as_str()))?;
    let fields = fields.iter().map(|field| {
        let data_type = match field.data_type {
            types::DataType::Other => other(field)?,
            _ => plain_type(field)?,
        };
        Ok(Field::new(&field.name, data_type, field.nullable))
    });
    let fields = fields.collect::<Result<Vec<_>, Refusal>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// No two columns may have one name; there are not too many, and no name is a book.
pub(crate) fn check_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for name in names {
        if seen.len() >= COLUMNS_MAX {
            refuse!("it has more than {COLUMNS_MAX} columns");
        }
        if name.len() > COLUMN_NAME_BYTES_MAX {
            let bytes = name.len();
            refuse!("the name of column {} has {bytes} bytes; there is room for {COLUMN_NAME_BYTES_MAX}", seen.len());
        }
        if !seen.insert(name) {
            refuse!("two columns are named `{name}`");
        }
    }
    Ok(())
}

fn plain_type(field: &types::Field) -> Result<DataType, Refusal> {
    use types::DataType as Word;
    let detail = field.detail.as_deref();
    let plain = match field.data_type {
        Word::Timestamp => return timestamp(&field.name, detail),
        Word::Decimal128 => return decimal(&field.name, detail),
        Word::Boolean => DataType::Boolean,
        Word::Int8 => DataType::Int8,
        Word::Int16 => DataType::Int16,
        Word::Int32 => DataType::Int32,
        Word::Int64 => DataType::Int64,
        Word::Uint8 => DataType::UInt8,
        Word::Uint16 => DataType::UInt16,
        Word::Uint32 => DataType::UInt32,
        Word::Uint64 => DataType::UInt64,
        Word::Float32 => DataType::Float32,
        Word::Float64 => DataType::Float64,
        Word::Utf8 => DataType::Utf8,
        Word::Binary => DataType::Binary,
        Word::Date32 => DataType::Date32,
        Word::Other => refuse!("column `{}` is of type `other`", field.name),
    };
    match detail {
        None => Ok(plain),
        Some(detail) => refuse!("column `{}` has the detail `{detail}`, but {plain} has none", field.name),
    }
}

fn timestamp(name: &str, zone: Option<&str>) -> Result<DataType, Refusal> {
    let data_type = DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
    check_type(&data_type, name)?;
    Ok(data_type)
}

/// Whether the text may name a time zone; which zones there are is for those to know who work with them.
fn is_zone(zone: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-:".contains(&byte);
    !zone.is_empty() && zone.len() <= 64 && zone.bytes().all(fits)
}

fn decimal(name: &str, detail: Option<&str>) -> Result<DataType, Refusal> {
    let parts = detail.and_then(|detail| detail.split_once(','));
    let parsed = parts.and_then(|(precision, scale)| Some((precision.parse().ok()?, scale.parse().ok()?)));
    match parsed {
        Some((precision, scale)) => {
            let data_type = DataType::Decimal128(precision, scale);
            check_type(&data_type, name)?;
            Ok(data_type)
        }
        None => refuse!("column `{name}` is a decimal128 whose detail is not `precision,scale`, e.g. `10,2`"),
    }
}

/// Refuses types that arrow can name but not work on, at any depth.
pub(crate) fn check_type(data_type: &DataType, column: &str) -> Result<(), Refusal> {
    let inner = |fields: &mut dyn Iterator<Item = &Field>| -> Result<(), Refusal> {
        for field in fields {
            check_type(field.data_type(), column)?;
        }
        Ok(())
    };
    let decimal = |precision: u8, scale: i8, most: u8| {
        let fits = (1..=most).contains(&precision) && scale.unsigned_abs() <= precision;
        if fits { Ok(()) } else { Err(Refusal(format!("column `{column}` cannot be {data_type}"))) }
    };
    match data_type {
        DataType::Decimal32(precision, scale) => decimal(*precision, *scale, 9),
        DataType::Decimal64(precision, scale) => decimal(*precision, *scale, 18),
        DataType::Decimal128(precision, scale) => decimal(*precision, *scale, DECIMAL128_MAX_PRECISION),
        DataType::Decimal256(precision, scale) => decimal(*precision, *scale, 76),
        DataType::Timestamp(_, Some(zone)) if !is_zone(zone) => {
            refuse!("column `{column}` has the time zone {zone:?}; it is one such as `Europe/Berlin` or `+02:00`")
        }
        DataType::Time32(TimeUnit::Microsecond | TimeUnit::Nanosecond)
        | DataType::Time64(TimeUnit::Second | TimeUnit::Millisecond)
        | DataType::FixedSizeBinary(..=0) => refuse!("column `{column}` cannot be {data_type}"),
        DataType::FixedSizeList(_, ..=0) => refuse!("column `{column}` cannot be {data_type}"),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => inner(&mut std::iter::once(&**field)),
        DataType::Struct(fields) => inner(&mut fields.iter().map(|field| &**field)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => inner(&mut fields.iter().map(|field| &**field)),
            _ => refuse!("column `{column}` cannot be {data_type}"),
        },
        DataType::Union(fields, _) => inner(&mut fields.iter().map(|(_, field)| &**field)),
        DataType::Dictionary(key, value) => {
            if !key.is_dictionary_key_type() {
                refuse!("column `{column}` cannot be {data_type}");
            }
            check_type(value, column)
        }
        DataType::RunEndEncoded(ends, values) => {
            if !ends.data_type().is_run_ends_type() {
                refuse!("column `{column}` cannot be {data_type}");
            }
            check_type(values.data_type(), column)
        }
        _ => Ok(()),
    }
}
