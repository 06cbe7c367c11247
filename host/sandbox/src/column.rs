//! One column as it crosses: Arrow arrays as lists of values (`lower`), and lists of values as Arrow arrays (`raise`).
//!
//! A list of numbers is one memcpy on the way to the guest and none on the way back: the list that wasmtime lifted
//! becomes the array's buffer. What a guest hands over is checked before it becomes an array.

use crate::contract::batches::{Column, Form, Values, Variable, VariableBytes};
use crate::isolation::{self, Part};
use crate::refusal::{Refusal, refuse};
use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, DecimalType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, PrimitiveArray, StringArray, TimestampMicrosecondArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, TimeUnit};
use std::sync::Arc;

// `fixed-bytes` is little-endian; lowering and raising it is a plain copy only because the host is, too.
const _: () = assert!(cfg!(target_endian = "little"), "sluicebox runs on little-endian machines only");

/// Bytes of a bitmap of so many rows.
pub(crate) fn bitmap_len(rows: usize) -> usize {
    rows.div_ceil(8)
}

/// Bytes that the column takes up as it crosses.
pub(crate) fn crossing_bytes(column: &Column) -> u64 {
    let values = match &column.values {
        Values::Bits(list) | Values::Uint8(list) | Values::FixedBytes(list) => list.len(),
        Values::Int8(list) => list.len(),
        Values::Int16(list) => list.len() * 2,
        Values::Uint16(list) => list.len() * 2,
        Values::Int32(list) => list.len() * 4,
        Values::Uint32(list) => list.len() * 4,
        Values::Float32(list) => list.len() * 4,
        Values::Int64(list) => list.len() * 8,
        Values::Uint64(list) => list.len() * 8,
        Values::Float64(list) => list.len() * 8,
        Values::Variable(Variable { offsets, data }) => offsets.len() * 4 + data.len(),
        Values::VariableBytes(VariableBytes { offsets, data }) => offsets.len() + data.len(),
        Values::Strings(list) => list.iter().map(|text| 12 + text.as_ref().map_or(0, String::len)).sum(),
    };
    (values + column.validity.as_ref().map_or(0, Vec::len)) as u64
}

/// Bytes that [`lower`] would copy, at most; so that a limit can be held before there is a copy.
pub(crate) fn lowered_bytes(array: &dyn Array, form: Form) -> u64 {
    let rows = array.len() as u64;
    let values = match array.data_type() {
        DataType::Boolean => bitmap_len(array.len()) as u64,
        DataType::Utf8 => text_bytes(array.as_string::<i32>().value_offsets()) + rows * 4 + 4,
        DataType::Binary => text_bytes(array.as_binary::<i32>().value_offsets()) + rows * 4 + 4,
        other => rows * other.primitive_width().unwrap_or(1) as u64,
    };
    values + bitmap_len(array.len()) as u64 + if form == Form::Strings { rows * 20 } else { 0 }
}

fn text_bytes(offsets: &[i32]) -> u64 {
    match (offsets.first(), offsets.last()) {
        (Some(first), Some(last)) => last.abs_diff(*first).into(),
        _ => 0,
    }
}

/// The column in the form that the guest asked for.
pub(crate) fn lower(array: &dyn Array, form: Form) -> Result<Column, Refusal> {
    let values = match form {
        Form::Typed => typed(array),
        Form::Raw => raw(array),
        Form::Strings => return strings(array),
    };
    match values {
        Some(values) => Ok(Column { values, validity: validity(array) }),
        None => Err(no_form(array.data_type(), form)),
    }
}

fn no_form(data_type: &DataType, form: Form) -> Refusal {
    let form = match form {
        Form::Typed => "typed",
        Form::Raw => "raw",
        Form::Strings => "strings",
    };
    match crate::schema::word_of(data_type).0 {
        crate::contract::types::DataType::Other => {
            Refusal(format!("a column of type {data_type} cannot be read as values; read it with `to-ipc`"))
        }
        _ => Refusal(format!("a column of type {data_type} has no form `{form}`")),
    }
}

fn validity(array: &dyn Array) -> Option<Vec<u8>> {
    array.nulls().filter(|nulls| nulls.null_count() > 0).map(|nulls| bits(nulls.inner()))
}

