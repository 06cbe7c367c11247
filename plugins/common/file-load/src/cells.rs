//! The columns of a batch as cells that know how to write themselves, for row-wise text formats.

use sluicebox_stage::{Batch, DataType, Fault, Field, Schema, Values};

use crate::text;

/// One column, copied in, with what its type means.
pub struct Cells {
    /// the values
    pub values: CellValues,
    validity: Option<Vec<u8>>,
}

/// The values of a column, by how a cell of it is written.
#[allow(missing_docs, reason = "each is named after its Arrow type")]
pub enum CellValues {
    Boolean(Vec<u8>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Uint8(Vec<u8>),
    Uint16(Vec<u16>),
    Uint32(Vec<u32>),
    Uint64(Vec<u64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Date(Vec<i32>),
    Timestamp { micros: Vec<i64>, utc: bool },
    Decimal { values: Vec<u8>, scale: i8 },
    Utf8 { offsets: Vec<i32>, data: Vec<u8> },
    Binary { offsets: Vec<i32>, data: Vec<u8> },
}

impl Cells {
    /// Copies every column of a batch in.
    ///
    /// # Errors
    /// What the batch says; `invalid-data` where a column is not what the schema says.
    pub fn of(batch: &Batch, schema: &Schema) -> Result<Vec<Self>, Fault> {
        let one = |(index, field): (usize, &Field)| {
            let column = batch.column(index)?;
            let values = cell_values(column.values, field).ok_or_else(|| {
                Fault::internal(format!("column `{}` did not come in the form of its type", field.name))
            })?;
            Ok(Self { values, validity: column.validity })
        };
        schema.iter().enumerate().map(one).collect()
    }

    /// Whether the cell has a value.
    #[must_use]
    pub fn is_valid(&self, row: usize) -> bool {
        self.validity.as_ref().is_none_or(|bits| bit(bits, row))
    }

    /// Appends a cell that is a boolean, a number, a date, a time or a decimal (see [`text`]); bytes as base64 and
    /// text as it is, for the format to escape.
    #[inline]
    pub fn push(&self, out: &mut Vec<u8>, row: usize) {
        match &self.values {
            CellValues::Boolean(bits) => out.extend_from_slice(if bit(bits, row) { b"true" } else { b"false" }),
            CellValues::Int8(values) => with(values, row, |value| text::push_integer(out, value)),
            CellValues::Int16(values) => with(values, row, |value| text::push_integer(out, value)),
            CellValues::Int32(values) => with(values, row, |value| text::push_integer(out, value)),
            CellValues::Int64(values) => with(values, row, |value| text::push_integer(out, value)),
            CellValues::Uint8(values) => with(values, row, |value| text::push_integer(out, value)),
            CellValues::Uint16(values) => with(values, row, |value| text::push_integer(out, value)),
            CellValues::Uint32(values) => with(values, row, |value| text::push_integer(out, value)),
            CellValues::Uint64(values) => with(values, row, |value| text::push_integer(out, value)),
            CellValues::Float32(values) => with(values, row, |value| text::push_float32(out, value)),
            CellValues::Float64(values) => with(values, row, |value| text::push_float(out, value)),
            CellValues::Date(values) => with(values, row, |value| text::push_date(out, value)),
            CellValues::Timestamp { micros, utc } => with(micros, row, |value| text::push_timestamp(out, value, *utc)),
            CellValues::Decimal { values, scale } => {
                if let Some(bytes) = values.get(row * 16..).and_then(|rest| rest.first_chunk::<16>()) {
                    text::push_decimal(out, i128::from_le_bytes(*bytes), *scale);
                }
            }
            CellValues::Utf8 { offsets, data } => push_slice(out, offsets, data, row),
            CellValues::Binary { offsets, data } => text::push_base64(out, slice(offsets, data, row)),
        }
    }
}

/// Row `row` of a variable-width column; empty where the offsets do not fit the data.
#[inline]
#[must_use]
pub fn slice<'a>(offsets: &[i32], data: &'a [u8], row: usize) -> &'a [u8] {
    match offsets.get(row..).and_then(|rest| rest.first_chunk::<2>()) {
        #[allow(clippy::cast_sign_loss, reason = "offsets are never negative; a negative one finds no data")]
        Some(&[start, end]) => data.get(start as usize..end as usize).unwrap_or_default(),
        None => &[],
    }
}

/// Appends row `row` of a variable-width column.
#[inline]
pub fn push_slice(out: &mut Vec<u8>, offsets: &[i32], data: &[u8], row: usize) {
    let value = slice(offsets, data, row);
    // Short texts, which most are, are copied with what stands behind them, and cut.
    let behind = offsets.get(row).and_then(|start| data.get(usize::try_from(*start).ok()?..));
    match behind.and_then(|behind| behind.first_chunk::<16>()) {
        Some(chunk) if value.len() <= 16 => text::push_first(out, chunk, value.len()),
        _ => out.extend_from_slice(value),
    }
}

/// Bit `row`, least significant first; 0 past the end.
#[inline]
#[must_use]
pub fn bit(bits: &[u8], row: usize) -> bool {
    bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
}

/// The fault of a schema with a column that a text format cannot write; `what` is "CSV".
///
/// # Errors
/// `invalid-config` that names the column and says what to do.
pub fn refuse_other(schema: &Schema, what: &str) -> Result<(), Fault> {
    match schema.iter().find(|field| field.data_type == DataType::Other) {
        Some(field) => Err(Fault::invalid_config(format!(
            "column `{}` is of type {}, which {what} cannot hold; drop it or make it text before this stage (transform-select: drop = [\"{}\"])",
            field.name,
            field.detail.as_deref().unwrap_or("other"),
            field.name
        ))),
        None => Ok(()),
    }
}

#[inline]
fn with<T: Copy>(values: &[T], row: usize, write: impl FnOnce(T)) {
    if let Some(value) = values.get(row) {
        write(*value);
    }
}

fn cell_values(values: Values, field: &Field) -> Option<CellValues> {
    Some(match (values, field.data_type) {
        (Values::Bits(bits), _) => CellValues::Boolean(bits),
        (Values::Int8(values), _) => CellValues::Int8(values),
        (Values::Int16(values), _) => CellValues::Int16(values),
        (Values::Int32(values), DataType::Date32) => CellValues::Date(values),
        (Values::Int32(values), _) => CellValues::Int32(values),
        (Values::Int64(micros), DataType::Timestamp) => CellValues::Timestamp { micros, utc: field.detail.is_some() },
        (Values::Int64(values), _) => CellValues::Int64(values),
        (Values::Uint8(values), _) => CellValues::Uint8(values),
        (Values::Uint16(values), _) => CellValues::Uint16(values),
        (Values::Uint32(values), _) => CellValues::Uint32(values),
        (Values::Uint64(values), _) => CellValues::Uint64(values),
        (Values::Float32(values), _) => CellValues::Float32(values),
        (Values::Float64(values), _) => CellValues::Float64(values),
        (Values::FixedBytes(values), _) => CellValues::Decimal { values, scale: field.precision_and_scale()?.1 },
        (Values::Variable { offsets, data }, DataType::Utf8) => CellValues::Utf8 { offsets, data },
        (Values::Variable { offsets, data }, _) => CellValues::Binary { offsets, data },
        (Values::VariableBytes { .. } | Values::Strings(_), _) => return None,
    })
}
