//! Keys: what may be one, and how rows of two inputs are compared by them.

use sluicebox_stage::{Batch, Column, DataType, Fault, Field, Values};

/// What a column of a key holds. Two columns match where this is equal; whole numbers match whatever their width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyType {
    Whole,
    Text,
    Bytes,
    Boolean,
    Date,
    /// local time, or in UTC
    Timestamp {
        utc: bool,
    },
    Decimal {
        scale: String,
    },
}

impl KeyType {
    /// # Errors
    /// `invalid-config` for a type that makes no key.
    pub(crate) fn of(field: &Field, input: &str) -> Result<Self, Fault> {
        Ok(match field.data_type {
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Uint8
            | DataType::Uint16
            | DataType::Uint32
            | DataType::Uint64 => Self::Whole,
            DataType::Utf8 => Self::Text,
            DataType::Binary => Self::Bytes,
            DataType::Boolean => Self::Boolean,
            DataType::Date32 => Self::Date,
            DataType::Timestamp => Self::Timestamp { utc: field.detail.is_some() },
            DataType::Decimal128 => Self::Decimal {
                scale: field
                    .detail
                    .as_deref()
                    .and_then(|detail| detail.split_once(','))
                    .map_or("", |pair| pair.1)
                    .trim()
                    .to_owned(),
            },
            DataType::Float32 | DataType::Float64 => {
                return Err(Fault::invalid_config(format!(
                    "`on`: column `{}` of `{input}` holds floats, which are seldom equal; cast it to a whole number, a decimal or text before this stage (transform-select)",
                    field.name
                )));
            }
            DataType::Other => {
                return Err(Fault::invalid_config(format!(
                    "`on`: column `{}` of `{input}` is of type {}, which cannot be a key; make it text or a number before this stage",
                    field.name,
                    field.detail.as_deref().unwrap_or("other")
                )));
            }
        })
    }

    /// Whether 64 signed bits do not hold its values.
    pub(crate) fn is_wide(field: &Field) -> bool {
        field.data_type == DataType::Uint64
    }

    /// For people.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Whole => "whole numbers",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Boolean => "booleans",
            Self::Date => "dates",
            Self::Timestamp { utc: false } => "local timestamps",
            Self::Timestamp { utc: true } => "timestamps in UTC",
            Self::Decimal { .. } => "decimals",
        }
    }
}

/// The keys of a batch's rows.
pub(crate) enum Keys {
    /// one column of numbers, dates or times
    Numbers { values: Vec<i64>, present: Option<Vec<u8>> },
    /// one column of text or bytes, or several columns written one after another
    Bytes { offsets: Vec<i32>, data: Vec<u8>, present: Option<Vec<u8>> },
}

impl Keys {
    /// Copies the key columns of a batch in. `wide`: one of the inputs has numbers that 64 signed bits do not hold.
    ///
    /// # Errors
    /// What the batch says; `invalid-data` where the keys of one batch are more than 2 GiB.
    pub(crate) fn of(batch: &Batch, columns: &[usize], wide: bool) -> Result<Self, Fault> {
        let mut parts = columns.iter().map(|column| batch.column(*column)).collect::<Result<Vec<_>, _>>()?;
        if parts.len() == 1
            && let Some(Column { values, validity, .. }) = parts.pop()
        {
            match values {
                Values::Variable { offsets, data } => return Ok(Self::Bytes { offsets, data, present: validity }),
                values => match narrow(&values).filter(|_| !wide) {
                    Some(values) => return Ok(Self::Numbers { values, present: validity }),
                    None => parts.push(Column::new(values, validity, batch.rows())),
                },
            }
        }
        several(&parts, batch.rows())
    }

    /// The keys of no rows.
    pub(crate) fn none() -> Self {
        Self::Numbers { values: Vec::new(), present: None }
    }

    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Numbers { values, .. } => values.len(),
            Self::Bytes { offsets, .. } => offsets.len().saturating_sub(1),
        }
    }

    /// Whether no part of the row's key is null.
    #[inline]
    pub(crate) fn is_present(&self, row: usize) -> bool {
        let (Self::Numbers { present, .. } | Self::Bytes { present, .. }) = self;
        present.as_deref().is_none_or(|bits| bit(bits, row))
    }
}