/// The bits from bit 0 on, with zeros behind the last.
fn bits(buffer: &BooleanBuffer) -> Vec<u8> {
    let mut bytes = buffer.sliced().as_slice().to_vec();
    bytes.truncate(bitmap_len(buffer.len()));
    if let (Some(last), used @ 1..) = (bytes.last_mut(), buffer.len() % 8) {
        *last &= (1_u8 << used) - 1;
    }
    bytes
}

fn typed(array: &dyn Array) -> Option<Values> {
    macro_rules! list {
        ($variant:ident, $type:ty) => {
            Values::$variant(array.as_primitive::<$type>().values().to_vec())
        };
    }
    Some(match array.data_type() {
        DataType::Boolean => Values::Bits(bits(array.as_boolean().values())),
        DataType::Int8 => list!(Int8, Int8Type),
        DataType::Int16 => list!(Int16, Int16Type),
        DataType::Int32 => list!(Int32, Int32Type),
        DataType::Int64 => list!(Int64, Int64Type),
        DataType::UInt8 => list!(Uint8, UInt8Type),
        DataType::UInt16 => list!(Uint16, UInt16Type),
        DataType::UInt32 => list!(Uint32, UInt32Type),
        DataType::UInt64 => list!(Uint64, UInt64Type),
        DataType::Float32 => list!(Float32, Float32Type),
        DataType::Float64 => list!(Float64, Float64Type),
        DataType::Date32 => list!(Int32, Date32Type),
        DataType::Timestamp(TimeUnit::Microsecond, _) => list!(Int64, TimestampMicrosecondType),
        DataType::Decimal128(_, _) => return raw(array),
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            Values::Variable(variable(array.offsets(), array.values()))
        }
        DataType::Binary => {
            let array = array.as_binary::<i32>();
            Values::Variable(variable(array.offsets(), array.values()))
        }
        _ => return None,
    })
}

fn variable(offsets: &OffsetBuffer<i32>, values: &Buffer) -> Variable {
    let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else {
        return Variable { offsets: vec![0], data: Vec::new() };
    };
    let data = values.as_slice().get(first as usize..last as usize).unwrap_or_default().to_vec();
    let offsets = match first {
        0 => offsets.to_vec(),
        _ => offsets.iter().map(|offset| offset - first).collect(),
    };
    Variable { offsets, data }
}

fn raw(array: &dyn Array) -> Option<Values> {
    macro_rules! bytes {
        ($type:ty) => {
            Values::FixedBytes(array.as_primitive::<$type>().values().inner().as_slice().to_vec())
        };
    }
    Some(match array.data_type() {
        DataType::Boolean => return typed(array),
        DataType::Int8 => bytes!(Int8Type),
        DataType::Int16 => bytes!(Int16Type),
        DataType::Int32 => bytes!(Int32Type),
        DataType::Int64 => bytes!(Int64Type),
        DataType::UInt8 => bytes!(UInt8Type),
        DataType::UInt16 => bytes!(UInt16Type),
        DataType::UInt32 => bytes!(UInt32Type),
        DataType::UInt64 => bytes!(UInt64Type),
        DataType::Float32 => bytes!(Float32Type),
        DataType::Float64 => bytes!(Float64Type),
        DataType::Date32 => bytes!(Date32Type),
        DataType::Timestamp(TimeUnit::Microsecond, _) => bytes!(TimestampMicrosecondType),
        DataType::Decimal128(_, _) => bytes!(Decimal128Type),
        DataType::Utf8 | DataType::Binary => match typed(array)? {
            Values::Variable(Variable { offsets, data }) => {
                let offsets = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
                Values::VariableBytes(VariableBytes { offsets, data })
            }
            _ => return None,
        },
        _ => return None,
    })
}

fn strings(array: &dyn Array) -> Result<Column, Refusal> {
    let Some(array) = array.as_string_opt::<i32>() else { return Err(no_form(array.data_type(), Form::Strings)) };
    let values = Values::Strings(array.iter().map(|text| text.map(str::to_owned)).collect());
    Ok(Column { values, validity: None })
}

/// How many rows a column has; none where its values do not say, which is so for bits alone.
pub(crate) fn rows_of(field: &Field, column: &Column) -> Result<Option<usize>, Refusal> {
    let rows = match &column.values {
        Values::Bits(_) => return Ok(None),
        Values::Int8(list) => list.len(),
        Values::Int16(list) => list.len(),
        Values::Int32(list) => list.len(),
        Values::Int64(list) => list.len(),
        Values::Uint8(list) => list.len(),
        Values::Uint16(list) => list.len(),
        Values::Uint32(list) => list.len(),
        Values::Uint64(list) => list.len(),
        Values::Float32(list) => list.len(),
        Values::Float64(list) => list.len(),
        Values::Strings(list) => list.len(),
        Values::Variable(Variable { offsets, .. }) => match offsets.len().checked_sub(1) {
            Some(rows) => rows,
            None => refuse!("column `{}` has no offsets; there is one more than rows", field.name()),
        },
        Values::VariableBytes(VariableBytes { offsets, .. }) => {
            match (offsets.len() % 4, (offsets.len() / 4).checked_sub(1)) {
                (0, Some(rows)) => rows,
                _ => refuse!(
                    "column `{}` has {} bytes of offsets; there are 4 a row and 4 more",
                    field.name(),
                    offsets.len()
                ),
            }
        }
        Values::FixedBytes(list) => {
            let Some(width) = field.data_type().primitive_width() else { return Err(misfit(field, column)) };
            if list.len() % width != 0 {
                refuse!("column `{}` has {} bytes, which is no multiple of {width}", field.name(), list.len());
            }
            list.len() / width
        }
    };
    Ok(Some(rows))
}

/// The column as an array of the field's type, with so many rows.
pub(crate) fn raise(field: &Field, rows: usize, column: Column) -> Result<ArrayRef, Refusal> {
    if let Some(given) = rows_of(field, &column)?
        && given != rows
    {
        refuse!("column `{}` has {given} rows, the batch has {rows}", field.name());
    }
    let nulls = match &column.validity {
        Some(_) if matches!(column.values, Values::Strings(_)) => {
            refuse!("column `{}` has a validity beside `strings`, which say themselves what is null", field.name())
        }
        Some(validity) => Some(NullBuffer::new(bitmap(field, "validity", validity.clone(), rows)?)),
        None => None,
    };
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
    let array = build(field, rows, column, nulls)?;
    if !field.is_nullable() && array.null_count() > 0 {
        let nulls = nulls_of(array.null_count());
        refuse!("column `{}` has {nulls}, but its schema says that it has none", field.name());
    }
    Ok(array)
}

fn misfit(field: &Field, column: &Column) -> Refusal {
    let form = match column.values {
        Values::Bits(_) => "bits",
        Values::Int8(_) => "int8",
        Values::Int16(_) => "int16",
        Values::Int32(_) => "int32",
        Values::Int64(_) => "int64",
        Values::Uint8(_) => "uint8",
        Values::Uint16(_) => "uint16",
        Values::Uint32(_) => "uint32",
        Values::Uint64(_) => "uint64",
        Values::Float32(_) => "float32",
        Values::Float64(_) => "float64",
        Values::Variable(_) => "variable",
        Values::FixedBytes(_) => "fixed-bytes",
        Values::VariableBytes(_) => "variable-bytes",
        Values::Strings(_) => "strings",
    };
    Refusal(format!(
        "column `{}` is of type {}, which values of the form `{form}` do not fit",
        field.name(),
        field.data_type()
    ))
}

/// A bitmap of exactly so many rows; the bits behind the last are not looked at.
fn bitmap(field: &Field, what: &str, bytes: Vec<u8>, rows: usize) -> Result<BooleanBuffer, Refusal> {
    mask(bytes, rows).map_err(|Refusal(reason)| Refusal(format!("the {what} of column `{}` {reason}", field.name())))
}

/// One bit a row.
pub(crate) fn mask(bytes: Vec<u8>, rows: usize) -> Result<BooleanBuffer, Refusal> {
    let wanted = bitmap_len(rows);
    if bytes.len() != wanted {
        refuse!("has {} bytes; for {rows} rows there are {wanted}", bytes.len());
    }
    Ok(BooleanBuffer::new(Buffer::from_vec(bytes), 0, rows))
}