#[inline]
fn bit(bits: &[u8], row: usize) -> bool {
    bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
}

/// Numbers as 64 signed bits.
fn narrow(values: &Values) -> Option<Vec<i64>> {
    Some(match values {
        Values::Int8(values) => values.iter().map(|value| i64::from(*value)).collect(),
        Values::Int16(values) => values.iter().map(|value| i64::from(*value)).collect(),
        Values::Int32(values) => values.iter().map(|value| i64::from(*value)).collect(),
        Values::Int64(values) => values.clone(),
        Values::Uint8(values) => values.iter().map(|value| i64::from(*value)).collect(),
        Values::Uint16(values) => values.iter().map(|value| i64::from(*value)).collect(),
        Values::Uint32(values) => values.iter().map(|value| i64::from(*value)).collect(),
        _ => return None,
    })
}

/// Keys of several columns: each row's values one after another, numbers in 16 bytes, text with its length before it.
fn several(columns: &[Column], rows: usize) -> Result<Keys, Fault> {
    let mut offsets = Vec::with_capacity(rows + 1);
    let mut data = Vec::new();
    let mut present = vec![0_u8; rows.div_ceil(8)];
    offsets.push(0);
    for row in 0..rows {
        if columns.iter().all(|column| column.validity.as_deref().is_none_or(|bits| bit(bits, row))) {
            if let Some(byte) = present.get_mut(row / 8) {
                *byte |= 1 << (row % 8);
            }
            for column in columns {
                push_value(&mut data, &column.values, row);
            }
        }
        offsets.push(i32::try_from(data.len()).map_err(|_| {
            Fault::invalid_data("the keys of one batch are more than 2 GiB; join by fewer or shorter columns")
        })?);
    }
    Ok(Keys::Bytes { offsets, data, present: Some(present) })
}

fn push_value(out: &mut Vec<u8>, values: &Values, row: usize) {
    fn number<T: Copy + Into<i128>>(out: &mut Vec<u8>, values: &[T], row: usize) {
        if let Some(value) = values.get(row) {
            out.extend_from_slice(&(*value).into().to_le_bytes());
        }
    }
    match values {
        Values::Bits(bits) => out.push(u8::from(bit(bits, row))),
        Values::Int8(values) => number(out, values, row),
        Values::Int16(values) => number(out, values, row),
        Values::Int32(values) => number(out, values, row),
        Values::Int64(values) => number(out, values, row),
        Values::Uint8(values) => number(out, values, row),
        Values::Uint16(values) => number(out, values, row),
        Values::Uint32(values) => number(out, values, row),
        Values::Uint64(values) => number(out, values, row),
        Values::Float32(values) => out.extend(values.get(row).map(|value| value.to_le_bytes()).iter().flatten()),
        Values::Float64(values) => out.extend(values.get(row).map(|value| value.to_le_bytes()).iter().flatten()),
        Values::FixedBytes(bytes) => out.extend_from_slice(bytes.get(row * 16..row * 16 + 16).unwrap_or_default()),
        Values::VariableBytes { .. } | Values::Strings(_) => {}
        Values::Variable { offsets, data } => {
            let value = text_at(offsets, data, row);
            out.extend_from_slice(&(value.len() as u64).to_le_bytes());
            out.extend_from_slice(value);
        }
    }
}

/// Row `row` of a variable-width column.
#[inline]
pub(crate) fn text_at<'a>(offsets: &[i32], data: &'a [u8], row: usize) -> &'a [u8] {
    match offsets.get(row..).and_then(|rest| rest.first_chunk::<2>()) {
        #[allow(clippy::cast_sign_loss, reason = "offsets are never negative; a negative one finds no data")]
        Some(&[start, end]) => data.get(start as usize..end as usize).unwrap_or_default(),
        None => &[],
    }
}