fn build(field: &Field, rows: usize, column: Column, nulls: Option<NullBuffer>) -> Result<ArrayRef, Refusal> {
    // A list that was lifted becomes the buffer of the array as it is.
    macro_rules! fixed {
        ($type:ty, $values:expr) => {
            Arc::new(primitive::<$type>($values, nulls)?) as ArrayRef
        };
    }
    use DataType as T;
    Ok(match (field.data_type(), column.values) {
        (T::Boolean, Values::Bits(bytes)) => {
            Arc::new(BooleanArray::new(bitmap(field, "bits", bytes, rows)?, nulls)) as ArrayRef
        }
        (T::Int8, Values::Int8(list)) => fixed!(Int8Type, list),
        (T::Int16, Values::Int16(list)) => fixed!(Int16Type, list),
        (T::Int32, Values::Int32(list)) => fixed!(Int32Type, list),
        (T::Int64, Values::Int64(list)) => fixed!(Int64Type, list),
        (T::UInt8, Values::Uint8(list)) => fixed!(UInt8Type, list),
        (T::UInt16, Values::Uint16(list)) => fixed!(UInt16Type, list),
        (T::UInt32, Values::Uint32(list)) => fixed!(UInt32Type, list),
        (T::UInt64, Values::Uint64(list)) => fixed!(UInt64Type, list),
        (T::Float32, Values::Float32(list)) => fixed!(Float32Type, list),
        (T::Float64, Values::Float64(list)) => fixed!(Float64Type, list),
        (T::Date32, Values::Int32(list)) => fixed!(Date32Type, list),
        (T::Timestamp(TimeUnit::Microsecond, zone), Values::Int64(list)) => stamps(list, nulls, zone)?,
        (T::Int8, Values::FixedBytes(bytes)) => fixed!(Int8Type, from_le(&bytes, i8::from_le_bytes)),
        (T::Int16, Values::FixedBytes(bytes)) => fixed!(Int16Type, from_le(&bytes, i16::from_le_bytes)),
        (T::Int32, Values::FixedBytes(bytes)) => fixed!(Int32Type, from_le(&bytes, i32::from_le_bytes)),
        (T::Int64, Values::FixedBytes(bytes)) => fixed!(Int64Type, from_le(&bytes, i64::from_le_bytes)),
        (T::UInt8, Values::FixedBytes(bytes)) => fixed!(UInt8Type, bytes),
        (T::UInt16, Values::FixedBytes(bytes)) => fixed!(UInt16Type, from_le(&bytes, u16::from_le_bytes)),
        (T::UInt32, Values::FixedBytes(bytes)) => fixed!(UInt32Type, from_le(&bytes, u32::from_le_bytes)),
        (T::UInt64, Values::FixedBytes(bytes)) => fixed!(UInt64Type, from_le(&bytes, u64::from_le_bytes)),
        (T::Float32, Values::FixedBytes(bytes)) => fixed!(Float32Type, from_le(&bytes, f32::from_le_bytes)),
        (T::Float64, Values::FixedBytes(bytes)) => fixed!(Float64Type, from_le(&bytes, f64::from_le_bytes)),
        (T::Date32, Values::FixedBytes(bytes)) => fixed!(Date32Type, from_le(&bytes, i32::from_le_bytes)),
        (T::Timestamp(TimeUnit::Microsecond, zone), Values::FixedBytes(bytes)) => {
            stamps(from_le(&bytes, i64::from_le_bytes), nulls, zone)?
        }
        (T::Decimal128(precision, scale), Values::FixedBytes(bytes)) => {
            let list: Vec<i128> = from_le(&bytes, i128::from_le_bytes);
            let array: Decimal128Array = primitive(list, nulls)?;
            if isolation::is_on(Part::Checks) {
                check_digits(&array, *precision).map_err(|error| in_column(field, error))?;
            }
            // Precision and scale were checked with the schema.
            let array = array.with_data_type(DataType::Decimal128(*precision, *scale));
            Arc::new(array)
        }
        (T::Utf8 | T::Binary, Values::Variable(Variable { offsets, data })) => bytes(field, offsets, data, nulls)?,
        (T::Utf8 | T::Binary, Values::VariableBytes(VariableBytes { offsets, data })) => {
            bytes(field, from_le(&offsets, i32::from_le_bytes), data, nulls)?
        }
        (T::Utf8, Values::Strings(list)) => {
            let text: usize = list.iter().flatten().map(String::len).sum();
            if i32::try_from(text).is_err() {
                refuse!("column `{}` has {text} bytes of text; a batch carries less than 2 GiB", field.name());
            }
            let mut builder = StringBuilder::with_capacity(list.len(), text);
            list.iter().for_each(|text| builder.append_option(text.as_deref()));
            Arc::new(builder.finish())
        }
        (_, values) => return Err(misfit(field, &Column { values, validity: None })),
    })
}

/// No value has more digits than the precision allows.
pub(crate) fn check_digits<T: DecimalType + ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    precision: u8,
) -> Result<(), Refusal> {
    // The scale has no part in it, and arrow's check fails on one below zero.
    let plain = array.clone().with_data_type(T::TYPE_CONSTRUCTOR(precision, 0));
    Ok(plain.validate_decimal_precision(precision)?)
}

fn in_column(field: &Field, error: impl Into<Refusal>) -> Refusal {
    Refusal(format!("column `{}`: {}", field.name(), error.into()))
}

/// `1 null`, `2 nulls`.
pub(crate) fn nulls_of(nulls: usize) -> String {
    if nulls == 1 { "1 null".to_owned() } else { format!("{nulls} nulls") }
}

/// The first row whose bytes are no text.
fn no_text(offsets: &[i32], data: &[u8]) -> Option<usize> {
    let bytes = |from: i32, to: i32| data.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?);
    let pairs = offsets.iter().zip(offsets.iter().skip(1));
    let mut rows = pairs.map(|(from, to)| bytes(*from, *to).is_some_and(|bytes| std::str::from_utf8(bytes).is_err()));
    rows.position(|is_wrong| is_wrong)
}

fn primitive<T: ArrowPrimitiveType>(
    list: Vec<T::Native>,
    nulls: Option<NullBuffer>,
) -> Result<PrimitiveArray<T>, Refusal> {
    Ok(PrimitiveArray::try_new(ScalarBuffer::from(list), nulls)?)
}

fn stamps(list: Vec<i64>, nulls: Option<NullBuffer>, zone: &Option<Arc<str>>) -> Result<ArrayRef, Refusal> {
    let array: TimestampMicrosecondArray = primitive(list, nulls)?;
    Ok(Arc::new(array.with_timezone_opt(zone.clone())))
}

/// The numbers of a list of bytes, which may lie anywhere in memory. The length was checked to be a multiple.
fn from_le<const WIDTH: usize, N>(bytes: &[u8], number: impl Fn([u8; WIDTH]) -> N) -> Vec<N> {
    bytes.as_chunks::<WIDTH>().0.iter().map(|chunk| number(*chunk)).collect()
}

fn bytes(field: &Field, offsets: Vec<i32>, data: Vec<u8>, nulls: Option<NullBuffer>) -> Result<ArrayRef, Refusal> {
    #[cfg(unisolated)]
    if !isolation::is_on(Part::Checks) {
        return Ok(unchecked(field, offsets, data, nulls));
    }
    let rises = offsets.is_sorted();
    let fits = offsets.first() == Some(&0)
        && offsets.last().is_some_and(|&last| usize::try_from(last).is_ok_and(|last| last <= data.len()));
    if !(rises && fits) {
        refuse!(
            "column `{}` has offsets that do not start at 0, do not rise, or pass the {} bytes of its data",
            field.name(),
            data.len()
        );
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let data = Buffer::from_vec(data);
    Ok(match field.data_type() {
        DataType::Utf8 => {
            let text = StringArray::try_new(offsets.clone(), data.clone(), nulls);
            Arc::new(text.map_err(|error| match no_text(&offsets, &data) {
                Some(row) => Refusal(format!("column `{}` has bytes that are not UTF-8 in row {row}", field.name())),
                None => in_column(field, error),
            })?) as ArrayRef
        }
        _ => Arc::new(BinaryArray::try_new(offsets, data, nulls).map_err(|error| in_column(field, error))?),
    })
}

/// As [`bytes`], without a look at them; see [`isolation`].
#[cfg(unisolated)]
#[allow(unsafe_code)] // only where nothing is isolated
fn unchecked(field: &Field, offsets: Vec<i32>, data: Vec<u8>, nulls: Option<NullBuffer>) -> ArrayRef {
    // SAFETY: none but trust. Whoever leaves out the checks gives only guests that hand over what they have to.
    unsafe {
        let offsets = OffsetBuffer::new_unchecked(ScalarBuffer::from(offsets));
        let data = Buffer::from_vec(data);
        match field.data_type() {
            DataType::Utf8 => Arc::new(StringArray::new_unchecked(offsets, data, nulls)) as ArrayRef,
            _ => Arc::new(BinaryArray::new_unchecked(offsets, data, nulls)),
        }
    }
}
